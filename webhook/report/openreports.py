"""
The report as ``openreports.io/v1alpha1`` objects (reports-api v0.2.1), for ``kubectl apply`` and Policy Reporter.

There is one OpenReports object for each judged object. There is no object for unreadable input. Only the exit status shows
that input is unreadable.
"""

from collections.abc import Sequence
from hashlib import sha256

from webhook.objects.kinds import find_kind
from webhook.policy.policy import Action
from webhook.report.model import FindingReport, ObjectReport, Report
from webhook.report.sentences import exempted, message, place_of
from webhook.rules.rule import FAMILIES
from webhook.yaml import writer

API_VERSION = "openreports.io/v1alpha1"
SOURCE = "migratable"
_SEVERITY = {"error": "high", "warning": "medium", "info": "info"}
_RESULTS = ("pass", "fail", "warn", "error", "skip")


def render(report: Report) -> str:
    """A stream of YAML documents. The stream is empty if no object was judged."""
    return "".join(f"---\n{writer.dump(document)}" for document in documents(report))


def documents(report: Report) -> list[dict[str, writer.Plain]]:
    """A Report or ClusterReport for each object. If several files have the same object, their findings are in one report."""
    by_object: dict[tuple[str, ...], list[ObjectReport]] = {}
    for judged in report.objects:
        group = judged.api_version.rpartition("/")[0]
        by_object.setdefault((group, judged.kind, judged.namespace, judged.name), []).append(judged)
    return [_document(key, same, report.profile) for key, same in by_object.items()]


def _document(key: tuple[str, ...], same: Sequence[ObjectReport], profile: str) -> dict[str, writer.Plain]:
    first = same[0]
    known = find_kind(first.api_version, first.kind)
    is_cluster_scoped = known is not None and not known.namespaced
    metadata: dict[str, writer.Plain] = {"name": report_name(key)}
    scope: dict[str, writer.Plain] = {"apiVersion": first.api_version, "kind": first.kind, "name": first.name}
    if first.namespace and not is_cluster_scoped:
        metadata["namespace"] = scope["namespace"] = first.namespace
    metadata["labels"] = {"app.kubernetes.io/managed-by": SOURCE}
    results = [_result(judged, finding, profile) for judged in same for finding in judged.findings]
    if not results:
        passed: dict[str, writer.Plain] = {"policy": policy_of(profile), "result": "pass", "scored": True}
        results = [passed | {"message": "nothing found"}]
    counts = {name: sum(result["result"] == name for result in results) for name in _RESULTS}
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterReport" if is_cluster_scoped else "Report",
        "metadata": metadata,
        "source": SOURCE,
        "scope": scope,
        "summary": dict(counts),
        "results": list(results),
    }


def report_name(key: tuple[str, ...]) -> str:
    """The name of the report about an object with this group, kind, namespace and name."""
    digest = sha256("\x1f".join(key).encode(errors="replace")).hexdigest()
    return f"{SOURCE}-{digest[:16]}"


def policy_of(profile: str) -> str:
    """The policy that results name."""
    return f"{SOURCE}-{profile}"


def _result(judged: ObjectReport, finding: FindingReport, profile: str) -> dict[str, writer.Plain]:
    known = {
        "name": finding.name,
        "path": finding.path,
        "action": finding.action,
        "basis": finding.basis,
        "reason": finding.reason or "",
        "releases": finding.releases,
        "place": place_of(judged, finding),
        "exemption": exempted(finding),
    }
    properties: dict[str, writer.Plain] = {key: value for key, value in known.items() if value}
    return result_of(finding, profile) | {"properties": properties}


def result_of(finding: FindingReport, profile: str) -> dict[str, writer.Plain]:
    """A finding as a result, without properties."""
    return {
        "policy": policy_of(profile),
        "rule": finding.rule,
        "category": FAMILIES.get(finding.rule[2:3], "other"),
        "severity": _SEVERITY[finding.severity],
        "result": _outcome(finding),
        "scored": finding.action == Action.DENY,
        "message": message(finding),
    }


def _outcome(finding: FindingReport) -> str:
    """The result as the API names it. ``error`` means that a rule could not be evaluated."""
    if finding.exemption is not None:
        return "skip"
    if finding.action == Action.DENY:
        return "fail"
    return "error" if finding.outcome == "undetermined" else "warn"
