"""
Finds out by SubjectAccessReview which objects in other namespaces a user may read.

A review that fails or would exceed the deadline counts as "not allowed".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Protocol, TypeAlias

from webhook.cluster.access_reviews import User
from webhook.errors import Unavailable
from webhook.objects.kinds import BY_CLASS, CDI_GROUP
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import PersistentVolumeClaim

REMEMBERED_SECONDS: Final = 5.0
"""The lifetime of a cached result. The lifetime is short, so that a revoked permission ends soon."""
MOST_REMEMBERED: Final = 4096
MOST_QUESTIONS: Final = 32
"""The maximum number of SubjectAccessReviews for one admission review. Further permissions count as "not allowed"."""

Attributes: TypeAlias = Mapping[str, str]
_Key: TypeAlias = tuple[str, str, tuple[str, ...], str, frozenset[tuple[str, str]]]


class Access(Protocol):
    """Sends SubjectAccessReviews. The method blocks, and can raise Unavailable."""

    def may(self, user: User, attributes: Attributes, timeout_seconds: float) -> bool:
        """Whether the user has the permission."""
        ...


class Rights:
    """Caches each result of a SubjectAccessReview for ``REMEMBERED_SECONDS``. Thread-safe."""

    def __init__(self, access: Access, clock: Callable[[], float] = monotonic) -> None:
        self._access = access
        self._clock = clock
        self._answers: dict[_Key, tuple[float, bool]] = {}

    def may(self, user: User, attributes: Attributes, until: float) -> bool:
        """Whether the API server confirms before ``until`` that the user has the permission."""
        now = self._clock()
        key = _key(user, attributes)
        expires, allowed = self._answers.get(key, (now, False))
        if now < expires:
            return allowed
        if now >= until:
            return False
        try:
            allowed = self._access.may(user, attributes, until - now)
        except Unavailable:
            return False
        if len(self._answers) >= MOST_REMEMBERED:
            self._answers = {}
        self._answers[key] = (now + REMEMBERED_SECONDS, allowed)
        return allowed

    def permissions(self, user: User, own: frozenset[str], within_seconds: float) -> "UserPermissions":
        """Returns the read permissions of ``user``. All objects in the namespaces ``own`` are visible."""
        return UserPermissions(self, user, own, self._clock() + within_seconds)


def _key(user: User, attributes: Attributes) -> _Key:
    extra = repr(sorted(user.extra.items()))
    return user.username, user.uid, tuple(sorted(user.groups)), extra, frozenset(attributes.items())


@dataclass(slots=True)
class UserPermissions:
    """The read permissions of one user, for one review in one thread."""

    rights: Rights
    user: User
    own: frozenset[str]
    until: float
    hid: bool = False
    """Whether any object was hidden."""
    _asked: dict[frozenset[tuple[str, str]], bool] = field(default_factory=dict)

    def shows(self, kind: type[Kubernetes], namespace: str, name: str | None = None) -> bool:
        """Whether the user may read the object, or all objects of the kind in the namespace if ``name`` is None."""
        if namespace in self.own:
            return True
        readable = self._may_list(kind, namespace) if name is None else self._may_get(kind, namespace, name)
        self.hid |= not readable
        return readable

    def _may_get(self, kind: type[Kubernetes], namespace: str, name: str) -> bool:
        """
        The permission to clone a PVC suffices, because a clone contains the whole PVC (CDI v1.66.0,
        ``v1beta1/authorize_utils.go``).
        """
        place = {"namespace": namespace, "name": name}
        return self._may("get", kind, place) or (
            kind is PersistentVolumeClaim and self._is_allowed({"verb": "create", **_CLONED, **place})
        )

    def _may_list(self, kind: type[Kubernetes], namespace: str) -> bool:
        return self._may("list", kind, {}) or self._may("list", kind, {"namespace": namespace})

    def _may(self, verb: str, kind: type[Kubernetes], place: Attributes) -> bool:
        known = BY_CLASS[kind]
        return self._is_allowed({"verb": verb, "group": known.group, "resource": known.plural, **place})

    def _is_allowed(self, attributes: Attributes) -> bool:
        asked = frozenset(attributes.items())
        if asked not in self._asked:
            if len(self._asked) >= MOST_QUESTIONS:
                return False
            self._asked[asked] = self.rights.may(self.user, attributes, self.until)
        return self._asked[asked]


_CLONED: Final = {"group": CDI_GROUP, "resource": "datavolumes", "subresource": "source"}


@dataclass(frozen=True, slots=True)
class OwnNamespaces:
    """The permissions of a user who may read only some namespaces."""

    own: frozenset[str]

    def shows(self, _kind: type[Kubernetes], namespace: str, _name: str | None = None) -> bool:
        """Whether the object is in one of these namespaces."""
        return namespace in self.own
