"""Judged objects and audits for tests of reports, and an API server that stores reports in memory."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from tests.clocks import Clock
from tests.cluster.fake_apiserver import answer
from tests.report.reports import NOT_SHARED
from webhook.cluster.ports import JSON, Answer
from webhook.cluster.writes import ReportStore
from webhook.objects.report_kinds import OPENREPORTS, REPORT_APIS, Existing, ReportApi
from webhook.report.audited import Audit, Audited, AuditReport, Shard, UnreadReport
from webhook.report.building import report_of
from webhook.report.model import FindingReport, ObjectReport, ProblemReport

FAILS = replace(NOT_SHARED, line=None, column=None, end_line=None, end_column=None)
_VERSIONS = {"MigrationPolicy": "migrations.kubevirt.io/v1alpha1", "NetworkAttachmentDefinition": "k8s.cni.cncf.io/v1"}


def audited(
    name: str, *findings: FindingReport, namespace: str = "tenant", kind: str = "VirtualMachine", uid: str | None = None
) -> Audited:
    version = _VERSIONS.get(kind, "kubevirt.io/v1")
    report = ObjectReport(version, kind, namespace, name, None, None, list(findings))
    return Audited(report, f"uid-{name}" if uid is None else uid, is_machine=True)


def audit_of(
    *objects: Audited,
    namespaces: tuple[str, ...] = (),
    shard: Shard = Shard(),  # noqa: B008 - immutable
    unread: tuple[UnreadReport, ...] = (),
    unreadable: tuple[str, ...] = (),
) -> Audit:
    report = report_of([one.report for one in objects], (), profile="strict", release="1.9")
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    fields["problems"] = [ProblemReport("wrong type", "", source, None, None, None, "spec") for source in unreadable]
    return Audit(AuditReport(**fields, namespaces=namespaces, shard=shard, unread=unread), objects)


Fault = Callable[[str, str], Answer | None]


def no_fault(method: str, path: str) -> None:
    """The API server works."""


@dataclass
class ReportsServer:
    """Stores reports. ``fault`` returns the response to a request that fails, or raises."""

    served: tuple[ReportApi, ...] = (OPENREPORTS,)
    fault: Fault = no_fault
    page: int = 500
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    accepts: list[str] = field(default_factory=list)
    """The Accept headers of reads."""
    uids: int = 0

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [request for request in self.requests if request[0] != "GET"]

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        self.accepts.append(accept)
        if (fault := self._seen("GET", path, query)) is not None:
            return fault
        for api in self.served:
            if path == f"/apis/{api.group}/{api.version}":
                return answer({"resources": [{"name": kind.plural} for kind in api.kinds]})
            for kind in api.kinds:
                if re.fullmatch(f"/apis/{api.group}/{api.version}(/namespaces/[^/]+)?/{kind.plural}", path):
                    return self._listed(path, kind.plural, query)
        return Answer(404, b"404 page not found\n")

    def _listed(self, path: str, plural: str, query: Mapping[str, str]) -> Answer:
        prefix, _, _ = path.partition(f"/{plural}")
        items = [one for key, one in self.stored.items() if key.startswith(prefix) and f"/{plural}/" in key]
        begin = int(query.get("continue", "0"))
        following = str(begin + self.page) if begin + self.page < len(items) else ""
        shown = [{"metadata": item["metadata"]} for item in items[begin : begin + self.page]]
        return answer({"metadata": {"continue": following}, "items": shown})

    def patch(
        self,
        path: str,
        query: Mapping[str, str],
        body: bytes,
        *,
        content_type: str,
        accept: str = JSON,
        timeout_seconds: float,
    ) -> Answer:
        assert content_type == "application/apply-patch+yaml"
        if (fault := self._seen("PATCH", path, query)) is not None:
            return fault
        document = json.loads(body)
        self.uids += 1
        known = self.stored.get(path, {"metadata": {"uid": f"report-{self.uids}"}})
        document["metadata"]["uid"] = known["metadata"]["uid"]
        self.stored[path] = document
        return answer({"metadata": document["metadata"]})

    def delete(self, path: str, options: Any, *, timeout_seconds: float) -> Answer:
        if (fault := self._seen("DELETE", path, {})) is not None:
            return fault
        if path not in self.stored:
            return Answer(404, b"{}")
        if options.get("preconditions", {}).get("uid") not in (None, self.stored[path]["metadata"]["uid"]):
            return Answer(409, b"{}")
        del self.stored[path]
        return answer({"status": "Success"})

    def _seen(self, method: str, path: str, query: Mapping[str, str]) -> Answer | None:
        self.requests.append((method, path))
        self.queries.append(dict(query))
        return self.fault(method, path)

    def scopes(self) -> list[str]:
        """The group, and the object or the name, of each report."""
        found = []
        for path, one in self.stored.items():
            scope = one.get("scope")
            about = f"{scope['kind']} {scope['namespace']}/{scope['name']}" if scope else one["metadata"]["name"]
            found.append(f"{unquote(path).split('/')[2]}: {about}")
        return sorted(found)


def status(code: int, message: str = "", **details: object) -> Answer:
    return answer({"kind": "Status", "message": message, "details": details}, code)


ETCD_FULL = status(500, "etcdserver: mvcc: database space exceeded")


def store_of(server: ReportsServer, clock: Clock | None = None, per_second: float = 1e6) -> ReportStore:
    clock = clock or Clock()
    return ReportStore(server, per_second=per_second, clock=clock, wait=clock.wait, chance=lambda: 1.0)


def existing(
    place: tuple[str, str],
    fingerprint: str = "old",
    api: ReportApi = OPENREPORTS,
    owner: tuple[str, str] = ("VirtualMachine", "web"),
) -> Existing:
    return Existing(api, *place, f"uid-of-{place[1]}", fingerprint, *owner)


BOTH = REPORT_APIS
