"""
The words that YAML 1.1 reads as booleans and nulls. Kubernetes (go-yaml v2, ``resolve.go``) reads YAML 1.1.

This is the only table of them. YAML 1.2 readers, among them the fast reader, read ``AMBIGUOUS`` words as strings.
"""

from typing import Final

_BOOLEANS: Final = {
    "y": True,
    "yes": True,
    "true": True,
    "on": True,
    "n": False,
    "no": False,
    "false": False,
    "off": False,
}


def spellings(word: str) -> tuple[str, str, str]:
    """A word in lower, title and upper case. Other spellings, such as ``yEs``, are strings."""
    return word, word.title(), word.upper()


BOOLEANS: Final = {spelling: value for word, value in _BOOLEANS.items() for spelling in spellings(word)}
NULLS: Final = frozenset(("~", *spellings("null")))
UNAMBIGUOUS: Final = frozenset((*spellings("true"), *spellings("false"), *NULLS))
"""Words with one meaning in YAML 1.1 and YAML 1.2."""
AMBIGUOUS: Final = frozenset(BOOLEANS) - UNAMBIGUOUS
"""Words that are booleans in YAML 1.1 and strings in YAML 1.2: ``yes``, ``Off``, ``N``."""
