"""
The admission door: a plain ASGI application, because a route with models costs three times as much (docs/decisions).

A review whose UID can be read is answered with 200, whatever goes wrong inside; 400 and 413 are for what no API server
sends. An overloaded, late or not yet ready server says 503 with Retry-After: API servers repeat the call within its timeout,
then the webhook's failurePolicy decides. Webhooks that are always ``Ignore`` call another path, where lateness denies.
Lateness itself never admits (docs/decisions/0019).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar, TypeVarTuple

from webhook.check.check import ReleaseChoice
from webhook.facts.world import World
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.configurations import LATE_DENIES
from webhook.surfaces.admission.disclosure import (
    CrossNamespaceTracker,
    Disclosure,
    decide_tracked,
    shown_without_rights,
)
from webhook.surfaces.admission.http import (
    CLOSE,
    JSON_TYPE,
    MAX_BODY,
    RETRY,
    Gone,
    Header,
    TooLate,
    allotted,
    answer_plain,
    read_body,
    while_waited_for,
)
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.read_budget import CHECKING_OF_ONE, READING_OF_ONE, Overloaded, ReadBudget
from webhook.surfaces.admission.record import Observer, answer_of
from webhook.surfaces.admission.requests import BadReview, DecodedRequest, UnreadableRequest, namespace_in, read_review
from webhook.surfaces.admission.responses import NOT_CONFIRMED, allowed, denied, patched
from webhook.surfaces.admission.timed_out import decide_late
from webhook.surfaces.admission.unreadable import decide_unreadable
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome, outcome_of_causes
from webhook.surfaces.asgi import Receive, Scope, Send

log = logging.getLogger("migratable.admission")

LARGE = 64 * 2**10
"""Bytes; what is larger is judged apart: 3 MiB can take a second, and whoever sends them must not hold up the others."""
MAX_LARGE = 16
"""Large reviews that may be under way at one time; one more is answered 503, which API servers repeat."""
MAX_LARGE_OF_ONE = MAX_LARGE // 2
"""Of those, how many may be about one namespace."""
LEAST_SECONDS = 0.05
"""For a caller whose time is over, or nearly."""
SHARE_OF_CACHE_CHECK = 1 / 3
"""The part of a review's time in which the cache may be found to be right; the rest is for deciding on live reads."""
CONFIRMING_THREADS = 32

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Facts(Protocol):
    """Where verdicts take other objects from."""

    @property
    def ready(self) -> bool:
        """Whether every kind has been read at least once."""
        ...

    def world(self) -> World:
        """What is known now; never waits."""
        ...

    def confirm(self, world: World, cached: Outcome, decide: Callable[[World], Outcome], deadline: float, /) -> Outcome:
        """
        Repeats a decision on freshly read objects, within ``deadline`` seconds; may wait, so it runs in a thread.

        ``cached`` is the outcome of ``world``. The result is ``late`` where not all could be read in time.
        """
        ...

    def late(self, world: World, /) -> World:
        """What is known for sure when no time is left to read anything."""
        ...

    async def still_so(self, world: World, outcome: Outcome, within_seconds: float, /) -> bool:
        """Whether the outcome may stand after a look past the cache; False where only ``confirm`` can tell."""
        ...

    def needs_confirmation(self, world: World, outcome: Outcome, /) -> bool:
        """Whether the outcome rests on what ``world`` took from a cache that must not be trusted for it."""
        ...


@dataclass(frozen=True, slots=True)
class ActiveConfiguration:
    """What is in force at this moment; swapped whole when settings change."""

    policy: Policy
    chosen: ReleaseChoice
    install_namespace: str
    today: str


class Run(Protocol):
    """How something is computed: here and now, or apart."""

    async def __call__(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """What the function returns."""
        ...


@dataclass(slots=True)
class AdmissionApp:
    """The ASGI application of the admission listener."""

    facts: Facts
    configuration: Callable[[], ActiveConfiguration]
    observer: Observer
    clock: Callable[[], float]
    """Monotonic seconds."""
    draining: Callable[[], bool] = field(default=lambda: False)
    executor: Executor = field(default_factory=lambda: ThreadPoolExecutor(CONFIRMING_THREADS, "confirming"))
    checking: ReadBudget = field(default_factory=lambda: ReadBudget(CHECKING_OF_ONE))
    """Reviews whose cached facts are checked, on the event loop."""
    reading: ReadBudget = field(default_factory=lambda: ReadBudget(READING_OF_ONE))
    """Reviews for which a thread reads live."""
    apart: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "large"))
    large: Counter[str] = field(default_factory=Counter)
    """Large reviews under way, by namespace."""
    disclosure: Disclosure | None = None
    """What authors may read in other namespaces; None where everything may be told, because it is in files."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            return
        path, headers = scope["path"], []
        if self.draining():
            headers.append(CLOSE)
        if path not in ("/validate", LATE_DENIES, "/mutate"):
            await answer_plain(send, 404, f"not found. The paths are /validate, {LATE_DENIES} and /mutate.", headers)
        elif scope["method"] != "POST":
            await answer_plain(send, 405, "POST an AdmissionReview", [*headers, (b"allow", b"POST")])
        elif not self.facts.ready:
            await answer_plain(send, 503, "the cluster's objects have not been read yet", [*headers, RETRY])
        else:
            with suppress(Gone):
                await self._review(path, scope, receive, send, headers)

    async def _review(self, path: str, scope: Scope, receive: Receive, send: Send, headers: list[Header]) -> None:
        began = self.clock()
        body = await read_body(scope, receive)
        if body is None:
            await answer_plain(send, 413, f"the body is larger than {MAX_BODY} bytes", [CLOSE])
            return
        door = "mutate" if path == "/mutate" else "validate"
        try:
            answer = await self._in_time(door, path == LATE_DENIES, scope, receive, body, began)
        except BadReview as error:
            self.observer.reviewed(door, "unreadable", "", "bad", self.clock() - began)
            log.warning("bad review", extra={"bytes": len(body), "path": path})
            await answer_plain(send, 400, str(error), headers)
            return
        except Overloaded:
            await answer_plain(send, 503, "too many reviews are being judged", [*headers, RETRY])
            return
        except TooLate:
            await answer_plain(send, 503, "referenced objects could not be read in time", [*headers, RETRY])
            return
        scope.setdefault("state", {})["known"] = True  # the listener keeps such connections before others
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [JSON_TYPE, (b"content-length", b"%d" % len(answer)), *headers],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer})

    async def _in_time(
        self, door: str, late_denies: bool, scope: Scope, receive: Receive, body: bytes, began: float
    ) -> bytes:
        """The answer to a body. Raises Overloaded and TooLate where that is for failurePolicy to decide."""
        try:
            return await self._judged(door, scope, receive, body, began)
        except (Overloaded, TooLate) as reason:
            outcome = "late" if isinstance(reason, TooLate) else "shed"
            self.observer.reviewed(door, "unread", "", outcome, self.clock() - began)
            if outcome == "late":
                log.warning("late", extra={"bytes": len(body), "path": scope["path"]})
            if not late_denies:
                raise
            return self._late(body, reason)

    def _late(self, body: bytes, reason: Overloaded | TooLate) -> bytes:
        """The answer to a review that was not judged in time. It is read again, which takes little time."""
        read = read_review(body)
        try:
            decided = decide_late(read, self._context(self.facts.world()))
            if isinstance(read, UnreadableRequest):
                return _unreadable_answer(read, decided)
            return answer_of(read, _kind_of(read), decided, self.observer)
        except Exception as error:  # noqa: BLE001 - the outermost wall
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            raise reason from None

    async def _judged(self, door: str, scope: Scope, receive: Receive, body: bytes, began: float) -> bytes:
        """The answer to a body, which other reviews do not wait for if it is large."""
        until = began + allotted(scope)
        if len(body) <= LARGE:
            # Reading and judging a review takes most of its time: an overloaded server must not do it for one that it sheds.
            if door == "validate" and self.checking.is_crowded and self.checking.is_full(namespace_in(body)):
                raise Overloaded
            return await self._answer(door, scope, read_review(body), began, until, _at_once)
        namespace = namespace_in(body)
        if self.large.total() >= MAX_LARGE or self.large[namespace] >= MAX_LARGE_OF_ONE:
            raise Overloaded
        self.large[namespace] += 1

        async def answer() -> bytes:
            read = await self._apart(read_review, body)
            return await self._answer(door, scope, read, began, until, self._apart)

        try:
            return await while_waited_for(answer(), receive, self._left(until))
        finally:
            self.large -= Counter((namespace,))

    def _left(self, until: float) -> float:
        """Seconds."""
        return max(until - self.clock(), LEAST_SECONDS)

    async def _apart(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """What a function returns that may take long: in a thread, one at a time, so that half of the time is the others'."""
        return await asyncio.get_running_loop().run_in_executor(self.apart, function, *arguments)

    async def _answer(
        self, door: str, scope: Scope, read: DecodedRequest | UnreadableRequest, began: float, until: float, run: Run
    ) -> bytes:
        """The answer's bytes; the outermost wall: an error inside lets the request pass, loudly."""
        if isinstance(read, UnreadableRequest):
            decided = PASS if door == "mutate" else self._unreadable(read)
            self.observer.reviewed(door, "unreadable", "", _outcome_of(decided), self.clock() - began)
            return _unreadable_answer(read, decided)
        request = read.request
        kind = _kind_of(read)
        try:
            if door == "mutate":
                operations = await self._operations(read, until, run)
                outcome = "patched" if operations else "allowed"
                answer = patched(request.uid, operations)
            else:
                decided = await self._shown(read, await self._decide(read, until, run), until)
                outcome = _outcome_of(decided)
                answer = await run(answer_of, read, kind, decided, self.observer)
        except (Overloaded, TooLate):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost wall: never a 5xx for a readable UID
            log.error("internal error", extra={"uid": request.uid, "error": type(error).__name__})  # noqa: TRY400 - no locals
            outcome = "internal"
            answer = allowed(
                request.uid,
                ["migratable could not judge this object because of an error of its own; see its log"],
                {"internal": type(error).__name__},
            )
        self.observer.reviewed(door, kind, request.operation, outcome, self.clock() - began)
        scope.setdefault("state", {})["review"] = {"kind": kind, "operation": request.operation, "outcome": outcome}
        return answer

    def _unreadable(self, read: UnreadableRequest) -> Outcome:
        try:
            return decide_unreadable(read, self._context(self.facts.world()))
        except Exception as error:  # noqa: BLE001 - the outermost wall; an unreadable object stays denied
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            return outcome_of_causes(Action.DENY, *read.causes)

    def _context(self, world: World) -> JudgingContext:
        now = self.configuration()
        return JudgingContext(world, now.chosen.releases, now.policy, now.today, now.install_namespace)

    async def _decide(self, read: DecodedRequest, until: float, run: Run) -> Outcome:
        """The outcome by the cache, or by live reads where the cache must not decide; before ``until``."""
        world = self.facts.world()
        outcome = await run(decide_tracked, read, self._context(world))
        if outcome.is_final or not self.facts.needs_confirmation(world, outcome):
            return outcome
        try:
            confirmed = await self._confirmed(read, world, outcome, until)
        except TimeoutError:
            late = await run(decide_tracked, read, self._context(self.facts.late(world)))
            confirmed = replace(late, late=True)
        if confirmed.late and confirmed.allowed and confirmed.strongest is Action.DENY:
            raise TooLate
        return confirmed

    async def _confirmed(self, read: DecodedRequest, world: World, outcome: Outcome, until: float) -> Outcome:
        """The outcome by live reads. Raises TimeoutError."""
        namespace = read.request.namespace
        await self.checking.begin(namespace, self._left(until))
        try:
            if await self.facts.still_so(world, outcome, self._left(until) * SHARE_OF_CACHE_CHECK):
                return outcome
        finally:
            self.checking.end(namespace)

        def decide(fresh: World) -> Outcome:
            return decide_tracked(read, self._context(fresh))

        return await self._in_a_thread(
            namespace, until, lambda seconds: self.facts.confirm(world, outcome, decide, seconds)
        )

    async def _in_a_thread(self, namespace: str, until: float, read: Callable[[float], T]) -> T:
        """What a function returns that reads live for so many seconds, within the namespace's share."""
        await self.reading.begin(namespace, self._left(until))
        left = self._left(until)
        reading = asyncio.get_running_loop().run_in_executor(self.executor, read, left)
        reading.add_done_callback(partial(self._over, namespace))
        done, _ = await asyncio.wait((reading,), timeout=left)
        if not done:
            raise TimeoutError
        return reading.result()

    def _over(self, namespace: str, reading: "asyncio.Future[Any]") -> None:
        """A thread is free again; it may have outlasted the review."""
        self.reading.end(namespace)
        if not reading.cancelled():
            reading.exception()  # else asyncio logs an error that the review did not wait for

    async def _shown(self, read: DecodedRequest, outcome: Outcome, until: float) -> Outcome:
        """The outcome as the author of the request may see it; waits only for what rests on other namespaces."""
        shown = outcome
        if outcome.foreign_world is not None and self.disclosure is not None:
            disclosed = partial(self.disclosure.shown, read, outcome, self._context)
            try:
                shown = await self._in_a_thread(read.request.namespace, until, disclosed)
            except (TimeoutError, Overloaded):
                shown = shown_without_rights(read, outcome, self._context)
        if outcome.late and not outcome.allowed:
            return replace(shown, warnings=(*shown.warnings, NOT_CONFIRMED))
        return shown

    async def _operations(self, read: DecodedRequest, until: float, run: Run) -> list[dict[str, Any]]:
        """The patch; none where it rests on other namespaces and the API server does not say in time who may read them."""
        context = self._context(self.facts.world())
        namespace = read.request.namespace
        tracker = CrossNamespaceTracker(context.world, namespace)
        operations = await run(operations_for, read, replace(context, world=tracker))
        if tracker.left_namespace and self.disclosure is not None:
            disclosed = partial(self.disclosure.operations, read, context)
            try:
                operations = await self._in_a_thread(namespace, until, disclosed)
            except (TimeoutError, Overloaded):
                operations = []
        return operations


def _unreadable_answer(read: UnreadableRequest, decided: Outcome) -> bytes:
    if decided.allowed:
        return allowed(read.request.uid, decided.warnings)
    return denied(read.request.uid, read.request.kind.kind, read.request.name, read.causes)


def _kind_of(read: DecodedRequest) -> str:
    return read.kind.kind if read.kind is not None else "unexpected"


def _outcome_of(decided: Outcome) -> str:
    return "allowed" if decided.allowed else "denied"


async def _at_once(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """What a function returns."""
    return function(*arguments)
