"""The indexes of MigrationPolicies and VMs (policy_index, vm_index) give the results of comparing each with each."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from webhook.facts.policy import LabelledVM, Selectors
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.settings.policy_index import PolicyIndex
from webhook.kubevirt.settings.selectors import (
    NAME_LABEL,
    Labels,
    has_labels,
    in_namespace,
    matches_of,
    selectors_of,
)
from webhook.kubevirt.settings.vm_index import VMIndex
from webhook.objects.kubevirt import MigrationPolicy

LABELS = st.dictionaries(st.sampled_from(["app", "tier", NAME_LABEL]), st.sampled_from(["a", "b"]), max_size=3)
SELECTOR = st.one_of(st.none(), LABELS, st.just({"app": 5}), st.just("text"))
POLICIES = st.lists(
    st.builds(
        lambda name, namespace, vmi, bandwidth: policy(
            name, {"namespaceSelector": namespace, "virtualMachineInstanceSelector": vmi}, **bandwidth
        ),
        st.sampled_from(["", "p", "q", "r", "s"]),
        SELECTOR,
        SELECTOR,
        st.sampled_from([{}, {"bandwidthPerMigration": "1Mi"}, {"bandwidthPerMigration": None}]),
    )
    | st.builds(lambda selectors: policy("odd", selectors), st.sampled_from([None, 7, {}, {"other": {}}])),
    max_size=6,
)
SPACES: st.SearchStrategy[Mapping[str, Fact[Labels]]] = st.fixed_dictionaries(
    {name: st.one_of(LABELS, st.just(Unknown("not provided"))) for name in ("a", "b", "")}
)
VMS = st.lists(
    st.builds(
        LabelledVM, st.just("VirtualMachine"), st.sampled_from("xyz"), st.sampled_from(["a", "b", ""]), LABELS, LABELS
    ),
    max_size=5,
)
SELECTORS = st.builds(Selectors, st.one_of(st.none(), LABELS), st.one_of(st.none(), LABELS))


def policy(name: str, selectors: Any, **settings: Any) -> MigrationPolicy:
    return msgspec.convert({"metadata": {"name": name}, "spec": {"selectors": selectors, **settings}}, MigrationPolicy)


def can_match_the_same_vm_as_closely(mine: Selectors, other: Selectors) -> bool:
    sides = ((mine.namespace or {}, other.namespace or {}), (mine.vmi or {}, other.vmi or {}))
    return all(
        len(left) == len(right) and all(right.get(key, value) == value for key, value in left.items())
        for left, right in sides
    )


@given(POLICIES)
def test_the_tied_policies_are_those_of_comparing_each_pair(policies: list[MigrationPolicy]) -> None:
    """
    Policies of the same name are one policy in two files. They are not tied.
    """
    index = PolicyIndex(policies)
    ordered = sorted(policies, key=lambda one: one.name)

    for mine in policies:
        selectors = selectors_of(mine)
        if selectors is not None:
            assert index.tied_with(mine.name, selectors) == tuple(
                (other.name, found)
                for other in ordered
                if other.name != mine.name
                and (found := selectors_of(other)) is not None
                and can_match_the_same_vm_as_closely(selectors, found)
            )


@given(POLICIES, LABELS, st.one_of(LABELS, st.just(Unknown("not provided"))), st.sampled_from(["", "a"]))
def test_the_candidates_have_the_matches_of_all_policies(
    policies: list[MigrationPolicy], vmi: Labels, namespace: Fact[Labels], name: str
) -> None:
    """
    Unknown labels of a namespace can match any selector.
    """
    candidates = PolicyIndex(policies).candidates(vmi, namespace)

    assert matches_of(candidates, vmi, namespace, name) == matches_of(policies, vmi, namespace, name)


@given(POLICIES)
def test_an_index_knows_whether_a_policy_limits_bandwidth_or_selects_namespaces(
    policies: list[MigrationPolicy],
) -> None:
    """
    If none does, a VM needs no lookup of its namespace and no estimate of its memory.
    """
    index = PolicyIndex(policies)

    assert index.limits_bandwidth == any(one.spec.get("bandwidthPerMigration") is not None for one in policies)
    assert index.selects_namespaces == any(
        selectors is not None and bool(selectors.namespace) for selectors in map(selectors_of, policies)
    )


def selects_any(selectors: Selectors, vms: Sequence[LabelledVM], spaces: Mapping[str, Fact[Labels]]) -> bool | None:
    answers = [
        in_namespace(selectors.namespace or {}, spaces[vm.namespace], vm.namespace)
        for vm in vms
        if has_labels(vm.labels, selectors.vmi or {})
    ]
    return True if True in answers else None if None in answers else False


@given(VMS, st.lists(SELECTORS, max_size=4), SPACES)
def test_the_selected_and_mislabelled_vms_are_those_of_comparing_each_vm(
    vms: list[LabelledVM], every: list[Selectors], spaces: Mapping[str, Fact[Labels]]
) -> None:
    """
    An index keeps its results by selector, so several policies use one index.
    """
    index = VMIndex(vms)

    for selectors in every:
        wanted = selectors.vmi or {}
        near = [vm for vm in vms if has_labels(vm.outer_labels, wanted) and not has_labels(vm.labels, wanted)]
        first = min(near, key=lambda vm: (vm.namespace, vm.name), default=None) if wanted else None
        assert index.selects_any(selectors, spaces.__getitem__) is selects_any(selectors, vms, spaces)
        assert index.mislabelled(selectors) == first
