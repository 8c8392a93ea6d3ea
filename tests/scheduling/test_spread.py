"""Node fit by the plugin PodTopologySpread."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.scheduling.building import HOST, ZONE, expression, node, pod, state, verdicts

SKEWED = "node(s) didn't match pod topology spread constraints"
UNLABELLED = f"{SKEWED} (missing required label)"
WEB = {"app": "web"}


def constraint(key: str = ZONE, **more: Any) -> dict[str, Any]:
    selector = {"labelSelector": {"matchLabels": WEB}}
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", **selector, **more}


def web(name: str, on: str = "", constraints: Sequence[dict[str, Any]] = (), **more: Any) -> Any:
    return pod(name, on, more.pop("labels", WEB), topologySpreadConstraints=constraints, **more)


def in_zones(*zones: str, **spec: Any) -> list[Any]:
    """A node in each zone, named after it."""
    return [node(zone, {ZONE: zone}, **spec) for zone in zones]


def test_the_pod_must_not_make_its_domain_larger_than_the_smallest_one_by_more_than_the_skew() -> None:
    cluster = state(in_zones("a", "b"), [web("1", "a")])
    assert verdicts(cluster, web("p", constraints=[constraint()])) == {"a": SKEWED, "b": "fits"}
    assert verdicts(cluster, web("p", constraints=[constraint(maxSkew=2)])) == {"a": "fits", "b": "fits"}


def test_a_pod_that_the_selector_does_not_select_does_not_count_itself() -> None:
    cluster = state(in_zones("a", "b"), [web("1", "a")])
    assert verdicts(cluster, web("p", constraints=[constraint()], labels={})) == {"a": "fits", "b": "fits"}


def test_a_node_without_the_topology_label_does_not_fit() -> None:
    assert verdicts(state([node("n1")]), web("p", constraints=[constraint()])) == {"n1": UNLABELLED}


def test_a_constraint_that_only_prefers_nodes_excludes_none() -> None:
    cluster = state([node("n1"), *in_zones("a")], [web("1", "a")])
    soft = constraint(whenUnsatisfiable="ScheduleAnyway")
    assert verdicts(cluster, web("p", constraints=[soft])) == {"n1": "fits", "a": "fits"}


@pytest.mark.parametrize(
    "other",
    [
        {"meta": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
        {"namespace": "other"},
        {"labels": {"app": "db"}},
        {"status": {"phase": "Succeeded"}},
    ],
)
def test_only_running_pods_of_the_namespace_that_the_selector_selects_count(other: dict[str, Any]) -> None:
    cluster = state(in_zones("a", "b"), [web("1", "a", **other)])
    assert verdicts(cluster, web("p", constraints=[constraint()])) == {"a": "fits", "b": "fits"}


def test_pods_on_nodes_without_all_topology_labels_do_not_count() -> None:
    rack = constraint("rack", maxSkew=5)
    nodes = [node("n1", {ZONE: "a"}), node("n2", {ZONE: "a", "rack": "r"}), node("n3", {ZONE: "b", "rack": "r"})]
    cluster = state(nodes, [web("1", "n1")])
    assert verdicts(cluster, web("p", constraints=[constraint(), rack])) == {
        "n1": UNLABELLED,
        "n2": "fits",
        "n3": "fits",
    }
    assert verdicts(cluster, web("p", constraints=[constraint()])) == {"n1": SKEWED, "n2": SKEWED, "n3": "fits"}


def test_too_few_domains_count_as_an_empty_domain() -> None:
    cluster = state(in_zones("a", "b"), [web("1", "a"), web("2", "b")])
    assert verdicts(cluster, web("p", constraints=[constraint(minDomains=2)])) == {"a": "fits", "b": "fits"}
    assert verdicts(cluster, web("p", constraints=[constraint(minDomains=3)])) == {"a": SKEWED, "b": SKEWED}


def test_nodes_that_the_pod_does_not_select_are_no_domains_by_default() -> None:
    nodes = [node("a", {ZONE: "a", "disk": "ssd"}), node("b", {ZONE: "b"})]
    cluster = state(nodes, [web("1", "a")])
    selecting = {"nodeSelector": {"disk": "ssd"}}
    unmatched = "node(s) didn't match Pod's node affinity/selector"
    assert verdicts(cluster, web("p", constraints=[constraint()], **selecting)) == {"a": "fits", "b": unmatched}
    ignoring = [constraint(nodeAffinityPolicy="Ignore")]
    assert verdicts(cluster, web("p", constraints=ignoring, **selecting)) == {"a": SKEWED, "b": unmatched}


def test_tainted_nodes_are_domains_unless_the_constraint_honors_taints() -> None:
    taint = {"key": "gpu", "effect": "NoSchedule"}
    cluster = state([*in_zones("a"), *in_zones("b", taints=[taint])], [web("1", "a")])
    untolerated = "node(s) had untolerated taint {gpu: }"
    assert verdicts(cluster, web("p", constraints=[constraint()])) == {"a": SKEWED, "b": untolerated}
    honoring = [constraint(nodeTaintsPolicy="Honor")]
    assert verdicts(cluster, web("p", constraints=honoring)) == {"a": "fits", "b": untolerated}


def test_untainted_domains_count_if_the_constraint_honors_taints() -> None:
    taint = {"key": "gpu", "effect": "NoSchedule"}
    cluster = state(
        [*in_zones("a", "b"), *in_zones("c", taints=[taint])], [web("1", "a"), web("2", "c"), web("3", "c")]
    )
    honoring = [constraint(nodeTaintsPolicy="Honor")]
    found = verdicts(cluster, web("p", constraints=honoring))
    assert (found["a"], found["b"]) == (SKEWED, "fits")


def test_a_cordoned_node_is_no_domain_if_the_constraint_honors_taints() -> None:
    cluster = state(in_zones("a", "b"), [web("1", "a")])
    cluster.cordon("b")
    assert cluster.fit(web("p", constraints=[constraint()])).fitting() == []
    following = cluster.fit(web("p", constraints=[constraint(nodeTaintsPolicy="Honor")]))
    assert following.fitting() == ["a"]
    cluster.undo(0)
    assert following.fitting() == ["b"]
    cluster.cordon("b")
    assert following.fitting() == ["a"]
    assert cluster.fit(web("p", constraints=[constraint(nodeTaintsPolicy="Honor")])).fitting() == ["a"]


def test_match_label_keys_select_pods_with_the_same_label_value() -> None:
    version = constraint(matchLabelKeys=["version", "absent"])
    cluster = state(in_zones("a", "b"), [web("1", "a", labels={**WEB, "version": "1"})])
    assert verdicts(cluster, web("p", constraints=[version], labels={**WEB, "version": "1"}))["a"] == SKEWED
    assert verdicts(cluster, web("p", constraints=[version], labels={**WEB, "version": "2"}))["a"] == "fits"
    merged = {"matchLabels": WEB, "matchExpressions": [expression("version", "In", "1")]}
    stored = constraint(matchLabelKeys=["version"], labelSelector=merged)
    assert verdicts(cluster, web("p", constraints=[stored], labels={**WEB, "version": "1"}))["a"] == SKEWED
    later = [{**stored, "maxSkew": 0}]
    assert verdicts(cluster, web("p", constraints=later, labels={**WEB, "version": "2"})) == {"a": SKEWED, "b": "fits"}


def test_an_empty_selector_counts_no_pod_and_an_absent_selector_selects_none() -> None:
    cluster = state(in_zones("a", "b"), [web("1", "a"), web("2", "a")])
    for selector in ({"labelSelector": {}}, {"labelSelector": None}):
        assert verdicts(cluster, web("p", constraints=[constraint(**selector)])) == {"a": "fits", "b": "fits"}


def test_all_constraints_apply() -> None:
    nodes = [node("n1", {ZONE: "a"}), node("n2", {ZONE: "a"}), node("n3", {ZONE: "b"})]
    cluster = state(nodes, [web("1", "n1"), web("2", "n3")])
    assert verdicts(cluster, web("p", constraints=[constraint(), constraint(HOST)])) == {
        "n1": SKEWED,
        "n2": "fits",
        "n3": SKEWED,
    }


def test_a_domain_without_eligible_nodes_has_no_pods() -> None:
    taint = {"key": "gpu", "effect": "NoSchedule"}
    tolerant = {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]}
    cluster = state(in_zones("a", taints=[taint]), [web("1", "a")])
    honoring = [constraint(nodeTaintsPolicy="Honor")]
    assert cluster.fit(web("p", constraints=honoring, **tolerant)).reasons() == {
        "node(s) had untolerated taint {gpu: }": 1
    }
    selecting = constraint(nodeAffinityPolicy="Honor", minDomains=5)
    elsewhere = state([node("n1", {ZONE: "a", "x": "y"}), node("n2", {ZONE: "a"})], [web("1", "n2")])
    assert verdicts(elsewhere, web("p", constraints=[selecting], nodeSelector={"x": "y"}))["n1"] == "fits"
