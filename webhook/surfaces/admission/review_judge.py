"""
Judges decoded reviews. A small review that needs no live read is judged without waiting (``first`` and ``written``).
All other reviews take a second step, which waits (``settled``).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, TypeVarTuple

from webhook.check.check import ReleaseChoice
from webhook.facts.world import World
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.disclosure import (
    CrossNamespaceTracker,
    Disclosure,
    decide_tracked,
    shown_without_rights,
)
from webhook.surfaces.admission.facts import Facts
from webhook.surfaces.admission.http import TooLate
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.read_budget import CHECKING_OF_ONE, READING_OF_ONE, Overloaded, ReadBudget
from webhook.surfaces.admission.record import Observer, answer_of
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.responses import NOT_CONFIRMED, help_line_of, patched
from webhook.surfaces.admission.validate import JudgingContext, Outcome, decide_request

LEAST_SECONDS = 0.05
"""The minimum time for any step, even if the caller's timeout has passed."""
SHARE_OF_CACHE_CHECK = 1 / 3
"""The share of a review's time for checking the cache; the rest is for a decision from live reads."""
CONFIRMING_THREADS = 32

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class ActiveConfiguration:
    """The settings in force. A change replaces the whole object."""

    policy: Policy
    chosen: ReleaseChoice
    install_namespace: str
    today: str


class Run(Protocol):
    """Calls a function on the event loop or in a thread."""

    async def __call__(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """The result of the function."""
        ...


class Validated(NamedTuple):
    """The outcome of a validation, and the world that it was decided with."""

    outcome: Outcome
    world: World


class Patched(NamedTuple):
    """The operations of a mutation, and whether they depend on other namespaces."""

    operations: list[dict[str, Any]]
    context: JudgingContext
    left_namespace: bool


First: TypeAlias = Validated | Patched


@dataclass(slots=True)
class ReviewJudge:
    """Judges decoded reviews with facts from ``facts``, and settings from ``configuration``."""

    facts: Facts
    configuration: Callable[[], ActiveConfiguration]
    observer: Observer
    clock: Callable[[], float]
    """Monotonic seconds."""
    executor: Executor = field(default_factory=lambda: ThreadPoolExecutor(CONFIRMING_THREADS, "confirming"))
    checking: ReadBudget = field(default_factory=lambda: ReadBudget(CHECKING_OF_ONE))
    """Reviews whose cached facts are being checked on the event loop."""
    reading: ReadBudget = field(default_factory=lambda: ReadBudget(READING_OF_ONE))
    """Reviews for which a thread is reading objects live."""
    disclosure: Disclosure | None = None
    """Limits each response to facts that the author of the request is allowed to read. None if all facts come from files."""

    def context(self, world: World) -> JudgingContext:
        """The facts and the policy to judge one request with."""
        active = self.configuration()
        return JudgingContext(
            active.chosen.applied_to(world),
            active.chosen.releases,
            active.policy,
            active.today,
            active.install_namespace,
        )

    def help_line(self) -> str:
        """The line that the administrator adds to denials and warnings. The line is empty if the policy has no ``help``."""
        try:
            return help_line_of(self.configuration().policy.help)
        except Exception:  # noqa: BLE001 - a response without the line is better than none
            return ""

    def left(self, until: float) -> float:
        """The seconds until the monotonic time ``until``, but at least ``LEAST_SECONDS``."""
        return max(until - self.clock(), LEAST_SECONDS)

    def first(self, door: str, read: DecodedRequest) -> First:
        """The result from the facts that are known now. Never waits."""
        world = self.facts.world()
        if door == "validate":
            return Validated(self._decide(read, world), world)
        context = self.context(world)
        tracker = CrossNamespaceTracker(world, read.request.namespace)
        operations = operations_for(read, context.with_world(tracker))
        return Patched(operations, context, tracker.left_namespace)

    def _decide(self, read: DecodedRequest, world: World) -> Outcome:
        """The outcome. Lookups in other namespaces matter only if the response must not show their results."""
        context = self.context(world)
        return decide_request(read, context) if self.disclosure is None else decide_tracked(read, context)

    def is_settled(self, first: First) -> bool:
        """Whether the first result needs no live read, neither for the decision nor for the text."""
        if isinstance(first, Patched):
            return not first.left_namespace or self.disclosure is None
        return not self._needs_confirmation(first) and (first.outcome.foreign_world is None or self.disclosure is None)

    def _needs_confirmation(self, first: Validated) -> bool:
        return not first.outcome.is_final and self.facts.needs_confirmation(first.world, first.outcome)

    def written(self, read: DecodedRequest, kind: str, result: First) -> tuple[bytes, str]:
        """The response to a request, and its outcome for metrics."""
        if isinstance(result, Patched):
            return patched(read.request.uid, result.operations), "patched" if result.operations else "allowed"
        outcome = result.outcome
        help_line = self.help_line() if outcome.decisions or not outcome.allowed else ""
        return answer_of(read, kind, outcome, self.observer, help_line), outcome_of(outcome)

    async def settled(self, read: DecodedRequest, first: First, until: float, run: Run) -> First:
        """The result after the live reads that it needs. Ends before ``until``. Raises Overloaded or TooLate."""
        if isinstance(first, Patched):
            if self.disclosure is not None:
                disclosed = partial(self.disclosure.operations, read, first.context)
                first = first._replace(operations=await self._disclosed(read, disclosed, until))
            return first
        outcome = await self._confirmed(read, first, until, run)
        return first._replace(outcome=await self._shown(read, outcome, until))

    async def _confirmed(self, read: DecodedRequest, first: Validated, until: float, run: Run) -> Outcome:
        """The outcome from the cache, or from live reads if the cached outcome needs confirmation."""
        if not self._needs_confirmation(first):
            return first.outcome
        try:
            confirmed = await self._read_live(read, first, until)
        except TimeoutError:
            late = await run(self._decide, read, self.facts.late(first.world))
            confirmed = replace(late, late=True)
        if confirmed.late and confirmed.allowed and confirmed.strongest is Action.DENY:
            raise TooLate
        return confirmed

    async def _read_live(self, read: DecodedRequest, first: Validated, until: float) -> Outcome:
        """The outcome from live reads. Raises TimeoutError."""
        namespace = read.request.namespace
        world, outcome = first.world, first.outcome
        await self.checking.begin(namespace, self.left(until))
        try:
            if await self.facts.is_unchanged(world, outcome, self.left(until) * SHARE_OF_CACHE_CHECK):
                return outcome
        finally:
            self.checking.end(namespace)

        decide = partial(self._decide, read)
        return await self._in_a_thread(
            namespace, until, lambda seconds: self.facts.confirm(world, outcome, decide, seconds)
        )

    async def _in_a_thread(self, namespace: str, until: float, read: Callable[[float], T]) -> T:
        """
        The result of ``read``, which reads live. It must end before ``until``, and counts towards the namespace's share of
        threads.
        """
        await self.reading.begin(namespace, self.left(until))
        left = self.left(until)
        reading = asyncio.get_running_loop().run_in_executor(self.executor, read, left)
        reading.add_done_callback(partial(self._free_thread, namespace))
        done, _ = await asyncio.wait((reading,), timeout=left)
        if not done:
            raise TimeoutError
        return reading.result()

    def _free_thread(self, namespace: str, reading: "asyncio.Future[Any]") -> None:
        """Frees a thread. The thread may have run longer than the review."""
        self.reading.end(namespace)
        if not reading.cancelled():
            reading.exception()  # otherwise asyncio logs the error as never retrieved

    async def _shown(self, read: DecodedRequest, outcome: Outcome, until: float) -> Outcome:
        """
        The outcome without facts that the author is not allowed to read. The method waits only if the outcome depends on
        other namespaces.
        """
        shown = outcome
        if outcome.foreign_world is not None and self.disclosure is not None:
            disclosed = partial(self.disclosure.shown, read, outcome, self.context)
            try:
                shown = await self._in_a_thread(read.request.namespace, until, disclosed)
            except (TimeoutError, Overloaded):
                shown = shown_without_rights(read, outcome, self.context)
        if outcome.late and not outcome.allowed:
            return replace(shown, warnings=(*shown.warnings, NOT_CONFIRMED))
        return shown

    async def _disclosed(
        self, read: DecodedRequest, operations: Callable[[float], list[dict[str, Any]]], until: float
    ) -> list[dict[str, Any]]:
        """The patch from facts that the author may read. It is empty if the author's rights cannot be read in time."""
        try:
            return await self._in_a_thread(read.request.namespace, until, operations)
        except (TimeoutError, Overloaded):
            return []


def outcome_of(decided: Outcome) -> str:
    """The outcome for metrics."""
    return "allowed" if decided.allowed else "denied"
