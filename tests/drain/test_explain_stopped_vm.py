"""The explanation of a VM that does not run: its future launcher."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.drain.fleets import Object, as_fleet, kubevirt, node, vm, vmi
from tests.drain.test_explain_vm import OTHER, THREE, explained
from webhook.drain.explain_vm import explain
from webhook.drain.vm_explanation import Excluded
from webhook.manifests.fleet_files import read_fleet


def stopped(machine: Object, **spec: Any) -> Object:
    return vm(machine, runStrategy="Halted", **spec)


def test_a_stopped_vm_has_a_verdict_from_its_manifest() -> None:
    """
    And the nodes that could start it, by its future launcher. All nodes count, because it is on none.
    """
    machine = vmi("vm", "n1", nodeSelector={"disk": "fast"})
    one = explained(*THREE, *OTHER, node("n4", labels={"disk": "fast"}), stopped(machine))

    assert (one.judged, one.phase, one.node) == ("VirtualMachine", "", "")
    assert (one.verdict.live_migratable, one.verdict.source) == (True, "rules")
    assert (one.destinations.pod, one.destinations.others) == ("launcher", 4)
    assert one.destinations.nodes == ("n4",)
    assert one.destinations.excluded[0].node_count == 3
    assert one.drain is None


def test_a_vm_whose_vmi_has_ended_counts_as_stopped() -> None:
    """
    The final VMI is only a remainder.
    """
    machine = vmi("vm", "n1", status={"phase": "Succeeded"})

    assert explained(*THREE, stopped(machine), machine).judged == "VirtualMachine"
    assert explained(*THREE, machine).judged == "VirtualMachineInstance"


def test_the_launcher_of_a_stopped_vm_has_the_size_of_its_instancetype() -> None:
    """
    Without the instancetype, the pod is unknown.
    """
    instancetype = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineInstancetype",
        "metadata": {"name": "big", "namespace": "lab"},
        "spec": {"cpu": {"guest": 2}, "memory": {"guest": "64Gi"}},
    }
    machine = vmi("vm", "n1", domain={"memory": {}, "cpu": {}})
    halted = stopped(machine, instancetype={"name": "big", "kind": "VirtualMachineInstancetype"})
    nodes = [node("n1"), node("n2", allocatable={"memory": "32Gi"}), kubevirt(), *OTHER]

    known = explained(*nodes, instancetype, halted).destinations
    unknown = explained(*nodes, halted).destinations

    assert (known.nodes, known.excluded) == (("n1",), (Excluded("Insufficient memory", 1, ("n2",)),))
    assert (unknown.nodes, unknown.node_count) == ((), 0)
    assert "VirtualMachineInstancetype 'big' is not in the input" in unknown.message


def test_a_claim_that_a_template_creates_is_assumed_to_fit() -> None:
    """
    It does not exist before the first start.
    """
    volumes = [{"name": "root", "dataVolume": {"name": "root"}}]
    template = {"metadata": {"name": "root"}, "spec": {"storage": {}, "source": {"blank": {}}}}
    claims = {"apiVersion": "v1", "kind": "PersistentVolumeClaimList", "items": []}
    halted = stopped(vmi("vm", "n1", volumes=volumes), dataVolumeTemplates=[template])

    one = explained(*THREE, *OTHER, claims, halted)

    assert one.destinations.nodes == ("n1", "n2", "n3")
    assert "Every node can use PVC root, which KubeVirt creates with the VM." in one.assumptions


def test_without_pods_the_room_on_nodes_is_unknown() -> None:
    """
    The missing input is named.
    """
    one = explained(*THREE, stopped(vmi("vm", "n1"))).destinations

    assert (one.nodes, one.excluded) == ((), ())
    assert one.unknown == (Excluded("the pods of the cluster were not provided", 3, ("n1", "n2", "n3")),)


def test_without_nodes_the_nodes_are_unknown() -> None:
    """
    Zero of zero nodes would be a wrong answer.
    """
    one = explained(kubevirt(), stopped(vmi("vm", "n1"))).destinations

    assert one.message == "The nodes are unknown: no Node was provided."
    assert one.remedy == "Provide all objects of kind Node."


def test_a_vmi_that_kubevirt_has_not_stored_gets_the_defaults() -> None:
    """
    A manifest of a VMI has no status. Its launcher needs the default machine type, which no node has here.
    """
    machine = vmi("vm", "n1")
    del machine["status"], machine["spec"]["domain"]["machine"], machine["spec"]["architecture"]
    old = {"machine-type.node.kubevirt.io/q35": "false"}
    one = explained(node("n1", labels=old), node("n2"), kubevirt(), *OTHER, machine).destinations

    assert (one.pod, one.nodes) == ("launcher", ("n2",))


def state_claim_on(name: str) -> list[Object]:
    """The claim with the state of the VM ``vm``, on a volume of one node."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}
    reference = {"namespace": "lab", "name": "state-1", "uid": "u"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "state-1",
                "namespace": "lab",
                "uid": "u",
                "labels": {"persistent-state-for": "vm"},
                "annotations": {"pv.kubernetes.io/bind-completed": "yes"},
            },
            "spec": {"volumeName": "pv", "accessModes": ["ReadWriteOnce"], "storageClassName": "local"},
            "status": {"phase": "Bound"},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "pv"},
            "spec": {
                "claimRef": reference,
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "local",
                "local": {"path": "/x"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            },
        },
    ]


@pytest.mark.parametrize(("objects", "nodes"), [([], ("n1", "n2", "n3")), (state_claim_on("n2"), ("n2",))])
def test_the_state_of_a_stopped_vm_ties_it_to_a_node(objects: list[Object], nodes: tuple[str, ...]) -> None:
    """
    Before the first start, there is no state.
    """
    devices = {"tpm": {"persistent": True}, "interfaces": [{"name": "default", "masquerade": {}}]}
    kinds = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass")
    empty = [{"apiVersion": "v1", "kind": f"{kind}List", "items": []} for kind in kinds]
    empty[-1]["apiVersion"] = "storage.k8s.io/v1"
    halted = stopped(vmi("vm", "n1", domain={"devices": devices, "machine": {"type": "q35"}}))

    lists = read_fleet([(str(at), json.dumps(one).encode()) for at, one in enumerate(empty)]).complete
    fleet = as_fleet([*THREE, *OTHER, halted, *objects])
    whole = replace(fleet, provided=fleet.provided | lists, complete=fleet.complete | lists)

    assert explain(whole, "vm").destinations.nodes == nodes
