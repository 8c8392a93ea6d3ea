"""The work of a check grows with the number of objects, not with its square."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.instructions import instructions
from webhook.check.check import Settings, check
from webhook.manifests.objects import read_manifests

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
}


def checking(kind: str, count: int) -> Callable[[], object]:
    objects = [KUBEVIRT, *(manifest for number in range(count) for manifest in KINDS[kind](number))]
    text = "\n---\n".join(map(json.dumps, objects))
    return lambda: check([read_manifests(text.encode(), "f.yaml")], Settings())


@pytest.mark.parametrize("kind", KINDS)
def test_the_work_grows_with_the_number_of_objects(kind: str) -> None:
    """
    Four times the objects need about four times the instructions.
    """
    few, many = checking(kind, 25), checking(kind, 100)
    few()  # imports modules

    assert instructions(many) < 4.5 * instructions(few)
