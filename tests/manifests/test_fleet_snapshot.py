"""A snapshot for the rehearsal of a drain (webhook.manifests.fleet_snapshot)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.apiserver.scheduler.generated.worlds import world
from tests.drain import example_fleet
from tests.drain.fleets import Object, as_fleet, kubevirt, node, owned, vm, vmi
from tests.kubevirt.evictions import release_of
from tests.kubevirt.target_pods import cases_of
from tests.kubevirt.test_target_pods import FILES
from webhook.check.check import Settings, check
from webhook.drain.fleet_state import state_of
from webhook.drain.inputs import Inputs
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.targets import Targets
from webhook.facts.fleet import Fleet
from webhook.facts.unknown import Unknown
from webhook.manifests.fleet_files import read_fleet
from webhook.manifests.fleet_paths import read_paths
from webhook.manifests.fleet_snapshot import render_fleet
from webhook.manifests.objects import read_manifests
from webhook.manifests.snapshot import parse
from webhook.objects.fleet_kinds import DRAIN_KINDS, classes_of
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.pods import Pod
from webhook.objects.quotas import ResourceQuota
from webhook.scheduling.state import ClusterState

CANARY = "hunter2"


def listed(fleet: Fleet) -> Fleet:
    """The fleet as listed from a cluster, where every kind is complete."""
    every = frozenset(reads for kind in DRAIN_KINDS for reads in classes_of(kind))
    return replace(fleet, provided=every, complete=every)


def example() -> Fleet:
    return listed(read_paths([str(example_fleet.FOLDER)]).fleet())


def read(text: str) -> Fleet:
    given = read_fleet([("snapshot.yaml", text.encode())])
    assert given.problems == []
    return given.fleet()


@pytest.mark.parametrize("mode", ["each", "rolling"])
def test_the_rehearsal_from_a_snapshot_is_that_from_the_cluster(mode: str) -> None:
    """
    The same outcomes, nodes, times, messages and assumptions.
    """
    cluster = example()

    request = Request(mode=mode, upgrade=True)
    assert rehearse(read(render_fleet(cluster)), request) == rehearse(cluster, request)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_snapshot_gives_the_same_target_pods(file: Any) -> None:
    """
    The VMI, the KubeVirt CR, claims, networks and quotas have every field from which a target pod is made.
    """
    version = str(release_of(file, None))
    for case in cases_of(file):
        cluster = listed(as_fleet(objects_of(case)))
        key = case["vmi"]["metadata"]["namespace"], case["vmi"]["metadata"]["name"]

        targets = [
            Targets(Inputs(fleet, version)).target(key, next(iter(fleet.given(Pod)), None), "source")
            for fleet in (cluster, read(render_fleet(cluster)))
        ]

        assert targets[0] == targets[1], case["id"]
        assert not isinstance(targets[0], Unknown)


def objects_of(case: Any) -> Iterator[Object]:
    """The objects of a case, as a cluster has them."""
    yield case["vmi"] | {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance"}
    yield kubevirt(**(case.get("kubevirt") or {}))
    yield node("source") | {"metadata": {"name": "source", "labels": case["sourceNode"].get("labels") or {}}}
    namespace = case["vmi"]["metadata"]["namespace"]
    yield pod(namespace, nodeName="source", nodeSelector=case["sourcePod"].get("nodeSelector") or {})
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": case["namespace"]["metadata"]}
    for kind, group, members in (
        ("PersistentVolumeClaim", "v1", case.get("pvcs")),
        ("ResourceQuota", "v1", case.get("resourceQuotas")),
        ("NetworkAttachmentDefinition", "k8s.cni.cncf.io/v1", case.get("nads")),
    ):
        for one in members or ():
            yield {"apiVersion": group, "kind": kind, **one}


def pod(namespace: str = "lab", **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace}, "spec": spec}


def test_a_snapshot_has_no_secret() -> None:
    """
    It has no cloud-init content, no commands, environment and images, no passwords of networks, and no foreign annotations.
    """
    machine = vmi(
        "vm",
        "n1",
        livenessProbe={"exec": {"command": ["mysql", f"-p{CANARY}"]}},
        accessCredentials=[{"userPassword": {"source": {"secret": {"secretName": CANARY}}}}],
        volumes=[{"name": "init", "cloudInitNoCloud": {"userData": CANARY, "networkData": CANARY}}],
    )
    machine["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": CANARY,
        "hooks.kubevirt.io/hookSidecars": json.dumps([{"image": "i", "args": ["--password", CANARY]}]),
    }
    owner = vm(machine)
    owner["spec"]["template"]["metadata"] = {"annotations": machine["metadata"]["annotations"]}
    container = {"name": "c", "image": CANARY, "command": [CANARY], "env": [{"name": "PASSWORD", "value": CANARY}]}
    other = pod(
        containers=[container], initContainers=[container], volumes=[{"name": "s", "secret": {"secretName": CANARY}}]
    )
    network = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "n", "namespace": "lab"},
        "spec": {"config": json.dumps({"type": "x", "password": CANARY})},
    }
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "r", "namespace": "lab"},
        "data": {"spec": {"template": CANARY}},
    }

    text = render_fleet(as_fleet([machine, owner, other, network, revision]))

    assert CANARY not in text
    assert all(f"kind: {kind}\n" in text for kind in ("VirtualMachine", "VirtualMachineInstance", "Pod"))
    assert "ControllerRevision" not in text


def test_the_number_of_hook_sidecars_and_their_claims_are_kept() -> None:
    """
    Each sidecar is a container of the launcher, and can mount a claim.
    """
    machine = vmi("vm", "n1")
    hooks = json.dumps([{"image": "a"}, {"image": "b", "pvc": {"name": "c", "volumePath": "/x"}}])
    machine["metadata"]["annotations"] = {"hooks.kubevirt.io/hookSidecars": hooks}

    (kept,) = read(render_fleet(as_fleet([machine]))).given(LauncherVMI)

    assert kept.meta.annotations == {"hooks.kubevirt.io/hookSidecars": '[{}, {"pvc": {"name": "c"}}]'}


def test_a_kind_that_could_not_be_read_keeps_its_reason() -> None:
    """
    The report names the reason, not only that no object was provided.
    """
    cluster = example()
    known = cluster.provided - {Pod}
    objects = {kind: members for kind, members in cluster.objects.items() if kind is not Pod}
    blind = Fleet(objects, known, known, {Pod: "Migratable may not list pods"})

    report = rehearse(read(render_fleet(blind)), Request())

    assert report.missing == rehearse(blind, Request()).missing == ("Pod: Migratable may not list pods",)


def test_check_reads_the_snapshot_of_a_drain() -> None:
    """
    Kinds that rules do not look up are left out. The facts that rules need are known.
    """
    machine = read_manifests(json.dumps(vm(vmi("vm", "n1"))).encode(), "vm.json")
    cluster = listed(
        as_fleet([kubevirt(evictionStrategy="LiveMigrate"), node("n1"), node("n2"), *owned(vmi("x", "n1"))])
    )

    snapshot = parse(render_fleet(cluster).encode(), "s.yaml")
    report = check([machine], Settings(), snapshot=snapshot)

    assert not any(type(one) in (Pod, ResourceQuota) for one in snapshot.objects)
    assert report.objects[0].verdict is not None
    assert [finding.rule for finding in report.objects[0].findings if finding.outcome == "undetermined"] == []


def test_a_value_that_is_not_a_quantity_is_a_problem() -> None:
    """
    The message names the object and the path.
    """
    text = render_fleet(as_fleet([node("n1", allocatable={"memory": "64Gi"})])).replace('"64Gi"', '"much"')

    (problem,) = read_fleet([("s.yaml", text.encode())]).problems

    assert problem.message == "Node n1: status.allocatable.memory is not a quantity"


def test_the_snapshot_of_a_pod_is_small() -> None:
    """
    A pod with the fields that kubelet and controllers write takes less than 700 bytes.
    """
    status = {
        "phase": "Running",
        "podIPs": [{"ip": "10.0.0.1"}],
        "containerStatuses": [{"name": "c", "imageID": "x" * 80}],
    }
    written = pod(nodeName="n1", containers=[{"name": "c", "image": "x" * 80, "resources": {"requests": {"cpu": "1"}}}])
    written["metadata"]["managedFields"] = [{"manager": "kubelet", "fieldsV1": {"f:status": {"f:x": {}}}}] * 20
    one, two = (render_fleet(as_fleet([written | {"status": status}][:count])) for count in (0, 1))

    assert len(two) - len(one) < 700


@pytest.mark.parametrize("seed", range(20))
def test_a_snapshot_gives_the_same_node_fit(seed: int) -> None:
    """
    Nodes, pods, claims, volumes, classes and CSI objects have every field and annotation that kube-scheduler's plugins read.
    """
    generated = world(seed, probes=20)
    cluster = listed(as_fleet(generated.objects))
    probes = as_fleet(generated.probes).given(Pod)

    live, offline = (state_of(Inputs(fleet)) for fleet in (cluster, read(render_fleet(cluster))))

    assert [answer(live, probe) for probe in probes] == [answer(offline, probe) for probe in probes]


def answer(state: ClusterState, probe: Pod) -> Any:
    """The nodes that a pod fits, the reasons of the others, and what is unknown."""
    fit = state.fit(probe)
    return fit.rejection, fit.fitting(), fit.reasons(), fit.unknowns()
