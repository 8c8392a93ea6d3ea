"""
Leader election with a Lease of coordination.k8s.io, as client-go does it (``client-go/tools/leaderelection``).

The API server decides: each write names the resourceVersion that was read, so of two candidates one gets a conflict. Only local
clocks are compared. The times in the Lease are for readers. Decision 28 has the reasons against ``kubernetes.leaderelection``.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import quote

import msgspec

from webhook.cluster.ports import JSON, Answer
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.json_depth import decode
from webhook.objects.meta import Json, Read

log = logging.getLogger("migratable.lease")

API_VERSION: Final = "coordination.k8s.io/v1"
_PATH: Final = f"/apis/{API_VERSION}/namespaces"
_OK: Final = frozenset((200, 201))


class LeaseTransport(Protocol):
    """Reads and writes one Lease. All methods raise Unavailable if there is no response."""

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        """As ``Transport.get``."""
        ...

    def post(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Create an object."""
        ...

    def put(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Replace an object. The response is 409 if its resourceVersion has changed."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of an election in seconds, as in kube-controller-manager."""

    lease: float = 15.0
    """Another candidate takes over when it has seen no renewal for this time."""
    deadline: float = 10.0
    """The leader stops when it could not renew the Lease for this time."""
    retry: float = 2.0
    """The time between two attempts."""


class LeaseSpec(Read, frozen=True, omit_defaults=True):
    """``Lease.spec``."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Meta(Read, frozen=True):
    resource_version: str = ""
    uid: str = ""


class _Lease(Read, frozen=True):
    metadata: _Meta
    spec: LeaseSpec | None = None


_lease = msgspec.json.Decoder(_Lease)


def boot_seconds() -> float:
    """A clock that also runs while the node is suspended, so that a lead can expire during that time."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def parse_lease(text: str) -> tuple[str, str]:
    """Reads ``NAMESPACE/NAME``. Raises Misconfigured for another text."""
    namespace, slash, name = text.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise Misconfigured(
            f"--lease {text!r}: not a Lease",
            remedy="Write NAMESPACE/NAME, such as --lease migratable/migratable-audit.",
        )
    return namespace, name


class Election:
    """
    One candidate for one Lease. ``run`` runs in a thread of its own, and any thread can read ``leads``.

    ``wait`` pauses for some seconds and returns whether to stop. ``clock`` returns seconds. ``chance`` returns numbers in
    [0, 1).
    """

    def __init__(
        self,
        transport: LeaseTransport,
        lease: tuple[str, str],
        identity: str,
        *,
        wait: Callable[[float], bool],
        chance: Callable[[], float],
        clock: Callable[[], float] = boot_seconds,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        terms: Terms | None = None,
    ) -> None:
        self._transport = transport
        self._namespace, self._name = lease
        self._identity = identity
        self._wait = wait
        self._chance = chance
        self._clock = clock
        self._now = now
        self._terms = terms or Terms()
        self._leads_until: float | None = None
        self._seen = ""
        """The resourceVersion of the Lease when it changed last."""
        self._seen_at = 0.0
        self._was_leader = False

    @property
    def leads(self) -> bool:
        """Whether this candidate is the leader now."""
        return self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """How long this candidate leads without a further renewal. 0 if it does not lead."""
        until = self._leads_until
        return 0.0 if until is None else max(0.0, until - self._clock())

    def run(self) -> None:
        """Take part in the election until ``wait`` returns True. Gives the Lease back at the end."""
        pause = 0.0
        while not self._wait(pause):
            self.attempt()
            pause = self._terms.retry if self.leads else self._terms.retry * (1 + self._chance() / 2)
        self.release()

    def attempt(self) -> None:
        """Acquire or renew the Lease once. Never raises."""
        try:
            self._acquire_or_renew()
        except Unavailable as error:
            self._failed(error.message)
        if self._was_leader != self.leads:
            self._was_leader = self.leads
            log.info("this process writes the reports" if self.leads else "another process may write the reports")

    def release(self) -> None:
        """Give the Lease back, so that another candidate need not wait. Writes must have stopped before."""
        if self._leads_until is None:
            return
        was_leading, self._leads_until = self.leads, None
        try:
            held = self._read()
            if was_leading and held is not None and self._holds(held):
                spec = LeaseSpec("", 1, None, self._time(), _transitions(held))
                self._transport.put(self._path(), self._body(spec, held), timeout_seconds=self._terms.retry)
        except Unavailable as error:
            self._failed(error.message)

    def _acquire_or_renew(self) -> None:
        began = self._clock()  # before the request, because another candidate can see the renewal at any time after it
        held = self._read()
        if held is None:
            spec = LeaseSpec(self._identity, round(self._terms.lease), self._time(), self._time(), 0)
            answer = self._transport.post(
                f"{_PATH}/{quote(self._namespace, safe='')}/leases", self._body(spec), timeout_seconds=self._patience()
            )
        else:
            self._observe(held)
            if not self._holds(held) and not self._is_over(held):
                self._leads_until = None
                return
            answer = self._transport.put(
                self._path(), self._body(self._renewed(held), held), timeout_seconds=self._patience()
            )
        if answer.status in _OK:
            self._leads_until = began + self._terms.deadline
        elif answer.status == 409:  # another candidate was faster
            self._leads_until = None
        else:
            self._failed(f"HTTP {answer.status}")

    def _read(self) -> _Lease | None:
        """The Lease, or None if there is none. Raises Unavailable."""
        answer = self._transport.get(self._path(), {}, timeout_seconds=self._patience())
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Unavailable(f"HTTP {answer.status}", remedy="Grant the account get, create and update on the Lease.")
        try:
            return decode(_lease, answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable("the response is not a Lease", remedy="Check the proxies of the API server.") from None

    def _observe(self, held: _Lease) -> None:
        if held.metadata.resource_version != self._seen:
            self._seen, self._seen_at = held.metadata.resource_version, self._clock()

    def _holds(self, held: _Lease) -> bool:
        return held.spec is not None and held.spec.holder_identity == self._identity

    def _is_over(self, held: _Lease) -> bool:
        """Whether the holder has given the Lease back, or was not seen to renew it for the duration that it wrote."""
        if held.spec is None or not held.spec.holder_identity:
            return True
        duration = held.spec.lease_duration_seconds or self._terms.lease
        return self._clock() >= self._seen_at + duration

    def _renewed(self, held: _Lease) -> LeaseSpec:
        mine = self._holds(held)
        acquired = held.spec.acquire_time if mine and held.spec is not None else None
        transitions = _transitions(held) + (0 if mine else 1)
        return LeaseSpec(self._identity, round(self._terms.lease), acquired or self._time(), self._time(), transitions)

    def _body(self, spec: LeaseSpec, held: _Lease | None = None) -> Json:
        metadata = {"name": self._name, "namespace": self._namespace}
        if held is not None:
            metadata |= {"resourceVersion": held.metadata.resource_version, "uid": held.metadata.uid}
        return {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata, "spec": msgspec.to_builtins(spec)}

    def _path(self) -> str:
        return f"{_PATH}/{quote(self._namespace, safe='')}/leases/{quote(self._name, safe='')}"

    def _patience(self) -> float:
        """The timeout of a request. Two requests fit into the deadline, and one more attempt."""
        return self._terms.deadline / 3

    def _time(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _failed(self, problem: str) -> None:
        log.warning("the Lease could not be read or written", extra={"problem": problem})


def _transitions(held: _Lease) -> int:
    return (held.spec.lease_transitions if held.spec is not None else None) or 0
