"""Manifests are read as the API server reads them, by either of our readers."""

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
from webhook.yaml import fast_reader as fastyaml
from webhook.yaml.builder import MAX_ALIASES
from webhook.yaml.document import MAX_DOCUMENTS, Document, read_documents
from webhook.yaml.fast_reader import Parsed, read_fast
from webhook.yaml.reader import read_exactly
from webhook.yaml.text import Text

MANIFESTS = int(os.environ.get("MIGRATABLE_YAML_MANIFESTS", "2000"))
FIRST = int(os.environ.get("MIGRATABLE_YAML_FIRST", "0"))
"""For others than those of every run: MIGRATABLE_YAML_FIRST=50000 MIGRATABLE_YAML_MANIFESTS=20000."""

MOST_STRICTER = 0.05

#: What we refuse and API servers take, because few people would guess what they take it for.
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


def refused(read: Callable[[], Iterable[Document]]) -> BadInput | list[Document]:
    try:
        return list(read())
    except BadInput as refusal:
        return refusal
    except yaml.MarkedYAMLError as error:  # of which read_documents makes a refusal, as of the others
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        return BadInput(str(error.problem), remedy="", source="", line=line)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return BadInput(str(error), remedy="", source="")


def readers(text: str) -> dict[str, BadInput | list[Document]]:
    """What the product, and each reader alone, make of a text; without the fast one where it leaves it to the other."""
    content = text.encode("utf-8", "surrogatepass")
    plain = Text(text.removeprefix("\ufeff"), "x")
    answers = {
        "product": refused(lambda: read_documents(content, "x")),
        "careful": refused(lambda: _documents(plain, read_exactly(plain, MAX_DOCUMENTS))),
    }
    found = read_fast(plain.text, MAX_DOCUMENTS)
    if found is not None:
        answers["fast"] = _documents(plain, found)
    return answers


def _documents(text: Text, found: Iterable[Parsed]) -> list[Document]:
    return [Document(each.value, each.number, text, each.start, each.end, json=False) for each in found]


def as_sent(documents: list[Document]) -> Any:
    """The object of the first document, all that an API server reads; None if damage took the kind or name from it."""
    value = documents[0].value if documents and documents[0].index == 0 else None
    is_whole = isinstance(value, dict) and (value.get("apiVersion"), value.get("kind")) == (API_VERSION, KIND)
    return value if is_whole and isinstance(value, dict) and value.get("metadata") == {"name": NAME} else None


def is_behind_the_first(refusal: BadInput, text: str) -> bool:
    """Whether it is another document that we refuse: API servers do not read so far, kubectl does."""
    separators = [found.end() for found in re.finditer(r"(?:^|[\r\n])---(?=\s|$)", text)]
    behind = [Text(text, "x").mark(at).line for at in separators if at > text.index(API_VERSION)]
    return bool(behind) and refusal.line is not None and refusal.line >= behind[0]


def fault(answer: BadInput | list[Document], strict: Heard, lenient: Heard, text: str) -> tuple[str, str]:
    """What is wrong with our answer, and by which documented strictness it is a refusal."""
    if isinstance(answer, list):
        ours = as_sent(answer)
        if typed(ours) != typed(lenient.object):
            return f"we read {ours}, the API server {lenient.object or lenient.refusal}", ""
        if strict.object is None and ours is not None and "<<" not in text:
            return "we read a key twice", ""
    elif strict.object is not None:
        why = next((name for name, words in STRICTER.items() if re.search(words, answer.message)), "")
        why = why or ("another document" if is_behind_the_first(answer, text) else "")
        return ("" if why else f"we refuse: {answer.message}"), why
    return "", ""


@pytest.mark.apiserver
def test_tricky_manifests_are_read_as_the_api_server_reads_them(
    control_plane: ControlPlane, record_property: Callable[[str, object], None]
) -> None:
    """
    Of 2,000 generated manifests both readers give the value that a dry run of the API server gives back, type by type;
    what it refuses they refuse, and of what it takes no more than a documented few.
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
        f"the fast reader took {read['fast']}, and {stricter.total()} were refused beyond it: "
        + ", ".join(f"{name} {count}" for name, count in sorted(stricter.items())),
    )
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])
    assert stricter.total() <= len(texts) * MOST_STRICTER
    assert read["API server"] >= len(texts) / 2
    assert fastyaml.ryaml is None or read["fast"] >= len(texts) / 10


def repeating(nodes: int, times: int) -> str:
    """A list, and a list of aliases to it."""
    return f"{HEADER}a: &a [{', '.join(['x'] * nodes)}]\nb: [{', '.join(['*a'] * times)}]\nc: {{d: *a}}\n"


@pytest.mark.apiserver
@pytest.mark.parametrize("nodes", [130, 400, 999])
def test_aliases_are_too_many_where_the_api_server_finds_them_so(control_plane: ControlPlane, nodes: int) -> None:
    """
    A document may consist of repetitions as far as go-yaml lets it, and not one alias further.
    """

    def refuses(times: int) -> bool:
        return isinstance(refused(lambda: read_documents(repeating(nodes, times).encode(), "x")), BadInput)

    most = bisect_left(range(MAX_ALIASES), True, key=refuses) - 1
    texts = [repeating(nodes, times).encode() for times in (most, most + 1)]

    accepted, excessive = Echo(control_plane.client).read(texts, "Strict")

    assert accepted.object is not None
    assert "excessive aliasing" in excessive.refusal
