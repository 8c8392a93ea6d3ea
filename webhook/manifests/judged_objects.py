"""Finds the manifest object that a report is about. This module does no I/O."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from webhook.manifests.objects import ManifestObject
from webhook.report.model import ObjectReport
from webhook.report.printable import printable

_Key: TypeAlias = tuple[str, int, int, str, str, str]


class JudgedObjects:
    """
    Objects by file, document, line, kind, namespace and name. The line does not suffice, because JSON without line breaks has
    many objects in one line.
    """

    def __init__(self, objects: Iterable[ManifestObject]) -> None:
        self._objects: dict[_Key, list[ManifestObject]] = {}
        for manifest in objects:
            self._objects.setdefault(_key(manifest), []).append(manifest)

    def candidates(self, judged: ObjectReport) -> Sequence[ManifestObject]:
        """Returns the object, or several objects if they have the same name in the same line."""
        source = judged.source
        if source is None:
            return ()
        key = (source.file, source.document, source.line, judged.kind, judged.namespace, judged.name)
        return self._objects.get(key, ())


def _key(manifest: ManifestObject) -> _Key:
    metadata = manifest.raw.get("metadata")
    written = metadata if isinstance(metadata, dict) else {}
    namespace, name = (text if isinstance(text := written.get(key), str) else "" for key in ("namespace", "name"))
    if manifest.object is not None:
        namespace, name = manifest.object.namespace, manifest.object.name
    document = manifest.document
    return (
        document.source,
        document.index,
        manifest.line,
        printable(manifest.kind),
        printable(namespace),
        printable(name),
    )
