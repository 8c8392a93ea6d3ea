"""Target pods that compete for nodes. `python -m tests.apiserver.scheduler.drains` compares drains with kube-scheduler."""

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any

import msgspec
import pytest

from tests.drain.fleets import as_fleet, node
from webhook.drain.fleet_state import state_of
from webhook.drain.inputs import Inputs
from webhook.drain.orders import Move
from webhook.drain.placement import Fit, Placed, place_all
from webhook.objects.pods import Pod

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
ZONES = tuple(node(f"n{zone}{number}", labels={ZONE: zone}) for zone in "ab" for number in (1, 2))


def pod(name: str, gib: int = 1, labels: Mapping[str, str] | None = None, **affinity: Any) -> Pod:
    """A pod, which is on no node yet."""
    needs = {"requests": {"memory": f"{gib}Gi"}}
    value = {
        "metadata": {"name": name, "namespace": "lab", "labels": labels or {}},
        "spec": {"containers": [{"name": "compute", "resources": needs}], "affinity": affinity},
    }
    return msgspec.convert(value, Pod)


def near(**labels: str) -> Any:
    """Affinity to pods with these labels on the same node, or in the same zone."""
    return terms(HOST, labels)


def terms(key: str, labels: Mapping[str, str]) -> Any:
    required = [{"topologyKey": key, "labelSelector": {"matchLabels": labels}}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": required}


def place(nodes: Sequence[Any], *pods: Pod, names_all: bool = True) -> dict[str, Placed]:
    """The result for each pod, on nodes without other pods."""
    placeholder = msgspec.to_builtins(pod("placeholder"))
    gone = {**placeholder, "apiVersion": "v1", "kind": "Pod", "status": {"phase": "Succeeded"}}
    state = state_of(Inputs(as_fleet([*nodes, gone])))
    moves = [Move(("lab", one.name), one) for one in pods]
    return {name: placed for (_, name), placed in place_all(state, moves, names_all=names_all).items()}


def fits(*arguments: Any, **keywords: Any) -> dict[str, Fit]:
    return {name: placed.fit for name, placed in place(*arguments, **keywords).items()}


def test_pods_with_room_for_all_of_them_always_fit() -> None:
    """
    The last of them finds room on a node that the others share.
    """
    small = [node(name, allocatable={"memory": "4Gi"}) for name in ("n1", "n2")]

    assert fits(small, *(pod(f"p{number}") for number in range(6))) == {f"p{number}": Fit.ALWAYS for number in range(6)}


def test_a_pod_that_fits_alone_is_never_said_to_fit_no_node() -> None:
    """
    It gets its node in each order in which it is the first, also if it is the last of all in the orders that are usual.
    """
    one_place = node("n1", allocatable={"pods": "1"})

    assert set(fits([one_place], *(pod(f"p{number}") for number in range(12))).values()) == {Fit.SOMETIMES}


@pytest.mark.parametrize("seed", range(0, 400, 4))
def test_results_for_few_pods_are_those_of_all_orders_and_choices(seed: int) -> None:
    """
    Each pod can use some nodes. The comparison goes through every order and every choice among the nodes that fit.
    """
    draw = Random(seed)
    capacities = {f"n{number}": draw.randint(2, 6) for number in range(3)}
    nodes = [node(name, allocatable={"memory": f"{gib}Gi"}) for name, gib in capacities.items()]
    sizes = {f"p{number}": draw.randint(1, 3) for number in range(5)}
    usable = {name: frozenset(draw.sample(sorted(capacities), draw.randint(1, 3))) for name in sizes}
    pods = [pod(name, gib, nodeAffinity=on(usable[name])) for name, gib in sizes.items()]

    def can_fail(last: str, others: Sequence[str], free: Mapping[str, int]) -> bool:
        """Whether some of the others can take the room that the last pod needs."""
        if all(free[name] < sizes[last] for name in usable[last]):
            return True
        return any(
            can_fail(last, others[at + 1 :], {**free, name: free[name] - sizes[other]})
            for at, other in enumerate(others)
            for name in usable[other]
            if free[name] >= sizes[other]
        )

    def expected(name: str) -> Fit:
        if all(capacities[one] < sizes[name] for one in usable[name]):
            return Fit.NEVER
        others = [other for other in sizes if other != name]
        return Fit.SOMETIMES if can_fail(name, others, capacities) else Fit.ALWAYS

    assert fits(nodes, *pods) == {name: expected(name) for name in sizes}


def on(names: Collection[str]) -> Any:
    """Node affinity to these nodes."""
    chosen = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": sorted(names)}]}
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [chosen]}}


def test_a_pod_that_needs_another_one_fits_once_that_has_moved() -> None:
    """
    It waits for the pod to which it has an affinity. Without that pod it fits no node.
    """
    follower = pod("a-follower", podAffinity=near(app="db"))

    assert fits(ZONES, follower, pod("leader", labels={"app": "db"})) == {
        "a-follower": Fit.SOMETIMES,
        "leader": Fit.ALWAYS,
    }
    assert fits(ZONES, follower, pod("leader")) == {"a-follower": Fit.NEVER, "leader": Fit.ALWAYS}


def test_a_pod_that_fits_in_one_order_only_may_fit() -> None:
    """
    The first order places the pod that the follower needs on the node with the most room, which the follower cannot use.
    """
    nodes = [node(name, allocatable={"memory": memory}) for name, memory in (("n1", "8Gi"), ("n2", "4Gi"))]
    follower = pod("follower", podAffinity=near(app="db"), nodeAffinity=on(["n2"]))

    assert fits(nodes, follower, pod("leader", labels={"app": "db"}))["follower"] is Fit.SOMETIMES


def test_a_follower_can_take_the_node_of_a_pod_that_comes_later() -> None:
    """
    kube-scheduler tries pending pods again after each migration, and not only after the last one.
    """
    nodes = [node("n1", allocatable={"pods": "2"}), node("n2", allocatable={"pods": "1"}, taints=[_taint()])]
    follower = pod("follower", podAffinity=near(app="db"))
    leader = pod("leader", labels={"app": "db"})

    assert fits(nodes, follower, leader, pod("third"))["third"] is Fit.SOMETIMES


def _taint() -> dict[str, str]:
    return {"key": "gpu", "value": "x", "effect": "NoSchedule"}


def test_pods_that_exclude_zones_may_exclude_more_nodes_than_their_own() -> None:
    """
    Four nodes are enough for three pods on different nodes, but not for three pods in different zones.
    """
    apart = {"podAntiAffinity": terms(ZONE, {"app": "web"})}
    hosts = {"podAntiAffinity": terms(HOST, {"app": "web"})}

    assert set(fits(ZONES, *(pod(f"p{n}", labels={"app": "web"}, **hosts) for n in range(3))).values()) == {Fit.ALWAYS}
    assert set(fits(ZONES, *(pod(f"p{n}", labels={"app": "web"}, **apart) for n in range(3))).values()) == {
        Fit.SOMETIMES
    }


@pytest.mark.parametrize("key", [HOST, ZONE])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_shorter_search_for_nodes_gives_the_same_results(key: str, count: int) -> None:
    """
    A search that ends early names fewer nodes, and says the same about each pod.
    """
    pods = [
        pod(f"p{number}", 30 * number, labels={"app": "web"}, podAntiAffinity=terms(key, {"app": "web"}))
        for number in range(1, count + 1)
    ]

    assert fits(ZONES, *pods, names_all=False) == fits(ZONES, *pods, names_all=True)


def test_the_order_of_the_input_does_not_matter() -> None:
    """
    The orders that are tried depend on the names of the pods and nodes alone.
    """
    nodes = [node(name, allocatable={"memory": "8Gi"}) for name in ("n1", "n2", "n3")]
    pods = [pod(f"p{number}", 1 + number % 4) for number in range(9)]

    assert place(nodes[::-1], *pods[::-1]) == place(nodes, *pods)
