"""Node fit by the plugin InterPodAffinity."""

from typing import Any

import pytest

from tests.scheduling.building import HOST, ZONE, expression, namespace, node, pod, state, term, terms, verdicts

AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
NEGATIVE = (
    "unknown: releases of kube-scheduler differ for a namespaceSelector that matches a namespace without labels "
    "(kubernetes#141526)"
)
WEB = {"app": "web"}
ZONES = [node("a1", {ZONE: "a"}), node("a2", {ZONE: "a"}), node("b1", {ZONE: "b"})]


def near(*listed: dict[str, Any]) -> dict[str, Any]:
    return terms("podAffinity", *listed)


def away(*listed: dict[str, Any]) -> dict[str, Any]:
    return terms("podAntiAffinity", *listed)


def test_a_pod_fits_the_domains_with_pods_that_its_affinity_selects() -> None:
    cluster = state([*ZONES, node("n1")], [pod("w", "a1", WEB)])
    assert verdicts(cluster, pod(affinity=near(term(WEB, ZONE)))) == {
        "a1": "fits",
        "a2": "fits",
        "b1": AFFINITY,
        "n1": AFFINITY,
    }


def test_all_affinity_terms_must_select_the_same_pod() -> None:
    both = near(term(WEB), term({"tier": "x"}))
    apart = state(ZONES, [pod("w", "a1", WEB), pod("x", "a1", {"tier": "x"})])
    assert verdicts(apart, pod(affinity=both))["a1"] == AFFINITY
    together = state(ZONES, [pod("w", "a1", {**WEB, "tier": "x"})])
    assert verdicts(together, pod(affinity=both)) == {"a1": "fits", "a2": AFFINITY, "b1": AFFINITY}


def test_the_first_pod_of_a_series_fits_every_node_with_the_topology_label() -> None:
    cluster = state([*ZONES, node("n1")])
    first = pod(labels=WEB, affinity=near(term(WEB, ZONE)))
    assert verdicts(cluster, first) == {"a1": "fits", "a2": "fits", "b1": "fits", "n1": AFFINITY}
    assert verdicts(cluster, pod(affinity=near(term(WEB, ZONE))))["a1"] == AFFINITY
    cluster.place(pod("other", labels=WEB), "b1")
    assert verdicts(cluster, first) == {"a1": AFFINITY, "a2": AFFINITY, "b1": "fits", "n1": AFFINITY}


def test_a_pod_does_not_fit_the_domains_with_pods_that_its_anti_affinity_selects() -> None:
    cluster = state([*ZONES, node("n1")], [pod("w", "a1", WEB)])
    assert verdicts(cluster, pod(affinity=away(term(WEB, ZONE)))) == {
        "a1": ANTI_AFFINITY,
        "a2": ANTI_AFFINITY,
        "b1": "fits",
        "n1": "fits",
    }


def test_anti_affinity_of_pods_on_nodes_applies_to_a_new_pod() -> None:
    cluster = state(ZONES, [pod("w", "a1", affinity=away(term(WEB, ZONE)))])
    assert verdicts(cluster, pod(labels=WEB)) == {"a1": EXISTING, "a2": EXISTING, "b1": "fits"}
    assert verdicts(cluster, pod()) == dict.fromkeys(("a1", "a2", "b1"), "fits")


@pytest.mark.parametrize(
    ("selector", "excludes"),
    [
        ({"matchExpressions": [expression("app", "In", "db", "web")]}, True),
        ({"matchExpressions": [expression("app", "In", "db")]}, False),
        ({"matchExpressions": [expression("app", "Exists")]}, True),
        ({"matchExpressions": [expression("tier", "DoesNotExist")]}, True),
        ({"matchExpressions": [expression("app", "NotIn", "web")]}, False),
        ({}, True),
    ],
)
def test_anti_affinity_of_pods_on_nodes_can_have_any_selector(selector: dict[str, Any], excludes: bool) -> None:
    rule = away({"topologyKey": HOST, "labelSelector": selector})
    cluster = state(ZONES, [pod("w", "a1", affinity=rule), pod("v", "a1", affinity=rule)])
    assert verdicts(cluster, pod(labels=WEB))["a1"] == (EXISTING if excludes else "fits")
    cluster.remove(pod("w"))
    assert verdicts(cluster, pod(labels=WEB))["a1"] == (EXISTING if excludes else "fits")
    cluster.remove(pod("v"))
    assert verdicts(cluster, pod(labels=WEB))["a1"] == "fits"


def test_the_reasons_have_the_order_affinity_anti_affinity_existing() -> None:
    rules = [pod("w", "a1", WEB, affinity=away(term({"app": "new"})))]
    new = {"labels": {"app": "new"}}
    cluster = state([node("a1")], rules)
    assert verdicts(cluster, pod(affinity=near(term({"x": "y"})) | away(term(WEB)), **new)) == {"a1": AFFINITY}
    assert verdicts(cluster, pod(affinity=away(term(WEB)), **new)) == {"a1": ANTI_AFFINITY}
    assert verdicts(cluster, pod(**new)) == {"a1": EXISTING}


@pytest.mark.parametrize(
    ("where", "reaches"),
    [
        ({}, ["default"]),
        ({"namespaces": ["x"]}, ["x"]),
        ({"namespaces": ["default", "y"]}, ["default", "y"]),
        ({"namespaceSelector": {}}, ["default", "x", "y"]),
        ({"namespaceSelector": {"matchLabels": {"team": "x"}}}, ["x"]),
        ({"namespaceSelector": {"matchLabels": {"team": "x"}}, "namespaces": ["y"]}, ["x", "y"]),
        ({"namespaceSelector": {"matchExpressions": [expression("team", "Exists")]}}, ["x", "y"]),
    ],
)
def test_a_term_applies_to_its_namespaces(where: dict[str, Any], reaches: list[str]) -> None:
    known = [namespace("default"), namespace("x", team="x"), namespace("y", team="y")]
    for name in ("default", "x", "y"):
        incoming = state([node("n1")], [pod("w", "n1", WEB, namespace=name)], namespaces=known)
        expected = ANTI_AFFINITY if name in reaches else "fits"
        assert verdicts(incoming, pod(affinity=away(term(WEB, **where)))) == {"n1": expected}
        existing = state([node("n1")], [pod("w", "n1", affinity=away(term(WEB, **where)))], namespaces=known)
        expected = EXISTING if name in reaches else "fits"
        assert verdicts(existing, pod(labels=WEB, namespace=name)) == {"n1": expected}


def test_a_negative_namespace_selector_of_a_new_pod_is_unknown_because_releases_differ() -> None:
    known = [namespace("x", team="x"), namespace("y", team="y")]
    rule = term(WEB, namespaceSelector={"matchExpressions": [expression("team", "NotIn", "x")]})
    cluster = state([node("n1"), node("n2"), node("n3")], [pod("w", "n1", WEB, namespace="x")], namespaces=known)
    cluster.place(pod("v", labels=WEB, namespace="y"), "n2")
    assert verdicts(cluster, pod(affinity=away(rule))) == {"n1": NEGATIVE, "n2": ANTI_AFFINITY, "n3": "fits"}
    assert verdicts(cluster, pod(affinity=near(rule))) == {"n1": NEGATIVE, "n2": "fits", "n3": AFFINITY}
    assert verdicts(cluster, pod(labels=WEB, affinity=near(rule)))["n3"] == AFFINITY


def test_without_namespaces_a_namespace_selector_is_unknown_only_where_it_decides() -> None:
    teams = {"namespaceSelector": {"matchLabels": {"team": "x"}}}
    rule = term(WEB, **teams)
    pods = [pod("w", "n1", WEB, namespace="x"), pod("v", "n2", affinity=away(term({"app": "new"}, **teams)))]
    cluster = state([node("n1"), node("n2"), node("n3")], pods, namespaces=None)
    unknown = "unknown: Namespace x was not provided"
    assert verdicts(cluster, pod(affinity=away(rule))) == {"n1": unknown, "n2": "fits", "n3": "fits"}
    assert verdicts(cluster, pod(affinity=near(rule))) == {"n1": unknown, "n2": AFFINITY, "n3": AFFINITY}
    could_be_first = pod(labels=WEB, affinity=near(rule))
    assert verdicts(cluster, could_be_first) == dict.fromkeys(("n1", "n2", "n3"), unknown)
    assert verdicts(cluster, pod(labels={"app": "new"}, namespace="x")) == {"n1": "fits", "n2": unknown, "n3": "fits"}


def test_a_namespace_that_does_not_exist_has_no_labels() -> None:
    cluster = state(
        [node("n1")], [pod("w", "n1", affinity=away(term(WEB, namespaceSelector={"matchLabels": {"a": "b"}})))]
    )
    assert verdicts(cluster, pod(labels=WEB, namespace="gone")) == {"n1": "fits"}


def test_match_label_keys_limit_a_term_to_pods_with_the_same_or_another_value() -> None:
    cluster = state([node("n1"), node("n2")], [pod("1", "n1", {**WEB, "v": "1"}), pod("2", "n2", {**WEB, "v": "2"})])
    own = {"labels": {**WEB, "v": "1"}}
    assert verdicts(cluster, pod(affinity=away(term(WEB, matchLabelKeys=["v", "absent"])), **own)) == {
        "n1": ANTI_AFFINITY,
        "n2": "fits",
    }
    assert verdicts(cluster, pod(affinity=away(term(WEB, mismatchLabelKeys=["v"])), **own)) == {
        "n1": "fits",
        "n2": ANTI_AFFINITY,
    }


def test_a_selector_may_also_use_the_key_of_a_mismatch() -> None:
    """
    The API server adds the requirement of ``mismatchLabelKeys`` to the requirements that the selector has for the key.
    """
    cluster = state([node("n1", {ZONE: "a"})], [pod("r", "n1", {"v": "1"})])
    has_key = {"matchExpressions": [{"key": "v", "operator": "Exists"}]}

    pods = [
        pod(labels={"v": own}, affinity=away({**term(WEB, mismatchLabelKeys=["v"]), "labelSelector": has_key}))
        for own in ("1", "2")
    ]

    assert [verdicts(cluster, each)["n1"] for each in pods] == ["fits", ANTI_AFFINITY]


def test_a_term_without_a_selector_selects_no_pod() -> None:
    cluster = state([node("n1")], [pod("w", "n1", WEB)])
    assert verdicts(cluster, pod(affinity=away(term(None)))) == {"n1": "fits"}
    assert verdicts(cluster, pod(affinity=near(term(None)))) == {"n1": AFFINITY}


def test_terminating_pods_count_for_affinity_and_finished_pods_do_not() -> None:
    ending = pod("w", "a1", WEB, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert verdicts(state(ZONES, [ending]), pod(affinity=away(term(WEB))))["a1"] == ANTI_AFFINITY
    done = pod("w", "a1", WEB, status={"phase": "Failed"})
    assert verdicts(state(ZONES, [done]), pod(affinity=away(term(WEB))))["a1"] == "fits"


def test_different_terms_of_pods_on_nodes_apply_side_by_side() -> None:
    other = {"labelSelector": {"matchExpressions": [expression("app", "Exists")]}}
    rules = [
        term(WEB, HOST),
        term(WEB, ZONE),
        term(WEB, ZONE, namespaces=["x"]),
        term(WEB, ZONE, namespaceSelector={"matchLabels": {"team": "x"}}),
        term(None, HOST, **other),
    ]
    nodes = [node(f"n{at}", {ZONE: f"z{at}"}) for at in range(len(rules))]
    pods = [pod(f"p{at}", f"n{at}", affinity=away(rule)) for at, rule in enumerate(rules)]
    cluster = state(nodes, pods, namespaces=[namespace("x", team="x")])
    own = [name for name, text in verdicts(cluster, pod(labels=WEB)).items() if text == EXISTING]
    assert own == ["n0", "n1", "n4"]
    theirs = [name for name, text in verdicts(cluster, pod(labels=WEB, namespace="x")).items() if text == EXISTING]
    assert theirs == ["n2", "n3"]


def test_each_affinity_term_applies_to_its_own_namespaces_and_topology() -> None:
    cluster = state([*ZONES, node("n1")], [pod("w", "a1", WEB), pod("v", "n1", WEB)])
    both = near(term(WEB), term(WEB, ZONE))
    assert verdicts(cluster, pod(affinity=both)) == {"a1": "fits", "a2": AFFINITY, "b1": AFFINITY, "n1": AFFINITY}
    elsewhere = near(term(WEB), term(WEB, namespaces=["x"]))
    assert set(verdicts(cluster, pod(affinity=elsewhere)).values()) == {AFFINITY}
    assert set(verdicts(state(ZONES), pod(labels=WEB, affinity=elsewhere)).values()) == {AFFINITY}


def test_the_first_unknown_term_names_the_missing_namespace() -> None:
    teams = {"namespaceSelector": {"matchLabels": {"team": "x"}}}
    pods = [pod("w", "n1", WEB, namespace="x"), pod("v", "n1", WEB, namespace="y")]
    cluster = state([node("n1", {ZONE: "a"})], pods, namespaces=None)
    rules = terms("podAffinity", term(WEB, HOST, **teams)) | away(term(WEB, ZONE, namespaces=["z"], **teams))
    assert verdicts(cluster, pod(affinity=rules)) == {"n1": "unknown: Namespace y was not provided"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (term(WEB, HOST), term(WEB, ZONE)),
        (term({"app": "db"}, ZONE), term(WEB, ZONE)),
        (term(WEB, ZONE, namespaces=["x"]), term(WEB, ZONE)),
        (
            term(WEB, ZONE, namespaceSelector={"matchLabels": {"team": "x"}}),
            term(WEB, ZONE, namespaceSelector={"matchLabels": {"team": "own"}}),
        ),
    ],
)
def test_a_term_of_one_pod_does_not_hide_a_similar_term_of_another(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    nodes = [node("n1", {ZONE: "a"}), node("n2", {ZONE: "b"}), node("n3", {ZONE: "b"})]
    pods = [pod("p1", "n1", affinity=away(first)), pod("p2", "n2", affinity=away(second))]
    cluster = state(nodes, pods, namespaces=[namespace("default", team="own")])
    assert verdicts(cluster, pod(labels=WEB))["n3"] == EXISTING
