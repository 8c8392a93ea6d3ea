"""Equal parts of objects are kept only once, and the objects keep their values."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from webhook.objects.meta import Json
from webhook.objects.nad import Node
from webhook.objects.pods import Pod
from webhook.objects.shared_parts import SharedParts

CLAIM = {"name": "d", "persistentVolumeClaim": {"claimName": "c"}}
NAMES = st.lists(st.sampled_from([{"name": "a"}, {"name": "b"}]), max_size=2)
SPECS = st.fixed_dictionaries(
    {
        "containers": NAMES,
        "initContainers": NAMES,
        "schedulingGates": NAMES,
        "tolerations": st.lists(st.sampled_from([{"key": "a"}, {"key": "b", "effect": "NoSchedule"}]), max_size=2),
        "volumes": st.just([CLAIM]),
        "overhead": st.sampled_from([None, {"cpu": 1}, {"cpu": "1"}, {"cpu": 1.0}]),
        "nodeName": st.sampled_from(["", "n1", "n2"]),
    }
)


def pod(spec: Json, **meta: Any) -> Pod:
    return msgspec.convert({"metadata": meta, "spec": spec}, Pod)


@given(st.lists(SPECS, max_size=6))
def test_the_objects_keep_their_values(specs: list[Json]) -> None:
    """
    Two fields with equal JSON can have different classes, so they are never the same part.
    """
    shared = SharedParts()
    lean = [shared.lean(pod(spec, labels={"a": "b"})) for spec in specs]

    assert list(map(repr, lean)) == [repr(pod(spec, labels={"a": "b"})) for spec in specs]


def test_equal_parts_of_two_objects_are_one_part() -> None:
    """
    Lists, maps and structs are shared.
    """
    shared = SharedParts()
    first, second = (shared.lean(pod({"tolerations": [{"key": "a"}]}, labels={"app": "x"})) for _ in range(2))

    assert first.spec.tolerations is second.spec.tolerations
    assert first.meta.labels is second.meta.labels


def test_a_pod_loses_the_parts_that_no_rehearsal_needs() -> None:
    """
    Other objects lose nothing.
    """
    annotations = {"kubevirt.io/domain": "vm", "k8s.v1.cni.cncf.io/network-status": "long"}
    lean = SharedParts().lean(pod({"volumes": [CLAIM, {"name": "t"}]}, annotations=dict(annotations)))
    node = SharedParts().lean(msgspec.convert({"metadata": {"annotations": annotations}}, Node))

    assert lean.meta.annotations == {"kubevirt.io/domain": "vm"}
    assert [volume.name for volume in lean.spec.volumes or ()] == ["d"]
    assert node.meta.annotations == annotations
