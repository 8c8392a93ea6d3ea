"""
Removes facts about objects in other namespaces from a response, if the author of the request is not allowed to read them.

The decision uses every fact. The text uses only the facts that the author may read (docs/decisions).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from webhook.cluster.access_reviews import User
from webhook.cluster.readable import OwnNamespaces, Rights
from webhook.facts.layered_world import ReadPermissions, RestrictedWorld, is_for_everyone
from webhook.facts.unknown import Fact, Found, Unknown, Unread
from webhook.facts.unknown_world import UnknownWorld
from webhook.facts.world import World, for_advice
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
    "your account may not read an object that this result depends on",
    "ask for the right to get that object, or do not refer to it",
)
"""The text is short, so that it fits into a warning."""
WITHHELD: Final = StatusCause(
    "FieldValueInvalid",
    "Migratable denies this request because of an object in another namespace. Your account may not read that object. "
    "Ask for the right to get it, or do not refer to it.",
    "",
)


class CrossNamespaceTracker:
    """A ``World`` that records whether an object in another namespace was looked up, also for advice."""

    def __init__(self, world: World, namespace: str) -> None:
        self._world = world
        self._namespace = namespace
        self._advice: CrossNamespaceTracker | None = None
        self._lists: dict[type[Kubernetes], Any] = {}
        """The lists that were looked up. Rules look up the KubeVirt CR several times."""
        self._left = False

    @property
    def left_namespace(self) -> bool:
        """Whether an object in another namespace was looked up."""
        return self._left or (self._advice is not None and self._advice.left_namespace)

    def for_advice(self) -> "CrossNamespaceTracker":
        """The objects that are known without a further read. Their lookups are tracked too, because messages name them."""
        if self._advice is None:
            self._advice = CrossNamespaceTracker(for_advice(self._world), self._namespace)
        return self._advice

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object from the wrapped world."""
        if namespace and namespace != self._namespace and not is_for_everyone(kind):
            self._left = True
        return self._world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects from the wrapped world."""
        known: Fact[tuple[K, ...]] | None = self._lists.get(kind)
        if known is not None:
            return known
        objects = self._lists[kind] = self._world.every(kind)
        if objects and not isinstance(objects, Unknown) and not is_for_everyone(kind):
            self._left |= any(listed.namespace != self._namespace for listed in objects)
        return objects


def decide_tracked(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    """The outcome from all facts. It contains the world if objects in other namespaces were looked up."""
    tracker = CrossNamespaceTracker(context.world, decoded.request.namespace)
    outcome = decide_request(decoded, context.with_world(tracker))
    return replace(outcome, foreign_world=context.world) if tracker.left_namespace else outcome


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Limits outcomes to facts that the author may read. The methods call the API server, so they run in a thread."""

    rights: Rights

    def shown(
        self,
        decoded: DecodedRequest,
        outcome: Outcome,
        context: Callable[[World], JudgingContext],
        within_seconds: float,
    ) -> Outcome:
        """The outcome without facts that the author is not allowed to read."""
        world = outcome.foreign_world
        if world is None:
            return outcome
        request = decoded.request

        def decided_by(permissions: ReadPermissions) -> Outcome:
            return decide_request(decoded, context(RestrictedWorld(world, permissions, HIDDEN)))

        if _is_same_text(outcome, decided_by(OwnNamespaces(frozenset((request.namespace,))))):
            return outcome
        permissions = self.rights.permissions(_author(request), frozenset((request.namespace,)), within_seconds)
        seen = decided_by(permissions)
        return _withheld(decoded, outcome, seen) if permissions.hid else outcome

    def operations(
        self, decoded: DecodedRequest, context: JudgingContext, within_seconds: float
    ) -> list[dict[str, Any]]:
        """The patch, made only from facts that the author may read, because the author sees the patch."""
        request = decoded.request
        permissions = self.rights.permissions(_author(request), frozenset((request.namespace,)), within_seconds)
        return operations_for(decoded, context.with_world(RestrictedWorld(context.world, permissions, HIDDEN)))


def shown_without_rights(
    decoded: DecodedRequest, outcome: Outcome, context: Callable[[World], JudgingContext]
) -> Outcome:
    """The outcome if the author's rights could not be read in time. Never waits."""
    if outcome.foreign_world is None:
        return outcome
    return _withheld(decoded, outcome, decide_request(decoded, context(UnknownWorld(HIDDEN))))


def _withheld(decoded: DecodedRequest, full: Outcome, seen: Outcome) -> Outcome:
    """
    The decision of ``full`` with the text of ``seen``, which uses only facts that the author may read.

    A denial of an unproven result in ``seen`` is kept. Otherwise the response would show whether the object exists.
    """
    if not full.allowed and seen.allowed:
        rules = sorted({decision.finding.rule.id for decision in full.decisions if decision.action is Action.DENY})
        log.info(
            "reason for the denial withheld: the author may not read it",
            extra={"uid": decoded.request.uid, "rules": rules},
        )
        return replace(seen, causes=(WITHHELD,))
    if full.allowed and not seen.allowed:
        decisions = tuple(
            decision if decision.finding.undetermined else decision.at_most(Action.WARN) for decision in seen.decisions
        )
        causes = tuple(cause_of(decision) for decision in decisions if decision.action is Action.DENY)
        return replace(seen, decisions=decisions, causes=causes)
    return seen


def _is_same_text(one: Outcome, other: Outcome) -> bool:
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
    """The user of the request, as the API server authenticated it."""
    user = request.user_info
    extra = {key: values or [] for key, values in (user.extra or {}).items()}
    return User(user.username, user.uid, tuple(user.groups or ()), extra)
