"""Advice about the target pod of a live migration at admission: a warning, never a denial."""

import pytest

from tests.generating import Manifest
from tests.surfaces.admission.reviews import decided, refused, review, vm, warned


def node(name: str, **labels: str) -> Manifest:
    known = {"kubevirt.io/schedulable": "true", "host-model-cpu.node.kubevirt.io/X": "true"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": known | labels}}


@pytest.mark.parametrize(
    ("selector", "labels", "warnings"),
    [
        ({"gpu": "yes"}, {"gpu": "no"}, [("LM507", "warn")]),
        ({"gpu": "yes"}, {"gpu": "yes"}, []),
        ({"kubernetes.io/hostname": "n1"}, {}, [("LM507", "warn")]),
    ],
)
def test_a_vm_without_a_second_node_is_admitted_with_a_warning(
    selector: Manifest, labels: dict[str, str], warnings: list[tuple[str, str]]
) -> None:
    """
    The server knows the labels of the nodes. KubeVirt reports such a VM as live-migratable.
    """
    outcome = decided(review("CREATE", vm(nodeSelector=selector)), node("n1", gpu="yes"), node("n2", **labels))

    assert refused(outcome) == {}
    assert [warning for warning in warned(outcome) if warning[0] == "LM507"] == warnings
