"""
Determines which objects in an attached cluster a caller of the dry-run API can use.

A caller without a token cannot use any of these objects. With a token, the user must be allowed to create VirtualMachines in
every namespace of the manifests. This permission is checked before any lookup. A namespace that does not exist gives the same
error as a forbidden namespace. Objects in other namespaces are used if the user is allowed to read them, as in admission.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.exceptions import HTTPException

from webhook.cluster.access_reviews import User
from webhook.cluster.readable import Rights
from webhook.errors import BadInput
from webhook.facts.layered_world import RestrictedWorld
from webhook.facts.unknown import Unread
from webhook.facts.world import World

MAX_READING_SECONDS = 5.0
"""Time limit for the access reviews of objects in other namespaces. If there is no answer, the object counts as unreadable."""
HIDDEN = Unread("your account is not allowed to read an object that this result depends on", "also send its manifest")
MAX_NAMESPACES = 50
"""Each namespace costs one request to the API server."""
ANONYMOUS = (
    "the cluster was not used: send `Authorization: Bearer …` with the token of a user that is allowed to create "
    "VirtualMachines in the namespaces"
)


class Access(Protocol):
    """Access reviews. All methods block, and raise Unavailable if the API server does not answer."""

    def who(self, token: str) -> User | None:
        """The user of a token, or None for an invalid token."""
        ...

    def may_make_vms(self, user: User, namespace: str) -> bool:
        """Whether the user is allowed to create VirtualMachines in the namespace."""
        ...

    def may(self, user: User, attributes: Mapping[str, str], timeout_seconds: float) -> bool:
        """Whether the user may do what the ``resourceAttributes`` of a SubjectAccessReview describe."""
        ...


@dataclass(frozen=True, slots=True)
class AttachedCluster:
    """A cluster that the dry-run API can read."""

    access: Access
    world: Callable[[], World]
    rights: Rights


async def world_for(cluster: AttachedCluster, authorization: str, namespaces: Sequence[str]) -> World:
    """
    The part of the cluster that the user in this Authorization header is allowed to read.

    ``namespaces`` are the namespaces of the manifests. Raises HTTPException 401 or 403, and BadInput for too many namespaces.
    """
    scheme, _, token = authorization.partition(" ")
    user = await asyncio.to_thread(cluster.access.who, token.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        raise HTTPException(401, "The token is not valid for this cluster.", {"WWW-Authenticate": "Bearer"})
    if len(namespaces) > MAX_NAMESPACES:
        raise BadInput(
            f"the manifests name {len(namespaces)} namespaces", remedy=f"Send at most {MAX_NAMESPACES} in one request."
        )
    for namespace in namespaces:
        if not await asyncio.to_thread(cluster.access.may_make_vms, user, namespace):
            raise HTTPException(
                403, "You are not allowed to create VirtualMachines in every namespace of these manifests."
            )
    permissions = cluster.rights.permissions(user, frozenset(namespaces), MAX_READING_SECONDS)
    return RestrictedWorld(cluster.world(), permissions, HIDDEN)
