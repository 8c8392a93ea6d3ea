"""Reads an object that an API server returned. Its findings have a path, but no line."""

from typing import Final

import msgspec

from webhook.errors import BadInput
from webhook.manifests.objects import ManifestObject
from webhook.objects.json_depth import Raw
from webhook.objects.kinds import Kind
from webhook.objects.lenient import parse, read_as
from webhook.objects.meta import Json
from webhook.objects.path import dotted
from webhook.yaml.document import Document
from webhook.yaml.text import Parsed, Text

NOWHERE: Final = Document(Parsed(None, 0, 0, 0), Text("", ""), json=True)
"""The document of objects without text."""


def read_live(raw: Raw, kind: Kind, version: str) -> ManifestObject:
    """
    Returns an object of a list in ``version``, without the managed fields.

    Raises BadInput if the object has a field of the wrong type. An API server does not check the metadata of a template, so its
    wrong types are left out.
    """
    value = parse(raw)
    if not isinstance(value, dict):
        raise BadInput(f"a {kind.kind} is not a JSON object", remedy="Check the proxies of the API server.")
    api_version = f"{kind.group}/{version}" if kind.group else version
    whole: dict[str, Json] = {"apiVersion": api_version, "kind": kind.kind} | value
    metadata = whole.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    try:
        converted = read_as(kind.reads, whole)
    except msgspec.ValidationError as error:
        raise _unreadable(whole, kind, error) from None
    return ManifestObject(api_version, kind.kind, kind, converted, whole, NOWHERE, ())


def name_of_live(kind: str, metadata: Json) -> str:
    """The kind, namespace and name of an object, for errors."""
    known = metadata if isinstance(metadata, dict) else {}
    namespace, name = known.get("namespace"), known.get("name")
    return f"{kind} {f'{namespace}/' if isinstance(namespace, str) else ''}{name}"


def _unreadable(whole: dict[str, Json], kind: Kind, error: msgspec.ValidationError) -> BadInput:
    from webhook.manifests.typed import locate  # noqa: PLC0415 - only needed after an error

    fault = locate(whole, error, lambda part: read_as(kind.reads, part))
    return BadInput(
        f"wrong type: {fault.message}",
        remedy="Use the type that the Kubernetes API defines for this field.",
        source=name_of_live(kind.kind, whole.get("metadata")),
        path=dotted(fault.place),
    )
