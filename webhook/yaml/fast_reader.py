"""
Reads plain YAML fast, with ryaml.

ryaml has the grammar of libyaml, translated to Rust, so it accepts the same texts as ``builder``. The two readers differ in the
values of scalars, because ryaml follows serde_yaml and Kubernetes follows go-yaml. The result is None if the values might
differ (``yes``, ``010``, ``1_000``, keys that are not strings, anchors, tags, ...) or if ryaml rejects the text. In that case
``builder`` reads the text, with its own errors and limits. A differential test checks that both readers return the same values.
This module does no I/O.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from webhook.yaml import words
from webhook.yaml.text import JsonValue

ryaml: Any
try:
    import ryaml
except ImportError:  # there is no wheel for this platform, so the exact reader reads all texts
    ryaml = None

MAX_BRACKETS: Final = 2_000
"""Maximum number of opening brackets and braces. The time that libyaml takes grows with the square of the nesting depth."""
MAX_CHARACTERS: Final = 1 << 20
"""Maximum number of characters. A longer text can exceed the limit of nodes, which only the exact reader counts."""

_NUL_ESCAPE: Final = r"\\(?:0|x00|u0000|U0000)"
_ODD_LINES: Final = "[\x85\u2028\u2029\ufeff]"

# Matches the start of a plain scalar that might not be a string. This pattern can also match inside quotes and block scalars.
# In that case the exact reader reads the text although that is not necessary.
_TOKENS = re.compile(r"[ \[{,\n]([-+.0-9yYnNoOtTfF~=][^\s,\]}]*)")
_WORDS: Final = words.AMBIGUOUS | {"="}
_SIMPLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_UNLIKE_NUMBER = re.compile(r"0[0-9a-zA-Z_]|[-+.][0-9.a-zA-Z_]|[0-9]+(?:[eE_]|\.[0-9]*(?:[eE_]|$))|[0-9]{16}")
_NUMBER_KEY = re.compile(r"[0-9][^\s]*:")
_WORD_ALONE: Final = rf"[ \[{{,\n](?:{'|'.join(sorted(_WORDS))})(?= *(?:[\n,\]}}]|:[ \n,\]}}]| #))"
_NOT_A_STRING: Final = rf"(?:{'|'.join(sorted(words.UNAMBIGUOUS))}|[0-9][^\s,\]}}]*)"
_KEY_ALONE: Final = rf"[{{,]\s*{_NOT_A_STRING}\s*[,}}]"
_KEY_APART: Final = rf"[ {{,\n]{_NOT_A_STRING} +:"
# Match an anchor, alias or tag, a key after a question mark, and a value directly after the colon of a quoted key.
_SIGNS: Final = r"(?:[\n\[{,]|[:\-?] ) *(?:[&*!]|\?(?![^\s:,}\]]))"
_COMPLEX_KEY: Final = r"[}\]] *:"
_QUOTED_KEY: Final = r"[\"']:[^\s]"
_AFTER_SEPARATOR = re.compile(r"[ \t]*(?:[ \t]#.*)?$")
_CONTENT = re.compile(r"^ *[^ #\n]", re.MULTILINE)
_harmless: set[int] = set()
"""Hashes of lines in which the readers agree. The lines are not kept, because they can contain secrets."""
_MAX_CACHED: Final = 1 << 14


class _UnclearError(Exception):
    """A line looks like a document separator, but is not a separator."""


class Parsed(NamedTuple):
    """
    A document with its value, its number in the stream, the offset of its first character, and the offset after its last
    character.
    """

    value: JsonValue
    number: int
    start: int
    end: int


def read_fast(text: str, most_documents: int) -> list[Parsed] | None:
    """Returns the documents that are not empty, or None if the exact reader must read the text."""
    if ryaml is None or len(text) > MAX_CHARACTERS or text.count("{") + text.count("[") > MAX_BRACKETS:
        return None
    if "?" in text or "!" in text or "\\/" in text:  # go-yaml can differ from libyaml only in such texts
        from webhook.yaml.go_differences import may_refuse  # noqa: PLC0415 - imports PyYAML

        if may_refuse(text):
            return None
    if _may_differ(text):
        return None
    documents: list[Parsed] = []
    try:
        chunks = list(_chunks(text)) if "---" in text else [(0, len(text))]
        if len(chunks) > most_documents:
            return None
        for index, (begin, end) in enumerate(chunks):
            content = _CONTENT.search(text, begin, end)
            value = ryaml.loads(text[begin:end]) if content is not None else None
            if content is not None and value is not None:
                documents.append(Parsed(value, index, content.end() - 1, end))
    except (ryaml.InvalidYamlError, _UnclearError, ValueError):  # ValueError: a mapping is used as a key
        return None
    return documents


def _may_differ(text: str) -> bool:
    """
    Whether ryaml and Kubernetes might read different values from the text.

    All differences except one are visible in a single line. Results are therefore cached by line, because most lines occur in
    many files.
    """
    known = _harmless
    fresh = [line for line in text.split("\n") if hash(line) not in known]
    if fresh:
        if _lines_may_differ("\n".join(("", *fresh, ""))):
            return True
        if len(_harmless) > _MAX_CACHED:
            _harmless.clear()
        _harmless.update(map(hash, fresh))
    return "{" in text and text.count("{") != text.count("{}") and re.search(_KEY_ALONE, text) is not None


def _lines_may_differ(text: str) -> bool:
    """Works as ``_may_differ`` does, for lines in any order. ``text`` has a line break before and after each line."""
    if _is_odd(text):
        return True
    seen = {_kind(token) for token in set(_TOKENS.findall(text))}
    return (
        "number" in seen
        or ("word" in seen and re.search(_WORD_ALONE, text) is not None)
        or ("value" in seen and " :" in text and re.search(_KEY_APART, text) is not None)
        or (any(sign in text for sign in "&*!?") and re.search(_SIGNS, text) is not None)
        or ((" :" in text or "}:" in text or "]:" in text) and re.search(_COMPLEX_KEY, text) is not None)
        or (("':" in text or '":' in text) and re.search(_QUOTED_KEY, text) is not None)
    )


def _is_odd(text: str) -> bool:
    """Whether the text contains rare syntax, which only the exact reader reads."""
    return (
        "\r" in text
        or "\t" in text
        or "<<" in text
        or "\n..." in text
        or "\n%" in text
        or ("\\" in text and re.search(_NUL_ESCAPE, text) is not None)
        or (not text.isascii() and re.search(_ODD_LINES, text) is not None)
    )


@lru_cache(4096)
def _kind(token: str) -> str:
    """
    Returns ``number`` if readers might differ, ``word`` for words such as yes, ``value`` if readers agree on a value that is
    not a string, and otherwise ''.
    """
    name = token.removesuffix(":")
    if name in _WORDS:
        return "word"
    if name in words.UNAMBIGUOUS or _SIMPLE_NUMBER.fullmatch(name):
        return "value" if name == token else "number"
    if _UNLIKE_NUMBER.match(token) or _NUMBER_KEY.fullmatch(token):
        return "number"
    return ""


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each document in the stream, without the separators. Raises _UnclearError."""
    begin = 0
    separator = 0 if text.startswith("---") else text.find("\n---") + 1
    while separator or text.startswith("---"):
        line = text.find("\n", separator)
        after = line if line >= 0 else len(text)
        if _AFTER_SEPARATOR.fullmatch(text, separator + 3, after) is None:
            raise _UnclearError
        if begin or _CONTENT.search(text, 0, separator):  # content before the first --- is a document
            yield begin, separator
        begin = after
        separator = text.find("\n---", after) + 1
        if not separator:
            break
    yield begin, len(text)
