"""
The fast way through plain YAML: the same grammar at the speed of C, for texts whose scalars mean the same to everybody.

ryaml is libyaml, translated; so it takes and refuses what ``kubebuild`` takes and refuses. Only what a scalar means is
decided elsewhere: by serde_yaml for ryaml, by go-yaml for Kubernetes. Where the two may differ (``yes``, ``010``, ``1_000``,
keys that are no text, anchors, tags, ...), or where ryaml refuses, the answer here is None and ``kubebuild`` reads the text,
with its own errors and limits. A differential test holds the two equal. This file does no I/O.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from webhook.yaml.text import JsonValue

ryaml: Any
try:
    import ryaml
except ImportError:  # no wheel for this platform: the same results, slower
    ryaml = None

MOST_OPEN: Final = 2_000
"""Brackets: libyaml's time grows with the square of how deep they nest, and the careful reader ends at 512 levels."""
MOST: Final = 1 << 20
"""Characters; in a longer text there is room for more nodes than Kubernetes' bounds, which the careful reader counts."""

_NUL_ESCAPE: Final = r"\\(?:0|x00|u0000|U0000)"
_ODD_LINES: Final = "[\x85\u2028\u2029\ufeff]"

# What may be the beginning of a plain scalar that is more than its text. Many of these are inside of texts and quotes:
# then a text is read carefully that need not be.
_TOKENS = re.compile(r"[ \[{,\n]([-+.0-9yYnNoOtTfF~=][^\s,\]}]*)")
_WORDS: Final = frozenset(
    ["y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "="]
)
_NO_TEXT: Final = frozenset(["true", "True", "TRUE", "false", "False", "FALSE", "null", "Null", "NULL", "~"])
_SIMPLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_UNLIKE_NUMBER = re.compile(r"0[0-9a-zA-Z_]|[-+.][0-9.a-zA-Z_]|[0-9]+(?:[eE_]|\.[0-9]*(?:[eE_]|$))|[0-9]{16}")
_NUMBER_KEY = re.compile(r"[0-9][^\s]*:")
_WORD_ALONE: Final = r"[ \[{,\n](?:[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|=)(?= *(?:[\n,\]}]|:[ \n,\]}]| #))"
_NO_TEXT_KEY = r"(?:[tT]rue|TRUE|[fF]alse|FALSE|[nN]ull|NULL|~|[0-9][^\s,\]}]*)"
_KEY_ALONE: Final = rf"[{{,]\s*{_NO_TEXT_KEY}\s*[,}}]"
_KEY_APART: Final = rf"[ {{,\n]{_NO_TEXT_KEY} +:"
# An anchor, alias or tag, a key behind a question mark, and a value right behind the colon of a quoted key.
_SIGNS: Final = r"(?:[\n\[{,]|[:\-?] ) *(?:[&*!]|\?(?![^\s:,}\]]))"
_COMPLEX_KEY: Final = r"[}\]] *:"
_QUOTED_KEY: Final = r"[\"']:[^\s]"
_BEHIND_SEPARATOR = re.compile(r"[ \t]*(?:[ \t]#.*)?$")
_CONTENT = re.compile(r"^ *[^ #\n]", re.MULTILINE)
_harmless: set[int] = set()
"""Hashes of lines in which nothing may differ: no lines, for what stands in manifests is not kept."""
_MOST_REMEMBERED: Final = 1 << 14


class _Unclear(Exception):
    """What looks like a separator is none."""


class Found(NamedTuple):
    """A document: its value, its place in the stream, and the offsets of its first character and behind its last."""

    value: JsonValue
    number: int
    start: int
    end: int


def read_fast(text: str, most_documents: int) -> list[Found] | None:
    """Every document that is not empty, or None where the careful reader must look."""
    if ryaml is None or len(text) > MOST or text.count("{") + text.count("[") > MOST_OPEN:
        return None
    if "?" in text or "!" in text or "\\/" in text:  # without these there is nothing that goyaml is about
        from webhook.yaml.go_differences import may_refuse  # noqa: PLC0415 - it imports PyYAML, and most texts do not need it

        if may_refuse(text):
            return None
    if _may_differ(text):
        return None
    found: list[Found] = []
    try:
        chunks = list(_chunks(text)) if "---" in text else [(0, len(text))]
        if len(chunks) > most_documents:
            return None
        for index, (begin, end) in enumerate(chunks):
            content = _CONTENT.search(text, begin, end)
            value = ryaml.loads(text[begin:end]) if content is not None else None
            if content is not None and value is not None:
                found.append(Found(value, index, content.end() - 1, end))
    except (ryaml.InvalidYamlError, _Unclear, ValueError):  # ValueError: a mapping for a key
        return None
    return found


def _may_differ(text: str) -> bool:
    """
    Whether anything in the text may mean something else to ryaml.

    But for one thing that can be told line by line, and most lines of a repository have stood in another file before.
    """
    known = _harmless
    fresh = [line for line in text.split("\n") if hash(line) not in known]
    if fresh:
        if _lines_may_differ("\n".join(("", *fresh, ""))):
            return True
        if len(_harmless) > _MOST_REMEMBERED:
            _harmless.clear()
        _harmless.update(map(hash, fresh))
    return "{" in text and text.count("{") != text.count("{}") and re.search(_KEY_ALONE, text) is not None


def _lines_may_differ(text: str) -> bool:
    """As ``_may_differ``, of lines in any order, framed by line ends."""
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
    """Whether there is something in the text that most texts do not have, and that is not worth a closer look."""
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
    """``number`` where it may be another one, or a key that is none; ``word`` for yes and no; ``value`` for what agrees."""
    name = token.removesuffix(":")
    if name in _WORDS:
        return "word"
    if name in _NO_TEXT or _SIMPLE_NUMBER.fullmatch(name):
        return "value" if name == token else "number"
    if _UNLIKE_NUMBER.match(token) or _NUMBER_KEY.fullmatch(token):
        return "number"
    return ""


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Where each document of the stream stands; the separators belong to none. Raises _Unclear."""
    begin = 0
    separator = 0 if text.startswith("---") else text.find("\n---") + 1
    while separator or text.startswith("---"):
        line = text.find("\n", separator)
        behind = line if line >= 0 else len(text)
        if _BEHIND_SEPARATOR.fullmatch(text, separator + 3, behind) is None:
            raise _Unclear
        if begin or _CONTENT.search(text, 0, separator):  # what stands before the first --- is a document if it is any
            yield begin, separator
        begin = behind
        separator = text.find("\n---", behind) + 1
        if not separator:
            break
    yield begin, len(text)
