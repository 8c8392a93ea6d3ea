"""
Defines the words that YAML 1.1 reads as booleans and nulls. Kubernetes (go-yaml v2, ``resolve.go``) reads YAML 1.1.

This module is the only table of these words. YAML 1.2 readers, such as the fast reader, read the words in ``AMBIGUOUS`` as
strings.
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
    """Returns a word in lower, title and upper case. Other spellings, such as ``yEs``, are strings."""
    return word, word.title(), word.upper()


BOOLEANS: Final = {spelling: value for word, value in _BOOLEANS.items() for spelling in spellings(word)}
NULLS: Final = frozenset(("~", *spellings("null")))
UNAMBIGUOUS: Final = frozenset((*spellings("true"), *spellings("false"), *NULLS))
"""Words that have the same meaning in YAML 1.1 and YAML 1.2."""
AMBIGUOUS: Final = frozenset(BOOLEANS) - UNAMBIGUOUS
"""Words that are booleans in YAML 1.1 and strings in YAML 1.2, such as ``yes``, ``Off`` and ``N``."""
