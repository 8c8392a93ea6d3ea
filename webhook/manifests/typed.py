"""
Reads Migratable's own files (policy, snapshot, configuration, baseline) and converts their values to types. Errors name file,
line and key.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.objects.type_errors import ANY_KEY, TypeFault, type_fault
from webhook.yaml.document import Document, read_documents

T = TypeVar("T")
Describe: TypeAlias = Callable[[TypeFault], tuple[str, str]]
"""A function that returns the message and the remedy for a fault. If the remedy is empty, the remedy of the file is used."""


def _as_reported(fault: TypeFault) -> tuple[str, str]:
    return fault.message, ""


def _same(path: FieldPath) -> FieldPath:
    return path


class OwnFile(msgspec.Struct, frozen=True):
    """One of Migratable's own files: a policy, a snapshot, a configuration or a baseline. Such a file has one document."""

    source: str
    """The name of the file in messages."""
    value: Json
    remedy: str
    """The remedy for errors without a more specific remedy."""
    document: Document | None = None
    """The parsed document, which contains the line of each key, or None for an empty file and for TOML."""
    lines_before: int = 0
    """The number of lines before ``document``, if the document is a part of the file."""
    path_in_file: Callable[[FieldPath], FieldPath] = _same
    """A function that converts a path in ``document`` into a path in the file."""

    def line(self, path: FieldPath) -> int | None:
        """Returns the line of a key or list item. Returns the line of the nearest ancestor if the key or list item is absent."""
        return self.lines_before + self.document.mark(path).line if self.document is not None else None

    def error(self, path: FieldPath, message: str, remedy: str = "") -> Misconfigured:
        """Returns an error that names the file, the line and the path."""
        line = self.line(path)
        where = f"{self.source}:{line}" if line else self.source
        field = f"{dotted(self.path_in_file(path))}: " if path else ""
        return Misconfigured(f"{where}: {field}{message}", remedy=remedy or self.remedy)

    def read(self, convert: Callable[[Json], T], describe: Describe = _as_reported) -> T:
        """Returns the content of the file, converted by ``convert``. Raises Misconfigured for a value of a wrong type."""
        return self.read_part((), self.value, convert, describe)

    def read_part(
        self, path: FieldPath, value: Json, convert: Callable[[Json], T], describe: Describe = _as_reported
    ) -> T:
        """Returns the ``value`` at ``path``, converted by ``convert``. Raises Misconfigured for a value of a wrong type."""
        try:
            return convert(value)
        except msgspec.ValidationError as error:
            fault = locate(value, error, convert)
        raise self.error((*path, *fault.place), *describe(fault))


def read_own_file(content: bytes, source: str, *, what: str, remedy: str) -> OwnFile | None:
    """
    Returns the document in ``content``, or None if the file is empty. ``what`` is the name of the content in messages.

    Raises Misconfigured for content that is not one YAML or JSON document.
    """
    documents = read_own_documents(content, source)
    if len(documents) > 1:
        raise Misconfigured(f"{source} has {len(documents)} documents", remedy=f"Keep one {what} in the file.")
    return OwnFile(source, documents[0].value, remedy, documents[0]) if documents else None


def read_own_documents(content: bytes, source: str, lines_before: int = 0) -> list[Document]:
    """Returns the documents in ``content``. Raises Misconfigured, with file and line, if the content is neither YAML nor JSON."""
    try:
        return read_documents(content, source)
    except BadInput as error:
        where = f"{source}:{lines_before + error.line}" if error.line else source
        raise Misconfigured(f"{where}: {error.message}", remedy=error.remedy) from None


def locate(value: Json, error: msgspec.ValidationError, convert: Callable[[Json], object]) -> TypeFault:
    """
    Returns the fault that ``convert(value)`` raised. The place of the fault includes the keys of maps that allow any key.

    msgspec does not name the keys of such maps. This function finds the key by converting again with fewer keys.
    """
    fault = type_fault(error)
    place: FieldPath = ()
    for step in fault.place:
        key = _first_wrong_key(value, place, str(error), convert) if step == ANY_KEY else step
        if key is None:
            break
        place = (*place, key)
    return msgspec.structs.replace(fault, place=place)


def _first_wrong_key(value: Json, path: FieldPath, error: str, convert: Callable[[Json], object]) -> str | None:
    """Returns the first key of the map at ``path`` that raises ``error``. Bisects, because a map can have thousands of keys."""
    mapping = _at(value, path)
    keys = list(mapping) if isinstance(mapping, dict) else []
    valid, invalid = 0, len(keys)
    while invalid - valid > 1:
        middle = (valid + invalid) // 2
        if _error(_with_keys(value, path, keys[:middle]), convert) == error:
            invalid = middle
        else:
            valid = middle
    return keys[valid] if keys else None


def _error(value: Json, convert: Callable[[Json], object]) -> str:
    try:
        convert(value)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _at(value: Json, path: FieldPath) -> Json:
    for step in path:
        value = value[step]
    return value


def _with_keys(value: Json, path: FieldPath, keys: list[str]) -> Json:
    """Returns a copy of ``value`` in which the map at ``path`` has only ``keys``."""
    if not path:
        assert isinstance(value, dict)  # noqa: S101 - narrows for the type checker
        return {key: value[key] for key in keys}
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int):
        return [_with_keys(item, rest, keys) if index == step else item for index, item in enumerate(value)]
    assert isinstance(value, dict)  # noqa: S101 - narrows for the type checker
    return {key: _with_keys(member, rest, keys) if key == step else member for key, member in value.items()}
