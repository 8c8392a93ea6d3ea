"""What audit, check, admission and the dry-run API say about the objects of a control plane, in one form."""

import json
import re
import ssl
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from tests.apiserver.client import Reply
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving
from tests.generating import Manifest
from tests.surfaces.running import migratable
from webhook.check.check import STATUS_IGNORED
from webhook.cluster.live_reads import path_of
from webhook.objects.kinds import KINDS, find_kind
from webhook.report.model import FindingReport, ObjectReport, Report, VerdictReport
from webhook.rules.register import about
from webhook.rules.rule import About

Key = tuple[str, str, str]
"""Kind, namespace and name."""
OF_MANIFESTS = frozenset(rule.id for rule in about(About.MANIFEST))
_BATCH = 20
_PLACES = {"line": None, "column": None, "end_line": None, "end_column": None, "fixes": []}


class Answer(msgspec.Struct, frozen=True):
    """Verdict and findings, without what depends on the text of a manifest."""

    verdict: VerdictReport | None
    findings: tuple[FindingReport, ...]


Answers = dict[Key, Answer]


def answers_in(report: bytes) -> Answers:
    """The answers in a report of ``audit``, ``check`` or the API."""
    read = msgspec.json.decode(report, type=Report)
    assert read.problems == []
    return {(judged.kind, judged.namespace, judged.name): _answer(judged) for judged in read.objects}


def _answer(judged: ObjectReport) -> Answer:
    verdict = judged.verdict
    if verdict is not None:
        assumptions = [assumption for assumption in verdict.assumptions if assumption != STATUS_IGNORED]
        verdict = msgspec.structs.replace(verdict, assumptions=assumptions)
    findings = (finding for finding in judged.findings if finding.rule not in OF_MANIFESTS)
    return Answer(verdict, tuple(msgspec.structs.replace(finding, **_PLACES) for finding in findings))


@dataclass(frozen=True)
class Asked:
    """A control plane, and the server in front of it."""

    plane: ControlPlane
    server: Serving
    folder: Path

    @cached_property
    def kubeconfig(self) -> str:
        """The administrator's."""
        return str(self.plane.client.kubeconfig())

    def audit(self) -> Answers:
        """``migratable audit -o json``."""
        ran = migratable("audit", "--kubeconfig", self.kubeconfig, "-o", "json", "--quiet")
        assert ran.status in (0, 1), ran.err
        return answers_in(ran.out_bytes)

    def check(self) -> Answers:
        """``migratable check -o json`` over ``kubectl get -o yaml`` of the same kinds."""
        dump = self.folder / "cluster.yaml"
        kinds = ",".join(f"{kind.plural}.{kind.group}".rstrip(".") for kind in KINDS if self._serves(kind.plural))
        dump.write_text(self.plane.client.kubectl("get", kinds, "-A", "-o", "yaml").stdout)
        ran = migratable("check", str(dump), "-o", "json", "--quiet")
        assert ran.status in (0, 1), ran.err
        return answers_in(ran.out_bytes)

    def api(self, objects: Sequence[Manifest]) -> Answers:
        """``POST /v1/check`` for objects as the API server returns them."""
        found: Answers = {}
        trust = ssl.create_default_context(cadata=self.plane.ca.cert_pem.decode())
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        url = f"https://localhost:{self.server.api_port}/v1/check"
        for first in range(0, len(objects), _BATCH):
            body = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects[first : first + _BATCH]}).encode()
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), context=trust, timeout=60) as reply:
                found |= answers_in(reply.read())
        return found

    def admission(self, manifest: Manifest) -> "Admitted":
        """
        The creation of an object as a dry run.

        The object exists, so the API server answers 409 after admission has allowed the creation.
        """
        kind = find_kind(manifest["apiVersion"], manifest["kind"])
        assert kind is not None
        version = manifest["apiVersion"].rpartition("/")[2]
        path = path_of(kind, version, manifest["metadata"].get("namespace", ""))
        return Admitted.of(self.plane.client.api("POST", f"{path}?dryRun=All", manifest))

    def stored(self, manifests: Iterable[Manifest]) -> list[Manifest]:
        """The objects as the API server returns them, in the version in which they were sent."""
        lists: dict[str, dict[tuple[str, str], Manifest]] = {}
        found = []
        for manifest in manifests:
            kind = find_kind(manifest["apiVersion"], manifest["kind"])
            assert kind is not None
            path = path_of(kind, manifest["apiVersion"].rpartition("/")[2])
            if path not in lists:
                items = self.plane.client.api("GET", path).document["items"]
                lists[path] = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in items}
            found.append(lists[path][manifest["metadata"]["namespace"], manifest["metadata"]["name"]])
        return found

    def _serves(self, plural: str) -> bool:
        return plural in self._served

    @cached_property
    def _served(self) -> frozenset[str]:
        lines = self.plane.client.kubectl("api-resources", "-o", "name", "--verbs=list").stdout.split()
        return frozenset(line.partition(".")[0] for line in lines)

    @cached_property
    def _token(self) -> str:
        client = self.plane.client
        client.create("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "asking"}})
        subject = {"kind": "ServiceAccount", "name": "asking", "namespace": "default"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        client.create(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            {"metadata": {"name": "asking"}, "roleRef": role, "subjects": [subject]},
        )
        return client.token("default", "asking")


_RULE = re.compile(r"\b(LM\d{3})\b")


@dataclass(frozen=True, slots=True)
class Admitted:
    """What admission says about a creation."""

    fields: tuple[str, ...] | None
    """The field paths of the causes of a denial. None if the creation is allowed."""
    warned: frozenset[str]
    """The rules that the warnings name."""

    @classmethod
    def of(cls, reply: Reply) -> "Admitted":
        """Reads a response of the API server."""
        warned = frozenset(rule for text in reply.warnings for rule in _RULE.findall(text.partition(":")[0]))
        if reply.status == 409:
            return cls(None, warned)
        message = str(reply.document.get("message", ""))
        assert reply.status == 422, f"{reply.status}: {message}"
        assert "Migratable" in message, message
        causes: list[dict[str, Any]] = reply.document.get("details", {}).get("causes", [])
        return cls(tuple(cause.get("field", "") for cause in causes), warned)
