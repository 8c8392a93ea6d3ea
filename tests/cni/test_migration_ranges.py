"""Ranges of the migration network: their size, collisions and routes (webhook.cni.migration_network)."""

import json
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cni.test_attachments import a_network, a_node
from tests.cni.test_migration_network import facts_of, services, whereabouts
from webhook.cni.migration_network import (
    blocking_faults,
    colliding,
    hides_apiserver,
    hiding,
    too_small,
    unaddressed,
)
from webhook.facts.network import Fault, Pool, Taken
from webhook.facts.unknown import Unknown
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.nad import Node, NodeSpec

NODES = (a_node("a"), a_node("b"), a_node("c"))
UNLABELLED = tuple(Node(metadata=ObjectMeta(name=name)) for name in "abc")
TWO = "ipam.range 10.1.1.0/30 has 2 addresses"


@pytest.mark.parametrize(
    ("config", "nodes", "expected"),
    [
        (whereabouts("10.1.1.0/30", exclude=["10.1.1.2"]), (), ["ipam.range 10.1.1.0/30 has 1 address; a migration needs 2"]),
        (whereabouts("10.1.1.0/30"), (), []),
        (whereabouts("10.1.1.0/30"), NODES[:2], []),
        (whereabouts("10.1.1.0/30"), NODES, [f"{TWO} for 3 nodes"]),
        (whereabouts("10.1.1.0/30"), (*NODES[:2], UNLABELLED[2]), []),
        (
            whereabouts("10.1.1.0/30"),
            UNLABELLED,
            [f"{TWO} for 3 nodes, and no label says how many of them run VMs"],
        ),
        (whereabouts("10.1.1.0/30"), UNLABELLED[:2], []),
        (whereabouts("10.1.1.0/30", node_slice_size="/31"), NODES, []),
        ({"type": "macvlan", "ipam": {"type": "host-local", "subnet": "10.1.1.0/30"}}, NODES, []),
    ],
)  # fmt: skip
def test_each_node_takes_an_address_of_a_range(config: Any, nodes: tuple[Node, ...], expected: list[str]) -> None:
    """
    Two are needed in any case; nodes without labels may or may not run virtual machines.
    """
    result = [*too_small(facts_of(config, *nodes))]

    assert [finding.message if isinstance(finding, Fault) else finding.why for finding in result] == expected
    assert [isinstance(finding, Unknown) for finding in result] == ["no label" in message for message in expected]


@pytest.mark.parametrize(
    ("mine", "theirs", "met"),
    [
        ({}, {}, False),
        ({"network_name": "x"}, {}, True),
        ({"network_name": "x"}, {"network_name": "x"}, False),
        ({"enable_overlapping_ranges": False}, {}, True),
        ({}, {"enable_overlapping_ranges": False}, True),
        ({"enable_overlapping_ranges": False}, {"enable_overlapping_ranges": False}, True),
    ],
)
def test_two_networks_collide_unless_they_reserve_together(
    mine: dict[str, Any], theirs: dict[str, Any], met: bool
) -> None:
    """
    whereabouts reserves an address for all networks of one network_name, unless that is switched off.
    """
    other = a_network(json.dumps(whereabouts("10.1.1.128/25", **theirs)), "other")
    apart = a_network(json.dumps(whereabouts("10.1.2.0/24", **theirs)), "apart")

    result = [*colliding(facts_of(whereabouts("10.1.1.0/24", **mine), other, apart))]

    assert [(one.place, str(one.network), neighbour.name, str(two.network)) for one, neighbour, two in result] == (
        [("ipam.range", "10.1.1.0/24", "kubevirt/other", "10.1.1.128/25")] if met else []
    )


def test_each_neighbour_collides_once() -> None:
    """
    One pair of ranges is named for each other network.
    """
    both = {"type": "host-local", "ranges": [[{"subnet": "10.1.1.0/24"}], [{"subnet": "10.1.2.0/24"}]]}
    other, third = (a_network(json.dumps({"type": "bridge", "ipam": both}), name) for name in ("other", "third"))

    result = [*colliding(facts_of({"type": "macvlan", "ipam": both}, other, third))]

    assert [neighbour.name for _, neighbour, _ in result] == ["kubevirt/other", "kubevirt/third"]


def test_blocking_faults_are_all_faults_that_stop_virt_handler() -> None:
    """
    Faults of the configuration, of plugins and of addresses; unknown facts are none.
    """
    services_of = services("10.96.0.0/12")
    cases: list[tuple[Any, tuple[Kubernetes, ...], list[str]]] = [
        ([], (), [""]),
        ({"name": 5, "type": "macvlan"}, (), ["name"]),
        ({"type": "vlan", "vlanId": 5000}, (), ["master", "vlanId", "ipam"]),
        ({"type": "macvlan", "ipam": {"type": "static", "addresses": [5]}}, (), ["ipam.addresses[0]"]),
        ({"type": "dummy", "ipam": {"type": "dhcp"}}, (), ["type"]),
        ({"type": "macvlan"}, (), ["ipam"]),
        ({"type": "macvlan", "ipam": {"type": "whereabouts"}}, (), []),
        (whereabouts("10.1.1.0/30"), NODES, ["ipam.range"]),
        (whereabouts("10.1.1.0/30"), UNLABELLED, []),
        (whereabouts("10.96.0.0/24"), (services_of,), ["ipam.range"]),
        (whereabouts("10.97.0.0/24"), (services_of,), []),
    ]

    for config, others, places in cases:
        assert [fault.place for fault in blocking_faults(facts_of(config, *others))] == places, config


def test_each_ipam_of_a_list_is_checked() -> None:
    """
    One with addresses is enough beside a link-local range, and one without is found behind another.
    """
    local = whereabouts("169.254.7.0/24")
    static = {"type": "bridge", "ipam": {"type": "static", "addresses": [{"address": "10.1.1.5/24"}]}}
    with_pod = {"type": "bridge", "capabilities": {"ipRanges": True}, "ipam": {"type": "host-local"}}
    dhcp, empty = ({"type": "bridge", "ipam": {"type": item}} for item in ("dhcp", "static"))

    result = [
        [fault.place for fault in unaddressed(facts_of({"plugins": plugins})) if isinstance(fault, Fault)]
        for plugins in ([local, static], [local, with_pod], [local, dhcp], [dhcp, empty])
    ]

    assert result == [[], [], ["plugins[0].ipam.range"], ["plugins[1].ipam"]]


def test_each_range_is_compared_with_the_nodes() -> None:
    """
    A range that cannot be judged without nodes does not hide the next one.
    """
    small = whereabouts("10.1.1.0/30", ipRanges=[{"range": "10.1.2.0/30", "exclude": ["10.1.2.1"]}])
    facts = facts_of(small)

    for item in (facts, replace(facts, nodes=None)):
        assert [fault.place for fault in too_small(item) if isinstance(fault, Fault)] == ["ipam.ipRanges[0].range"]


def test_other_networks_are_not_compared() -> None:
    """
    Only virt-handler takes an address on each node, and only its network hides ranges from it.
    """
    node = Node(metadata=ObjectMeta(name="a"), spec=NodeSpec(pod_cidr="10.1.1.0/24"))
    other = a_network(json.dumps(whereabouts("10.1.1.0/30", network_name="x")), "other")
    facts = facts_of(whereabouts("10.1.1.0/30", exclude=["10.1.1.1"]), node, other)

    assert [bool([*item(facts)]) for item in (too_small, colliding, hiding)] == [True, True, True]
    unused = replace(facts, is_migration_network=False)
    assert [[*item(unused)] for item in (too_small, colliding, hiding)] == [[], [], []]


@pytest.mark.parametrize(
    ("address", "hidden"),
    [("10.1.1.0", True), ("10.1.1.255", True), ("10.1.0.255", False), ("10.1.2.0", False), (None, False)],
)
def test_a_route_hides_its_whole_range(address: str | None, hidden: bool) -> None:
    """
    From the first address to the last.
    """
    pool = Pool("ipam.range", ip_network("10.1.1.0/24"), 0, 0)
    taken = Taken("Services", ip_network("10.1.0.0/16"), int(ip_address(address)) if address else None)

    assert hides_apiserver(pool, taken) is hidden
