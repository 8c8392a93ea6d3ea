"""
The application of the admission listener. The application uses plain ASGI, because a FastAPI route with models takes three
times the CPU time (docs/decisions/0005). Its listener passes whole small reviews to ``answer_directly`` instead, because ASGI
takes as long as judging (docs/decisions/0036).

A review with a readable UID gets a 200 response, even after an internal error. The responses 400 and 413 are for bodies
that no API server sends. An overloaded, late or unready server answers 503 with Retry-After: an API server retries within
its timeout, and then applies the webhook's failurePolicy. Webhooks whose failurePolicy is always ``Ignore`` call another
path, where a late review is denied. So a late review never admits a request (docs/decisions/0019).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

from webhook.policy.policy import Action
from webhook.surfaces.admission.configurations import LATE_DENIES
from webhook.surfaces.admission.http import (
    CLOSE,
    MAX_BODY,
    RETRY,
    CallerGone,
    TooLate,
    answer_in_time,
    plain,
    read_body,
    seconds_allowed,
    send_reply,
)
from webhook.surfaces.admission.read_budget import Overloaded
from webhook.surfaces.admission.record import answer_of
from webhook.surfaces.admission.requests import BadReview, DecodedRequest, UnreadableRequest, namespace_in, read_review
from webhook.surfaces.admission.responses import REFUSES, allowed, denied
from webhook.surfaces.admission.review_judge import (
    CONFIRMING_THREADS,
    LEAST_SECONDS,
    ActiveConfiguration,
    First,
    ReviewJudge,
    Run,
    outcome_of,
)
from webhook.surfaces.admission.timed_out import decide_timed_out
from webhook.surfaces.admission.unreadable import decide_unreadable
from webhook.surfaces.admission.validate import PASS, Outcome, outcome_of_causes
from webhook.surfaces.asgi import Receive, Reply, Scope, Send

__all__ = ["CONFIRMING_THREADS", "LEAST_SECONDS", "ActiveConfiguration", "AdmissionApp"]

log = logging.getLogger("migratable.admission")

DOORS = {"/validate": "validate", LATE_DENIES: "validate", "/mutate": "mutate"}
"""The type of webhook at each path."""
LARGE = 64 * 2**10
"""Reviews with more bytes are judged in a thread, so that other reviews do not wait: 3 MiB can take a second."""
MAX_LARGE = 16
"""
Maximum number of large reviews in progress at the same time. Further large reviews get a 503 response, which API servers
retry.
"""
MAX_LARGE_OF_ONE = MAX_LARGE // 2
"""The maximum number of large reviews in progress for one namespace."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Review(NamedTuple):
    """A request that is being answered."""

    path: str
    body: bytes
    began: float
    until: float
    """The monotonic time before which the response must be sent."""

    @property
    def door(self) -> str:
        """The type of the webhook."""
        return DOORS[self.path]


@dataclass(slots=True)
class AdmissionApp(ReviewJudge):
    """The application of the admission listener."""

    draining: Callable[[], bool] = field(default=lambda: False)
    large_executor: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "large"))
    large: Counter[str] = field(default_factory=Counter)
    """Large reviews in progress, by namespace."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            return
        closes = [CLOSE] if self.draining() else []
        if scope["path"] not in DOORS:
            reply = plain(404, f"not found. The paths are /validate, {LATE_DENIES} and /mutate.")
        elif scope["method"] != "POST":
            reply = plain(405, "POST an AdmissionReview", (b"allow", b"POST"))
        elif not self.facts.ready:
            reply = plain(503, "the cluster's objects have not been read yet", RETRY)
        else:
            try:
                reply = await self._reply(scope, receive)
            except CallerGone:
                return
        if reply.review is not None:
            state = scope.setdefault("state", {})
            state["known"] = True  # the listener closes such connections last
            state["review"] = reply.review
        await send_reply(send, reply, closes)

    def takes_directly(self, path: str) -> bool:
        """Whether a small POST request is answered without ASGI."""
        return path in DOORS and self.facts.ready and not self.draining()

    def answer_directly(self, path: str, query: bytes, body: bytes, began: float) -> Reply | Coroutine[Any, Any, Reply]:
        """The reply to a small POST request with a whole body, or a coroutine that waits for live reads and returns the reply."""
        return self._small(Review(path, body, began, began + seconds_allowed(query)))

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        began = self.clock()
        body = await read_body(scope, receive)
        if body is None:
            return plain(413, f"the body is larger than {MAX_BODY} bytes", CLOSE)
        review = Review(scope["path"], body, began, began + seconds_allowed(scope.get("query_string", b"")))
        if len(body) <= LARGE:
            reply = self._small(review)
            return reply if isinstance(reply, Reply) else await reply
        return await self._refused_or(review, self._large(review, receive))

    def _small(self, review: Review) -> Reply | Coroutine[Any, Any, Reply]:
        """The reply, or a coroutine that waits for live reads."""
        try:
            answer = self._begin(review)
        except (BadReview, Overloaded, TooLate) as reason:
            return self._refusal(review, reason)
        return answer if isinstance(answer, Reply) else self._refused_or(review, answer)

    async def _refused_or(self, review: Review, answer: Coroutine[Any, Any, Reply]) -> Reply:
        try:
            return await answer
        except (BadReview, Overloaded, TooLate) as reason:
            return self._refusal(review, reason)

    def _begin(self, review: Review) -> Reply | Coroutine[Any, Any, Reply]:
        # Decoding and judging take most of the time: an overloaded server must not decode and judge a review that it
        # then refuses.
        if self.checking.is_crowded and review.door == "validate" and self.checking.is_full(namespace_in(review.body)):
            raise Overloaded
        read = read_review(review.body)
        if isinstance(read, UnreadableRequest):
            return self._unreadable(review, read)
        try:
            first = self.first(review.door, read)
            if not self.is_settled(first):
                return self._answer(review, read, first)
            return self._judged(review, read, self.written(read, _kind_of(read), first))
        except Exception as error:  # noqa: BLE001 - the outermost handler: never a 5xx for a readable UID
            return self._internal(review, read, error)

    async def _answer(
        self, review: Review, read: DecodedRequest, first: First | None = None, run: Run | None = None
    ) -> Reply:
        """The reply after live reads. If an internal error occurs, the request is allowed, with a warning and a log line."""
        run = run or _at_once
        try:
            if first is None:
                first = await run(self.first, review.door, read)
            if not self.is_settled(first):
                first = await self.settled(read, first, review.until, run)
            return self._judged(review, read, await run(self.written, read, _kind_of(read), first))
        except (Overloaded, TooLate):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost handler: never a 5xx for a readable UID
            return self._internal(review, read, error)

    def _judged(self, review: Review, read: DecodedRequest, answer: tuple[bytes, str]) -> Reply:
        body, outcome = answer
        kind, operation = _kind_of(read), read.request.operation
        self.observer.reviewed(review.door, kind, operation, outcome, self.clock() - review.began)
        return Reply(200, body, review=_labels(kind, read, outcome))

    def _internal(self, review: Review, read: DecodedRequest, error: Exception) -> Reply:
        uid = read.request.uid
        log.error("internal error", extra={"uid": uid, "error": type(error).__name__})
        warning = "Migratable could not judge this object because of an internal error. See its log."
        return self._judged(review, read, (allowed(uid, [warning], {"internal": type(error).__name__}), "internal"))

    def _refusal(self, review: Review, reason: BadReview | Overloaded | TooLate) -> Reply:
        """The reply to a review that was not judged: 400, or 503 if the API server must apply the failurePolicy."""
        if isinstance(reason, BadReview):
            self._count_unjudged(review, "unreadable", "bad")
            log.warning("bad review", extra={"bytes": len(review.body), "path": review.path})
            return plain(400, str(reason))
        if isinstance(reason, TooLate):
            text = "referenced objects could not be read in time"
            self._count_unjudged(review, "unread", "late")
            log.warning("late", extra={"bytes": len(review.body), "path": review.path})
        else:
            text = "too many reviews are being judged"
            self._count_unjudged(review, "unread", "shed")
        if review.path != LATE_DENIES:
            return plain(503, text, RETRY)
        try:
            return self._late(review, text)
        except BadReview as error:
            return self._refusal(review, error)

    def _count_unjudged(self, review: Review, kind: str, outcome: str) -> None:
        self.observer.reviewed(review.door, kind, "", outcome, self.clock() - review.began)

    def _late(self, review: Review, text: str) -> Reply:
        """The reply to a late review whose webhook ignores failures. Reading the body again takes little time."""
        read = read_review(review.body)
        kind = _kind_of(read) if isinstance(read, DecodedRequest) else "unreadable"
        try:
            decided = decide_timed_out(read, self.context(self.facts.world()))
            if isinstance(read, UnreadableRequest):
                answer = _unreadable_answer(read, decided, self.help_line())
            else:
                answer = answer_of(read, kind, decided, self.observer, self.help_line())
        except Exception as error:  # noqa: BLE001 - the outermost handler
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            return plain(503, text, RETRY)
        return Reply(200, answer, review=_labels(kind, read, outcome_of(decided)))

    def _unreadable(self, review: Review, read: UnreadableRequest) -> Reply:
        decided = PASS if review.door == "mutate" else self._decide_unreadable(read)
        outcome = outcome_of(decided)
        self.observer.reviewed(review.door, "unreadable", "", outcome, self.clock() - review.began)
        answer = _unreadable_answer(read, decided, self.help_line())
        return Reply(200, answer, review=_labels("unreadable", read, outcome))

    def _decide_unreadable(self, read: UnreadableRequest) -> Outcome:
        try:
            return decide_unreadable(read, self.context(self.facts.world()))
        except Exception as error:  # noqa: BLE001 - the outermost handler; an unreadable object stays denied
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            return outcome_of_causes(Action.DENY, *read.causes)

    async def _large(self, review: Review, receive: Receive) -> Reply:
        """The reply to a large review. Other reviews do not wait for it."""
        namespace = namespace_in(review.body)
        if self.large.total() >= MAX_LARGE or self.large[namespace] >= MAX_LARGE_OF_ONE:
            raise Overloaded
        self.large[namespace] += 1

        async def answer() -> Reply:
            read = await self._in_large_executor(read_review, review.body)
            if isinstance(read, UnreadableRequest):
                return self._unreadable(review, read)
            return await self._answer(review, read, None, self._in_large_executor)

        try:
            return await answer_in_time(answer(), receive, self.left(review.until))
        finally:
            self.large -= Counter((namespace,))

    async def _in_large_executor(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """The result of a slow function. One thread runs all slow functions, so that other reviews get half of the CPU time."""
        return await asyncio.get_running_loop().run_in_executor(self.large_executor, function, *arguments)


def _unreadable_answer(read: UnreadableRequest, decided: Outcome, help_line: str) -> bytes:
    if decided.allowed:
        return allowed(read.request.uid, decided.warnings)
    kind = read.request.kind.kind
    lead = f"{REFUSES} a field of the {kind} that live migration depends on cannot be read."
    return denied(read.request.uid, kind, read.request.name, read.causes, lead=lead, help_line=help_line)


def _kind_of(read: DecodedRequest) -> str:
    return read.kind.kind if read.kind is not None else "unexpected"


def _labels(kind: str, read: DecodedRequest | UnreadableRequest, outcome: str) -> dict[str, str]:
    return {"kind": kind, "operation": read.request.operation, "outcome": outcome}


async def _at_once(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """The result of the function."""
    return function(*arguments)
