"""Changes of the migration network, and the addresses that it must not use."""

import json
from typing import Any

import pytest

from tests.cni.test_attachments import LAB, a_kubevirt, a_network, a_node, findings
from webhook.cni.attachments import network_facts
from webhook.cni.migration_network import (
    CHAINED,
    CUT_OFF,
    cut_off,
    unaddressed,
)
from webhook.facts.network import Fault, NetworkFacts
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.judging.cluster import judge_change
from webhook.kubevirt.releases import SUPPORTED
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.nad import Node, NodeSpec, ServiceCIDR, ServiceCIDRSpec


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            None,
            "migration-network",
            "the migration network is set to 'migration-network', so virt-handler restarts on every node",
        ),
        ("a", "b", "the migration network changes from 'a' to 'b', so virt-handler restarts on every node"),
        (
            "a",
            "kubevirt/a",
            "the migration network changes from 'a' to 'kubevirt/a', so virt-handler restarts on every node",
        ),
        ("a", None, "the migration network 'a' is removed, so virt-handler restarts on every node"),
        ("a", "a", None),
        (None, None, None),
        (None, "", None),
        (5, 6, None),
    ],
)
def test_an_update_that_changes_the_network_warns_of_the_restart(before: Any, after: Any, message: str | None) -> None:
    """
    virt-handler restarts where the value differs from the previous one in any character.
    """
    reported = judge_change(a_kubevirt(before), a_kubevirt(after), ObjectsWorld(()), SUPPORTED)

    assert [(finding.rule.id, finding.message) for finding in reported] == (
        [] if message is None else [("LM719", message)]
    )


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (LAB.replace("10.1.1.0", "10.1.2.0"), True),
        (LAB.replace(", ", ",\n  "), False),
        ("not JSON", True),
        (None, True),
        (LAB, False),
    ],
    ids=["another range", "other blanks", "broken", "taken away", "the same"],
)
def test_a_new_configuration_in_use_needs_restarts(config: str | None, told: bool) -> None:
    """
    Nodes keep the old configuration until virt-handler restarts; whitespace is no change.
    """
    reported = judge_change(a_network(LAB), a_network(config), ObjectsWorld((a_kubevirt(),)), SUPPORTED)
    unused = judge_change(a_network(LAB), a_network(config), ObjectsWorld((a_kubevirt("other"),)), SUPPORTED)
    unknown = judge_change(a_network(LAB), a_network(config), ObjectsWorld(()), SUPPORTED)

    assert [finding.rule.id for finding in reported] == ["LM720"] * told
    assert (unused, unknown) == ((), ())


def test_an_update_of_anything_else_is_no_change() -> None:
    """
    Only updates of KubeVirt CRs and NetworkAttachmentDefinitions have findings of their own.
    """
    assert judge_change(a_node("a"), a_node("b"), ObjectsWorld(()), SUPPORTED) == ()


def services(*cidrs: str, name: str = "kubernetes") -> ServiceCIDR:
    return ServiceCIDR(metadata=ObjectMeta(name=name), spec=ServiceCIDRSpec(list(cidrs)))


def pods(*cidrs: str) -> Node:
    return Node(metadata=ObjectMeta(name="a"), spec=NodeSpec(pod_cidrs=list(cidrs)))


@pytest.mark.parametrize(
    ("text", "known", "told"),
    [
        ("10.96.0.0/24", services("10.96.0.0/12"), ["LM721"]),
        ("10.97.0.0/24", services("10.96.0.0/12"), ["LM722"]),
        ("10.96.0.0/24", services("10.96.0.0/12", name="more"), ["LM722"]),
        ("10.96.0.0/24", services("fd00::/112", "10.96.0.0/12"), ["LM722"]),
        ("10.0.0.0/8", services("10.96.0.0/12"), ["LM721"]),
        ("10.112.0.0/24", services("10.96.0.0/12"), []),
        ("fd00::/64", services("10.96.0.0/12", "fd00::/112"), ["LM722"]),
        ("10.96.0.0/24", services("nonsense", ""), []),
        ("10.244.3.0/24", pods("10.244.3.0/24", "fd00:1::/64"), ["LM722"]),
        ("10.244.4.0/24", pods("10.244.3.0/24", "fd00:1::/64"), []),
        ("10.244.3.0/24", Node(metadata=ObjectMeta(name="a"), spec=NodeSpec(pod_cidr="10.244.3.0/24")), ["LM722"]),
        ("10.244.3.0/24", a_node("a"), []),
    ],
)
def test_the_clusters_own_ranges_are_kept_free(text: str, known: Kubernetes, told: list[str]) -> None:
    """
    The API server's address inside the migration network is an error, any other overlap with Services and pods a warning.
    """
    ipam = {"type": "whereabouts", "range": text}
    network = a_network(json.dumps({"type": "macvlan", "master": "eth1", "ipam": ipam}))

    assert [rule for rule, _ in findings(network, a_kubevirt(), known)] == told
    assert findings(network, known) == []


def test_a_kubevirt_cr_whose_network_hides_the_api_server_is_refused() -> None:
    """
    A KubeVirt CR that names such a network is refused for the same reason.
    """
    ipam = {"type": "whereabouts", "range": "10.96.0.0/24"}
    network = a_network(json.dumps({"type": "macvlan", "master": "eth1", "ipam": ipam}))

    reported = findings(a_kubevirt(), network, services("10.96.0.0/12"))

    assert [finding for finding in reported if finding[0] == "LM718"] == [
        (
            "LM718",
            (
                "network 'migration-network' is unfit for migrations: "
                "ipam.range 10.96.0.0/24 contains the API server's address 10.96.0.1"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("169.254.7.0/24", True),
        ("fe80::/64", True),
        ("224.0.0.0/24", True),
        ("127.0.0.0/24", True),
        ("10.1.1.0/24", False),
        ("192.0.2.0/24", False),
        ("fd00::/64", False),
        ("2001:db8::/64", False),
    ],
)
def test_virt_handler_takes_global_unicast_addresses_only(text: str, told: bool) -> None:
    """
    virt-handler ignores link-local, loopback and multicast addresses, and exits without another one.
    """
    ipam = {"type": "whereabouts", "range": text}
    beside = {"type": "whereabouts", "ipRanges": [{"range": text}, {"range": "10.1.1.0/24"}]}
    networks = [a_network(json.dumps({"type": "macvlan", "master": "eth1", "ipam": item})) for item in (ipam, beside)]

    alone, together = ([rule for rule, _ in findings(network, a_kubevirt())] for network in networks)

    assert ("LM711" in alone) is told
    assert "LM711" not in together


def facts_of(config: Any, *others: Kubernetes, complete: tuple[type[Kubernetes], ...] = ()) -> NetworkFacts:
    """The facts about the migration network with this configuration."""
    return network_facts(a_network(json.dumps(config)), ObjectsWorld((a_kubevirt(), *others), complete))


def whereabouts(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "macvlan", "master": "eth1", "ipam": {"type": "whereabouts", "range": text, **more}}


@pytest.mark.parametrize("kind", sorted(CUT_OFF))
def test_an_interface_of_one_node_reaches_no_other(kind: str) -> None:
    """
    The first plugin creates the interface; other networks may use such a plugin.
    """
    message = f"{{}} {kind!r} creates an interface that no other node can reach"

    assert [*cut_off(facts_of({"type": kind}))] == [Fault("type", message.format("type"))]
    assert [*cut_off(facts_of({"plugins": [{"type": kind}]}))] == [
        Fault("plugins[0].type", message.format("plugins[0].type"))
    ]
    assert [*cut_off(facts_of({"plugins": [{"type": "macvlan"}, {"type": kind}]}))] == []
    assert [*cut_off(network_facts(a_network(json.dumps({"type": kind})), ObjectsWorld(())))] == []


NO_ADDRESS = "is missing, so virt-handler's interface gets no address"


@pytest.mark.parametrize("kind", ["macvlan", "bridge", "ovs", "host-device", "sriov", "ib-sriov", "ptp"])
def test_virt_handler_needs_an_ipam_plugin(kind: str) -> None:
    """
    A known plugin that creates the interface assigns no address, and neither do known plugins after it.
    """
    plugin = {"type": kind, "device": "eth1"}
    chained = [{"type": item} for item in sorted(CHAINED)]

    assert [*unaddressed(facts_of(plugin))] == [Fault("ipam", f"ipam {NO_ADDRESS}")]
    assert [*unaddressed(facts_of({"plugins": [plugin, *chained]}))] == [
        Fault("plugins[0].ipam", f"plugins[0].ipam {NO_ADDRESS}")
    ]


@pytest.mark.parametrize(
    "config",
    [
        {"type": "vendor"},
        {"plugins": [{"type": "macvlan"}, {"type": "vendor"}]},
        {"plugins": [{"type": "macvlan"}, {"type": "vendor"}, {"type": "tuning"}]},
        {"plugins": [{"type": "vendor"}, {"type": "tuning"}]},
        {"type": "vlan", "master": "a"},
        {"type": "macvlan", "ipam": {"type": "dhcp"}},
        {"type": "macvlan", "ipam": {"type": "host-local"}},
        {"type": "macvlan", "ipam": {"type": "static", "addresses": [{"address": "10.1.1.5/24"}]}},
        whereabouts("10.1.1.0/24"),
        {"plugins": []},
        5,
    ],
    ids=json.dumps,
)
def test_an_address_that_may_come_from_elsewhere_is_not_missing(config: Any) -> None:
    """
    Unknown plugins may assign one, and a fault that a plugin refuses is reported once.
    """
    assert [*unaddressed(facts_of(config))] == []


def test_an_ipam_without_addresses_gives_none() -> None:
    """
    A file on the nodes or the pod may supply a range; a static list without entries has none.
    """
    (empty,) = unaddressed(facts_of({"type": "macvlan", "ipam": {"type": "static"}}))
    (on_nodes,) = unaddressed(facts_of({"type": "macvlan", "ipam": {"type": "whereabouts"}}))
    (with_pod,) = unaddressed(
        facts_of({"type": "macvlan", "capabilities": {"ipRanges": True}, "ipam": {"type": "host-local"}})
    )

    assert empty == Fault("ipam", "ipam lists no address, so virt-handler's interface gets no address")
    for addresses, kind in ((on_nodes, "whereabouts"), (with_pod, "host-local")):
        assert isinstance(addresses, Unknown)
        assert addresses.why == f"ipam has no range: {kind} can read a range from another source"


def test_one_address_that_virt_handler_takes_is_enough() -> None:
    """
    Fixed addresses beside a link-local range may be good ones.
    """
    fixed = {"addresses": [{"address": "10.1.1.5/24"}]}

    (alone,) = unaddressed(facts_of(whereabouts("169.254.7.0/24")))

    assert isinstance(alone, Fault)
    assert alone.place == "ipam.range"
    assert [*unaddressed(facts_of(whereabouts("169.254.7.0/24", **fixed)))] == []
