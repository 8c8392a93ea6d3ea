"""
Objects out of manifests, with their places in the text. Nothing is lost: what cannot be read becomes a problem.

This file does no I/O: it is given bytes.
"""

from collections.abc import Iterable, Iterator

import msgspec

from webhook.errors import BadInput
from webhook.objects.kinds import Kind, find_kind, group_of
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.nulls import is_about_null, without_nulls
from webhook.objects.path import FieldPath, dotted
from webhook.rules.manifest.manifest_kind import GROUPS, meant_group
from webhook.yaml.document import Document, read_documents


class Given(msgspec.Struct, frozen=True):
    """One object of the input."""

    api_version: str
    kind: str
    known: Kind | None
    object: Kubernetes | None
    """None for kinds that are not read."""
    raw: dict[str, Json]
    document: Document
    at: FieldPath
    """Where it stands in its document: empty, or ``items[3]`` of a List."""

    def mark(self, path: FieldPath) -> tuple[int, int, int, int]:
        """Start line and column, end line and column of a field; of its nearest ancestor if it is not written."""
        start, end = self.document.span((*self.at, *path))
        return start.line, start.column, end.line, end.column

    @property
    def line(self) -> int:
        """The first line of the object."""
        return self.document.mark(self.at).line if self.at else self.document.line


class Manifests(msgspec.Struct, frozen=True):
    """What one input holds."""

    given: tuple[Given, ...]
    problems: tuple[BadInput, ...]


def read_manifests(content: bytes, source: str) -> Manifests:
    """
    The objects of one file or stream, Lists unfolded.

    Never raises: unreadable input and objects of the wrong shape come back as problems with file, document and line.
    """
    try:
        documents = read_documents(content, source)
    except BadInput as problem:
        return Manifests((), (problem,))
    given: list[Given] = []
    problems: list[BadInput] = []
    for document in documents:
        for item, at in _items(document.value, ()):
            try:
                given.append(_given(item, document, at))
            except BadInput as problem:
                problems.append(problem)
    return Manifests(tuple(given), tuple(problems))


def _items(value: Json, at: FieldPath) -> Iterator[tuple[Json, FieldPath]]:
    """
    The object itself, or the items of a ``List`` (also ``VirtualMachineList`` and the like).

    In such a list API servers leave out what all items share: their version and kind.
    """
    kind = value.get("kind") if isinstance(value, dict) else None
    items = value.get("items") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        shared = {} if kind == "List" else {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
        for index, item in enumerate(items):
            yield from _items({**shared, **item} if isinstance(item, dict) else item, (*at, "items", index))
    else:
        yield value, at


def _given(value: Json, document: Document, at: FieldPath) -> Given:
    if not isinstance(value, dict):
        raise _problem(document, at, "this is not a Kubernetes object", "Write apiVersion, kind and metadata.")
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not kind:
        missing = "apiVersion" if not isinstance(api_version, str) else "kind"
        raise _problem(
            document, at, f"this is not a Kubernetes object: {missing} is missing or not text", f"Write {missing}."
        )
    known = find_kind(api_version, kind)
    if known is None:
        return Given(api_version, kind, None, None, value, document, at)

    def convert(each: Json) -> Kubernetes:
        try:
            return msgspec.convert(each, known.reads)
        except msgspec.ValidationError as error:
            if not is_about_null(error):
                raise
            return msgspec.convert(without_nulls(each), known.reads)

    try:
        return Given(api_version, kind, known, convert(value), value, document, at)
    except msgspec.ValidationError as error:
        from webhook.manifests.typed import misfit  # noqa: PLC0415 - for mistakes alone

        text, path = misfit(value, error, convert)
        problem = _problem(
            document, (*at, *path), f"wrong type: {text}", "Write the type that the field has in the API."
        )
        problem.path = dotted(path)
        raise problem from None


def _problem(document: Document, at: FieldPath, message: str, remedy: str) -> BadInput:
    mark = document.mark(at)
    return BadInput(
        message,
        remedy=remedy,
        source=document.source,
        document=document.index,
        line=mark.line,
        column=mark.column,
        path=dotted(at),
    )


def is_ours(given: Given) -> bool:
    """Whether something here may say anything about the object: judged kinds, and what is misspelt: kind or group."""
    if given.known is not None:
        return given.known.judged
    return group_of(given.api_version) in GROUPS or bool(meant_group(given.api_version, given.kind))


def objects_in(given: Iterable[Given]) -> Iterator[Kubernetes]:
    """The objects that can be looked up."""
    return (each.object for each in given if each.object is not None)
