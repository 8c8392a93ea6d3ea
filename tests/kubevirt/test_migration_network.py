"""What happens when the migration network changes, and which addresses it must not use."""

import json
from typing import Any

import pytest

from tests.kubevirt.test_attachments import LAB, a_kubevirt, a_network, a_node, findings
from webhook.cluster_engine import judge_change
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import SUPPORTED
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.nad import Node, NodeSpec, ServiceCIDR, ServiceCIDRSpec


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            None,
            "migration-network",
            "the migration network becomes 'migration-network': virt-handler restarts on every node",
        ),
        ("a", "b", "the migration network changes from 'a' to 'b': virt-handler restarts on every node"),
        (
            "a",
            "kubevirt/a",
            "the migration network changes from 'a' to 'kubevirt/a': virt-handler restarts on every node",
        ),
        ("a", None, "the migration network 'a' is given up: virt-handler restarts on every node"),
        ("a", "a", None),
        (None, None, None),
        (None, "", None),
        (5, 6, None),
    ],
)
def test_an_update_tells_of_the_restart_where_the_network_changes(before: Any, after: Any, message: str | None) -> None:
    """
    virt-handler restarts where the value differs from what was there before, letter by letter.
    """
    found = judge_change(a_kubevirt(before), a_kubevirt(after), ObjectsWorld(()), SUPPORTED)

    assert [(each.rule.id, each.message) for each in found] == ([] if message is None else [("LM719", message)])


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
def test_a_new_configuration_in_use_is_told_to_need_restarts(config: str | None, told: bool) -> None:
    """
    Nodes keep the old configuration of the migration network until virt-handler restarts; blanks are no change.
    """
    found = judge_change(a_network(LAB), a_network(config), ObjectsWorld((a_kubevirt(),)), SUPPORTED)
    unused = judge_change(a_network(LAB), a_network(config), ObjectsWorld((a_kubevirt("other"),)), SUPPORTED)
    unknown = judge_change(a_network(LAB), a_network(config), ObjectsWorld(()), SUPPORTED)

    assert [each.rule.id for each in found] == ["LM720"] * told
    assert (unused, unknown) == ((), ())


def test_an_update_of_anything_else_is_no_change() -> None:
    """
    Only KubeVirt CRs and NetworkAttachmentDefinitions have changes that are told.
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


def test_a_kubevirt_hears_that_its_network_hides_the_api_server() -> None:
    """
    A KubeVirt CR that begins to use such a network is refused for the same reason.
    """
    ipam = {"type": "whereabouts", "range": "10.96.0.0/24"}
    network = a_network(json.dumps({"type": "macvlan", "master": "eth1", "ipam": ipam}))

    found = findings(a_kubevirt(), network, services("10.96.0.0/12"))

    assert [each for each in found if each[0] == "LM718"] == [
        (
            "LM718",
            "network 'migration-network' cannot be used: ipam.range 10.96.0.0/24 holds the API server's address 10.96.0.1",
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
    Link-local, loopback and multicast addresses are passed over, and without another one virt-handler exits.
    """
    ipam = {"type": "whereabouts", "range": text}
    beside = {"type": "whereabouts", "ipRanges": [{"range": text}, {"range": "10.1.1.0/24"}]}
    networks = [a_network(json.dumps({"type": "macvlan", "master": "eth1", "ipam": each})) for each in (ipam, beside)]

    alone, together = ([rule for rule, _ in findings(network, a_kubevirt())] for network in networks)

    assert ("LM711" in alone) is told
    assert "LM711" not in together
