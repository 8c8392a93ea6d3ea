"""The VMs that anti-affinity keeps apart are counted once for all VMs."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.machines import judge
from webhook.kubevirt.launcher import peers
from webhook.kubevirt.launcher.peers import Peers, replicas_of
from webhook.kubevirt.releases import NEWEST, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Node
from webhook.objects.scheduling import LabelSelector, PodTerm
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet
from webhook.scheduling.label_selectors import Selector, selects

HOSTNAME = "kubernetes.io/hostname"


def vm(name: str, labels: dict[str, str], namespace: str = "lab", selector: Any = None, **spec: Any) -> VirtualMachine:
    term = {"labelSelector": selector or {"matchLabels": labels}, "topologyKey": HOSTNAME}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    template = {"metadata": {"labels": labels}, "spec": {"domain": {"devices": {}}, "affinity": affinity}}
    meta = {"name": name, "namespace": namespace}
    value = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": meta}
    return msgspec.convert(value | {"spec": {"template": template, **spec}}, VirtualMachine)


def replica_set(name: str, labels: dict[str, str], replicas: int) -> VirtualMachineInstanceReplicaSet:
    template = {"metadata": {"labels": labels}, "spec": {"domain": {"devices": {}}}}
    value = {"metadata": {"name": name, "namespace": "lab"}, "spec": {"replicas": replicas, "template": template}}
    return msgspec.convert(value, VirtualMachineInstanceReplicaSet)


def nodes(count: int) -> list[Node]:
    return [msgspec.convert({"metadata": {"name": f"n{number}"}}, Node) for number in range(count)]


LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2)
EXPRESSIONS = st.builds(
    lambda key, operator, values: {"key": key, "operator": operator, "values": values},
    st.sampled_from(["app", "tier"]),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3),
)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)


@given(
    st.lists(st.tuples(LABELS, st.sampled_from(["lab", "shop", ""]), st.booleans()), min_size=1, max_size=6),
    st.lists(st.tuples(LABELS, st.integers(0, 3)), max_size=2),
    SELECTORS,
    st.lists(st.sampled_from(["lab", "shop"]), max_size=2),
)
def test_the_count_is_that_of_comparing_each_vm(
    vms: list[tuple[dict[str, str], str, bool]],
    sets: list[tuple[dict[str, str], int]],
    selector: dict[str, Any],
    namespaces: list[str],
) -> None:
    machines: list[Kubernetes] = [
        vm(f"vm{number}", labels, namespace, running=running) for number, (labels, namespace, running) in enumerate(vms)
    ]
    machines += [replica_set(f"set{number}", labels, replicas) for number, (labels, replicas) in enumerate(sets)]
    term = PodTerm(msgspec.convert(selector, LabelSelector), HOSTNAME, namespaces or None)
    own = subject_of(machines[0])
    assert own is not None

    expected = 0
    for other in machines[1:]:
        subject = subject_of(other)
        assert subject is not None
        near = "" in {subject.namespace, own.namespace} or subject.namespace == own.namespace
        is_in = subject.namespace in namespaces if namespaces else near
        if is_in and selects(term.label_selector, subject.meta.labels or {}):
            expected += replicas_of(other)
    assert Peers([machines]).others(own, term) == expected


@pytest.mark.parametrize("shares_label", [True, False], ids=["one label", "a label for each VM"])
def test_the_work_grows_with_the_number_of_vms_and_not_with_its_square(
    shares_label: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 VMs with anti-affinity to each other: each VM is indexed once, and compared a constant number of times."""
    count = 200
    machines = [vm(f"vm{number}", {"app": "db" if shares_label else f"db{number}"}) for number in range(count)]
    world = ObjectsWorld([*machines, *nodes(3)])
    indexed, compared = [], []
    monkeypatch.setattr(peers, "subject_of", lambda one: (indexed.append(1), subject_of(one))[1])
    matches = Selector.matches
    monkeypatch.setattr(
        Selector, "matches", lambda selector, labels: (compared.append(1), matches(selector, labels))[1]
    )

    found = [finding.rule.id for machine in machines for finding in judge(machine, world, only(NEWEST)).findings]

    assert found.count("LM510") == (count if shares_label else 0)
    assert len(indexed) == count
    assert len(compared) <= 2 * count


def test_an_added_vm_is_counted() -> None:
    world = ObjectsWorld([*nodes(2), vm("a", {"app": "db"})])
    before = judge(vm("a", {"app": "db"}), world, only(NEWEST)).findings
    world.add(vm("b", {"app": "db"}))

    after = judge(vm("a", {"app": "db"}), world, only(NEWEST)).findings

    assert "LM510" not in {finding.rule.id for finding in before}
    assert "LM510" in {finding.rule.id for finding in after}
