"""Situations around the target pod that users report: a second node, networks after a move, disruption budgets."""

import json
from typing import Any

import pytest

from tests.generating import Manifest
from webhook.check.check import Settings, check
from webhook.manifests.objects import read_manifests
from webhook.report.model import Report

SCHEDULABLE = {"kubevirt.io/schedulable": "true"}
HOST, KNOWS = "host-model-cpu.node.kubevirt.io/", "cpu-model-migration.node.kubevirt.io/"
MACHINE = "machine-type.node.kubevirt.io/"
OVERRIDE = "kubevirt.io/allow-pod-bridge-network-live-migration"


def node(name: str, labels: dict[str, str] | None = None, **spec: Any) -> Manifest:
    metadata = {"name": name, "labels": {**SCHEDULABLE, HOST + "X": "true", **(labels or {})}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}


def vm(name: str = "vm", labels: dict[str, str] | None = None, annotations: Any = None, **spec: Any) -> Manifest:
    base: Manifest = {
        "domain": {"devices": {"interfaces": [{"name": "p", "masquerade": {}}]}, "cpu": {"model": "host-passthrough"}},
        "networks": [{"name": "p", "pod": {}}],
    }
    template = {"metadata": {"labels": labels or {}, "annotations": annotations or {}}, "spec": base | spec}
    metadata = {"name": name, "namespace": "lab"}
    body = {"runStrategy": "Always", "template": template}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata, "spec": body}


def domain(**fields: Any) -> Manifest:
    return {"devices": {"interfaces": [{"name": "p", "masquerade": {}}]}, **fields}


def bridged(config: Manifest, reference: str = "lan", **interface: Any) -> list[Manifest]:
    """A VM with a second interface, and its network."""
    lan = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
    lan |= {"metadata": {"name": "lan", "namespace": "lab"}, "spec": {"config": json.dumps(config)}}
    second = {"name": "lan", **(interface or {"bridge": {}})}
    interfaces = [{"name": "p", "masquerade": {}}, second]
    networks = [{"name": "p", "pod": {}}, {"name": "lan", "multus": {"networkName": reference}}]
    return [lan, vm(domain={"devices": {"interfaces": interfaces}}, networks=networks)]


def budget(selector: Manifest, **limits: Any) -> Manifest:
    metadata = {"name": "p", "namespace": "lab"}
    spec = {"selector": selector, **limits}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def checked(*objects: Manifest, release: str = "1.9") -> Report:
    text = "\n---\n".join(map(json.dumps, objects))
    return check([read_manifests(text.encode(), "f.yaml")], Settings(release=release))


def found(*objects: Manifest, release: str = "1.9") -> set[str]:
    """The rules about target pods that report a violation, and rules with an undetermined result with a question mark."""
    ours = {"LM106", "LM107", "LM507", "LM509", "LM510", "LM511", "LM512", "LM513", "LM514", "LM515", "LM516"}
    return {
        finding.rule + ("?" if finding.outcome == "undetermined" else "")
        for judged in checked(*objects, release=release).objects
        for finding in judged.findings
        if finding.rule in ours
    }


APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]},
            }
        ]
    }
}
DB = {"app": "db"}
GPU = {"key": "gpu", "value": "x", "effect": "NoSchedule"}
SKYLAKE, CASCADE = "Skylake-Server-IBRS", "Cascadelake-Server"


@pytest.mark.parametrize(
    ("objects", "rules"),
    [
        ([node("n1", {"gpu": "yes"}), node("n2", {"gpu": "no"}), vm(nodeSelector={"gpu": "yes"})], {"LM507"}),
        ([node("n1", {"gpu": "yes"}), node("n2"), vm(nodeSelector={"gpu": "yes"})], {"LM507"}),
        ([node("n1", {"gpu": "yes"}), node("n2", {"gpu": "yes"}), vm(nodeSelector={"gpu": "yes"})], set()),
        ([node("n1", {"gpu": "yes"}), vm(nodeSelector={"gpu": "yes"})], set()),
        ([node("n1"), node("n2"), vm(nodeSelector={"gpu": "yes"})], {"LM507?"}),
        ([vm(nodeSelector={"gpu": "yes"})], set()),
        ([node("n1"), node("n2", taints=[GPU]), vm()], {"LM511"}),
        ([node("n1"), node("n2", taints=[GPU | {"effect": "PreferNoSchedule"}]), vm()], set()),
        ([node("n1"), node("n2", taints=[GPU | {"effect": "NoExecute"}]), vm()], {"LM511"}),
        ([node("n1"), node("n2", taints=[GPU]), vm(tolerations=[{"operator": "Exists"}])], set()),
        ([node("n1"), node("n2", taints=[{"key": "kubevirt.io/drain", "effect": "NoSchedule"}]), vm()], set()),
        ([node("n1"), node("n2"), node("n3", taints=[GPU]), vm()], set()),
        ([node("n1"), node("n2", unschedulable=True), node("n3", taints=[GPU]), vm()], {"LM514"}),
        ([node("n1"), node("n2", unschedulable=True), node("n3"), vm()], set()),
        ([node("n1"), vm(evictionStrategy="LiveMigrate")], {"LM515"}),
        ([node("n1"), vm()], set()),
        (
            [
                node("n1", {MACHINE + "pc-q35-rhel9.2.0": "true"}),
                vm(domain=domain(machine={"type": "pc-q35-rhel7.6.0"})),
            ],
            {"LM511"},
        ),
        ([node("n1", {MACHINE + "q35": "true"}), node("n2"), vm(domain=domain(machine={"type": "q35"}))], {"LM511"}),
        ([node("n1"), node("n2"), vm(domain=domain(machine={"type": "q35"}))], set()),
        (
            [
                node("n1", {KNOWS + "X": "true"}),
                node("n2", {KNOWS + "X": "true"}),
                vm(domain=domain(cpu={"model": "host-model"})),
            ],
            set(),
        ),
        (
            [
                node("n1"),
                node("n2", SCHEDULABLE | {"kubevirt.io/schedulable": "false"}),
                vm(),
            ],
            {"LM514"},
        ),
        ([node("n1"), node("n2"), vm("a", DB, affinity=APART), vm("b", DB, affinity=APART)], {"LM510"}),
        ([node("n1"), node("n2"), node("n3"), vm("a", DB, affinity=APART), vm("b", DB, affinity=APART)], set()),
        ([node("n1"), node("n2"), vm("a", DB, affinity=APART)], set()),
    ],
)
def test_a_vm_needs_a_second_node(objects: list[Manifest], rules: set[str]) -> None:
    """
    All nodes are given. Selectors, taints, machine types and anti-affinity decide how many of them fit.
    """
    assert found(*objects) == rules


def test_nodes_with_different_cpus_share_a_model() -> None:
    """
    With host-model no node takes over a VM. The remedy names a model that both nodes can run.
    """

    def with_model(name: str, model: str) -> Manifest:
        labels = {HOST + model: "true", KNOWS + model: "true", f"cpu-model.node.kubevirt.io/{SKYLAKE}": "true"}
        one = node(name, labels)
        del one["metadata"]["labels"][HOST + "X"]
        return one

    report = checked(
        with_model("n1", CASCADE), with_model("n2", SKYLAKE), vm(domain=domain(cpu={"model": "host-model"}))
    )

    [finding] = [each for judged in report.objects for each in judged.findings if each.rule == "LM509"]
    assert finding.path == "spec.template.spec.domain.cpu.model"
    assert SKYLAKE in finding.remedy


@pytest.mark.parametrize("machine", [{}, {"type": "pc-q35-rhel7.6.0"}])
def test_up_to_1_4_the_machine_type_selects_no_node(machine: Manifest) -> None:
    """
    From 1.5 on, the target pod needs the label of the machine type.
    """
    objects = [node("n1", {MACHINE + "pc-q35-rhel9.2.0": "true"}), vm(domain=domain(machine=machine))]

    assert found(*objects, release="1.4") == set()
    assert found(*objects, release="1.5") == ({"LM511"} if machine else set())


WHEREABOUTS = {"type": "whereabouts", "range": "10.9.0.0/24"}
LOCAL = {"type": "host-local", "subnet": "10.9.0.0/24"}


@pytest.mark.parametrize(
    ("objects", "rules"),
    [
        (bridged({"type": "bridge", "bridge": "br1", "ipam": WHEREABOUTS}), {"LM107"}),
        (bridged({"type": "cnv-bridge", "bridge": "br1", "ipam": LOCAL}), {"LM107"}),
        (
            bridged({"plugins": [{"type": "macvlan", "master": "eth1", "ipam": WHEREABOUTS}, {"type": "tuning"}]}),
            {"LM107"},
        ),
        (bridged({"type": "bridge", "bridge": "br1", "ipam": WHEREABOUTS}, "lab/lan"), {"LM107"}),
        (bridged({"type": "bridge", "bridge": "br1", "ipam": WHEREABOUTS}, "other/lan"), set()),
        (bridged({"type": "bridge", "bridge": "br1"}), set()),
        (bridged({"type": "sriov", "ipam": WHEREABOUTS}, sriov={}), set()),
        (bridged({"type": "ovn-k8s-cni-overlay", "topology": "localnet", "netAttachDefName": "lab/lan"}), set()),
    ],
)
def test_the_guest_keeps_an_address_that_ipam_gives_away(objects: list[Manifest], rules: set[str]) -> None:
    """
    Only bridge binding gives the pod's address to the guest.
    """
    assert found(*objects) == rules


@pytest.mark.parametrize(
    ("written", "is_reported"),
    [
        ("kubevirt.io/allow-pod-bridge-live-migration", True),
        ("kubevirt.io/allow-pod-bridge-network-livemigration", True),
        ("kubevirt.io/Allow-Pod-Bridge-Network-Live-Migration", True),
        ("allow-pod-bridge-network-live-migration", True),
        ("kubevirt.io/allow-bridge-network-live-migration", True),
        ("example.com/allow-pod-bridge-network-live-migration", False),
        ("kubevirt.io/bridge", False),
        (OVERRIDE, False),
    ],
)
def test_a_similar_annotation_gets_a_suggestion(written: str, is_reported: bool) -> None:
    """
    KubeVirt compares the whole name, so such a VM cannot be live-migrated.
    """
    devices = {"devices": {"interfaces": [{"name": "p", "bridge": {}}]}}

    assert ("LM106" in found(vm(annotations={written: "true"}, domain=devices))) is is_reported


@pytest.mark.parametrize("strategy", ["None", "LiveMigrate"])
@pytest.mark.parametrize(
    ("limits", "allows_none"),
    [
        ({"maxUnavailable": 0}, True),
        ({"maxUnavailable": "50%"}, True),
        ({"minAvailable": 1}, True),
        ({"minAvailable": "100%"}, True),
        ({"minAvailable": 0}, False),
    ],
)
def test_a_budget_decides_evictions_that_kubevirt_lets_pass(strategy: str, limits: Manifest, allows_none: bool) -> None:
    """
    With LiveMigrate, KubeVirt answers before the budget is read, so the budget blocks nothing. A note says so for maxUnavailable.
    """
    objects = [budget({"matchLabels": {"app": "vm"}}, **limits), vm(labels={"app": "vm"}, evictionStrategy=strategy)]

    blocks = {"LM512"} if allows_none else set()
    note = {"LM513"} if "maxUnavailable" in limits else set()
    assert found(*objects) == (blocks if strategy == "None" else note)
    assert found(objects[0], vm(labels={"app": "web"}, evictionStrategy=strategy)) == set()


@pytest.mark.parametrize(
    ("release", "rules"),
    [("1.4", {"LM512"}), ("1.5", set()), ("1.6", {"LM513"}), ("1.9", {"LM513"}), ("1.10", {"LM513"})],
)
def test_a_budget_of_a_vm_that_moves_has_no_effect_from_1_6_on(release: str, rules: set[str]) -> None:
    """
    In KubeVirt 1.5 and earlier, KubeVirt creates a budget of its own.
    """
    objects = [budget({"matchLabels": {"app": "vm"}}, maxUnavailable=0), vm(labels={"app": "vm"})]
    objects[1]["spec"]["template"]["spec"]["evictionStrategy"] = "LiveMigrate"

    assert found(*objects, release=release) == rules
    severities = {
        finding.severity
        for judged in checked(*objects, release=release).objects
        for finding in judged.findings
        if finding.rule == "LM513"
    }
    assert severities == ({"info"} if "LM513" in rules else set())


def test_a_budget_of_another_strategy_gets_no_note() -> None:
    """
    With External, another controller acts. With LiveMigrate and a VM that cannot move, LM501 reports the drain.
    """
    selector = budget({"matchLabels": {"app": "vm"}}, maxUnavailable=1)
    bridge = {"devices": {"interfaces": [{"name": "p", "bridge": {}}]}}

    assert found(selector, vm(labels={"app": "vm"}, evictionStrategy="External")) == set()
    assert found(selector, vm(labels={"app": "vm"}, evictionStrategy="LiveMigrate", domain=bridge)) == set()


FLANNEL, CILIUM = {"flannel.alpha.coreos.com/backend-type": "vxlan"}, {"network.cilium.io/ipv4-pod-cidr": "10.0.0.0/24"}
KUBE_OVN = {"ovn.kubernetes.io/allocated": "true"}
DEFAULT_NETWORK = "v1.multus-cni.io/default-network"
WHEREABOUTS = {"type": "bridge", "ipam": {"type": "whereabouts", "range": "10.9.0.0/24"}}


def annotated(name: str, annotations: Manifest) -> Manifest:
    made = node(name)
    made["metadata"]["annotations"] = annotations
    return made


def pod_network(config: Manifest, namespace: str = "kube-system") -> Manifest:
    kind = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
    return kind | {"metadata": {"name": "lan", "namespace": namespace}, "spec": {"config": json.dumps(config)}}


def allowed(binding: str = "bridge", **annotations: str) -> Manifest:
    devices = {"devices": {"interfaces": [{"name": "p", binding: {}}]}}
    return vm(annotations={OVERRIDE: "", **annotations}, domain=devices)


@pytest.mark.parametrize(
    ("objects", "is_reported"),
    [
        ([annotated("n1", FLANNEL), annotated("n2", FLANNEL), allowed()], True),
        ([annotated("n1", CILIUM), annotated("n2", CILIUM), allowed()], True),
        ([annotated("n1", FLANNEL), annotated("n2", FLANNEL), allowed("masquerade")], False),
        ([annotated("n1", FLANNEL), annotated("n2", {}), allowed()], False),
        ([annotated("n1", FLANNEL), annotated("n2", CILIUM), allowed()], False),
        ([annotated("n1", CILIUM | KUBE_OVN), annotated("n2", CILIUM | KUBE_OVN), allowed()], False),
        ([allowed()], False),
        ([pod_network(WHEREABOUTS), allowed(**{DEFAULT_NETWORK: "lan"})], True),
        ([pod_network(WHEREABOUTS), allowed(**{DEFAULT_NETWORK: '[{"name": "lan"}]'})], True),
        ([pod_network(WHEREABOUTS, "lab"), allowed(**{DEFAULT_NETWORK: "lab/lan"})], True),
        ([pod_network(WHEREABOUTS, "lab"), allowed(**{DEFAULT_NETWORK: "lan"})], False),
        ([pod_network({"type": "bridge"}), annotated("n1", FLANNEL), allowed(**{DEFAULT_NETWORK: "lan"})], False),
        ([pod_network(WHEREABOUTS), allowed(**{DEFAULT_NETWORK: "lan,lan"})], False),
        ([annotated("n1", FLANNEL), allowed(**{DEFAULT_NETWORK: "lan"})], False),
    ],
)
def test_the_bridge_override_is_reported_where_the_network_cannot_keep_the_address(
    objects: list[Manifest], is_reported: bool
) -> None:
    """
    The annotations of all nodes name the network plugin. Multus replaces the cluster's network if an annotation selects
    exactly one other network, and looks it up in its own namespace. The verdict stays that of KubeVirt.
    """
    judged = next(judged for judged in checked(*objects).objects if judged.kind == "VirtualMachine")

    assert ("LM109" in {finding.rule for finding in judged.findings}) is is_reported
    assert judged.verdict is not None
    assert judged.verdict.live_migratable is True


def finding_of(rule: str, *objects: Manifest) -> tuple[str, str]:
    """The message and the remedy of the only finding of a rule."""
    [found] = [each for judged in checked(*objects).objects for each in judged.findings if each.rule == rule]
    return found.message, found.remedy


OLD, NEW = MACHINE + "pc-q35-rhel8.6.0", MACHINE + "pc-q35-rhel9.2.0"


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        (
            ({OLD: "true", NEW: "true"}, {NEW: "true"}),
            "Use a machine type that two nodes have in their labels machine-type.node.kubevirt.io/TYPE: pc-q35-rhel9.2.0.",
        ),
        (
            ({OLD: "true"}, {NEW: "true"}),
            "Add a node that has the label of the VM. No two nodes share a label machine-type.node.kubevirt.io/TYPE.",
        ),
    ],
)
def test_the_remedy_names_machine_types_that_two_nodes_have(labels: tuple[Manifest, Manifest], remedy: str) -> None:
    """
    A machine type that the nodes do not have would leave the VM without a target node, too.
    """
    objects = [node("n1", labels[0]), node("n2", labels[1]), vm(domain=domain(machine={"type": "pc-q35-rhel8.6.0"}))]

    assert finding_of("LM511", *objects)[1] == remedy


def test_the_message_names_the_nodes_that_cannot_run_vms_now() -> None:
    """
    The node that can run the VM is named, and the reason of each other node.
    """
    message, _ = finding_of("LM514", node("n1"), node("n2", unschedulable=True), vm())

    assert message == (
        "only node 'n1' of 2 nodes can run the VM now, so a live migration finds no target node: node 'n2': cordoned"
    )


def test_one_node_of_three_has_a_host_model_that_no_other_node_supports() -> None:
    """
    The VM can move from the other two nodes, and the message names the third.
    """

    def with_model(name: str, *models: str) -> Manifest:
        one = node(name, {HOST + models[0]: "true", **{KNOWS + model: "true" for model in models}})
        del one["metadata"]["labels"][HOST + "X"]
        return one

    nodes = [with_model("n1", SKYLAKE), with_model("n2", SKYLAKE), with_model("n3", CASCADE, SKYLAKE)]
    objects = [*nodes, vm(domain=domain(cpu={"model": "host-model"}))]

    assert found(*objects) == {"LM516"}
    assert finding_of("LM516", *objects)[0] == (
        "the CPU model is host-model, and the VM cannot move from 1 of 3 nodes, because no other node supports their host "
        "model: 'n3' (Cascadelake-Server)"
    )
