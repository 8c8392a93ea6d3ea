"""Node fit by the plugins that compare a pod with a node and its pods: NodeUnschedulable to NodeResourcesFit."""

from typing import Any

import msgspec
import pytest

from tests.scheduling.building import HOST, disk, expression, node, pod, state, terms, verdicts
from webhook.objects.nad import Namespace, Node
from webhook.objects.pods import Pod, PodSpec

CPU = "Insufficient cpu"
UNMATCHED = "node(s) didn't match Pod's node affinity/selector"
NOT_NAMED = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
PORTS = "node(s) didn't have free ports for the requested pod ports"


def named(*names: str) -> dict[str, Any]:
    return {"matchFields": [expression("metadata.name", "In", name) for name in names]}


def node_affinity(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(listed)}}}


def port(number: int, address: str = "", protocol: str = "TCP") -> dict[str, Any]:
    return {"hostPort": number, "hostIP": address, "protocol": protocol, "containerPort": 80}


def container(*ports: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"name": "c", "ports": list(ports), **more}]


def test_an_empty_node_fits() -> None:
    assert verdicts(state([node()]), pod()) == {"n1": "fits"}


def test_the_first_plugin_that_excludes_a_node_names_the_reason() -> None:
    taint = {"key": "gpu", "value": "a", "effect": "NoSchedule"}
    cluster = state(
        [
            node("cordoned", unschedulable=True, taints=[taint]),
            node("tainted", taints=[taint]),
            node("unselected", allocatable={"cpu": 0}),
            node("small", {"zone": "a"}, {"cpu": 1}),
        ]
    )
    assert verdicts(cluster, pod(nodeSelector={"zone": "a"}, requests={"cpu": 2})) == {
        "cordoned": "node(s) were unschedulable",
        "tainted": "node(s) had untolerated taint {gpu: a}",
        "unselected": UNMATCHED,
        "small": CPU,
    }


def test_a_toleration_of_the_unschedulable_taint_applies_to_a_cordoned_node() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    cluster = state([node(unschedulable=True, taints=[taint])])
    assert verdicts(cluster, pod(tolerations=[{**taint, "operator": "Exists"}])) == {"n1": "fits"}


def test_the_unschedulable_taint_of_a_node_that_is_not_cordoned_is_a_taint() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    cluster = state([node(taints=[taint])])
    assert verdicts(cluster, pod()) == {"n1": "node(s) had untolerated taint {node.kubernetes.io/unschedulable: }"}
    assert verdicts(cluster, pod(nodeSelector={"zone": "a"})) == {
        "n1": "node(s) had untolerated taint {node.kubernetes.io/unschedulable: }"
    }
    assert verdicts(cluster, pod(nodeName="n2")) == {"n1": "node(s) didn't match the requested node name"}


def test_only_nodes_that_every_term_names_are_compared_further() -> None:
    cluster = state([node("n1", unschedulable=True), node("n2"), node("n3", {"zone": "a"})])
    assert verdicts(cluster, pod(affinity=node_affinity(named("n2")))) == {
        "n1": NOT_NAMED,
        "n2": "fits",
        "n3": NOT_NAMED,
    }
    either = node_affinity(named("n2"), {"matchExpressions": [expression("zone", "In", "a")]})
    assert verdicts(cluster, pod(affinity=either)) == {"n1": "node(s) were unschedulable", "n2": "fits", "n3": "fits"}


def test_terms_that_name_different_nodes_at_once_make_a_pod_unschedulable() -> None:
    fit = state([node("n1"), node("n2")]).fit(pod(affinity=node_affinity(named("n1", "n2"))))
    assert fit.fitting() == []
    assert fit.message() == "0/2 nodes are available: pod affinity terms conflict."


def test_terms_that_exclude_a_node_by_name_apply_to_all_nodes() -> None:
    cluster = state([node("n1"), node("n2", unschedulable=True), node("n3")])
    others = node_affinity({"matchFields": [expression("metadata.name", "NotIn", "n1")]})
    assert verdicts(cluster, pod(affinity=others)) == {
        "n1": UNMATCHED,
        "n2": "node(s) were unschedulable",
        "n3": "fits",
    }


def test_labels_can_be_compared_as_64_bit_numbers() -> None:
    cluster = state([node("n1", {"size": "9223372036854775807"}), node("n2", {"size": "9223372036854775808"})])
    larger = node_affinity({"matchExpressions": [expression("size", "Gt", "9223372036854775806")]})
    assert verdicts(cluster, pod(affinity=larger)) == {"n1": "fits", "n2": UNMATCHED}


def test_all_insufficient_resources_are_reported() -> None:
    sized = node(allocatable={"pods": 1, "ephemeral-storage": "1Gi", "vendor.example/gpu": 1, "hugepages-2Mi": "4Mi"})
    needs = {
        "vendor.example/gpu": 2,
        "vendor.example/nic": 1,
        "hugepages-2Mi": "6Mi",
        "ephemeral-storage": "2Gi",
        "memory": "9Gi",
        "cpu": "4001m",
    }
    assert verdicts(state([sized], [pod("other", "n1")]), pod(requests=needs)) == {
        "n1": "Too many pods, Insufficient cpu, Insufficient memory, Insufficient ephemeral-storage, "
        "Insufficient hugepages-2Mi, Insufficient vendor.example/gpu, Insufficient vendor.example/nic"
    }


def test_requests_of_pods_on_a_node_reduce_its_free_resources() -> None:
    pods = [pod(str(n), "n1", requests={"cpu": "1500m"}) for n in range(2)]
    cluster = state([node()], pods)
    assert verdicts(cluster, pod(requests={"cpu": 1})) == {"n1": "fits"}
    assert verdicts(cluster, pod(requests={"cpu": "1001m"})) == {"n1": CPU}


@pytest.mark.parametrize(
    ("name", "is_compared"),
    [("vendor.example/gpu", True), ("hugepages-1Gi", True), ("attachable-volumes-csi", True), ("storage", False)],
)
def test_only_resources_of_nodes_are_compared(name: str, is_compared: bool) -> None:
    expected = f"Insufficient {name}" if is_compared else "fits"
    assert verdicts(state([node()]), pod(requests={name: 1})) == {"n1": expected}
    assert verdicts(state([node()]), pod(requests={name: 0})) == {"n1": "fits"}


def test_the_last_free_place_of_a_node_fits() -> None:
    assert verdicts(state([node(allocatable={"pods": 2})], [pod("a", "n1")]), pod(requests={"cpu": 4})) == {
        "n1": "fits"
    }


def test_a_pod_without_a_request_fits_a_node_that_is_overcommitted() -> None:
    cluster = state([node()], [pod("large", "n1", requests={"cpu": 5})])
    assert verdicts(cluster, pod(requests={"memory": 1})) == {"n1": "fits"}
    assert verdicts(cluster, pod(requests={"cpu": "1m"})) == {"n1": CPU}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_takes_no_room(phase: str) -> None:
    cluster = state([node()], [pod("done", "n1", requests={"cpu": 4}, status={"phase": phase})])
    assert verdicts(cluster, pod(requests={"cpu": 4})) == {"n1": "fits"}


def test_a_pod_that_is_being_deleted_takes_room() -> None:
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    cluster = state([node()], [pod("ending", "n1", requests={"cpu": 4}, meta=meta)])
    assert verdicts(cluster, pod(requests={"cpu": 1})) == {"n1": CPU}


def test_a_pod_without_a_node_takes_no_room() -> None:
    assert verdicts(state([node()], [pod("pending", requests={"cpu": 4})]), pod(requests={"cpu": 1})) == {"n1": "fits"}


@pytest.mark.parametrize(
    ("used", "wanted", "conflicts"),
    [
        (port(80), port(80), True),
        (port(80), port(81), False),
        (port(80), port(80, protocol="UDP"), False),
        (port(80, "10.0.0.1"), port(80, "10.0.0.2"), False),
        (port(80, "10.0.0.1"), port(80, "10.0.0.1"), True),
        (port(80, "10.0.0.1"), port(80), True),
        (port(80), {"hostPort": 80, "protocol": ""}, True),
        (port(1), port(1), True),
        (port(80), port(80, "10.0.0.1"), True),
        (port(80, "0.0.0.0"), port(80, "10.0.0.1"), True),
        (port(0), port(0), False),
    ],
)
def test_two_pods_cannot_use_a_host_port_twice(used: dict[str, Any], wanted: dict[str, Any], conflicts: bool) -> None:
    cluster = state([node()], [pod("other", "n1", containers=container(used))])
    assert verdicts(cluster, pod(containers=container(wanted))) == {"n1": PORTS if conflicts else "fits"}


def test_host_ports_of_sidecars_count_and_those_of_init_containers_do_not() -> None:
    sidecar = container(port(80), restartPolicy="Always")
    assert verdicts(state([node()], [pod("a", "n1", initContainers=sidecar)]), pod(containers=container(port(80)))) == {
        "n1": PORTS
    }
    passing = pod("a", "n1", initContainers=container(port(80)))
    assert verdicts(state([node()], [passing]), pod(containers=container(port(80)))) == {"n1": "fits"}


def test_ports_of_pods_in_the_host_network_are_host_ports() -> None:
    host = pod("a", "n1", hostNetwork=True, containers=container({"containerPort": 80}))
    assert verdicts(state([node()], [host]), pod(containers=container(port(80)))) == {"n1": PORTS}


def test_a_node_without_allocatable_resources_is_unknown() -> None:
    unreported = node()
    bare = type(unreported)(metadata=unreported.metadata)
    assert verdicts(state([bare]), pod()) == {"n1": "unknown: status.allocatable of node n1 was not provided"}


def test_without_the_pods_of_a_cluster_only_certain_refusals_are_known() -> None:
    nodes = [node("n1"), node("n2", allocatable={"cpu": 1}), node("n3", unschedulable=True)]
    spread = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
    near = terms("podAffinity", {"topologyKey": HOST})
    for cluster in (state(nodes, None), state(nodes, incomplete=["Pod"])):
        wanted = pod(requests={"cpu": 2}, affinity=near, topologySpreadConstraints=[spread], resourceClaims=[])
        assert verdicts(cluster, wanted) == {
            "n1": "unknown: the pods of the cluster were not provided",
            "n2": CPU,
            "n3": "node(s) were unschedulable",
        }


def test_a_known_pod_can_exclude_a_node_even_if_other_pods_are_not_known() -> None:
    web = {"app": "web"}
    away = terms("podAntiAffinity", {"topologyKey": HOST, "labelSelector": {"matchLabels": web}})
    cluster = state([node("n1"), node("n2")], [pod("a", "n1", web)], incomplete=["Pod"])
    assert verdicts(cluster, pod(affinity=away)) == {
        "n1": "node(s) didn't match pod anti-affinity rules",
        "n2": "unknown: the pods of the cluster were not provided",
    }


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"schedulerName": "volcano"}, "the pod uses the scheduler volcano"),
        ({"schedulingGates": [{"name": "a"}, {"name": "b"}]}, "the pod waits for scheduling gates: a, b"),
    ],
)
def test_a_pod_that_kube_scheduler_does_not_schedule_is_unknown_on_all_nodes(spec: dict[str, Any], reason: str) -> None:
    cluster = state([node("n1"), node("n2", unschedulable=True)])
    assert verdicts(cluster, pod(**spec)) == dict.fromkeys(("n1", "n2"), f"unknown: {reason}")


def test_a_gated_pod_is_unknown_even_if_its_claim_is_missing() -> None:
    gated = pod(schedulingGates=[{"name": "a"}], volumes=disk(), resourceClaims=[{"name": "gpu"}])
    for cluster in (state([node()]), state([node()], None)):
        assert verdicts(cluster, gated) == {"n1": "unknown: the pod waits for scheduling gates: a"}


def test_a_pod_with_resource_claims_is_unknown_where_no_other_plugin_excludes_the_node() -> None:
    cluster = state([node("n1"), node("n2", unschedulable=True)])
    assert verdicts(cluster, pod(resourceClaims=[{"name": "gpu"}])) == {
        "n1": "unknown: the pod uses ResourceClaims (dynamic resource allocation)",
        "n2": "node(s) were unschedulable",
    }


def test_a_node_that_keeps_room_for_a_nominated_pod_is_unknown() -> None:
    pending = pod("pending", priority=5, status={"nominatedNodeName": "n1"})
    cluster = state([node("n1"), node("n2"), node("n3", unschedulable=True)], [pending])
    assert verdicts(cluster, pod(priority=5)) == {
        "n1": "unknown: pod default/pending is nominated to node n1",
        "n2": "fits",
        "n3": "node(s) were unschedulable",
    }
    assert verdicts(cluster, pod(priority=6))["n1"] == "fits"
    assert verdicts(cluster, pending)["n1"] == "fits"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (pod("other", status={"nominatedNodeName": "n1"}), "unknown: pod default/other is nominated to node n1"),
        (pod("other", status={"nominatedNodeName": "n1"}, priority=-1), "fits"),
        (pod("other", "n2", status={"nominatedNodeName": "n1"}), "fits"),
        (pod("other", status={"nominatedNodeName": "n1", "phase": "Failed"}), "fits"),
        (pod("other", "gone"), "fits"),
        (pod("other"), "fits"),
    ],
)
def test_only_a_pending_pod_of_at_least_the_same_priority_is_nominated(other: Pod, expected: str) -> None:
    assert verdicts(state([node("n1"), node("n2")], [other]), pod())["n1"] == expected


def test_objects_without_labels_and_containers_are_read() -> None:
    bare = msgspec.convert({"metadata": {"name": "n1"}, "status": {"allocatable": {"pods": 2}}}, Node)
    cluster = state([bare], [Pod(spec=PodSpec(node_name="n1"))], namespaces=[Namespace()])
    assert verdicts(cluster, Pod()) == {"n1": "fits"}
    assert verdicts(cluster, pod(nodeSelector={"a": "b"}, schedulerName="default-scheduler")) == {"n1": UNMATCHED}
