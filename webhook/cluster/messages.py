"""Messages about objects of the cluster that are missing, unreadable or not read yet."""

import re
from typing import Final

from webhook.facts.objects_world import WORDS
from webhook.facts.unknown import ABSENT, Absent, Late, Unknown, Unread
from webhook.objects.kinds import Kind
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataVolume, PersistentVolumeClaim

TRY_AGAIN: Final = "try again"

_MADE_LATER: Final = frozenset[type[Kubernetes]]((PersistentVolumeClaim, DataVolume))
"""Kinds that may be created after the VirtualMachine: a missing object leaves the result unproven."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAMESPACE = re.compile(_LABEL)
_SHOWN = 40


def word(kind: type[Kubernetes]) -> str:
    """The name of the kind in messages."""
    return WORDS.get(kind.__name__, kind.__name__)


def words(kind: type[Kubernetes]) -> str:
    """The plural of the name of the kind in messages."""
    one = word(kind)
    return f"{one[:-1]}ies" if one.endswith("cy") else one + ("es" if one.endswith("s") else "s")


def invalid_name(known: Kind, namespace: str, name: str) -> Unknown | None:
    """
    Why Kubernetes refuses this name; None for a valid name.

    DNS-1123 (Kubernetes ``apimachinery/pkg/util/validation``): names are subdomains of at most 253 characters, namespaces
    are labels of at most 63. Only names that pass this check become part of a request path.
    """
    one = word(known.reads)
    if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        return Unknown(
            f"invalid {one} name {_short(name)!r}",
            "use lowercase letters, digits, '-' and '.', at most 253 characters",
        )
    if not known.namespaced:
        return None
    if not namespace:
        return Unknown(f"the namespace of {one} {_short(name)!r} is unknown", "set metadata.namespace")
    if len(namespace) > 63 or not _NAMESPACE.fullmatch(namespace):
        return Unknown(
            f"invalid namespace name {_short(namespace)!r}",
            "use lowercase letters, digits and '-', at most 63 characters",
        )
    return None


def missing_object(kind: type[Kubernetes], namespace: str, name: str) -> Absent | Unknown:
    """The cluster has no object with this name."""
    if kind not in _MADE_LATER:
        return ABSENT
    return Unknown(
        f"{word(kind)} {name!r} does not exist yet in namespace {namespace!r}",
        "create it, then check again",
    )


def not_read(kind: type[Kubernetes]) -> Unread:
    """The first list of the kind has not finished."""
    return Unread(f"the cluster's {words(kind)} have not been read yet", TRY_AGAIN)


def stale(kind: type[Kubernetes], seconds: float) -> Unread:
    """The stored objects of the kind are too old to use."""
    return Unread(f"the watch of {words(kind)} has received nothing for more than {seconds:.0f} seconds", TRY_AGAIN)


def unreadable(kind: type[Kubernetes], namespace: str, name: str) -> Unknown:
    """The object exists, and a field has a type that the schema of its kind does not allow."""
    place = f" in namespace {_short(namespace)!r}" if namespace else ""
    return Unknown(
        f"{word(kind)} {_short(name)!r}{place} exists but cannot be read: a field has the wrong type",
        "correct the types of its fields",
        unreadable=True,
    )


def late(kind: type[Kubernetes], name: str = "") -> Late:
    """The API server did not answer in time."""
    return Late(f"the API server did not return {_what(kind, name)} in time", TRY_AGAIN)


def no_response(kind: type[Kubernetes], name: str = "") -> Unread:
    """The API server returned an error or another object."""
    return Unread(f"the API server did not return {_what(kind, name)}", TRY_AGAIN)


def not_checked(kind: type[Kubernetes], name: str) -> Unread:
    """The object was not read: the request is denied for another reason."""
    return Unread(f"{_what(kind, name)} was not checked: the request is denied for another reason", TRY_AGAIN)


def forbidden(known: Kind) -> Unread:
    """Migratable lacks the RBAC permission to read the kind."""
    return Unread(
        f"Migratable is not allowed to read {words(known.reads)} of this cluster",
        f"grant its account the verbs get, list and watch on {known.plural}",
    )


def _what(kind: type[Kubernetes], name: str) -> str:
    return f"{word(kind)} {name!r}" if name else words(kind)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
