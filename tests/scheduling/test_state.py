"""Changes of a cluster in a rehearsal, and the messages about where a pod fits."""

import pytest

from tests.scheduling.building import HOST, node, pod, state, term, terms, verdicts
from webhook.objects.pods import Pod

AWAY = terms("podAntiAffinity", term({"app": "web"}))


def web(name: str, on: str = "") -> Pod:
    return pod(name, on, {"app": "web"}, affinity=AWAY)


def test_a_placed_pod_takes_room_until_the_change_is_undone() -> None:
    cluster = state([node("n1"), node("n2")])
    mark = cluster.mark()
    cluster.place(pod("large", requests={"cpu": 4}), "n1")
    assert cluster.fit(pod(requests={"cpu": 1})).fitting() == ["n2"]
    cluster.undo(mark)
    assert cluster.fit(pod(requests={"cpu": 1})).fitting() == ["n1", "n2"]


def test_a_removed_pod_gives_back_its_room_its_ports_and_its_claims() -> None:
    ports = [{"name": "c", "ports": [{"hostPort": 80}]}]
    old = pod("old", "n1", containers=ports, requests={})
    cluster = state([node("n1")], [old])
    new = pod("new", containers=ports)
    assert cluster.fit(new).fitting() == []
    cluster.remove(old)
    assert cluster.fit(new).fitting() == ["n1"]
    assert cluster.node_of(old) is None
    cluster.undo(0)
    assert cluster.fit(new).fitting() == []
    assert cluster.node_of(old) == "n1"


def test_anti_affinity_of_a_placed_pod_applies_until_it_is_undone() -> None:
    cluster = state([node("n1"), node("n2")], [web("a", "n1")])
    with cluster.tentatively():
        cluster.place(web("b"), "n2")
        assert verdicts(cluster, pod(labels={"app": "web"})) == dict.fromkeys(
            ("n1", "n2"), "node(s) didn't satisfy existing pods anti-affinity rules"
        )
    assert cluster.fit(pod(labels={"app": "web"})).fitting() == ["n2"]


def test_labels_of_pods_are_indexed_before_and_after_the_first_query() -> None:
    cluster = state([node("n1"), node("n2")], [pod("a", "n1", {"app": "web"})])
    query = pod("q", affinity=AWAY)
    assert cluster.fit(query).fitting() == ["n2"]
    cluster.place(pod("b", labels={"app": "web"}), "n2")
    assert cluster.fit(query).fitting() == []
    cluster.remove(pod("a"))
    assert cluster.fit(query).fitting() == ["n1"]


def test_a_fit_follows_changes_of_the_state() -> None:
    cluster = state([node("n1")])
    fit = cluster.fit(pod("q", affinity=AWAY))
    assert fit.fitting() == ["n1"]
    cluster.place(web("a"), "n1")
    assert fit.fitting() == []


def test_a_cordoned_node_does_not_fit_until_it_is_uncordoned() -> None:
    cluster = state([node("n1"), node("n2")])
    cluster.cordon("n1")
    assert verdicts(cluster, pod()) == {"n1": "node(s) were unschedulable", "n2": "fits"}
    cluster.uncordon("n1")
    assert verdicts(cluster, pod()) == {"n1": "fits", "n2": "fits"}
    cluster.undo(1)
    assert cluster.fit(pod()).fitting() == ["n2"]
    cluster.undo(0)
    assert cluster.fit(pod()).fitting() == ["n1", "n2"]


def test_a_toleration_of_the_unschedulable_taint_applies_to_a_node_that_is_cordoned_later() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "operator": "Exists"}
    cluster = state([node("n1", taints=[{"key": "soft", "effect": "PreferNoSchedule"}])])
    fit = cluster.fit(pod(tolerations=[taint]))
    cluster.cordon("n1")
    assert fit.fitting() == ["n1"]
    assert cluster.fit(pod()).fitting() == []
    cluster.undo(0)
    assert cluster.fit(pod()).fitting() == ["n1"]
    assert [taint.key for taint in cluster.nodes["n1"].taints] == ["soft"]


def test_a_node_that_was_cordoned_before_can_be_uncordoned() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    cluster = state([node("n1", unschedulable=True, taints=[taint])])
    with cluster.tentatively():
        cluster.uncordon("n1")
        assert verdicts(cluster, pod()) == {"n1": "fits"}
        assert cluster.nodes["n1"].taints == ()
    assert verdicts(cluster, pod()) == {"n1": "node(s) were unschedulable"}


def test_a_fit_follows_each_kind_of_change() -> None:
    cluster = state([node("n1")], [web("a", "n1")])
    fit = cluster.fit(pod("q", affinity=AWAY))
    found = [fit.fitting()]
    cluster.remove(pod("a"))
    found.append(fit.fitting())
    cluster.cordon("n1")
    found.append(fit.fitting())
    cluster.undo(1)
    found.append(fit.fitting())
    cluster.undo(0)
    found.append(fit.fitting())
    assert found == [[], ["n1"], [], ["n1"], []]
    assert fit.pod.name == "q"


def test_two_pods_with_the_same_spec_are_placed_side_by_side() -> None:
    cluster = state([node("n1"), node("n2")])
    first = web("a")
    fit = cluster.fit(first)
    cluster.place(first, "n1")
    assert fit.fitting() == ["n2"]
    second = web("b")
    cluster.place(second, "n2")
    cluster.remove(first)
    assert (cluster.node_of(first), fit.fitting()) == (None, ["n1"])
    cluster.place(first, "n1")
    assert (cluster.node_of(first), cluster.node_of(second)) == ("n1", "n2")


def test_a_pod_cannot_be_placed_twice() -> None:
    cluster = state([node("n1")], [pod("a", "n1")])
    with pytest.raises(ValueError, match="pod default/a is already on node n1"):
        cluster.place(pod("a"), "n1")


def test_the_first_fitting_node_follows_the_given_order() -> None:
    cluster = state([node("n1"), node("n2"), node("n3", unschedulable=True)])
    assert cluster.fit(pod()).first(["n3", "n2", "n1"]) == "n2"
    assert cluster.fit(pod()).first(["n3"]) is None
    assert list(cluster.fit(pod()).among(["n3", "n2", "n1"])) == ["n2", "n1"]


def test_reasons_are_counted_and_sorted_as_in_the_message_of_kube_scheduler() -> None:
    gpu = [{"key": "gpu", "value": "x", "effect": "NoExecute"}]
    nodes = [node(f"t{n}", taints=gpu) for n in range(3)]
    nodes += [node("s1", allocatable={"cpu": 1}), node("s2", allocatable={"cpu": 1, "memory": 1})]
    fit = state(nodes).fit(pod(requests={"cpu": 2, "memory": "1Gi"}))
    assert fit.reasons() == {
        "Insufficient memory": 1,
        "Insufficient cpu": 2,
        "node(s) had untolerated taint {gpu: x}": 3,
    }
    assert fit.message() == (
        "0/5 nodes are available: 1 Insufficient memory, 2 Insufficient cpu, 3 node(s) had untolerated taint {gpu: x}."
    )


def test_a_reason_has_the_words_of_kubernetes_1_34_as_its_kind() -> None:
    fit = state([node(taints=[{"key": "gpu", "value": "x", "effect": "NoExecute"}])]).fit(pod())
    assert [refusal.kind for refusal in getattr(fit.verdict("n1"), "refusals", ())] == [
        "node(s) had untolerated taint(s)"
    ]


def test_unknown_reasons_are_counted_too() -> None:
    fit = state([node("n1"), node("n2", unschedulable=True)], None).fit(pod())
    assert fit.unknowns() == {"the pods of the cluster were not provided": 1}
    assert fit.reasons() == {"node(s) were unschedulable": 1}


def test_only_the_last_shapes_of_pods_are_kept() -> None:
    cluster = state([node("n1")])
    first = cluster.shape_of(pod(nodeSelector={"at": "0"}))
    shapes = [cluster.shape_of(pod(nodeSelector={"at": str(at)})) for at in range(300)]
    assert shapes[0] is first
    assert cluster.shape_of(pod(nodeSelector={"at": "299"})) is shapes[299]
    assert cluster.shape_of(pod(nodeSelector={"at": "0"})) is not first


def test_pods_with_equal_selectors_share_the_comparison_with_nodes() -> None:
    cluster = state([node("n1", {"zone": "a"}), node("n2")])
    assert cluster.shape_of(pod("a", nodeSelector={"zone": "a"})) is cluster.shape_of(
        pod("b", nodeSelector={"zone": "a"})
    )
    assert cluster.shape_of(pod("a")) is not cluster.shape_of(pod("a", nodeSelector={HOST: "n1"}))
