"""
Any YAML, read as kubectl and the API server read it, from libyaml's events: exact, and ten times slower than ``fastyaml``.

It is imported when a text needs it, for PyYAML with its patterns takes as long as reading a hundred files. No I/O here.
"""

import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Final

import yaml

from webhook.errors import BadInput
from webhook.yaml.builder import Builder
from webhook.yaml.fast_reader import Found
from webhook.yaml.text import RENDER, Text

# What YAML allows is far more: written as what it does not allow, the pattern is compiled in a tenth of the time.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# kubectl splits a stream at these lines before any YAML is read (apimachinery, YAMLReader.Read).
_BAD_SEPARATOR = re.compile(r"^---(?!(?:[ \t]+#[^\r\n]*|[ \t]*)\r?$)", re.MULTILINE)
# ... and of what it split, it reads the first document only: behind "..." all is passed over up to the next "---".
_END = re.compile(r"^\.\.\.[ \t]*(?:#.*)?\r?\n(?:(?:\.\.\.)?[ \t]*(?:#.*)?\r?\n)*+", re.MULTILINE)
# At the beginning of a line libyaml passes over it, and go-yaml takes it for a letter.
_INNER_BOM = re.compile("(?:^|[\r\x85\u2028\u2029])\ufeff", re.MULTILINE)
_MEANT_AS_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"\d])')

_REMEDIES: Final = (
    ("tab", "Indent with spaces; YAML takes no tabs there."),
    ("cannot start any token", "Indent with spaces, not tabs, and put quotes around a value that begins so."),
    ("mapping values are not allowed", "Put quotes around a value that holds ': ', or check the indentation."),
    ("expected ':'", "Write 'key: value', with a space behind the colon, or check the indentation."),
    ("unexpected end of stream", "Close the quotation mark."),
    ("expected ',' or", "Close the bracket or brace, or put the comma."),
    ("escape", "Double the backslash, or use single quotes, in which a backslash is itself."),
    ("directive", "Remove the line that begins with '%'."),
    ("", "Check the indentation here and in the line above."),
)


def read_carefully(text: Text, most_documents: int, not_json: JSONDecodeError | None = None) -> list[Found]:
    """
    Every document of ``text`` that is not empty; ``not_json`` says why it is no JSON, if it looks like that.

    Raises ``BadInput``, and nothing else.
    """
    try:
        return list(_documents(text, most_documents))
    except yaml.YAMLError as error:
        if not_json is not None and _MEANT_AS_JSON.match(text.text):
            raise _not_json(text, not_json) from None
        raise _not_yaml(text, error) from None
    except (RecursionError, ValueError, OverflowError):  # the pure parser's; libyaml's are all YAMLError
        raise text.refuse(
            "this is not YAML that can be read", "Check it with: kubectl create --dry-run=client"
        ) from None


def _documents(text: Text, most: int) -> Iterator[Found]:
    separator = "---" in text.text and _BAD_SEPARATOR.search(text.text)
    if separator:
        raise text.refuse(
            "kubectl does not read what stands behind the document separator ---",
            "Leave '---' alone on its line; the document begins on the next.",
            separator.start(),
        )
    _check_ends(text)
    bom = "\ufeff" in text.text and _INNER_BOM.search(text.text)
    if bom:
        raise text.refuse("a byte order mark stands inside the file", "Remove the character U+FEFF.", bom.end() - 1)
    for index, (value, start, end) in enumerate(Builder(text).documents()):
        if index == most:
            raise text.refuse(f"more than {most:,} documents", "Split the file.", start)
        if value is not None:
            yield Found(value, index, start, end)


def _check_ends(text: Text) -> None:
    """Refuses text behind the end of a document."""
    end = _END.search(text.text) if "..." in text.text else None
    while end:
        behind = end.end()
        if behind < len(text.text) and not text.text.startswith("---", behind):
            raise text.refuse(
                "kubectl passes over what stands behind the end of a document (...)",
                "Put a line with '---' between two documents.",
                behind,
            )
        end = _END.search(text.text, behind)


def _not_yaml(text: Text, error: yaml.YAMLError) -> BadInput:
    if not isinstance(error, yaml.MarkedYAMLError):
        found = _UNPRINTABLE.search(text.text)
        message = "control characters and byte order marks are not YAML"
        return text.refuse(message, "Remove the character, or write it as an escape.", found.start() if found else None)
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "not understood"
    remedy = next(remedy for part, remedy in _REMEDIES if part in problem)
    offset = min(mark.index, len(text.text)) if mark else None
    if offset is not None and text.text.startswith("\\'", offset):  # go-yaml alone knows this one
        remedy = "Write ' without a backslash."
    line = f"line {text.mark(offset).line}" if offset is not None else "this"
    return text.refuse(f"{line} is not YAML: {problem}", RENDER if "{{" in text.text else remedy, offset)


def _not_json(text: Text, error: JSONDecodeError) -> BadInput:
    return text.refuse(
        f"line {text.mark(error.pos).line} is not JSON: {error.msg}",
        RENDER if "{{" in text.text else "Check commas, quotation marks and brackets up to here.",
        error.pos,
    )
