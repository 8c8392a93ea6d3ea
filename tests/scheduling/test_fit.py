"""Whether a pod fits a node, held against the semantics of kube-scheduler's filter plugins."""

from typing import Any

import msgspec
import pytest

from webhook.objects.scheduling import LabelSelector, NodeTerm, Taint, Toleration
from webhook.scheduling.fit import Place, Pod, fits, refusals
from webhook.scheduling.label_selectors import selects
from webhook.scheduling.taints import tolerates

NODE = Place("n1", {"zone": "a", "cores": "8", "kubernetes.io/hostname": "n1"})


def terms(*values: Any) -> tuple[NodeTerm, ...]:
    return tuple(msgspec.convert(value, NodeTerm) for value in values)


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("term", "holds"),
    [
        (expression("zone", "In", "a", "b"), True),
        (expression("zone", "In", "b"), False),
        (expression("rack", "In", "b"), False),
        (expression("zone", "NotIn", "b"), True),
        (expression("rack", "NotIn", "b"), True),
        (expression("zone", "NotIn", "a"), False),
        (expression("zone", "Exists"), True),
        (expression("rack", "Exists"), False),
        (expression("rack", "DoesNotExist"), True),
        (expression("zone", "DoesNotExist"), False),
        (expression("cores", "Gt", "7"), True),
        (expression("cores", "Gt", "8"), False),
        (expression("cores", "Lt", "9"), True),
        (expression("zone", "Lt", "9"), False),
        (expression("rack", "Gt", "-1"), False),
        (expression("cores", "Gt", "1", "2"), False),
        (expression("zone", "Equals", "a"), False),
        ({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}, True),
        ({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]}, False),
        ({"matchFields": [{"key": "zone", "operator": "In", "values": ["a"]}]}, False),
        (expression("metadata.name", "In", "n1"), False),
        ({}, False),
    ],
)
def test_a_node_matches_the_requirements_of_a_term(term: dict[str, Any], holds: bool) -> None:
    """
    Expressions apply to labels and fields to the name. A term without requirements matches no node.
    """
    assert fits(Pod(terms=terms(term)), NODE) is holds


def test_a_node_must_match_one_term_and_all_its_requirements() -> None:
    """
    Terms are alternatives, and an empty list of terms matches no node.
    """
    both = {
        "matchExpressions": [*expression("zone", "In", "a")["matchExpressions"], {"key": "x", "operator": "Exists"}]
    }

    assert not fits(Pod(terms=terms(both)), NODE)
    assert fits(Pod(terms=terms(both, expression("zone", "In", "a"))), NODE)
    assert not fits(Pod(terms=()), NODE)
    assert fits(Pod(), NODE)


@pytest.mark.parametrize(
    ("toleration", "taint", "holds"),
    [
        ({"key": "gpu", "value": "x"}, ("gpu", "x", "NoSchedule"), True),
        ({"key": "gpu", "operator": "Equal", "value": "y"}, ("gpu", "x", "NoSchedule"), False),
        ({"key": "gpu", "operator": "Exists"}, ("gpu", "x", "NoExecute"), True),
        ({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}, ("gpu", "x", "NoExecute"), False),
        ({"operator": "Exists"}, ("gpu", "x", "NoSchedule"), True),
        ({"key": "other", "operator": "Exists"}, ("gpu", "x", "NoSchedule"), False),
        ({"key": "gpu"}, ("gpu", "x", "NoSchedule"), False),
        ({"key": "gpu"}, ("gpu", "", "NoSchedule"), True),
        ({"key": "gpu", "operator": "Unheard", "value": "x"}, ("gpu", "x", "NoSchedule"), False),
    ],
)
def test_a_toleration_applies_to_a_taint(toleration: dict[str, str], taint: tuple[str, str, str], holds: bool) -> None:
    """
    An absent operator means Equal. An empty key or effect matches every key or effect.
    """
    assert tolerates(msgspec.convert(toleration, Toleration), Taint(*taint)) is holds


def test_a_node_is_refused_in_the_words_of_the_plugins() -> None:
    """
    The reasons are in the order of kube-scheduler's plugins, and a node without a reason fits.
    """
    node = Place("n2", {}, (Taint("soft", "", "PreferNoSchedule"), Taint("gpu", "x", "NoSchedule")), unschedulable=True)

    found = [(refusal.plugin, refusal.reason) for refusal in refusals(Pod({"zone": "a"}, node_name="n1"), node)]

    assert found == [
        ("NodeUnschedulable", "node(s) were unschedulable"),
        ("NodeName", "node(s) didn't match the requested node name"),
        ("TaintToleration", "node(s) had untolerated taint {gpu: x}"),
        ("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"),
    ]
    assert list(refusals(Pod({"zone": "a"}), NODE)) == []


def test_a_pod_that_tolerates_the_unschedulable_taint_fits_a_cordoned_node() -> None:
    """
    DaemonSets have such a toleration.
    """
    cordoned = Place("n1", unschedulable=True)
    toleration = Toleration("node.kubernetes.io/unschedulable", "Exists")

    assert not fits(Pod(), cordoned)
    assert fits(Pod(tolerations=(toleration,)), cordoned)


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "db"}}, True),
        ({"matchLabels": {"app": "db", "tier": "x"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Unheard"}]}, False),
        ({"matchLabels": {"app": "db"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
    ],
)
def test_labels_meet_a_label_selector(selector: Any, holds: bool) -> None:
    """
    An absent selector selects nothing, an empty selector everything.
    """
    read = None if selector is None else msgspec.convert(selector, LabelSelector)

    assert selects(read, {"app": "db"}) is holds
