"""
The ASGI application of the admission listener. The application uses plain ASGI, because a FastAPI route with models takes three
times the CPU time (docs/decisions/0005).

A review with a readable UID gets a 200 response, even after an internal error. The responses 400 and 413 are for bodies
that no API server sends. An overloaded, late or unready server answers 503 with Retry-After: an API server retries within
its timeout, and then applies the webhook's failurePolicy. Webhooks whose failurePolicy is always ``Ignore`` call another
path, where a late review is denied. So a late review never admits a request (docs/decisions/0019).
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
from webhook.surfaces.admission.facts import Facts
from webhook.surfaces.admission.http import (
    CLOSE,
    JSON_TYPE,
    MAX_BODY,
    RETRY,
    CallerGone,
    Header,
    TooLate,
    answer_in_time,
    answer_plain,
    read_body,
    seconds_allowed,
)
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.read_budget import CHECKING_OF_ONE, READING_OF_ONE, Overloaded, ReadBudget
from webhook.surfaces.admission.record import Observer, answer_of
from webhook.surfaces.admission.requests import BadReview, DecodedRequest, UnreadableRequest, namespace_in, read_review
from webhook.surfaces.admission.responses import NOT_CONFIRMED, REFUSES, allowed, denied, help_line_of, patched
from webhook.surfaces.admission.timed_out import decide_timed_out
from webhook.surfaces.admission.unreadable import decide_unreadable
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome, outcome_of_causes
from webhook.surfaces.asgi import Receive, Scope, Send

log = logging.getLogger("migratable.admission")

LARGE = 64 * 2**10
"""Reviews with more bytes are judged in a thread, so that other reviews do not wait: 3 MiB can take a second."""
MAX_LARGE = 16
"""
Maximum number of large reviews in progress at the same time. Further large reviews get a 503 response, which API servers
retry.
"""
MAX_LARGE_OF_ONE = MAX_LARGE // 2
"""The maximum number of large reviews in progress for one namespace."""
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
    """Reviews whose cached facts are being checked on the event loop."""
    reading: ReadBudget = field(default_factory=lambda: ReadBudget(READING_OF_ONE))
    """Reviews for which a thread is reading objects live."""
    large_executor: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "large"))
    large: Counter[str] = field(default_factory=Counter)
    """Large reviews in progress, by namespace."""
    disclosure: Disclosure | None = None
    """Limits each response to facts that the author of the request is allowed to read. None if all facts come from files."""

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
            with suppress(CallerGone):
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
        scope.setdefault("state", {})["known"] = True  # the listener closes such connections last
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
        """The response to a body. Raises Overloaded or TooLate if the API server must apply the failurePolicy."""
        try:
            return await self._judged(door, scope, receive, body, began)
        except (Overloaded, TooLate) as reason:
            outcome = "late" if isinstance(reason, TooLate) else "shed"
            self.observer.reviewed(door, "unread", "", outcome, self.clock() - began)
            if outcome == "late":
                log.warning("late", extra={"bytes": len(body), "path": scope["path"]})
            if not late_denies:
                raise
            return self._answer_late(body, reason)

    def _answer_late(self, body: bytes, reason: Overloaded | TooLate) -> bytes:
        """The response to a review that was not judged in time. Reading the body again takes little time."""
        read = read_review(body)
        try:
            decided = decide_timed_out(read, self._context(self.facts.world()))
            if isinstance(read, UnreadableRequest):
                return _unreadable_answer(read, decided, self._help_line())
            return answer_of(read, _kind_of(read), decided, self.observer, self._help_line())
        except Exception as error:  # noqa: BLE001 - the outermost handler
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            raise reason from None

    async def _judged(self, door: str, scope: Scope, receive: Receive, body: bytes, began: float) -> bytes:
        """The response to a body. Other reviews do not wait for a large review."""
        until = began + seconds_allowed(scope)
        if len(body) <= LARGE:
            # Decoding and judging take most of the time: an overloaded server must not decode and judge a review that it
            # then refuses.
            if door == "validate" and self.checking.is_crowded and self.checking.is_full(namespace_in(body)):
                raise Overloaded
            return await self._answer(door, scope, read_review(body), began, until, _at_once)
        namespace = namespace_in(body)
        if self.large.total() >= MAX_LARGE or self.large[namespace] >= MAX_LARGE_OF_ONE:
            raise Overloaded
        self.large[namespace] += 1

        async def answer() -> bytes:
            read = await self._in_large_executor(read_review, body)
            return await self._answer(door, scope, read, began, until, self._in_large_executor)

        try:
            return await answer_in_time(answer(), receive, self._left(until))
        finally:
            self.large -= Counter((namespace,))

    def _left(self, until: float) -> float:
        """The seconds until the monotonic time ``until``, but at least ``LEAST_SECONDS``."""
        return max(until - self.clock(), LEAST_SECONDS)

    async def _in_large_executor(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """The result of a slow function. One thread runs all slow functions, so that other reviews get half of the CPU time."""
        return await asyncio.get_running_loop().run_in_executor(self.large_executor, function, *arguments)

    async def _answer(
        self, door: str, scope: Scope, read: DecodedRequest | UnreadableRequest, began: float, until: float, run: Run
    ) -> bytes:
        """The bytes of the response. If an internal error occurs, the request is allowed, with a warning and a log line."""
        if isinstance(read, UnreadableRequest):
            decided = PASS if door == "mutate" else self._unreadable(read)
            self.observer.reviewed(door, "unreadable", "", _outcome_of(decided), self.clock() - began)
            return _unreadable_answer(read, decided, self._help_line())
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
                help_line = self._help_line() if decided.decisions or not decided.allowed else ""
                answer = await run(answer_of, read, kind, decided, self.observer, help_line)
        except (Overloaded, TooLate):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost handler: never a 5xx for a readable UID
            log.error("internal error", extra={"uid": request.uid, "error": type(error).__name__})  # noqa: TRY400 - no locals
            outcome = "internal"
            answer = allowed(
                request.uid,
                ["Migratable could not judge this object because of an internal error. See its log."],
                {"internal": type(error).__name__},
            )
        self.observer.reviewed(door, kind, request.operation, outcome, self.clock() - began)
        scope.setdefault("state", {})["review"] = {"kind": kind, "operation": request.operation, "outcome": outcome}
        return answer

    def _unreadable(self, read: UnreadableRequest) -> Outcome:
        try:
            return decide_unreadable(read, self._context(self.facts.world()))
        except Exception as error:  # noqa: BLE001 - the outermost handler; an unreadable object stays denied
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            return outcome_of_causes(Action.DENY, *read.causes)

    def _help_line(self) -> str:
        """The line that the administrator adds to denials and warnings. The line is empty if the policy has no ``help``."""
        try:
            return help_line_of(self.configuration().policy.help)
        except Exception:  # noqa: BLE001 - a response without the line is better than none
            return ""

    def _context(self, world: World) -> JudgingContext:
        active = self.configuration()
        return JudgingContext(
            active.chosen.applied_to(world),
            active.chosen.releases,
            active.policy,
            active.today,
            active.install_namespace,
        )

    async def _decide(self, read: DecodedRequest, until: float, run: Run) -> Outcome:
        """The outcome from the cache, or from live reads if the cached outcome needs confirmation. Ends before ``until``."""
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
        """The outcome from live reads. Raises TimeoutError."""
        namespace = read.request.namespace
        await self.checking.begin(namespace, self._left(until))
        try:
            if await self.facts.is_unchanged(world, outcome, self._left(until) * SHARE_OF_CACHE_CHECK):
                return outcome
        finally:
            self.checking.end(namespace)

        def decide(fresh: World) -> Outcome:
            return decide_tracked(read, self._context(fresh))

        return await self._in_a_thread(
            namespace, until, lambda seconds: self.facts.confirm(world, outcome, decide, seconds)
        )

    async def _in_a_thread(self, namespace: str, until: float, read: Callable[[float], T]) -> T:
        """
        The result of ``read``, which reads live. It must end before ``until``, and counts towards the namespace's share of
        threads.
        """
        await self.reading.begin(namespace, self._left(until))
        left = self._left(until)
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
            disclosed = partial(self.disclosure.shown, read, outcome, self._context)
            try:
                shown = await self._in_a_thread(read.request.namespace, until, disclosed)
            except (TimeoutError, Overloaded):
                shown = shown_without_rights(read, outcome, self._context)
        if outcome.late and not outcome.allowed:
            return replace(shown, warnings=(*shown.warnings, NOT_CONFIRMED))
        return shown

    async def _operations(self, read: DecodedRequest, until: float, run: Run) -> list[dict[str, Any]]:
        """The patch. The patch is empty if it depends on other namespaces and the author's rights cannot be read in time."""
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


def _unreadable_answer(read: UnreadableRequest, decided: Outcome, help_line: str) -> bytes:
    if decided.allowed:
        return allowed(read.request.uid, decided.warnings)
    kind = read.request.kind.kind
    lead = f"{REFUSES} a field of the {kind} that live migration depends on cannot be read."
    return denied(read.request.uid, kind, read.request.name, read.causes, lead=lead, help_line=help_line)


def _kind_of(read: DecodedRequest) -> str:
    return read.kind.kind if read.kind is not None else "unexpected"


def _outcome_of(decided: Outcome) -> str:
    return "allowed" if decided.allowed else "denied"


async def _at_once(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """The result of the function."""
    return function(*arguments)
