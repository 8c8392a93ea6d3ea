"""
What an answer may say about objects of other namespaces: nothing that the author of the request may not read.

The decision rests on every fact; the text rests on the facts that the author may read (docs/decisions).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from webhook.cluster.access_reviews import User
from webhook.cluster.readable import OwnNamespaces, Rights
from webhook.facts.layered_world import RestrictedWorld, Sight, is_for_everyone
from webhook.facts.unknown import Fact, Found, Unknown, Unread
from webhook.facts.unknown_world import UnknownWorld
from webhook.facts.world import World
from webhook.objects.meta import Kubernetes
from webhook.objects.review import AdmissionRequest, StatusCause
from webhook.policy.policy import Action
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.responses import cause_of
from webhook.surfaces.admission.validate import JudgingContext, Outcome, decide_request

log = logging.getLogger("migratable.admission")

K = TypeVar("K", bound=Kubernetes)

HIDDEN: Final = Unread(
    "your account may not read an object that this depends on",
    "ask for the right to get that object, or do not refer to it",
)
"""Short, because ``kubectl`` users see 120 characters of a warning."""
WITHHELD: Final = StatusCause(
    "FieldValueInvalid",
    "Migratable denies this because of an object of another namespace that your account may not read. "
    "Ask for the right to get that object, or do not refer to it.",
    "",
)


class CrossNamespaceTracker:
    """Passes lookups on, and notes whether an object of another namespace than ``own`` was among them."""

    def __init__(self, world: World, own: str) -> None:
        self._world = world
        self._own = own
        self.left_namespace = False

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """What the world finds."""
        if namespace and namespace != self._own and not is_for_everyone(kind):
            self.left_namespace = True
        return self._world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """What the world gives."""
        found = self._world.every(kind)
        if not isinstance(found, Unknown) and not is_for_everyone(kind):
            self.left_namespace |= any(each.namespace != self._own for each in found)
        return found


def decide_tracked(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    """The outcome by every fact, with the world it rests on if that was asked about other namespaces."""
    tracker = CrossNamespaceTracker(context.world, decoded.request.namespace)
    outcome = decide_request(decoded, replace(context, world=tracker))
    return replace(outcome, foreign_world=context.world) if tracker.left_namespace else outcome


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Adapts outcomes to what the author of a request may read; asks the API server, so its methods run in a thread."""

    rights: Rights

    def shown(
        self,
        decoded: DecodedRequest,
        outcome: Outcome,
        context: Callable[[World], JudgingContext],
        within_seconds: float,
    ) -> Outcome:
        """The outcome as the author may see it."""
        world = outcome.foreign_world
        if world is None:
            return outcome
        request = decoded.request

        def decided_by(sight: Sight) -> Outcome:
            return decide_request(decoded, context(RestrictedWorld(world, sight, HIDDEN)))

        if _says_the_same(outcome, decided_by(OwnNamespaces(frozenset((request.namespace,))))):
            return outcome
        sight = self.rights.sight(_author(request), frozenset((request.namespace,)), within_seconds)
        seen = decided_by(sight)
        return _withheld(decoded, outcome, seen) if sight.hid else outcome

    def operations(
        self, decoded: DecodedRequest, context: JudgingContext, within_seconds: float
    ) -> list[dict[str, Any]]:
        """The defaults to fill in, by what the author may read: a patch is shown to the author, too."""
        request = decoded.request
        sight = self.rights.sight(_author(request), frozenset((request.namespace,)), within_seconds)
        return operations_for(decoded, replace(context, world=RestrictedWorld(context.world, sight, HIDDEN)))


def shown_without_rights(
    decoded: DecodedRequest, outcome: Outcome, context: Callable[[World], JudgingContext]
) -> Outcome:
    """The outcome where the API server did not say in time what the author may read; never waits."""
    if outcome.foreign_world is None:
        return outcome
    return _withheld(decoded, outcome, decide_request(decoded, context(UnknownWorld(HIDDEN))))


def _withheld(decoded: DecodedRequest, full: Outcome, seen: Outcome) -> Outcome:
    """
    The decision of ``full`` in the words of ``seen``, which knows only what the author may read.

    What is unproven in ``seen`` and denied for that stays denied, so that the answer does not tell what is there.
    """
    if not full.allowed and seen.allowed:
        rules = sorted({each.finding.rule.id for each in full.decisions if each.action is Action.DENY})
        log.info("denied for what the author may not read", extra={"uid": decoded.request.uid, "rules": rules})
        return replace(seen, causes=(WITHHELD,))
    if full.allowed and not seen.allowed:
        decisions = tuple(each if each.finding.undetermined else each.at_most(Action.WARN) for each in seen.decisions)
        causes = tuple(cause_of(each) for each in decisions if each.action is Action.DENY)
        return replace(seen, decisions=decisions, causes=causes)
    return seen


def _says_the_same(one: Outcome, other: Outcome) -> bool:
    return (one.causes, one.decisions, one.warnings, _verdict(one)) == (
        other.causes,
        other.decisions,
        other.warnings,
        _verdict(other),
    )


def _verdict(outcome: Outcome) -> bool | None:
    verdict = outcome.judgement.verdict if outcome.judgement is not None else None
    return verdict.live_migratable if verdict is not None else None


def _author(request: AdmissionRequest) -> User:
    """Who wrote the request, as the API server tells it."""
    user = request.user_info
    extra = {key: values or [] for key, values in (user.extra or {}).items()}
    return User(user.username, user.uid, tuple(user.groups or ()), extra)
