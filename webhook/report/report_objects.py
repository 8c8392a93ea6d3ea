"""
Reports about the objects of a cluster, as objects of the cluster.

A report has only the findings that are failures, warnings or unknown. An object without such findings has no report. A report
with the same content has the same fingerprint, so that it is not written again.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from webhook.objects.kinds import group_of
from webhook.objects.report_kinds import FINGERPRINT, MANAGED_BY, MANAGER, OPENREPORTS, ReportApi
from webhook.policy.policy import Action
from webhook.report.audited import Audited, UnreadReport
from webhook.report.model import ObjectReport
from webhook.report.openreports import SOURCE, policy_of, report_name, result_of
from webhook.yaml.writer import Plain

CLUSTER: Final = f"{SOURCE}-cluster"
"""The name of the report about settings, policies and the migration network."""
SETTINGS_KINDS: Final = frozenset(("KubeVirt", "HyperConverged", "MigrationPolicy"))
_NETWORK: Final = "NetworkAttachmentDefinition"
NAMES_TENANTS: Final = frozenset(("LM644", "LM714"))
"""The rules about settings whose messages name VMs or networks of tenants."""
MOST_RESULTS: Final = 32
"""The maximum number of results for one object, so that a report of a tenant cannot fill etcd."""
MOST_IN_CLUSTER: Final = 500
"""The maximum number of results of the report of the cluster. etcd refuses objects above 1.5 MiB."""
MOST_CHARACTERS: Final = 1000
"""The maximum length of a message. Names in an object have no limit of their own."""
REMEDY_CHARACTERS: Final = 160
"""The length from which further sentences of a remedy are left out. Remedies take a third of a report."""
ObjectKey: TypeAlias = tuple[str, str, str, str]
"""Group, kind, namespace and name of a judged object."""
_SENTENCE_END: Final = re.compile(r"(?<=[.?]) (?=[A-Z`])")


class ReportObject(msgspec.Struct, frozen=True):
    """A report for one object of a namespace, or for the cluster (``namespace`` is empty)."""

    namespace: str
    name: str
    about: tuple[Audited, ...]
    """The object, or the objects with settings."""
    profile: str
    unread: tuple[UnreadReport, ...] = ()
    """The kinds of settings that could not be read."""

    @property
    def has_unknowns(self) -> bool:
        """Whether a result depends on an object that could not be read, or was not found."""
        return bool(self.unread) or any(
            finding.outcome == "undetermined" and finding.exemption is None
            for audited in self.about
            for finding in audited.report.findings
        )

    def document(self, api: ReportApi) -> dict[str, Plain]:
        """The report as an object of an API group."""
        content, metadata = self._content(api), self._metadata()
        metadata["annotations"] = {FINGERPRINT: _hash(metadata, content)}
        kind = api.kind_in(self.namespace).kind
        return {"apiVersion": api.api_version, "kind": kind, "metadata": metadata, **content}

    def fingerprint(self, api: ReportApi) -> str:
        """The fingerprint in the annotation of the document."""
        return _hash(self._metadata(), self._content(api))

    def _metadata(self) -> dict[str, Plain]:
        metadata: dict[str, Plain] = {"name": self.name}
        if self.namespace:
            metadata["namespace"] = self.namespace
        metadata["labels"] = {MANAGED_BY: MANAGER}
        if self.namespace and (about := self.about[0]).uid:
            owner: dict[str, Plain] = {"apiVersion": about.report.api_version, "kind": about.report.kind}
            metadata["ownerReferences"] = [owner | {"name": about.report.name, "uid": about.uid}]
        return metadata

    def _content(self, api: ReportApi) -> dict[str, Plain]:
        has_source = api is OPENREPORTS  # a PolicyReport has a source for each result
        results = list(self._results())
        if not self.namespace and len(results) > MOST_IN_CLUSTER:
            results[MOST_IN_CLUSTER:] = [_more(len(results) - MOST_IN_CLUSTER, self.profile)]
        content: dict[str, Plain] = {"source": SOURCE} if has_source else {}
        if self.namespace:
            content["scope"] = _reference(self.about[0])
        content["summary"] = dict(Counter(str(result["result"]) for result in results))
        source: dict[str, Plain] = {} if has_source else {"source": SOURCE}
        content["results"] = [source | result for result in results]
        return content

    def _results(self) -> Iterator[dict[str, Plain]]:
        for one in self.unread:
            message = f"Cannot judge objects of kind {one.kind}: {one.reason}."
            yield {"policy": policy_of(self.profile), "result": "error", "message": message}
        for audited in self.about:
            if self.namespace:
                yield from _results(audited.report, self.profile)
            else:
                resources: dict[str, Plain] = {"resources": [_reference(audited)]}
                for result in _results(without_tenants(audited.report), self.profile):
                    yield result | resources


def _hash(*parts: dict[str, Plain]) -> str:
    return sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def settings_namespaces(objects: Iterable[Audited]) -> frozenset[str]:
    """The namespaces with a KubeVirt CR or HyperConverged CR. The migration network is in such a namespace."""
    return frozenset(
        one.report.namespace for one in objects if one.report.kind in SETTINGS_KINDS and one.report.namespace
    )


def is_setting(kind: str, namespace: str, settings: Collection[str]) -> bool:
    """Whether an object belongs to the report of the cluster. ``settings`` are the namespaces of KubeVirt."""
    return kind in SETTINGS_KINDS or (kind == _NETWORK and namespace in settings)


def without_tenants(judged: ObjectReport) -> ObjectReport:
    """
    An object with settings, whose findings name no object of a tenant.

    A MigrationPolicy is compared with all VMs, and the migration network with all networks. Otherwise all users
    with access to cluster-scoped reports could see their names.
    """
    if not any(finding.rule in NAMES_TENANTS for finding in judged.findings):
        return judged
    from webhook.rules.cluster import NETWORK_RULES, POLICY_RULES  # noqa: PLC0415 - few reports need the texts of rules

    rules = {rule.id: rule for rule in (*POLICY_RULES, *NETWORK_RULES)}
    findings = [
        replace(finding, message=rules[finding.rule].summary, remedy=rules[finding.rule].remediation)
        if finding.rule in NAMES_TENANTS
        else finding
        for finding in judged.findings
    ]
    return replace(judged, findings=findings)


def has_results(audited: Audited) -> bool:
    """Whether the object has a finding that is not exempted."""
    return any(finding.exemption is None for finding in audited.report.findings)


def own_report(audited: Audited, profile: str) -> ReportObject:
    """The report about one object of a namespace."""
    return ReportObject(audited.report.namespace, report_name(key_of(audited)), (audited,), profile)


def key_of(audited: Audited) -> ObjectKey:
    """The identity of a judged object."""
    judged = audited.report
    return group_of(judged.api_version), judged.kind, judged.namespace, judged.name


def cluster_report(settings: Iterable[Audited], profile: str, unread: Iterable[UnreadReport]) -> ReportObject:
    """The report about the settings of a cluster. ``unread`` are the kinds of settings that could not be read."""
    by_name = sorted(settings, key=lambda one: (one.report.kind, one.report.namespace, one.report.name))
    return ReportObject("", CLUSTER, tuple(by_name), profile, tuple(sorted(unread)))


def _results(judged: ObjectReport, profile: str) -> Iterator[dict[str, Plain]]:
    counted = [finding for finding in judged.findings if finding.exemption is None]
    if len(counted) > MOST_RESULTS:
        counted.sort(key=lambda finding: finding.action != Action.DENY)
    for finding in counted[:MOST_RESULTS]:
        known = {"name": finding.name, "path": finding.path, "reason": finding.reason or ""}
        properties: dict[str, Plain] = {key: _short(value) for key, value in known.items() if value}
        result = result_of(replace(finding, remedy=_first_sentences(finding.remedy)), profile)
        del result["scored"]  # ``result`` says the same
        yield result | {"message": _short(str(result["message"])), "properties": properties}
    if len(counted) > MOST_RESULTS:
        yield _more(len(counted) - MOST_RESULTS, profile)


def _more(number: int, profile: str) -> dict[str, Plain]:
    message = f"{number} more findings. `migratable audit -o json` lists them."
    return {"policy": policy_of(profile), "result": "warn", "message": message}


def _reference(audited: Audited) -> dict[str, Plain]:
    judged = audited.report
    parts = {
        "apiVersion": judged.api_version,
        "kind": judged.kind,
        "namespace": judged.namespace,
        "name": judged.name,
        "uid": audited.uid,
    }
    return {key: value for key, value in parts.items() if value}


def _first_sentences(remedy: str) -> str:
    """The beginning of a remedy. ``migratable explain`` shows more about a rule."""
    first, *others = _SENTENCE_END.split(remedy)
    for other in others:
        if len(first) + len(other) >= REMEDY_CHARACTERS:
            break
        first = f"{first} {other}"
    return first


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
