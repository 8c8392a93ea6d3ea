"""The work of a check grows with the number of objects, not with its square."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.instructions import instructions
from webhook.check.check import Settings, check
from webhook.check.streaming import StreamingCheck
from webhook.manifests.objects import Manifests, read_manifests

Manifest: TypeAlias = dict[str, Any]

KUBEVIRT: Manifest = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": {}}


def policy(number: int, vmi: dict[str, str] | None = None, namespace: dict[str, str] | None = None) -> Manifest:
    return {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": f"p{number:05}"},
        "spec": {
            "selectors": {"virtualMachineInstanceSelector": vmi, "namespaceSelector": namespace},
            "bandwidthPerMigration": "64Mi",
        },
    }


def vm(number: int, outer: dict[str, str] | None = None, **spec: Any) -> Manifest:
    template = {"metadata": {"labels": {"app": f"a{number}"}}, "spec": {"domain": {"devices": {}}, **spec}}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": f"vm{number}", "namespace": "lab", "labels": outer or {}},
        "spec": {"template": template, "runStrategy": "Always"},
    }


def claim(number: int, mode: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"c{number}", "namespace": "lab"},
        "spec": {"accessModes": [mode]},
    }


def with_claim(number: int) -> Manifest:
    return vm(number, volumes=[{"name": "disk", "persistentVolumeClaim": {"claimName": f"c{number}"}}])


def clone(number: int, source: int) -> Manifest:
    patch = {"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"a": "b"}}
    return {
        "apiVersion": "clone.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClone",
        "metadata": {"name": f"clone{number}", "namespace": "lab"},
        "spec": {
            "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": f"vm{source}"},
            "patches": [json.dumps(patch)],
        },
    }


def migration(number: int) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": f"m{number}", "namespace": "lab"},
        "spec": {"vmiName": f"vm{number}"},
    }


def node(number: int, **spec: Any) -> Manifest:
    labels = {"kubevirt.io/schedulable": "true", "kubernetes.io/hostname": f"n{number}", "zone": f"z{number}"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{number}", "labels": labels}, "spec": spec}


def budget(number: int) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"b{number}", "namespace": "lab"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": f"a{number}"}}},
    }


def in_zone(number: int) -> Manifest:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": [f"z{number}"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return vm(number, affinity={"nodeAffinity": required})


FEW = 40

KINDS: dict[str, Callable[[int], list[Manifest]]] = {
    "policies that require another value of the same label": lambda number: [policy(number, {"app": f"a{number}"})],
    "policies with one equal label": lambda number: [
        policy(number, {"tier": "b", "app": f"a{number}", f"k{number}": "v"})
    ],
    "policies of other namespaces": lambda number: [policy(number, None, {"team": f"a{number}"})],
    "VMs with a policy each": lambda number: [policy(number, {"app": f"a{number}"}), vm(number)],
    "VMs whose own labels a policy has": lambda number: [
        policy(number, {"own": f"a{number}"}),
        vm(number, {"own": f"a{number}"}),
    ],
    "VMs with a clone each": lambda number: [vm(number), clone(number, number)],
    "clones of one VM": lambda number: [clone(number, 0), *([] if number else [vm(0)])],
    "refused migrations": lambda number: [
        with_claim(number),
        claim(number, "ReadWriteOnce"),
        migration(number),
    ],
    "VMs with a disruption budget each": lambda number: [vm(number), budget(number)],
    "VMs with a node each": lambda number: [
        node(number, unschedulable=number == 0),
        vm(number, nodeSelector={"kubernetes.io/hostname": f"n{number}"}),
    ],
    "VMs with a zone each": lambda number: [node(number), in_zone(number)],
    "VMs with a node that does not exist": lambda number: [node(number), vm(number, nodeSelector={f"k{number}": "v"})],
    "policies, and VMs of which two are different": lambda number: [
        policy(number, {"app": f"a{number}"}),
        vm(number),
        *([] if number else [vm(0, {"different": "yes"})]),
    ],
}


def checking(kind: str, count: int) -> Callable[[], object]:
    objects = [KUBEVIRT, *(manifest for number in range(count) for manifest in KINDS[kind](number))]
    text = "\n---\n".join(map(json.dumps, objects))
    return lambda: check([read_manifests(text.encode(), "f.yaml")], Settings())


@pytest.mark.parametrize("kind", KINDS)
def test_the_work_grows_with_the_number_of_objects(kind: str) -> None:
    """
    As many objects again need as many instructions again. The second half of the objects is compared with the first half,
    so that the work of a check of nothing does not hide the growth.
    """
    checking(kind, 1)()  # imports modules
    few, half, whole = (instructions(checking(kind, count)) for count in (FEW, 2 * FEW, 3 * FEW))

    assert whole - half < 1.03 * (half - few)


def test_the_file_of_a_vm_is_read_once_for_all_clones() -> None:
    """
    A check keeps only parts of VMs, so it reads the VMs that are cloned a second time.
    """
    files = [
        read_manifests(json.dumps(manifest).encode(), f"{number}.yaml")
        for number, manifest in enumerate([vm(0), vm(1), *(clone(number, number % 2) for number in range(6))])
    ]
    read = []

    def reread(number: int) -> Manifests:
        read.append(number)
        return files[number]

    streaming = StreamingCheck(Settings(), reread)
    for file in files:
        streaming.add(file)
    streaming.report()

    assert read == [0, 1]
