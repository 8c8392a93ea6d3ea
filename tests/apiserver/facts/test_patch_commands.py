"""The ``kubectl patch`` commands of an audit, run by kubectl against a real API server."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.audit.clusters import Manifest, claim, kubevirt, named, vmi_spec
from tests.surfaces.running import migratable
from webhook.audit.listing import JUDGED_KINDS
from webhook.audit.merging import read_report
from webhook.objects.kinds import find_kind
from webhook.report.kubectl import commands_for, patch_command
from webhook.report.model import FixReport, ObjectReport

pytestmark = pytest.mark.apiserver

Key = tuple[str, str, str]


def machine_template() -> Manifest:
    """A VM with a bridge interface, a claim of one node and an eviction strategy that blocks a drain."""
    spec = vmi_spec("os")
    spec["domain"]["devices"]["interfaces"] = [{"name": "default", "bridge": {}}]
    return {"metadata": {"labels": {"app": "x"}}, "spec": spec}


def objects() -> list[Manifest]:
    template, selector = machine_template(), {"matchLabels": {"app": "x"}}
    pool = {"virtualMachineTemplate": {"spec": {"template": template}}, "selector": selector, "replicas": 1}
    return [
        *(named("v1", "Namespace", name) for name in ("shop", "kubevirt")),
        claim("os", mode="ReadWriteOnce")
        | {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        kubevirt(migrations={"unsafeMigrationOverride": True, "disableTLS": True}),
        named(
            "kubevirt.io/v1",
            "VirtualMachine",
            "web.example",
            "shop",
            spec={"runStrategy": "Always", "template": template},
        ),
        named(
            "kubevirt.io/v1",
            "VirtualMachineInstanceReplicaSet",
            "set",
            "shop",
            spec={"template": template, "selector": selector},
        ),
        named("pool.kubevirt.io/v1beta1", "VirtualMachinePool", "pool", "shop", spec=pool),
        named(
            "migrations.kubevirt.io/v1alpha1",
            "MigrationPolicy",
            "policy",
            spec={
                "allowPostCopy": True,
                "allowWorkloadDisruption": False,
                "selectors": {"namespaceSelector": {"a": "b"}},
            },
        ),
    ]


OTHERS = (
    named("hco.kubevirt.io/v1beta1", "HyperConverged", "hco", "kubevirt", spec={}),
    named("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "net", "shop", spec={"config": "{}"}),
    named("kubevirt.io/v1", "VirtualMachineInstance", "alone", "shop", spec=vmi_spec()),
)
"""Kinds without a fix for an object of a cluster."""


def create(control_plane: ControlPlane, *manifests: Manifest) -> None:
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    control_plane.client.kubectl("create", "-f", "-", stdin=content)


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """An API server with objects whose findings have fixes."""
    with ControlPlane(crds=crds.OWN) as running:
        create(running, *objects())
        status = {"status": {"observedKubeVirtVersion": "v1.9.0"}}
        path = "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts/kubevirt/status"
        running.client.api("PATCH", path, status, content_type="application/merge-patch+json")
        yield running


def audited(cluster: ControlPlane) -> Sequence[ObjectReport]:
    ran = migratable("audit", "--kubeconfig", cluster.client.kubeconfig(), "-o", "json")
    assert ran.status in (0, 1), ran.err
    return read_report(ran.out.encode(), "-").objects


def lines_of(reports: list[ObjectReport]) -> dict[Key, str]:
    """The first command for each finding that has one."""
    return {
        (judged.kind, judged.name, finding.rule): command.line
        for judged in reports
        for finding in judged.findings
        for command in commands_for(judged, finding)[:1]
        if command.line
    }


def rules(reports: list[ObjectReport]) -> set[Key]:
    return {(judged.kind, judged.name, finding.rule) for judged in reports for finding in judged.findings}


def test_known_findings_do_not_fail_the_next_audit(cluster: ControlPlane, tmp_path: Path) -> None:
    """
    With its own baseline, and with its own exemptions as the policy file, the cluster passes.
    """
    terms = ("--owner", "team", "--until", "2999-01-01")
    audit = ("audit", "-q", "--kubeconfig", cluster.client.kubeconfig())
    first = migratable(*audit, "-o", "baseline=known.yaml", "-o", "exemptions=policy.yaml", *terms, cwd=tmp_path)
    assert first.status == 1, first.err

    with_baseline = migratable(*audit, "--baseline", "known.yaml", "--fail-on", "warn", cwd=tmp_path)
    with_policy = migratable(*audit, "--policy", "policy.yaml", cwd=tmp_path)

    assert (with_baseline.status, with_baseline.out) == (0, "")
    assert with_policy.status == 0


def test_each_command_removes_its_finding(cluster: ControlPlane) -> None:
    """
    A shell runs the command as it is printed, the API server accepts the patch, and the next audit has no such finding.
    """
    lines = lines_of(audited(cluster))
    assert {kind for kind, _, _ in lines} == {
        *("VirtualMachine", "VirtualMachineInstanceReplicaSet", "VirtualMachinePool", "KubeVirt", "MigrationPolicy")
    }

    for line in lines.values():
        words = shlex.split(line)
        assert words[0] == "kubectl"
        cluster.client.kubectl(*words[1:])

    assert not rules(audited(cluster)) & lines.keys()


def test_a_command_does_nothing_twice(cluster: ControlPlane) -> None:
    """
    The patch tests the old value, so it fails on an object that has changed.
    """
    for line in lines_of(audited(cluster)).values():
        cluster.client.kubectl(*shlex.split(line)[1:])
    client = cluster.client
    path = "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web.example"
    interfaces = machine_template()["spec"]["domain"]["devices"]["interfaces"]
    patch = {"spec": {"template": {"spec": {"domain": {"devices": {"interfaces": interfaces}}}}}}
    client.api("PATCH", path, patch, content_type="application/merge-patch+json")
    line = lines_of(audited(cluster))["VirtualMachine", "web.example", "LM101"]
    client.kubectl(*shlex.split(line)[1:])

    again = client.kubectl(*shlex.split(line)[1:], check=False)

    assert again.returncode != 0
    assert "the server rejected our request" in again.stderr


def test_kubectl_knows_the_resource_of_each_kind(cluster: ControlPlane) -> None:
    """
    A change of an annotation works for each kind that an audit judges, also for those with a version or a dash in the resource.
    """
    create(cluster, *OTHERS)
    path = "/metadata/annotations"
    change = FixReport(
        "add an annotation", True, [{"op": "add", "path": path, "value": {"example.com/note": "it's $1"}}]
    )
    judged = {one.kind: one for one in audited(cluster)}
    assert {kind.kind for kind in JUDGED_KINDS} == judged.keys()

    for one in judged.values():
        cluster.client.kubectl(*shlex.split(patch_command(one, change))[1:])

    for manifest in (*objects(), *OTHERS):
        kind = find_kind(manifest["apiVersion"], manifest["kind"])
        if kind is not None and kind.judged:
            metadata = manifest["metadata"]
            where = ["-n", metadata["namespace"]] if kind.namespaced else []
            resource = f"{kind.plural}.{kind.group}"
            got = cluster.client.kubectl("get", resource, metadata["name"], *where, "-o", "json")
            assert json.loads(got.stdout)["metadata"]["annotations"] == {"example.com/note": "it's $1"}
