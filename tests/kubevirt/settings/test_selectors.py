"""The MigrationPolicy that wins for a VMI, with known and with unknown labels."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, carriers
from tests.kubevirt.building import read
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.settings.selectors import NAME_LABEL, contenders, malformed, matches_of
from webhook.kubevirt.settings.vm_index import known_vms
from webhook.kubevirt.subject import with_labels_only
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import ObjectMeta
from webhook.objects.path import dotted
from webhook.objects.storage import PersistentVolumeClaim

SECRET = Unknown("it was not provided")


def policy(name: str, vmi: Any = None, namespace: Any = None, **spec: Any) -> MigrationPolicy:
    selectors = {"virtualMachineInstanceSelector": vmi, "namespaceSelector": namespace}
    return msgspec.convert({"metadata": {"name": name}, "spec": {"selectors": selectors, **spec}}, MigrationPolicy)


def names(winner: Any) -> list[str | None]:
    return [item.policy.name if item is not None else None for item in winner]


@pytest.mark.parametrize(
    ("policies", "winner"),
    [
        ([], None),
        ([policy("a", {"speed": "slow"})], None),
        ([policy("a", {"speed": "fast"})], "a"),
        ([policy("a", {"speed": "fast"}), policy("b", {"speed": "fast", "size": "big"})], "b"),
        ([policy("a", None, {"team": "db", "tier": "1"}), policy("b", {"speed": "fast"})], "a"),
        ([policy("a", None, {"team": "db"}), policy("b", {"speed": "fast"})], "b"),
        ([policy("b", {"speed": "fast"}), policy("a", {"size": "big"})], "a"),
        ([policy("z", {}), policy("b", {"speed": "slow"})], "z"),
        ([policy("z"), policy("y", {}, {})], "y"),
        ([policy("a", {"speed": "fast", "other": "x"}), policy("b", {})], "b"),
        ([policy("a", {"speed": "fast"}, {"team": "web"})], None),
        ([policy("a", {"matchLabels": {"speed": "fast"}})], None),
    ],
)
def test_the_most_labels_win_then_the_vmis_then_the_name(policies: list[MigrationPolicy], winner: str | None) -> None:
    """
    One policy wins: most labels matched, then most labels of the VMI, then the name that comes first.
    """
    candidates = contenders(policies, {"speed": "fast", "size": "big"}, {"team": "db", "tier": "1"})

    assert names(candidates) == [winner]


@pytest.mark.parametrize(
    ("policies", "answer"),
    [
        ([policy("a", {"speed": "fast"})], ["a"]),
        ([policy("a", None, {"team": "db"})], ["a", None]),
        ([policy("a", None, {NAME_LABEL: "tenant"})], ["a"]),
        ([policy("a", None, {NAME_LABEL: "other"})], [None]),
        ([policy("a", None, {NAME_LABEL: "other", "team": "db"})], [None]),
        ([policy("a", None, {"team": "db"}), policy("b", {"speed": "fast"})], ["b"]),
        ([policy("a", {"size": "big"}, {"team": "db"}), policy("b", {"speed": "fast"})], ["a", "b"]),
        ([policy("a", {"speed": "slow"}, {"team": "db"}), policy("b", {})], ["b"]),
    ],
)
def test_unknown_labels_of_the_namespace_leave_several_answers(
    policies: list[MigrationPolicy], answer: list[str | None]
) -> None:
    """
    With unknown labels of the namespace, the result has every policy that may win, and None where possibly none matches.
    """
    candidates = contenders(policies, {"speed": "fast", "size": "big"}, SECRET, "tenant")

    assert names(candidates) == answer


KEYS, VALUES = st.sampled_from("abc"), st.sampled_from("xy")
LABELS = st.dictionaries(KEYS, VALUES)
POLICIES = st.lists(st.tuples(st.sampled_from("pqrst"), st.none() | LABELS, st.none() | LABELS), max_size=5)


@given(POLICIES, LABELS, LABELS)
def test_the_winner_is_the_one_of_kubevirts_own_loop(
    drawn: list[tuple[str, Any, Any]], vmi: dict[str, str], namespace: dict[str, str]
) -> None:
    """
    Walking over the policies as KubeVirt's matchPolicy does, keeping the best score so far, finds the same one.
    """
    unique = {name: (selector, space) for name, selector, space in drawn}
    policies = [policy(name, *selectors) for name, selectors in unique.items()]
    best, kept = (0, 0), list[str]()
    for name, (selector, space) in unique.items():
        if not ((selector or {}).items() <= vmi.items() and (space or {}).items() <= namespace.items()):
            continue
        score = (len(selector or {}) + len(space or {}), len(selector or {}))
        if score > best:
            best, kept = score, [name]
        elif score == best:
            kept.append(name)

    assert names(contenders(policies, vmi, namespace)) == [min(kept) if kept else None]
    assert names(matches_of(policies, vmi, namespace))[:1] == ([min(kept)] if kept else [])


@given(POLICIES, LABELS, LABELS)
def test_the_winner_is_among_the_contenders(
    drawn: list[tuple[str, Any, Any]], vmi: dict[str, str], namespace: dict[str, str]
) -> None:
    """
    Whatever the labels of the namespace turn out to be, the winner was named before.
    """
    policies = [policy(name, *rest) for name, *rest in {item[0]: item for item in drawn}.values()]

    [known] = contenders(policies, vmi, namespace)

    assert known is None or known.policy.name in names(contenders(policies, vmi, SECRET))
    assert known is not None or None in contenders(policies, vmi, SECRET)


@pytest.mark.parametrize(
    ("selectors", "wrong"),
    [
        ({}, []),
        ({"namespaceSelector": None}, []),
        ({"namespaceSelector": {"a": "b"}}, []),
        ([], ["spec.selectors"]),
        ("a=b", ["spec.selectors"]),
        ({"namespaceSelector": "a=b"}, ["spec.selectors.namespaceSelector"]),
        (
            {"namespaceSelector": {"a": 1, "b": True, "c": "d"}},
            ["spec.selectors.namespaceSelector.a", "spec.selectors.namespaceSelector.b"],
        ),
        (
            {"virtualMachineInstanceSelector": {"matchLabels": {}}},
            ["spec.selectors.virtualMachineInstanceSelector.matchLabels"],
        ),
        ({"vmSelector": {"a": "b"}}, ["spec.selectors.vmSelector"]),
    ],
)
def test_selectors_that_are_no_plain_maps_are_named(selectors: Any, wrong: list[str]) -> None:
    """
    Each place that the API server refuses is reported, and the policy matches nothing.
    """
    judged = msgspec.convert({"metadata": {"name": "p"}, "spec": {"selectors": selectors}}, MigrationPolicy)
    paths = [dotted(path) for path, _, _ in malformed(judged)]

    assert paths == wrong
    if paths:
        assert contenders([judged], {"a": "b"}, {}) == (None,)


@given(st.lists(carriers(), min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_labels_are_all_that_is_read_of_other_vms(machines: list[Manifest]) -> None:
    """
    Only the labels of other VMs are kept for the policies that may select them.
    """
    objects = [read(machine) for machine in machines]

    known = known_vms(ObjectsWorld(map(with_labels_only, objects))).vms

    assert known == known_vms(ObjectsWorld(objects)).vms
    assert known


def test_a_reference_without_a_namespace_matches_an_object_in_only_one_namespace() -> None:
    """
    Manifests often have no namespace; of two objects with the same name, none is chosen.
    """

    def claim(space: str, name: str) -> PersistentVolumeClaim:
        return PersistentVolumeClaim(metadata=ObjectMeta(name=name, namespace=space))

    world = ObjectsWorld(())
    world.add(claim("a", "os"))
    world.add(claim("b", "data"))
    first = world.find(PersistentVolumeClaim, "", "os")
    world.add(claim("b", "os"))
    world.add(claim("b", "late"))

    assert isinstance(first, PersistentVolumeClaim)
    assert isinstance(world.find(PersistentVolumeClaim, "", "os"), Unknown)
    assert world.find(PersistentVolumeClaim, "", "late") == claim("b", "late")
