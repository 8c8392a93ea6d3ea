"""
Determines by SubjectAccessReviews which part of a cluster the user of a token may see.

Permissions are cached for a few seconds, so that a revoked permission ends soon.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import compress
from time import monotonic
from typing import Any, Final, TypeVar

from webhook.cluster.access_reviews import User
from webhook.errors import Unavailable
from webhook.surfaces.api.authorization import Access
from webhook.surfaces.api.console.messages import NamespacesReply, Sight

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

REMEMBERED_SECONDS: Final = 5.0
"""The lifetime of a cached permission, so that a revoked permission ends soon."""
DENIED_SECONDS: Final = 30.0
"""The lifetime of a cached denial. A page is read again every 5 seconds, and most namespaces belong to others."""
MOST_REMEMBERED: Final = 16_384
AT_ONCE: Final = 16
"""Maximum number of reviews at the same time."""
MOST_NAMESPACES: Final = 200
"""Maximum number of namespaces that are reviewed for one page."""
MOST_CALLERS: Final = 32
"""Maximum number of pages whose reviews run or wait."""
REVIEW_SECONDS: Final = 5.0
"""Time limit for one review."""
TOTAL_SECONDS: Final = 15.0
"""Time limit for all reviews of one page."""

Attributes = Mapping[str, str]

VMS: Final = {"group": "kubevirt.io", "resource": "virtualmachines"}
VMIS: Final = {"group": "kubevirt.io", "resource": "virtualmachineinstances"}
NODES: Final = {"group": "", "resource": "nodes"}
PODS: Final = {"group": "", "resource": "pods"}
POLICIES: Final = {"group": "migrations.kubevirt.io", "resource": "migrationpolicies"}
SETTINGS: Final = (
    {"group": "kubevirt.io", "resource": "kubevirts"},
    {"group": "hco.kubevirt.io", "resource": "hyperconvergeds"},
    {"group": "k8s.cni.cncf.io", "resource": "network-attachment-definitions"},
)
RESOURCES: Final = (VMS, VMIS, NODES, PODS, POLICIES, *SETTINGS)
"""All resources whose list permission decides."""


class InvalidToken(Exception):
    """The API server does not accept the token."""


class NothingVisible(Exception):
    """The user may see nothing. ``user`` is the name of the user."""

    def __init__(self, user: str) -> None:
        super().__init__(user)
        self.user = user


class NamespaceNeeded(Exception):
    """There are too many namespaces to review, so the request must name one. ``user`` is the name of the user."""

    def __init__(self, user: str, named: str) -> None:
        super().__init__(user)
        self.user = user
        self.problem = (
            f"{user} may not list the VMs in namespace {named}, or the namespace has no VMs."
            if named
            else f"{user} may not list the VMs in all namespaces."
        )


class Sights:
    """The parts of a cluster that the users of tokens may see."""

    def __init__(self, access: Access, clock: Callable[[], float] = monotonic) -> None:
        self._access = access
        self._clock = clock
        self._threads = ThreadPoolExecutor(AT_ONCE, "reviews")  # its own, because admission uses the default threads
        self._callers = 0
        self._users: dict[bytes, tuple[float, User | None]] = {}
        self._allowed: dict[_Key, tuple[float, bool]] = {}

    async def user(self, token: str) -> User:
        """The user of a token. Raises InvalidToken and Unavailable."""
        return await self._in_time(self._user(token))

    async def sight(self, token: str, namespaces: Callable[[], Awaitable[NamespacesReply]], named: str = "") -> Sight:
        """
        The part that the user of a token may see. ``namespaces`` returns the namespaces with VMs. ``named`` is the namespace
        that the request names, if any.

        Raises InvalidToken, NothingVisible, NamespaceNeeded and Unavailable.
        """
        return await self._in_time(self._sight(token, namespaces, named))

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        if self._callers >= MOST_CALLERS:
            work.close()
            raise Unavailable("too many pages are waiting", remedy="Try again in a second.")
        self._callers += 1
        try:
            return await asyncio.wait_for(work, TOTAL_SECONDS)
        except TimeoutError:
            raise Unavailable(
                "the API server did not answer the access reviews in time", remedy="Try again in a minute."
            ) from None
        finally:
            self._callers -= 1

    async def _sight(self, token: str, namespaces: Callable[[], Awaitable[NamespacesReply]], named: str) -> Sight:
        user = await self._user(token)
        vms, vmis, nodes, pods, policies, *settings = await self._may_list(user, RESOURCES)
        seen: tuple[str, ...] | None = None
        is_complete = True
        if not (vms and vmis):
            reply = await namespaces()
            is_complete = reply.is_complete
            seen = await self._namespaces(user, reply.namespaces, named)
        sight = Sight(seen, nodes and pods and vmis, policies, all(settings), user.username)
        if is_complete and seen == () and not (sight.nodes or sight.policies or sight.settings):
            raise NothingVisible(user.username)
        return sight

    async def _namespaces(self, user: User, every: Sequence[str], named: str) -> tuple[str, ...]:
        is_named = len(every) > MOST_NAMESPACES
        if is_named:
            if not named:
                raise NamespaceNeeded(user.username, named)
        # A namespace is reviewed also if it has no VMs: the time of the answer would disclose whether it has some.
        reviewed = [named] if is_named else every
        seen = await self._visible(user, await self._visible(user, reviewed, VMS), VMIS)
        seen = tuple(namespace for namespace in seen if not is_named or namespace in every)
        if is_named and not seen:
            raise NamespaceNeeded(user.username, named)
        return seen

    async def _visible(self, user: User, namespaces: Sequence[str], resource: Attributes) -> tuple[str, ...]:
        answers = await self._may_list(user, [{**resource, "namespace": namespace} for namespace in namespaces])
        return tuple(compress(namespaces, answers))

    async def _user(self, token: str) -> User:
        key = sha256(token.encode(errors="replace")).digest()
        expires, user = self._users.get(key, (self._clock(), None))
        if self._clock() >= expires:
            user = await self._in_thread(lambda: self._access.who(token))
            _remember(self._users, key, (self._clock() + REMEMBERED_SECONDS, user))
        if user is None:
            raise InvalidToken
        return user

    async def _may_list(self, user: User, places: Iterable[Attributes]) -> list[bool]:
        identity = _identity(user)
        return await asyncio.gather(*(self._may(user, identity, place) for place in places))

    async def _may(self, user: User, identity: bytes, place: Attributes) -> bool:
        key = (identity, place["group"], place["resource"], place.get("namespace", ""))
        expires, allowed = self._allowed.get(key, (self._clock(), False))
        if self._clock() < expires:
            return allowed
        attributes = {"verb": "list", **place}
        allowed = await self._in_thread(lambda: self._access.may(user, attributes, REVIEW_SECONDS))
        lifetime = REMEMBERED_SECONDS if allowed else DENIED_SECONDS
        _remember(self._allowed, key, (self._clock() + lifetime, allowed))
        return allowed

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


_Key = tuple[bytes, str, str, str]
"""The user, and the group, resource and namespace of a permission."""


def _remember(answers: dict[K, V], key: K, answer: V) -> None:
    if len(answers) >= MOST_REMEMBERED:
        answers.clear()
    answers[key] = answer


def _identity(user: User) -> bytes:
    """A key for a user with exactly these groups."""
    parts = (user.username, user.uid, sorted(user.groups), sorted(user.extra.items()))
    return sha256(repr(parts).encode(errors="replace")).digest()
