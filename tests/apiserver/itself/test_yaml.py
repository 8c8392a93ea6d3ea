"""Both YAML readers read manifests as an API server does (webhook.yaml)."""

import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import yaml

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.echo import Echo, Heard
from tests.conftest import FIGURE
from tests.generating.tricky import API_VERSION, HEADER, KIND, NAME, Tricky
from tests.gojson import typed
from webhook.errors import BadInput
from webhook.yaml.block_reader import read_blocks
from webhook.yaml.builder import MAX_ALIASES
from webhook.yaml.document import MAX_DOCUMENTS, Document, read_documents
from webhook.yaml.reader import read_exactly
from webhook.yaml.text import Parsed, Text

MANIFESTS = int(os.environ.get("MIGRATABLE_YAML_MANIFESTS", "2000"))
FIRST = int(os.environ.get("MIGRATABLE_YAML_FIRST", "0"))
"""To test other manifests than every run does: MIGRATABLE_YAML_FIRST=50000 MIGRATABLE_YAML_MANIFESTS=20000."""

MOST_STRICTER = 0.05

#: Errors for YAML that API servers accept, because few users would guess the value that they read.
STRICTER = {
    "text after ---": "text after the document separator ---",
    "text after ...": r"text after the document end marker \.\.\.|did not find expected <document start>",
    "directive": "YAML directive, which kubectl does not support",
    "tag": "tag .* is not supported for this value|did not find expected (?:whitespace or line break|tag URI)",
    "tag and comma": "comma after a tag, which kubectl reads as part of the tag",
    "{a:}": "found unexpected ':'",
    "escaped '": "found unknown escape character",
    "byte order mark": "byte order mark inside the file",
    "NUL": "NUL character in a string",
    "two keys of one name": "duplicate key ",
}


def documents_or_error(read: Callable[[], Iterable[Document]]) -> BadInput | list[Document]:
    try:
        return list(read())
    except BadInput as error:
        return error
    except yaml.MarkedYAMLError as error:  # read_documents turns this and the next errors into BadInput
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        return BadInput(str(error.problem), remedy="", source="", line=line)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return BadInput(str(error), remedy="", source="")


def readers(text: str) -> dict[str, BadInput | list[Document]]:
    """The results of ``read_documents`` and of each reader alone, without the block reader if it gives None."""
    content = text.encode("utf-8", "surrogatepass")
    plain = Text(text.removeprefix("\ufeff"), "x")
    answers = {
        "product": documents_or_error(lambda: read_documents(content, "x")),
        "exact": documents_or_error(lambda: _documents(plain, read_exactly(plain, MAX_DOCUMENTS))),
    }
    parsed = read_blocks(plain.text, MAX_DOCUMENTS)
    if parsed is not None:
        answers["block"] = _documents(plain, parsed)
    return answers


def _documents(text: Text, parsed: Iterable[Parsed]) -> list[Document]:
    return [Document(part, text) for part in parsed]


def as_sent(documents: list[Document]) -> Any:
    """The object of the first document: an API server reads only that. None if damage removed its kind or name."""
    value = documents[0].value if documents and documents[0].index == 0 else None
    is_whole = isinstance(value, dict) and (value.get("apiVersion"), value.get("kind")) == (API_VERSION, KIND)
    return value if is_whole and isinstance(value, dict) and value.get("metadata") == {"name": NAME} else None


def is_after_the_first(error: BadInput, text: str) -> bool:
    """Whether the error is in a later document: kubectl reads it, and an API server does not."""
    separators = [match.end() for match in re.finditer(r"(?:^|[\r\n])---(?=\s|$)", text)]
    later = [Text(text, "x").mark(at).line for at in separators if at > text.index(API_VERSION)]
    return bool(later) and error.line is not None and error.line >= later[0]


def fault(answer: BadInput | list[Document], strict: Heard, lenient: Heard, text: str) -> tuple[str, str]:
    """The difference to the API server, and the documented reason of an error that the API server does not have."""
    if isinstance(answer, list):
        ours = as_sent(answer)
        if typed(ours) != typed(lenient.object):
            return f"read {ours}, but the API server read {lenient.object or lenient.refusal}", ""
        if strict.object is None and ours is not None and "<<" not in text:
            return "accepted a duplicate key", ""
    elif strict.object is not None:
        why = next((name for name, words in STRICTER.items() if re.search(words, answer.message)), "")
        why = why or ("another document" if is_after_the_first(answer, text) else "")
        return ("" if why else f"error: {answer.message}"), why
    return "", ""


@pytest.mark.apiserver
def test_tricky_manifests_are_read_as_the_api_server_reads_them(
    control_plane: ControlPlane, record_property: Callable[[str, object], None]
) -> None:
    """
    For 2,000 generated manifests, both readers give the value that a dry run of the API server returns, type by type.

    A manifest that it rejects is an error. Of the manifests that it accepts, only few are errors, for documented reasons.
    """
    texts = [Tricky(number).document() for number in range(FIRST, FIRST + MANIFESTS)]
    contents = [text.encode("utf-8", "surrogatepass") for text in texts]
    echo = Echo(control_plane.client)

    strict, lenient = echo.read(contents, "Strict"), echo.read(contents, "Warn")

    wrong, stricter, read = list[str](), Counter[str](), Counter[str]()
    for text, first, second in zip(texts, strict, lenient, strict=True):
        if first.object is None and second.object is not None:
            assert "already set in map" in first.refusal
        read["API server"] += first.object is not None
        for who, answer in readers(text).items():
            read[who] += isinstance(answer, list)
            what, why = fault(answer, first, second, text)
            if what:
                wrong.append(f"{who}: {what}\n{text!r}")
            elif why and who == "product":
                stricter[why] += 1
    record_property(
        FIGURE,
        f"YAML: {len(texts)} manifests read as the API server reads them, which took {read['API server']}; "
        f"the block reader took {read['block']}, and {stricter.total()} were refused beyond it: "
        + ", ".join(f"{name} {count}" for name, count in sorted(stricter.items())),
    )
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])
    assert stricter.total() <= len(texts) * MOST_STRICTER
    assert read["API server"] >= len(texts) / 2
    assert read["block"] >= len(texts) / 10


def repeating(nodes: int, times: int) -> str:
    """A list, and a list of aliases to it."""
    return f"{HEADER}a: &a [{', '.join(['x'] * nodes)}]\nb: [{', '.join(['*a'] * times)}]\nc: {{d: *a}}\n"


@pytest.mark.apiserver
@pytest.mark.parametrize("nodes", [130, 400, 999])
def test_aliases_are_excessive_exactly_if_the_api_server_refuses_them(control_plane: ControlPlane, nodes: int) -> None:
    """
    A document may have as many aliases as go-yaml allows, and not one more.
    """

    def is_error(times: int) -> bool:
        return isinstance(documents_or_error(lambda: read_documents(repeating(nodes, times).encode(), "x")), BadInput)

    most = bisect_left(range(MAX_ALIASES), True, key=is_error) - 1
    texts = [repeating(nodes, times).encode() for times in (most, most + 1)]

    accepted, excessive = Echo(control_plane.client).read(texts, "Strict")

    assert accepted.object is not None
    assert "excessive aliasing" in excessive.refusal
