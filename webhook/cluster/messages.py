"""Messages about objects of the cluster that are missing, unreadable or not read yet."""

import re
from functools import cache
from typing import Final

from webhook.facts.objects_world import WORDS
from webhook.facts.unknown import ABSENT, Absent, Late, Unknown, Unread
from webhook.objects.kinds import Kind
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataVolume, PersistentVolumeClaim

TRY_AGAIN: Final = "try again"

_MADE_LATER: Final = frozenset[type[Kubernetes]]((PersistentVolumeClaim, DataVolume))
"""Kinds whose objects can be created after the VirtualMachine. A missing object of such a kind leaves the result unproven."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAMESPACE = re.compile(_LABEL)
_SHOWN = 40


def word(kind: type[Kubernetes]) -> str:
    """Returns the name of the kind as messages spell it."""
    return WORDS.get(kind.__name__, kind.__name__)


def words(kind: type[Kubernetes]) -> str:
    """Returns the plural name of the kind as messages spell it."""
    one = word(kind)
    return f"{one[:-1]}ies" if one.endswith("cy") else one + ("es" if one.endswith("s") else "s")


def invalid_name(known: Kind, namespace: str, name: str) -> Unknown | None:
    """
    Returns the reason why Kubernetes refuses this name, or None for a valid name.

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
    """Returns the result for an object that the cluster does not have."""
    if kind not in _MADE_LATER:
        return ABSENT
    why = f"{word(kind)} {name!r} does not exist yet in namespace {namespace!r}, so its access modes are unknown"
    return Unknown(why, "create it with `accessModes: [ReadWriteMany]`")


def not_read(kind: type[Kubernetes]) -> Unread:
    """Returns the result for a kind whose first list has not finished."""
    return Unread(f"the cluster's {words(kind)} have not been read yet", TRY_AGAIN)


@cache
def never_read(kind: type[Kubernetes]) -> Unread:
    """Returns the result for a kind that the server does not read."""
    return Unread(f"the server does not read {words(kind)}", "use `migratable check` with a snapshot (--claims)")


def stale(kind: type[Kubernetes], seconds: float) -> Unread:
    """Returns the result for a kind whose stored objects are too old to use."""
    return Unread(f"the watch of {words(kind)} has received nothing for more than {seconds:.0f} seconds", TRY_AGAIN)


def unreadable(kind: type[Kubernetes], namespace: str, name: str) -> Unknown:
    """Returns the result for an object with a field whose type the schema of its kind does not allow."""
    place = f" in namespace {_short(namespace)!r}" if namespace else ""
    return Unknown(
        f"{word(kind)} {_short(name)!r}{place} exists but cannot be read: a field has the wrong type",
        "correct the types of its fields",
        unreadable=True,
    )


def late(kind: type[Kubernetes], name: str = "", cause: str = "") -> Late:
    """Returns the result for a read that the API server did not answer in time. ``cause`` is the error of the last try."""
    ending = f": {cause}" if cause else " in time"
    return Late(f"the API server did not return {_what(kind, name)}{ending}", TRY_AGAIN)


def no_response(kind: type[Kubernetes], name: str = "") -> Unread:
    """Returns the result for a read to which the API server responded with an error or another object."""
    return Unread(f"the API server did not return {_what(kind, name)}", TRY_AGAIN)


def not_checked(kind: type[Kubernetes], name: str) -> Unread:
    """Returns the result for an object that was not read because the request is denied for another reason."""
    return Unread(f"{_what(kind, name)} was not checked: the request is denied for another reason", TRY_AGAIN)


def forbidden(known: Kind) -> Unread:
    """Returns the result for a kind that Migratable has no RBAC permission to read."""
    return Unread(
        f"Migratable is not allowed to read {words(known.reads)} of this cluster",
        f"grant its account the verbs get, list and watch on {known.plural}",
    )


def _what(kind: type[Kubernetes], name: str) -> str:
    return f"{word(kind)} {name!r}" if name else words(kind)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
