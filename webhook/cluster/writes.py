"""
Writes reports: the only objects that Migratable stores in a cluster.

Reports are written with server-side apply, and deleted only if they are still the listed object (``preconditions.uid``). The
number of requests per second is bounded. No method raises because of a response: a failure is a value.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from webhook.cluster.live_reads import path_of
from webhook.cluster.pages import TRY_LATER, Lister, NotListed, NotServed
from webhook.cluster.ports import JSON, Answer, Writer
from webhook.cluster.watch import Backoff
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.meta import Json, Read
from webhook.objects.report_kinds import (
    FINGERPRINT,
    MANAGED_BY,
    MANAGER,
    REPORT_APIS,
    Existing,
    ReportApi,
    StoredReport,
)

FIELD_MANAGER: Final = "migratable-audit"
APPLY: Final = "application/apply-patch+yaml"
_METADATA: Final = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,{JSON}"
_METADATA_LIST: Final = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
_TRY_AGAIN: Final = TRY_LATER | {409}
_MOST_WRITES: Final = 4
"""Tries of a write."""
_MOST_LISTS: Final = 4
_LIST_SECONDS: Final = 600.0
"""The time for all lists of reports together. 100,000 reports are 200 pages."""
_FULL: Final = "database space exceeded"
"""``etcdserver: mvcc: database space exceeded`` (etcd ``api/v3rpc/rpctypes/error.go``, ErrGRPCNoSpace)."""
_QUOTA: Final = "exceeded quota: "
"""Kubernetes ``apiserver/pkg/admission/plugin/resourcequota/controller.go``."""
_WEBHOOK: Final = " denied the request"
"""``apiserver/pkg/admission/plugin/webhook/errors/statuserror.go``, ToStatusErr."""

Wait = Callable[[float], bool]
"""Pauses for some seconds, and returns whether to stop."""


class Failure(msgspec.Struct, frozen=True):
    """Why a report was not written. The text has no name of an object."""

    why: str
    remedy: str
    is_temporary: bool = False
    """Whether the next write probably fails too, such as during an outage."""


class Stored(msgspec.Struct, frozen=True):
    """The report is as it was requested. ``uid`` is empty if the report or its namespace does not exist."""

    uid: str = ""


class _Cause(Read, frozen=True):
    reason: str = ""


class _Details(Read, frozen=True):
    kind: str = ""
    causes: list[_Cause] | None = None


class _Status(Read, frozen=True):
    message: str = ""
    details: _Details | None = None


class _Resource(Read, frozen=True):
    name: str = ""


class _Resources(Read, frozen=True):
    resources: list[_Resource] | None = None


_status = msgspec.json.Decoder(_Status)
_resources = msgspec.json.Decoder(_Resources)
_report = msgspec.json.Decoder(StoredReport)


class Rate:
    """Bounds the number of requests per second. Unused requests of at most one second can be made up for."""

    def __init__(self, per_second: float, clock: Callable[[], float], wait: Wait) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._wait = wait
        self._free_at = clock() - 1.0

    def next(self) -> bool:
        """Waits until the next request may be sent. Returns whether to stop instead."""
        now = self._clock()
        self._free_at = max(self._free_at, now - 1.0) + self._interval
        return self._free_at > now and self._wait(self._free_at - now)


class ReportStore:
    """
    The reports of one cluster. ``wait`` pauses, ``clock`` returns monotonic seconds, ``chance`` returns numbers in [0, 1).
    """

    def __init__(
        self,
        transport: Writer,
        *,
        per_second: float,
        clock: Callable[[], float],
        wait: Wait,
        chance: Callable[[], float],
        timeout_seconds: float = 30.0,
    ) -> None:
        self._transport = transport
        self._rate = Rate(per_second, clock, wait)
        self._clock = clock
        self._wait = wait
        self._chance = chance
        self._timeout = timeout_seconds

    def served(self) -> tuple[ReportApi, ...]:
        """The API groups with kinds of reports that the API server serves. Raises Unavailable."""
        lister = self._lister()
        return tuple(api for api in REPORT_APIS if _serves(lister, api))

    def every(self, api: ReportApi, namespaces: Iterable[str] = (), *, cluster: bool = True) -> list[Existing]:
        """
        The metadata of Migratable's reports, in all namespaces or in some, and in the cluster.

        Raises Unavailable, or Misconfigured for an account that may not list reports.
        """
        lister = self._lister()
        found: list[Existing] = []
        for namespace in namespaces or ("",):
            found.extend(_list(lister, api, api.namespaced, namespace))
        if cluster:
            found.extend(_list(lister, api, api.cluster, ""))
        return found

    def _lister(self) -> Lister:
        """A caller repeats a list that fails, so a busy API server is not waited for."""
        return Lister(
            self._transport,
            _LIST_SECONDS,
            clock=self._clock,
            wait=self._wait,
            request_seconds=self._timeout,
            busy_seconds=0.0,
        )

    def apply(self, api: ReportApi, namespace: str, name: str, document: Json) -> Stored | Failure:
        """Creates or replaces a report. A report whose namespace is being deleted is not written, and that is no failure."""
        path = path_of(api.kind_in(namespace), api.version, namespace, name)
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        body = msgspec.json.encode(document)

        def send() -> Answer:
            return self._transport.patch(
                path, query, body, content_type=APPLY, accept=_METADATA, timeout_seconds=self._timeout
            )

        return self._write(send, api, is_delete=False)

    def delete(self, existing: Existing) -> Stored | Failure:
        """Deletes a report, unless it was deleted or replaced since it was listed."""
        api = existing.api
        path = path_of(api.kind_in(existing.namespace), api.version, existing.namespace, existing.name)
        options: Json = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if existing.uid:
            options["preconditions"] = {"uid": existing.uid}

        def send() -> Answer:
            return self._transport.delete(path, options, timeout_seconds=self._timeout)

        return self._write(send, api, is_delete=True)

    def _write(self, send: Callable[[], Answer], api: ReportApi, *, is_delete: bool) -> Stored | Failure:
        pauses = Backoff((0.5, 8.0), self._chance)
        failure = Failure("the program is stopping", "", is_temporary=True)
        for left in reversed(range(_MOST_WRITES)):
            if self._rate.next():
                break
            try:
                answer = send()
            except Unavailable as error:
                failure = Failure(error.message, "Check the API server and the network.", is_temporary=True)
            else:
                outcome = _outcome(answer, api, is_delete=is_delete)
                if not isinstance(outcome, Failure) or not outcome.is_temporary:
                    return outcome
                failure = outcome
            if left and self._wait(pauses.next()):
                break
        return failure


def _serves(lister: Lister, api: ReportApi) -> bool:
    try:
        answer = lister.get(api.namespaced, f"/apis/{api.group}/{api.version}", {})
    except NotListed as error:
        raise _unlisted(api.group, error) from error
    if answer.status == 404:
        return False
    if answer.status != 200:
        raise _unlisted(api.group, answer.status)
    try:
        found = decode(_resources, answer.body).resources or ()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unlisted(api.group, answer.status) from error
    names = {resource.name for resource in found}
    return all(kind.plural in names for kind in api.kinds)


def _list(lister: Lister, api: ReportApi, kind: Kind, namespace: str) -> list[Existing]:
    """All reports of a kind. The list starts again if the API server cannot go on with it (410 without another token)."""
    for _ in range(_MOST_LISTS):
        try:
            items = lister.every(kind, namespace, labels=f"{MANAGED_BY}={MANAGER}", accept=_METADATA_LIST)
            return [_existing(api, item.raw) for item in items]
        except NotServed:
            raise _unlisted(kind.plural, 404) from None
        except NotListed as error:
            if error.status in (401, 403):
                raise Misconfigured(
                    f"the account may not list {kind.plural}.{kind.group}",
                    remedy=f"Grant it the verbs list, patch, create and delete on {kind.plural}, or write --reports none.",
                ) from None
            if error.status != 410:
                raise _unlisted(kind.plural, error) from error
    raise _unlisted(kind.plural, 410)


def _outcome(answer: Answer, api: ReportApi, *, is_delete: bool) -> Stored | Failure:
    status = answer.status
    if 200 <= status < 300:
        return Stored() if is_delete else Stored(_uid_of(answer.body))
    if is_delete and status in (404, 409):  # deleted, or replaced by another object
        return Stored()
    response = _status_of(answer.body)
    details = response.details or _Details()
    if status == 404 and details.kind == "namespaces":
        return Stored()
    if status == 403 and any(cause.reason == "NamespaceTerminating" for cause in details.causes or ()):
        return Stored()
    if _QUOTA in response.message:
        return Failure(
            "a ResourceQuota of the namespace refuses more objects",
            f"Raise count/{api.namespaced.plural}.{api.group} in the ResourceQuota.",
        )
    if _WEBHOOK in response.message:
        return Failure(
            f"an admission webhook refuses reports of {api.group}",
            f"Let the webhook admit {api.namespaced.plural} and {api.cluster.plural} of {FIELD_MANAGER}.",
        )
    if status in (401, 403):
        return Failure(
            f"the account may not {'delete' if is_delete else 'write'} reports of {api.group} (HTTP {status})",
            f"Grant it the verbs list, patch, create and delete on {api.namespaced.plural} and {api.cluster.plural}.",
        )
    if _FULL in response.message:
        return Failure("etcd is full", "Compact and defragment etcd, or raise its quota.", is_temporary=True)
    if status in _TRY_AGAIN:
        return Failure(f"the API server returned HTTP {status}", "Check the API server.", is_temporary=True)
    if status == 404:
        return Failure(f"{api.group} is no longer served", f"Install the CustomResourceDefinitions of {api.group}.")
    return Failure(
        f"the API server refuses a report of {api.group} (HTTP {status})",
        f"Check that the CustomResourceDefinitions of {api.group} are those of {api.version}, and the admission webhooks.",
    )


def _status_of(body: bytes) -> _Status:
    try:
        return decode(_status, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Status()


def _uid_of(body: bytes) -> str:
    try:
        return decode(_report, body).meta.uid or ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _existing(api: ReportApi, raw: msgspec.Raw) -> Existing:
    """Raises Unavailable if the metadata has wrong types, which an API server does not store."""
    try:
        meta = decode(_report, raw).meta
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unlisted(api.group, 200) from error
    owner = next(iter(meta.owner_references or ()), None)
    return Existing(
        api,
        meta.namespace or "",
        meta.name or "",
        meta.uid or "",
        (meta.annotations or {}).get(FINGERPRINT, ""),
        owner.kind if owner is not None else "",
        owner.name if owner is not None else "",
    )


def _unlisted(what: str, why: NotListed | int) -> Unavailable:
    """The error for a list. ``why`` can be the HTTP status."""
    if isinstance(why, NotListed):
        if why.lost is not None:
            return why.lost
        why = why.status
    return Unavailable(
        f"the API server did not list {what} ({f'HTTP {why}' if why else 'no response in time'})",
        remedy="Check the API server, then start the audit again.",
    )
