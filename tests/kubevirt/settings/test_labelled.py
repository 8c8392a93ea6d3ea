"""The labels of the VMs that a MigrationPolicy may select (webhook.kubevirt.settings.selectors and vm_index)."""

import itertools
from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import Manifest, read, vm, vmi, world
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.policy import LabelledVM, Selection, Selectors
from webhook.facts.unknown import ABSENT, Fact, NotGiven, Unknown
from webhook.kubevirt.releases import SUPPORTED
from webhook.kubevirt.settings.policies import policy_facts
from webhook.kubevirt.settings.selectors import (
    NAME_LABEL,
    Labels,
    Match,
    contenders,
    matches_of,
    matching,
    namespace_labels,
    selectors_of,
)
from webhook.kubevirt.settings.vm_index import VMIndex, known_vms
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.nad import Namespace
from webhook.rules.policies.matches_nothing import check
from webhook.rules.rule import Outcome, Undetermined

SECRET = Unknown("not shown")
TEAM: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": {"team": "db"}}}
NAMED = {NAME_LABEL: "tenant"}


def policy(selectors: Any) -> MigrationPolicy:
    return msgspec.convert({"metadata": {"name": "p"}, "spec": {"selectors": selectors}}, MigrationPolicy)


def by_labels(vmi: Any = None, namespace: Any = None) -> MigrationPolicy:
    return policy({"virtualMachineInstanceSelector": vmi, "namespaceSelector": namespace})


def with_labels(manifest: Manifest, outer: Any, inner: Any = None) -> Manifest:
    """The manifest with labels of its own and, for a VM, of its template."""
    changed = {**manifest, "metadata": {**manifest["metadata"], "labels": outer}}
    if manifest["kind"] == "VirtualMachine":
        changed["spec"] = {"template": {**manifest["spec"]["template"], "metadata": {"labels": inner}}}
    return changed


def a_vm(labels: Labels, namespace: str = "tenant", outer: Labels | None = None) -> LabelledVM:
    return LabelledVM("VirtualMachine", "vm", namespace, labels, outer or {})


def test_a_vm_is_listed_with_the_labels_of_template_and_vm() -> None:
    """
    A VMI has one set of labels, which counts as both; absent labels are none.
    """
    machine = with_labels(vm("{}"), {"outer": "1"}, {"inner": "2"})

    vms = known_vms(world(machine, with_labels(vmi("{}"), {"own": "3"}))).vms
    bare = known_vms(world(with_labels(vm("{}"), None), with_labels(vmi("{}"), None))).vms

    assert vms == (
        LabelledVM("VirtualMachine", "vm", "tenant", {"inner": "2"}, {"outer": "1"}),
        LabelledVM("VirtualMachineInstance", "vm", "tenant", {"own": "3"}, {"own": "3"}),
    )
    assert bare == (
        LabelledVM("VirtualMachine", "vm", "tenant", {}, {}),
        LabelledVM("VirtualMachineInstance", "vm", "tenant", {}, {}),
    )


@pytest.mark.parametrize("in_other", [True, False])
def test_each_vm_has_the_labels_of_its_own_namespace(in_other: bool) -> None:
    """
    A namespace that is not shown leaves its labels unknown.
    """
    other = vm("{}")
    other["metadata"] = {"name": "vm", "namespace": "other"}
    judged = by_labels(None, {"team": "db"})

    selection = policy_facts(judged, world(TEAM, other if in_other else vm("{}")), SUPPORTED).selection

    assert selection == Selection(1, None if in_other else True, all_have_namespaces=True)


def test_without_vms_none_is_listed() -> None:
    """
    The same applies where the cluster is known to have none.
    """
    assert known_vms(ObjectsWorld(())).vms == ()
    assert policy_facts(by_labels({}), ObjectsWorld(()), SUPPORTED).selection is None


def test_a_namespace_has_a_label_with_its_name() -> None:
    """
    Kubernetes writes it. A namespace that is known to be absent is named.
    """
    without_labels = {**TEAM, "metadata": {"name": "tenant"}}

    absent = namespace_labels(ObjectsWorld((), (Namespace,)), "tenant")

    assert namespace_labels(world(without_labels), "tenant") == NAMED
    assert ObjectsWorld((), (Namespace,)).find(Namespace, "", "tenant") is ABSENT
    assert absent == Unknown("namespace 'tenant' does not exist", "create namespace 'tenant'")
    assert namespace_labels(ObjectsWorld(()), "tenant") == NotGiven(
        "Namespace 'tenant' is not in the input", "add the manifest of Namespace 'tenant' to the input"
    )


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (None, None),
        ("a=b", None),
        ({}, Selectors(None, None)),
        ({"namespaceSelector": {}, "virtualMachineInstanceSelector": []}, Selectors({}, None)),
        (
            {"namespaceSelector": {"a": "b", "c": 1}, "virtualMachineInstanceSelector": {"d": "e", "f": None}},
            Selectors({"a": "b"}, {"d": "e"}),
        ),
    ],
)
def test_selectors_are_read_without_the_values_that_are_no_text(selectors: Any, expected: Selectors | None) -> None:
    """
    An empty selector and a missing one differ.
    """
    assert selectors_of(policy(selectors)) == expected


@pytest.mark.parametrize(
    ("judged", "namespace", "name", "expected"),
    [
        (by_labels({"a": "1"}, {"b": "2"}), {"b": "2", "c": "3"}, "", (1, 1, True)),
        (by_labels({"a": "1"}, {"b": "2"}), {"b": "3"}, "", None),
        (by_labels({"a": "2"}, {"b": "2"}), {"b": "2"}, "", None),
        (by_labels(), {}, "", (0, 0, True)),
        (by_labels(), SECRET, "", (0, 0, True)),
        (by_labels({"a": "1"}), SECRET, "tenant", (1, 0, True)),
        (by_labels({"a": "2"}, {"b": "2"}), SECRET, "tenant", None),
        (by_labels(None, {"b": "2"}), SECRET, "tenant", (0, 1, False)),
        (by_labels(None, NAMED), SECRET, "tenant", (0, 1, True)),
        (by_labels(None, {**NAMED, "b": "2"}), SECRET, "tenant", (0, 2, False)),
        (by_labels(None, NAMED), SECRET, "other", None),
        (by_labels(None, NAMED), SECRET, "", (0, 1, False)),
        (policy(None), {}, "", None),
        (by_labels(5), {}, "", None),
    ],
)
def test_a_policy_matches_by_all_its_labels(
    judged: MigrationPolicy, namespace: Fact[Labels], name: str, expected: tuple[int, int, bool] | None
) -> None:
    """
    Of an unknown namespace only the name may be known; where the name is not known either, nothing is certain.
    """
    match = matching(judged, {"a": "1"}, namespace, name)

    assert match == (None if expected is None else Match(judged, *expected))


def test_without_a_name_of_the_namespace_none_is_known() -> None:
    """
    So a policy that selects one may match.
    """
    judged = by_labels(None, NAMED)
    maybe = Match(judged, 0, 1, certain=False)

    assert matching(judged, {}, SECRET) == maybe
    assert matches_of([judged], {}, SECRET) == [maybe]
    assert contenders([judged], {}, SECRET) == (maybe, None)
    assert contenders([judged], {}, SECRET, "tenant") == (Match(judged, 0, 1),)


@pytest.mark.parametrize(
    ("selectors", "vms", "answer"),
    [
        (Selectors(None, {"a": "b"}), [a_vm({"a": "b"})], True),
        (Selectors(None, {"a": "b"}), [a_vm({"a": "c"}), a_vm({})], False),
        (Selectors({"t": "x"}, None), [a_vm({})], None),
        (Selectors({"t": "x"}, None), [a_vm({}), a_vm({}, "labelled")], True),
        (Selectors({"t": "y"}, None), [a_vm({}, "labelled")], False),
        (Selectors({"t": "x"}, {"a": "b"}), [a_vm({"a": "c"})], False),
        (Selectors({}, None), [a_vm({})], True),
        (Selectors(NAMED, None), [a_vm({})], True),
        (Selectors(NAMED, None), [a_vm({}, "other")], False),
        (Selectors(NAMED, None), [a_vm({}, "")], None),
        (Selectors(NAMED, None), [a_vm({}, ""), a_vm({}, "other")], None),
        (Selectors(NAMED, None), [a_vm({}, ""), a_vm({})], True),
        (Selectors(NAMED, None), [], False),
    ],
)
def test_whether_any_vm_is_selected(selectors: Selectors, vms: list[LabelledVM], answer: bool | None) -> None:
    """
    Unknown without the labels of the namespace. kubectl chooses a namespace later for a VM without one, so this VM may be
    selected by the name of a namespace.
    """
    assert (
        VMIndex(vms).selects_any(
            selectors, {"labelled": {"t": "x"}, "": SECRET, "other": SECRET, "tenant": SECRET}.__getitem__
        )
        is answer
    )


def outcomes(*machines: Manifest) -> list[Outcome]:
    judged = by_labels(None, NAMED)
    return [*check(policy_facts(judged, ObjectsWorld([judged, *map(read, machines)]), SUPPORTED))]


def test_a_vm_without_a_namespace_leaves_open_whether_a_policy_matches_it() -> None:
    """
    The remedy is to set the namespace in the manifest. For a known name only the labels are missing.
    """
    nowhere, elsewhere = vm("{}"), vm("{}")
    nowhere["metadata"], elsewhere["metadata"] = {"name": "vm"}, {"name": "vm", "namespace": "other"}

    (result,) = outcomes(nowhere)

    assert isinstance(result, Undetermined)
    assert result.settle == "pass the manifests of the namespaces too, and set metadata.namespace of each VM"
    assert not isinstance(outcomes(elsewhere)[0], Undetermined)
    assert outcomes(vm("{}")) == []


MARKED = {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("wanted", "outer", "inner", "is_mislabelled"),
    [
        (MARKED, MARKED, {}, True),
        (MARKED, {**MARKED, "e": "f"}, {"a": "b"}, True),
        (MARKED, MARKED, MARKED, False),
        (MARKED, {"a": "b"}, {}, False),
        ({}, {}, {}, False),
        (None, MARKED, {}, False),
    ],
)
def test_a_vm_is_mislabelled_if_it_has_all_wanted_labels_and_its_template_does_not(
    wanted: Labels | None, outer: Labels, inner: Labels, is_mislabelled: bool
) -> None:
    """
    The first such VM is named. A selector without labels wants none.
    """
    other, near = a_vm({}), a_vm(inner, outer=outer)

    assert VMIndex([other, near]).mislabelled(Selectors(None, wanted)) is (near if is_mislabelled else None)


def test_the_named_vm_does_not_depend_on_the_order_of_the_vms() -> None:
    """
    An audit and a check of the same VMs name the same VM, although they read the VMs in different orders.
    """
    vms = [msgspec.structs.replace(a_vm({}, outer=MARKED), name=name) for name in ("web", "db", "shop")]

    found = [VMIndex(ordered).mislabelled(Selectors(None, MARKED)) for ordered in itertools.permutations(vms)]

    assert all(one is vms[1] for one in found)
