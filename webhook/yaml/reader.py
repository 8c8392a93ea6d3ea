"""
Reads any YAML exactly as kubectl and the API server read it, from libyaml's events.

This reader is several times slower than ``block_reader`` and imports PyYAML. This module does no I/O.
"""

import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Final

import yaml

from webhook.errors import BadInput
from webhook.yaml.builder import Builder
from webhook.yaml.text import RENDER, Parsed, Text

# Matches the characters that YAML does not allow. A pattern for the allowed characters takes ten times as long to compile.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# kubectl splits a stream at these lines before it parses YAML (apimachinery, YAMLReader.Read).
_BAD_SEPARATOR = re.compile(r"^---(?!(?:[ \t]+#[^\r\n]*|[ \t]*)\r?$)", re.MULTILINE)
# kubectl parses only the first document of each part, and ignores text after "..." up to the next "---".
_END = re.compile(r"^\.\.\.[ \t]*(?:#.*)?\r?\n(?:(?:\.\.\.)?[ \t]*(?:#.*)?\r?\n)*+", re.MULTILINE)
# At the start of a line, libyaml ignores a byte order mark, and go-yaml reads it as a letter.
_INNER_BOM = re.compile("(?:^|[\r\x85\u2028\u2029])\ufeff", re.MULTILINE)
_LOOKS_LIKE_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"\d])')

_REMEDIES: Final = (
    ("tab", "Indent with spaces. YAML does not allow tabs here."),
    ("cannot start any token", "Quote a value that starts with this character. Indent with spaces, not tabs."),
    ("mapping values are not allowed", "Quote a value that contains ': ', or correct the indentation."),
    ("expected ':'", "Write 'key: value' with a space after the colon, or correct the indentation."),
    ("unexpected end of stream", "Close the quotation mark."),
    ("expected ',' or", "Close the bracket or brace, or add the comma."),
    ("escape", "Double the backslash, or use single quotes."),
    ("directive", "Remove the line that starts with '%'."),
    ("", "Correct the indentation of this line or of the line above."),
)


def read_exactly(text: Text, most_documents: int, not_json: JSONDecodeError | None = None) -> list[Parsed]:
    """
    Returns the documents in ``text`` that are not empty. Raises only ``BadInput``.

    ``not_json`` is the error of the JSON decoder, if the text starts like JSON.
    """
    try:
        return list(_documents(text, most_documents))
    except yaml.YAMLError as error:
        if not_json is not None and _LOOKS_LIKE_JSON.match(text.text):
            raise _not_json(text, not_json) from None
        raise _not_yaml(text, error) from None
    except (RecursionError, ValueError, OverflowError):  # from the parser in Python, where libyaml raises YAMLError
        raise text.error("invalid YAML", "Check the file with: kubectl create --dry-run=client -f FILE") from None


def _documents(text: Text, most: int) -> Iterator[Parsed]:
    separator = "---" in text.text and _BAD_SEPARATOR.search(text.text)
    if separator:
        raise text.error(
            "text after the document separator ---, which kubectl ignores",
            "Write '---' on a line of its own, and start the document on the next line.",
            separator.start(),
        )
    _check_ends(text)
    bom = "\ufeff" in text.text and _INNER_BOM.search(text.text)
    if bom:
        raise text.error("byte order mark inside the file", "Remove the character U+FEFF.", bom.end() - 1)
    for index, (value, start, end) in enumerate(Builder(text).documents()):
        if index == most:
            raise text.error(f"more than {most:,} documents", "Split the file.", start)
        if value is not None:
            yield Parsed(value, index, start, end)


def _check_ends(text: Text) -> None:
    """Raises BadInput for text after the end of a document."""
    for end in _END.finditer(text.text) if "..." in text.text else ():
        if end.end() < len(text.text) and not text.text.startswith("---", end.end()):
            raise text.error(
                "text after the document end marker ..., which kubectl ignores",
                "Write a line with '---' between two documents.",
                end.end(),
            )


def _not_yaml(text: Text, error: yaml.YAMLError) -> BadInput:
    if not isinstance(error, yaml.MarkedYAMLError):
        character = _UNPRINTABLE.search(text.text)
        message = "control character or byte order mark, which YAML does not allow"
        return text.error(
            message,
            "Remove the character, or write it as an escape in double quotes.",
            character.start() if character else None,
        )
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "not understood"
    remedy = next(remedy for part, remedy in _REMEDIES if part in problem)
    offset = min(mark.index, len(text.text)) if mark else None
    if offset is not None and text.text.startswith("\\'", offset):  # go-yaml supports this escape
        remedy = "Write ' without a backslash."
    return text.error(f"invalid YAML: {problem}", RENDER if "{{" in text.text else remedy, offset)


def _not_json(text: Text, error: JSONDecodeError) -> BadInput:
    return text.error(
        f"invalid JSON: {error.msg}",
        RENDER if "{{" in text.text else "Correct the commas, quotation marks and brackets before this place.",
        error.pos,
    )
