"""
Defines the words that YAML 1.1 reads as booleans and nulls. Kubernetes (go-yaml v2, ``resolve.go``) reads YAML 1.1.

Each word has three spellings. Other spellings, such as ``yEs``, are strings. This module is the only table of these words.
"""

from typing import Final


def _spellings(word: str) -> tuple[str, str, str]:
    return word, word.title(), word.upper()


BOOLEANS: Final = {spelling: True for word in ("y", "yes", "true", "on") for spelling in _spellings(word)} | {
    spelling: False for word in ("n", "no", "false", "off") for spelling in _spellings(word)
}
NULLS: Final = frozenset(("~", *_spellings("null")))
