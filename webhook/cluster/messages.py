"""What users read when an object of the cluster is not there, or cannot be told."""

import re
from typing import Final

from webhook.facts.objects_world import WORDS
from webhook.facts.unknown import ABSENT, Absent, Late, Unknown, Unread
from webhook.objects.kinds import Kind
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataVolume, PersistentVolumeClaim

TRY_AGAIN: Final = "try again"

_MADE_LATER: Final = frozenset[type[Kubernetes]]((PersistentVolumeClaim, DataVolume))
"""A VirtualMachine may be created before these, so that they do not exist says nothing about what they will be."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAMESPACE = re.compile(_LABEL)
_SHOWN = 40


def word(kind: type[Kubernetes]) -> str:
    """What users call one such object."""
    return WORDS.get(kind.__name__, kind.__name__)


def words(kind: type[Kubernetes]) -> str:
    """What users call several of them."""
    return word(kind) + ("es" if word(kind).endswith("s") else "s")


def invalid_name(known: Kind, namespace: str, name: str) -> Unknown | None:
    """
    Why no object can have this name, or None where one could.

    DNS-1123 (Kubernetes ``apimachinery/pkg/util/validation``): a subdomain of at most 253 characters for names, a label of
    at most 63 for namespaces. Only what passes here may become part of a path.
    """
    one = word(known.reads)
    if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        return Unknown(
            f"{one} name {_short(name)!r} is not a valid name",
            "use lower case letters, digits, '-' and '.', 253 characters at most",
        )
    if not known.namespaced:
        return None
    if not namespace:
        return Unknown(f"nothing says in which namespace {one} {_short(name)!r} is", "write metadata.namespace")
    if len(namespace) > 63 or not _NAMESPACE.fullmatch(namespace):
        return Unknown(
            f"{_short(namespace)!r} is not a valid name of a namespace",
            "use lower case letters, digits and '-', 63 characters at most",
        )
    return None


def not_there(kind: type[Kubernetes], namespace: str, name: str) -> Absent | Unknown:
    """The cluster has no object of this name."""
    if kind not in _MADE_LATER:
        return ABSENT
    return Unknown(
        f"{word(kind)} {name!r} does not exist yet in namespace {namespace!r}",
        "create it first, or apply it together and check again",
    )


def not_read(kind: type[Kubernetes]) -> Unread:
    """The kind was not listed yet."""
    return Unread(f"the cluster's {words(kind)} have not been read yet", TRY_AGAIN)


def stale(kind: type[Kubernetes], seconds: float) -> Unread:
    """What was read is too old to be trusted."""
    return Unread(f"the watch of {words(kind)} has been silent for more than {seconds:.0f} seconds", TRY_AGAIN)


def unreadable(kind: type[Kubernetes], namespace: str, name: str) -> Unknown:
    """The object exists, and its fields have other types than its kind has."""
    place = f" in namespace {_short(namespace)!r}" if namespace else ""
    return Unknown(
        f"{word(kind)} {_short(name)!r}{place} exists but cannot be read: a field has the wrong type",
        "correct the types of its fields",
        unreadable=True,
    )


def late(kind: type[Kubernetes], name: str = "") -> Late:
    """The API server did not answer in time."""
    return Late(f"the API server did not return {_what(kind, name)} in time", TRY_AGAIN)


def no_answer(kind: type[Kubernetes], name: str = "") -> Unread:
    """The API server answered with an error or with another object."""
    return Unread(f"the API server did not return {_what(kind, name)}", TRY_AGAIN)


def unconfirmed(kind: type[Kubernetes], name: str) -> Unread:
    """The object was not read, because the request is denied without it."""
    return Unread(f"{_what(kind, name)} was not checked: the request is denied for another reason", TRY_AGAIN)


def forbidden(known: Kind) -> Unread:
    """Our own rights do not suffice."""
    return Unread(
        f"migratable may not read {words(known.reads)} of this cluster",
        f"ask an administrator to let its ServiceAccount get {known.plural}",
    )


def _what(kind: type[Kubernetes], name: str) -> str:
    return f"{word(kind)} {name!r}" if name else words(kind)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
