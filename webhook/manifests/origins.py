"""
Finds the file and the lines in the repository that a rendered field comes from.

A field of a kustomization comes from a resource or a patch. These files contain the object under the same kind, and under the
same name or a part of it, because a kustomization can add a prefix and a suffix. The value must be the same: the lines of
another value would mislead. A field of a chart comes from a line of a template.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from webhook.errors import BadInput
from webhook.manifests.objects import Manifests
from webhook.manifests.search import File, shown
from webhook.manifests.sources import Sources
from webhook.manifests.template_lines import Template
from webhook.objects.path import FieldPath
from webhook.objects.whole_number import whole_number
from webhook.report.model import FindingReport
from webhook.report.rendered import Origin
from webhook.yaml.document import Document, JsonValue, read_documents

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


class Parts(msgspec.Struct, frozen=True):
    """The files that one rendered text was made from. Both lists begin with the files of the outermost kustomization."""

    resources: tuple[str, ...] = ()
    patches: tuple[str, ...] = ()
    """The patch that is applied last comes first."""
    template: str = ""
    """The template of a chart. A template has no other parts."""


class _Candidate(msgspec.Struct, frozen=True):
    """An object in a file of the repository, and its path in the document."""

    document: Document
    at: FieldPath
    value: dict[str, JsonValue]


class Origins:
    """Finds origins in the files of the repository. Each file is read once. A file that cannot be read has no origins."""

    def __init__(self, rendered: Mapping[str, bytes], parts: Mapping[str, Parts]) -> None:
        self._rendered = rendered
        self._parts = parts
        self._documents: dict[str, Mapping[int, Document]] = {}
        self._indexes: dict[tuple[str, ...], _Index] = {}
        self._outputs: dict[str, _Output] = {}
        self.texts: dict[str, bytes] = {}
        """The texts of the files that were read."""

    def __call__(self, name: str, index: int, finding: FindingReport) -> Origin | None:
        """Returns the origin of the field of a finding in a document of a rendered text."""
        parts = self._parts.get(name)
        if parts is None:
            return None
        if parts.template:
            return self._of_template(name, parts.template, finding)
        judged = self._document(name, index)
        return self._of_kustomization(parts, judged, finding.path) if isinstance(judged, dict) else None

    def _document(self, name: str, index: int) -> JsonValue:
        if name not in self._documents:
            documents = _documents(self._rendered.get(name, b""), name)
            self._documents[name] = {document.index: document for document in documents}
        document = self._documents[name].get(index)
        return document.value if document is not None else None

    def _of_kustomization(self, parts: Parts, judged: dict[str, JsonValue], path: str) -> Origin | None:
        """Returns the place with the same value in a resource or a patch."""
        steps, is_absent = _steps(judged, path)
        value = _at(judged, steps)
        for candidate in chain(self._index(parts.resources).find(judged), self._index(parts.patches).find(judged)):
            own = _translated(judged, candidate.value, steps)
            if len(own) == len(steps) and (is_absent or _at(candidate.value, own) == value):
                return _origin(candidate, own)
        for candidate in self._index(parts.patches).find(judged):  # a patch can contain a part of the value
            own = _translated(judged, candidate.value, steps)
            if len(own) == len(steps):
                return _origin(candidate, own)
        return None

    def _index(self, paths: tuple[str, ...]) -> "_Index":
        if paths not in self._indexes:
            self._indexes[paths] = _Index(document for path in paths for document in _documents(*self._read(path)))
        return self._indexes[paths]

    def _of_template(self, name: str, path: str, finding: FindingReport) -> Origin | None:
        """Returns the line of the template that made the first line of a field."""
        if finding.line is None:
            return None
        if name not in self._outputs:
            template, _ = self._read(path)
            self._outputs[name] = _Output(self._rendered.get(name, b""), template)
        line = self._outputs[name].origin(finding.line - 1)
        return Origin(shown(path), line + 1) if line is not None else None

    def _read(self, path: str) -> tuple[bytes, str]:
        """Returns the content of a file, and its name."""
        name = shown(path)
        if name not in self.texts:
            try:
                self.texts[name] = Path(path).read_bytes()
            except OSError:
                self.texts[name] = b""
        return self.texts[name], name


class _Index:
    """The objects of some files by kind and name."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._candidates: dict[JsonValue, dict[str, list[_Candidate]]] = {}
        for document in documents:
            for at, value in _objects(document.value):
                kind = value.get("kind")
                if isinstance(kind, str):
                    by_name = self._candidates.setdefault(kind, {})
                    by_name.setdefault(_name(value), []).append(_Candidate(document, at, value))

    def find(self, judged: dict[str, JsonValue]) -> Iterator[_Candidate]:
        """
        Yields the objects that can be the judged object before it was rendered: first those with the same name, then those
        whose name is a part of its name, the longest first.
        """
        kind, name = judged.get("kind"), _name(judged)
        by_name = self._candidates.get(kind, {}) if isinstance(kind, str) else {}
        if not by_name:
            return
        for length in range(len(name), 0, -1):
            for own in dict.fromkeys(name[start : start + length] for start in range(len(name) - length + 1)):
                yield from by_name.get(own, ())


class _Output:
    """The output of a template, with the lines of the template that made its lines."""

    def __init__(self, output: bytes, template: bytes) -> None:
        self._lines = output.decode(errors="replace").split("\n")
        self._starts = [number for number, line in enumerate(self._lines) if line.startswith("---")]
        self._template = Template(template.decode(errors="replace"))
        self._aligned: dict[int, Mapping[int, int]] = {}

    def origin(self, line: int) -> int | None:
        """Returns the line of the template that made a line. Both count from 0."""
        number = bisect_right(self._starts, line)
        start = self._starts[number - 1] if number else 0
        end = self._starts[number] if number < len(self._starts) else len(self._lines)
        if start not in self._aligned:
            self._aligned[start] = self._template.aligned(self._lines[start:end])
        return self._aligned[start].get(line - start)


def without_rendered(entries: Iterable[File | Manifests], sources: Sources) -> Iterator[File | Manifests]:
    """
    Yields the entries without the files that rendered texts were made from, and adds their names to ``sources``. A file that
    the user named is kept.

    The cluster gets the rendered object. A base can have a problem that each overlay corrects, and a second finding about the
    same object would be noise.
    """
    paths = (path for parts in sources.parts.values() for path in (*parts.resources, parts.template) if path)
    rendered = {os.path.realpath(path) for path in paths}
    for entry in entries:
        if isinstance(entry, File) and not entry.is_named and os.path.realpath(entry.path) in rendered:
            sources.judged_rendered[shown(entry.path)] = None
        else:
            yield entry


def _documents(content: bytes, name: str) -> Sequence[Document]:
    try:
        return read_documents(content, name)
    except BadInput:
        return []


def _objects(value: JsonValue) -> Iterator[tuple[FieldPath, dict[str, JsonValue]]]:
    """Yields the object of a document, or the objects of a List, each with its path."""
    if not isinstance(value, dict):
        return
    items = value.get("items")
    if not isinstance(items, list):
        yield (), value
        return
    yield from ((("items", index), item) for index, item in enumerate(items) if isinstance(item, dict))


def _name(value: dict[str, JsonValue]) -> str:
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _steps(value: JsonValue, path: str) -> tuple[FieldPath, bool]:
    """
    Returns the steps of a path as ``objects.path.dotted`` writes it, down to the last step that exists in ``value``. Also
    returns whether the field is absent.
    """
    steps: list[str | int] = []
    for match in _STEP.finditer(path):
        text = match[1] or match[2] or ""
        index = whole_number(text) if isinstance(value, list) else None
        step: str | int = text if index is None else index
        value = _child(value, step)
        if value is None:
            return tuple(steps), True
        steps.append(step)
    return tuple(steps), False


def _child(value: JsonValue, step: str | int) -> JsonValue:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _at(value: JsonValue, path: FieldPath) -> JsonValue:
    for step in path:
        value = _child(value, step)
    return value


def _translated(rendered: JsonValue, own: JsonValue, path: FieldPath) -> FieldPath:
    """
    Returns the path in the object before it was rendered, down to the last step that exists there.

    A patch can add items before an item of a list. Items with the same name are the same item.
    """
    steps: list[str | int] = []
    for step in path:
        child = _child(rendered, step)
        if isinstance(step, int) and isinstance(own, list) and isinstance(child, dict) and "name" in child:
            names = [item.get("name") if isinstance(item, dict) else None for item in own]
            step = names.index(child["name"]) if child["name"] in names else len(own)  # noqa: PLW2901
        rendered, own = child, _child(own, step)
        if own is None:
            break
        steps.append(step)
    return tuple(steps)


def _origin(candidate: _Candidate, path: FieldPath) -> Origin:
    start, end = candidate.document.span((*candidate.at, *path))
    return Origin(candidate.document.source, start.line, start.column, end.line, end.column)
