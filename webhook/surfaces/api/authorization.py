"""
What of an attached cluster a caller's answer may rest on.

Without a token it is nothing. With one, the caller must be allowed to create VirtualMachines in every namespace that the
manifests name, which is asked before anything is looked up; a namespace that does not exist gets the same answer as one
in which the caller has no right. Objects of other namespaces count if the caller may read them, as in admission.
"""

import asyncio
from collections.abc import Callable, Sequence
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
"""For all questions about objects of other namespaces; what is not answered by then counts as not readable."""
HIDDEN = Unread("your account is not allowed to read an object that this depends on", "also send its manifest")
MAX_NAMESPACES = 50
"""Each costs a question to the API server."""
ANONYMOUS = (
    "the cluster was not used: send `Authorization: Bearer …` of a user with permission to create VirtualMachines in the "
    "namespaces"
)


class Access(Protocol):
    """Answers of the API server; both wait and may raise Unavailable."""

    def who(self, token: str) -> User | None:
        """The user whose token this is."""
        ...

    def may_make_vms(self, user: User, namespace: str) -> bool:
        """Whether the user may create VirtualMachines there."""
        ...


@dataclass(frozen=True, slots=True)
class AttachedCluster:
    """A cluster behind the dry-run API."""

    access: Access
    world: Callable[[], World]
    rights: Rights


async def world_for(cluster: AttachedCluster, authorization: str, namespaces: Sequence[str]) -> World:
    """
    The part of the cluster that the caller with this Authorization header may see.

    ``namespaces`` are those of the manifests. Raises HTTPException 401 and 403, and BadInput for more namespaces than one
    request may ask about.
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
    sight = cluster.rights.sight(user, frozenset(namespaces), MAX_READING_SECONDS)
    return RestrictedWorld(cluster.world(), sight, HIDDEN)
