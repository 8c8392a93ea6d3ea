"""The known CNI and IPAM plugins, and the limits for a hostile configuration."""

import json
from itertools import combinations
from typing import Any

import pytest

from tests.cni.test_attachments import a_network
from tests.cni.test_migration_network import NO_ADDRESS, facts_of
from webhook.cni.attachments import read_config
from webhook.cni.ipam import read_ipam
from webhook.cni.migration_network import unaddressed
from webhook.facts.network import CniConfig, Fault
from webhook.rules.migration_network import cut_off, repeated_addresses
from webhook.rules.rule import Undetermined, Violation


def config_of(value: Any) -> CniConfig:
    config = read_config(a_network(json.dumps(value)))
    assert isinstance(config, CniConfig)
    return config


@pytest.mark.parametrize(
    ("kind", "outcomes"),
    [
        *(
            (kind, [])
            for kind in (
                *(
                    "macvlan",
                    "ipvlan",
                    "bridge",
                    "cnv-bridge",
                    "vlan",
                    "ovs",
                    "host-device",
                    "sriov",
                    "ib-sriov",
                    "ptp",
                ),
                "ovn-k8s-cni-overlay",
            )
        ),
        *((kind, [Violation]) for kind in ("loopback", "dummy")),
        *((kind, [Undetermined]) for kind in ("vendor", "tuning")),
    ],
)
def test_an_interface_of_a_known_plugin_leads_to_the_other_nodes_or_not(kind: str, outcomes: list[type]) -> None:
    """
    Of an unknown one it is not known.
    """
    facts = facts_of({"type": kind, "ipam": {"type": "dhcp"}})

    assert [type(item) for item in cut_off.RULE.check(facts)] == outcomes


@pytest.mark.parametrize(
    "kind", ["tuning", "cnv-tuning", "portmap", "bandwidth", "firewall", "sbr", "vrf", "route-override"]
)
def test_a_plugin_that_changes_an_interface_assigns_no_address(kind: str) -> None:
    """
    So an IPAM plugin is missing behind it, too.
    """
    facts = facts_of({"plugins": [{"type": "macvlan"}, {"type": kind}]})

    assert [*unaddressed(facts)] == [Fault("plugins[0].ipam", f"plugins[0].ipam {NO_ADDRESS}")]


@pytest.mark.parametrize(
    ("kind", "outcomes"),
    [
        *((kind, []) for kind in ("whereabouts", "dhcp", "kube-ovn", "spiderpool", "nv-ipam", "calico-ipam")),
        *((kind, [Violation]) for kind in ("host-local", "static")),
        ("vendor", [Undetermined]),
    ],
)
def test_an_ipam_plugin_gives_out_each_address_once_in_the_cluster_or_once_a_node(
    kind: str, outcomes: list[type]
) -> None:
    """
    Of an unknown one it is not known.
    """
    facts = facts_of({"type": "macvlan", "ipam": {"type": kind}})

    assert [type(item) for item in repeated_addresses.RULE.check(facts)] == outcomes


@pytest.mark.parametrize("key", ["device", "hwaddr", "kernelpath", "pciBusID"])
def test_any_of_four_keys_names_a_device(key: str) -> None:
    """
    As the host-device plugin reads them.
    """
    assert config_of({"type": "host-device", key: "x"}).plugins[0].refused == ()
    assert [fault.place for fault in config_of({"type": "host-device"}).plugins[0].refused] == ["device"]


def test_sixty_four_plugins_are_read() -> None:
    """
    No chain is longer.
    """
    assert len(config_of({"plugins": [{"type": "tuning"}] * 65}).plugins) == 64


@pytest.mark.parametrize(("number", "is_refused"), [(9_999, True), (10_000, False)])
def test_ten_thousand_pairs_of_ranges_are_compared(number: int, is_refused: bool) -> None:
    """
    142 ranges are a few pairs more.
    """
    pairs = [*combinations(range(142), 2)]
    one, other = pairs[number]
    subnets = [f"10.1.{index}.0/24" for index in range(142)]
    subnets[other] = subnets[one]

    ipam = read_ipam(
        {"type": "host-local", "ranges": [[{"subnet": subnet} for subnet in subnets]]}, "ipam", frozenset()
    )

    place = "ipam.ranges[0][{}].subnet"
    expected = Fault(
        place.format(other),
        f"{place.format(other)} {subnets[one]} overlaps {place.format(one)} {subnets[one]}",
        "Change or remove one of the two ranges.",
    )
    assert ipam.refused == ((expected,) if is_refused else ())


@pytest.mark.parametrize("topology", ["localnet", "layer2", "layer3"])
@pytest.mark.parametrize(
    ("subnets", "is_addressed"), [({}, False), ({"subnets": ""}, False), ({"subnets": "10.9.0.0/24"}, True)]
)
def test_ovn_kubernetes_assigns_addresses_only_from_subnets(
    topology: str, subnets: dict[str, str], is_addressed: bool
) -> None:
    """
    A layer2 or localnet network without ``subnets`` has no IPAM, and ``ipam`` is not read.
    """
    facts = facts_of({"type": "ovn-k8s-cni-overlay", "topology": topology, **subnets})

    faults = [fault.place for fault in unaddressed(facts) if isinstance(fault, Fault)]

    assert faults == ([] if is_addressed else ["subnets"])


@pytest.mark.parametrize("kind", ["bridge", "cnv-bridge"])
def test_openshift_names_the_bridge_plugin_cnv_bridge(kind: str) -> None:
    """
    Its settings are those of ``bridge``.
    """
    config = config_of({"type": kind, "bridge": 5, "vlan": "7", "ipam": {"type": "dhcp"}})

    assert [fault.place for fault in config.plugins[0].refused] == ["bridge", "vlan"]
