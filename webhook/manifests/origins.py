"""
Finds the file and the lines in the repository that a rendered field comes from.

A field of a kustomization comes from a resource or a patch. These files contain the object under the same kind, and under the
same name or a part of it, because a kustomization can add a prefix and a suffix. The value must be the same: the lines of
another value would mislead. A field of a chart comes from a line of a template.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from webhook.errors import BadInput
from webhook.manifests.files import Sources
from webhook.manifests.objects import Manifests
from webhook.manifests.search import File, shown
from webhook.manifests.template_lines import aligned
from webhook.objects.path import FieldPath
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
        self._documents: dict[str, Sequence[Document]] = {}
        self._alignments: dict[tuple[str, int], Mapping[int, int]] = {}
        self.texts: dict[str, bytes] = {}
        """The texts of the files that were read."""

    def __call__(self, name: str, index: int, finding: FindingReport) -> Origin | None:
        """Returns the origin of the field of a finding in a document of a rendered text."""
        parts = self._parts.get(name)
        if parts is not None and parts.template:
            return self._of_template(name, parts.template, finding)
        judged = next((each for each in self._read_rendered(name) if each.index == index), None)
        if parts is None or judged is None or not isinstance(judged.value, dict):
            return None
        steps, is_absent = _steps(judged.value, finding.path)
        value = _at(judged.value, steps)
        resources = [*self._candidates(parts.resources, judged.value)]
        patches = [*self._candidates(parts.patches, judged.value)]
        for candidate in (*resources, *patches):
            own = _translated(judged.value, candidate.value, steps)
            if len(own) == len(steps) and (is_absent or _at(candidate.value, own) == value):
                return _origin(candidate, own)
        for candidate in patches:  # a patch can contain a part of the value
            own = _translated(judged.value, candidate.value, steps)
            if len(own) == len(steps):
                return _origin(candidate, own)
        return None

    def _of_template(self, name: str, path: str, finding: FindingReport) -> Origin | None:
        """Returns the line of the template that made the first line of a field."""
        if finding.line is None:
            return None
        self._read(path)
        lines = self._rendered.get(name, b"").decode(errors="replace").split("\n")
        start = finding.line - 1
        while start > 0 and not lines[start].startswith("---"):
            start -= 1
        end = next((at for at in range(finding.line, len(lines)) if lines[at].startswith("---")), len(lines))
        if (name, start) not in self._alignments:
            template = self.texts[shown(path)].decode(errors="replace").split("\n")
            self._alignments[name, start] = aligned(lines[start:end], template)
        line = self._alignments[name, start].get(finding.line - 1 - start)
        return Origin(shown(path), line + 1) if line is not None else None

    def _read_rendered(self, name: str) -> Sequence[Document]:
        if name not in self._documents:
            self._documents[name] = _documents(self._rendered.get(name, b""), name)
        return self._documents[name]

    def _read(self, path: str) -> Sequence[Document]:
        name = shown(path)
        if name not in self._documents:
            try:
                self.texts[name] = Path(path).read_bytes()
            except OSError:
                self.texts[name] = b""
            self._documents[name] = _documents(self.texts[name], name)
        return self._documents[name]

    def _candidates(self, paths: Sequence[str], judged: dict[str, JsonValue]) -> Iterator[_Candidate]:
        """Yields the objects that can be the judged object before it was rendered. Objects with the same name come first."""
        renamed: list[_Candidate] = []
        for path in paths:
            for document in self._read(path):
                for at, value in _objects(document.value):
                    if value.get("kind") != judged.get("kind"):
                        continue
                    own, name = _name(value), _name(judged)
                    if own == name:
                        yield _Candidate(document, at, value)
                    elif own and own in name:
                        renamed.append(_Candidate(document, at, value))
        yield from sorted(renamed, key=lambda candidate: -len(_name(candidate.value)))


def without_rendered(entries: Sequence[File | Manifests], sources: Sources) -> list[File | Manifests]:
    """
    Returns the entries without the files that rendered texts were made from, and adds their names to ``sources``. A file that
    the user named is kept.

    The cluster gets the rendered object. A base can have a problem that each overlay corrects, and a second finding about the
    same object would be noise.
    """
    paths = (path for parts in sources.parts.values() for path in (*parts.resources, parts.template) if path)
    rendered = {os.path.realpath(path) for path in paths}
    kept: list[File | Manifests] = []
    for entry in entries:
        if isinstance(entry, File) and not entry.is_named and os.path.realpath(entry.path) in rendered:
            sources.judged_rendered[shown(entry.path)] = None
        else:
            kept.append(entry)
    return kept


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
        step: str | int = int(text) if isinstance(value, list) and text.isdecimal() else text
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
