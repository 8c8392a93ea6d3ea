"""The PodDisruptionBudgets of a VM are found by their labels (webhook.kubevirt.launcher.target)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kubevirt.launcher.test_peers import LABELS, SELECTORS
from webhook.kubevirt.launcher import target
from webhook.kubevirt.launcher.target import BudgetIndex
from webhook.objects.disruption import PodDisruptionBudget
from webhook.scheduling.label_selectors import selects

NAMESPACES = st.sampled_from(["lab", "shop", ""])


def budget(name: str, namespace: str, selector: Any) -> PodDisruptionBudget:
    value = {"metadata": {"name": name, "namespace": namespace}, "spec": {"selector": selector}}
    return msgspec.convert(value, PodDisruptionBudget)


@given(
    st.lists(st.builds(budget, st.sampled_from("abcd"), NAMESPACES, st.none() | SELECTORS), max_size=6),
    st.lists(st.tuples(NAMESPACES, LABELS), min_size=1, max_size=4),
)
def test_the_budgets_are_those_of_comparing_each_budget(
    budgets: list[PodDisruptionBudget], vms: list[tuple[str, dict[str, str]]]
) -> None:
    """
    A VM or a budget without a namespace can be in any namespace.
    """
    index = BudgetIndex(budgets)

    for namespace, labels in vms:
        assert [*index.selecting(namespace, labels)] == [
            one
            for one in sorted(budgets, key=lambda one: (one.namespace, one.name))
            if selects(one.spec.selector, labels) and (not namespace or one.namespace in (namespace, ""))
        ]


def test_a_second_thread_sees_all_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A server judges large reviews in a thread of their own. Here, the index is used while it is being filled.
    """
    labels = {"app": "db"}
    index = BudgetIndex([budget("a", "lab", {"matchLabels": labels})])
    anchors, seen = target._anchors, list[Any]()

    def interrupted(one: PodDisruptionBudget) -> Any:
        if not seen:
            seen.append(None)
            seen.extend(index.selecting("lab", labels))
        return anchors(one)

    monkeypatch.setattr(target, "_anchors", interrupted)

    assert [None, *index.selecting("lab", labels)] == seen
    assert len(seen) == 2
