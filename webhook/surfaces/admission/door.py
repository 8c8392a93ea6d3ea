"""
The admission door: a plain ASGI application, because a route with models costs three times as much (docs/decisions).

A review whose UID can be read is always answered with 200, whatever goes wrong inside; 400 and 413 are for what no API
server sends; an overloaded or not yet ready server says 503 with Retry-After, which API servers repeat.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qs

from webhook.facts.unknown import Unknown
from webhook.facts.unknown_world import UnknownWorld
from webhook.facts.world import World
from webhook.policy import Action, Lowered, Policy, most_in, would_deny
from webhook.surfaces.admission.answering import allowed, denied, patched, warnings_of
from webhook.surfaces.admission.disclosure import Disclosure, Noting, decide_noting, shown_without_rights
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.reading import BadReview, Readable, Unreadable, namespace_in, read_review
from webhook.surfaces.admission.validate import PASS, Judging, Outcome, at_most
from webhook.surfaces.checking import Chosen

log = logging.getLogger("migratable.admission")

MAX_BODY = 8 * 2**20
"""Bytes: an object and its old self of 3 MiB each, and the envelope."""
LARGE = 64 * 2**10
"""Bytes; what is larger is judged apart: 3 MiB can take a second, and whoever sends them must not hold up the others."""
MAX_LARGE = 16
"""Large reviews that may be under way at one time; one more is answered 503, which API servers repeat."""
MAX_LARGE_OF_ONE = MAX_LARGE // 2
"""Of those, how many may be about one namespace: nobody takes all places."""
ANSWER_MARGIN = 0.5
"""Seconds kept back from the caller's ``timeout`` for the way home."""
DEFAULT_TIMEOUT = 10.0
CONFIRMING_THREADS = 32
MAX_CONFIRMING = 256
"""Decisions that may wait for live reads at one time; one more is answered 503, which API servers repeat."""
LATE = Unknown("the API server did not answer in time", "this is judged again at the next change; see /metrics")

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]
P = ParamSpec("P")
T = TypeVar("T")

CLOSE: Header = (b"connection", b"close")
RETRY: Header = (b"retry-after", b"1")
JSON_TYPE: Header = (b"content-type", b"application/json")


class Facts(Protocol):
    """Where verdicts take other objects from."""

    @property
    def ready(self) -> bool:
        """Whether every kind has been read at least once."""
        ...

    def world(self) -> World:
        """What is known now; never waits."""
        ...

    def confirm(self, world: World, decide: Callable[[World], Outcome], deadline: float) -> Outcome:
        """Repeats a decision on freshly read objects, within ``deadline`` seconds; may wait, so it runs in a thread."""
        ...

    async def still_so(self, world: World, outcome: Outcome, within_seconds: float) -> bool:
        """Whether the outcome may stand after a look past the cache; False where only ``confirm`` can tell."""
        ...

    def needs_confirmation(self, world: World, outcome: Outcome) -> bool:
        """Whether the outcome rests on what ``world`` took from a cache that must not be trusted for it."""
        ...


class Observer(Protocol):
    """Counts what happened; labels are from closed sets."""

    def reviewed(self, door: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
        """One review was answered: ``allowed``, ``denied``, ``patched``, ``internal``, ``bad``, ``shed``."""
        ...

    def found(self, rule: str, kind: str, action: str) -> None:
        """One finding was decided about."""
        ...

    def would_deny(self, rule: str) -> None:
        """A finding passed that the built-in strict policy denies: what a step from audit to deny would change."""
        ...

    def lowered(self, rule: str, reason: Lowered) -> None:
        """A denial became a warning, or less, because of who sent the request."""
        ...


@dataclass(frozen=True, slots=True)
class Situation:
    """What is in force at this moment; swapped whole when settings change."""

    policy: Policy
    chosen: Chosen
    install_namespace: str
    today: str


class Run(Protocol):
    """How something is computed: here and now, or apart."""

    async def __call__(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the function returns."""
        ...


class Gone(Exception):
    """The caller hung up; nobody would read an answer."""


class Overloaded(Exception):
    """Too many decisions wait for live reads: HTTP 503 with Retry-After, which an API server repeats by itself."""


@dataclass(slots=True)
class Door:
    """The ASGI application of the admission listener."""

    facts: Facts
    situation: Callable[[], Situation]
    observer: Observer
    clock: Callable[[], float]
    """Monotonic seconds."""
    draining: Callable[[], bool] = field(default=lambda: False)
    executor: Executor = field(default_factory=lambda: ThreadPoolExecutor(CONFIRMING_THREADS, "confirming"))
    confirming: int = 0
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
        if path not in ("/validate", "/mutate"):
            await _plain(send, 404, "there are /validate and /mutate here", headers)
        elif scope["method"] != "POST":
            await _plain(send, 405, "POST an AdmissionReview", [*headers, (b"allow", b"POST")])
        elif not self.facts.ready:
            await _plain(send, 503, "the cluster's objects have not been read yet", [*headers, RETRY])
        else:
            with suppress(Gone):
                await self._review(path, scope, receive, send, headers)

    async def _review(self, path: str, scope: Scope, receive: Receive, send: Send, headers: list[Header]) -> None:
        began = self.clock()
        body = await _body(scope, receive)
        if body is None:
            await _plain(send, 413, f"the body is larger than {MAX_BODY} bytes", [*headers, CLOSE])
            return
        try:
            answer = await self._judged(path.removeprefix("/"), scope, body, began)
        except BadReview as error:
            self.observer.reviewed(path.removeprefix("/"), "unreadable", "", "bad", self.clock() - began)
            log.warning("bad review", extra={"bytes": len(body), "path": path})
            await _plain(send, 400, str(error), headers)
            return
        except Overloaded:
            self.observer.reviewed(path.removeprefix("/"), "unread", "", "shed", self.clock() - began)
            await _plain(send, 503, "too many reviews are being judged", [*headers, RETRY])
            return
        scope.setdefault("state", {})["known"] = True  # the listener keeps such connections before others
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [JSON_TYPE, (b"content-length", b"%d" % len(answer)), *headers],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer})

    async def _judged(self, door: str, scope: Scope, body: bytes, began: float) -> bytes:
        """The answer to a body, which other reviews do not wait for if it is large."""
        if len(body) <= LARGE:
            return await self._answer(door, scope, read_review(body), began, _at_once)
        namespace = namespace_in(body)
        if self.large.total() >= MAX_LARGE or self.large[namespace] >= MAX_LARGE_OF_ONE:
            raise Overloaded
        self.large[namespace] += 1
        try:
            return await self._answer(door, scope, await self._apart(read_review, body), began, self._apart)
        finally:
            self.large -= Counter((namespace,))

    async def _apart(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What a function returns that may take long: in a thread, one at a time, so that half of the time is the others'."""
        waiting = asyncio.get_running_loop().run_in_executor(self.apart, lambda: function(*arguments, **named))
        return await waiting

    async def _answer(self, door: str, scope: Scope, read: Readable | Unreadable, began: float, run: Run) -> bytes:
        """The answer's bytes; the outermost wall: an error inside lets the request pass, loudly."""
        if isinstance(read, Unreadable):
            passes = door == "mutate" or read.passes
            decided = PASS if passes else at_most(self._most_in(read.namespace), *read.causes)
            self.observer.reviewed(door, "unreadable", "", _outcome_of(decided), self.clock() - began)
            if decided.allowed:
                return allowed(read.uid, decided.warnings)
            return denied(read.uid, read.kind, read.name, read.causes)
        request = read.request
        kind = read.kind.kind if read.kind is not None else "unexpected"
        try:
            if door == "mutate":
                operations = await self._operations(read, deadline_of(scope, began, self.clock()), run)
                outcome = "patched" if operations else "allowed"
                answer = patched(request.uid, operations)
            else:
                decided = await self._decide(read, deadline_of(scope, began, self.clock()), run)
                decided = await self._shown(read, decided, deadline_of(scope, began, self.clock()))
                outcome = _outcome_of(decided)
                answer = await run(self._verdict, read, kind, decided)
        except Overloaded:
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

    def _most_in(self, namespace: str) -> Action:
        try:
            return most_in(namespace, self.situation().policy, self.facts.world())
        except Exception as error:  # noqa: BLE001 - as above; what cannot be read stays refused
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            return Action.DENY

    def _judging(self, world: World) -> Judging:
        now = self.situation()
        return Judging(world, now.chosen.releases, now.policy, now.today, now.install_namespace)

    async def _decide(self, read: Readable, seconds: float, run: Run) -> Outcome:
        """The outcome by the cache, or by live reads where the cache must not decide; ``seconds`` bound all of it."""
        world = self.facts.world()
        outcome = await run(decide_noting, read, self._judging(world))
        if not self.facts.needs_confirmation(world, outcome):
            return outcome
        if self.confirming >= MAX_CONFIRMING:
            raise Overloaded
        began = self.clock()
        self.confirming += 1
        try:
            if await self.facts.still_so(world, outcome, seconds / 3):
                return outcome
        finally:
            self.confirming -= 1
        return await self._confirm(read, world, seconds - (self.clock() - began))

    async def _confirm(self, read: Readable, world: World, seconds: float) -> Outcome:
        """The outcome by live reads, in a thread."""
        self.confirming += 1
        waiting = asyncio.get_running_loop().run_in_executor(
            self.executor,
            self.facts.confirm,
            world,
            lambda fresh: decide_noting(read, self._judging(fresh)),
            seconds,
        )
        waiting.add_done_callback(self._confirmed)
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), seconds)
        except TimeoutError:
            return decide_noting(read, self._judging(UnknownWorld(LATE)))

    async def _shown(self, read: Readable, outcome: Outcome, seconds: float) -> Outcome:
        """The outcome as the author of the request may see it; waits only for what rests on other namespaces."""
        if outcome.elsewhere is None or self.disclosure is None:
            return outcome
        waiting = asyncio.get_running_loop().run_in_executor(
            self.executor, self.disclosure.shown, read, outcome, self._judging, seconds
        )
        try:
            return await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            return shown_without_rights(read, outcome, self._judging)

    async def _operations(self, read: Readable, seconds: float, run: Run) -> list[dict[str, Any]]:
        """The patch; none where it rests on other namespaces and the API server does not say in time who may read them."""
        judging = self._judging(self.facts.world())
        noting = Noting(judging.world, read.request.namespace)
        operations = await run(operations_for, read, replace(judging, world=noting))
        if not noting.elsewhere or self.disclosure is None:
            return operations
        waiting = asyncio.get_running_loop().run_in_executor(
            self.executor, self.disclosure.operations, read, judging, seconds
        )
        try:
            return await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            return []

    def _confirmed(self, waiting: "asyncio.Future[Outcome]") -> None:
        self.confirming -= 1
        if not waiting.cancelled():
            waiting.exception()  # an error that nobody waits for any more

    def _verdict(self, read: Readable, kind: str, outcome: Outcome) -> bytes:
        request = read.request
        for decision in outcome.decisions:
            self.observer.found(decision.finding.rule.id, kind, decision.action)
            if would_deny(decision):
                self.observer.would_deny(decision.finding.rule.id)
            if decision.lowered is not None:
                self.observer.lowered(decision.finding.rule.id, decision.lowered)
        if not outcome.allowed:
            denied_rules = [each.finding.rule.id for each in outcome.decisions if each.action is Action.DENY]
            log.info(
                "denied",
                extra={
                    "uid": request.uid,
                    "kind": request.kind.kind,
                    "namespace": request.namespace,
                    "object": request.name,
                    "rules": denied_rules,
                },
            )
            name = request.name or (read.object.name if read.object is not None else "")
            return denied(request.uid, request.kind.kind, name, outcome.causes, warnings_of(outcome.decisions))
        audit = {}
        if outcome.decisions:
            audit["findings"] = ",".join(sorted({each.finding.rule.id for each in outcome.decisions}))
        audit |= _lowered_for(outcome)
        if outcome.judgement is not None and outcome.judgement.verdict is not None:
            said = outcome.judgement.verdict.live_migratable
            audit["live-migratable"] = "unproven" if said is None else str(said).lower()
        return allowed(request.uid, [*outcome.warnings, *warnings_of(outcome.decisions)], audit)


def _lowered_for(outcome: Outcome) -> dict[str, str]:
    """Audit annotations that say which denials were lowered, and for whom; the file's own words need no more room."""
    lowered = sorted({f"{each.finding.rule.id}={each.lowered}" for each in outcome.decisions if each.lowered})
    if not lowered:
        return {}
    account = outcome.account
    named = (
        {"account-entry": f"{account.owner}, until {account.until}: {account.reason}"} if account is not None else {}
    )
    return {"lowered": ",".join(lowered), **named}


def _outcome_of(decided: Outcome) -> str:
    return "allowed" if decided.allowed else "denied"


async def _at_once(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What a function returns."""
    return function(*arguments, **named)


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None where it is larger than allowed (also when it lies about its length)."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:19]) > MAX_BODY:
            return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def deadline_of(scope: Scope, began: float, now: float) -> float:
    """Seconds left of the caller's ``timeout`` parameter, less the way home."""
    return max(_timeout(scope.get("query_string", b"")) - (now - began) - ANSWER_MARGIN, 0.05)


@lru_cache(maxsize=16)  # an API server sends one query for each webhook
def _timeout(query: bytes) -> float:
    values = parse_qs(query.decode("ascii", "replace")).get("timeout")
    seconds = DEFAULT_TIMEOUT
    if values:
        try:
            seconds = float(values[0].removesuffix("s"))
        except ValueError:
            seconds = DEFAULT_TIMEOUT
    return seconds if 0 < seconds <= 60 else DEFAULT_TIMEOUT


async def _plain(send: Send, status: int, text: str, headers: list[Header]) -> None:
    body = text.encode() + b"\n"
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
