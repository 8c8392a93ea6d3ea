"""Properties of NetworkAttachmentDefinitions with any configuration."""

import json
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cni.test_attachments import LAB, a_kubevirt, a_network, a_node, findings, ipam_of, judged
from webhook.judging.finding import Judgement

SMALL = st.tuples(st.integers(0, 15), st.integers(28, 30), st.integers(-3, 20), st.integers(-3, 20))
BASE = int(ip_address("10.1.1.16"))


@given(SMALL, st.lists(st.tuples(st.integers(-8, 24), st.integers(28, 32)), max_size=4))
def test_a_pool_has_the_addresses_that_whereabouts_assigns(
    numbers: tuple[int, int, int, int], left_out: list[tuple[int, int]]
) -> None:
    """
    Walking over every address by whereabouts' rules finds exactly the addresses of the pool.
    """
    host, length, start, end = numbers
    text = f"{ip_address(BASE + host)}/{length}"
    exclude = [f"{ip_address(BASE + offset)}/{bits}" for offset, bits in left_out]
    span = {"range_start": str(ip_address(BASE + start)), "range_end": str(ip_address(BASE + end))}
    network = ip_network(text, strict=False)
    first, last = int(network.network_address) + 1, int(network.broadcast_address) - 1
    first = BASE + start if first <= BASE + start <= last else first
    last = BASE + end if first <= BASE + end <= last else last
    excluded = [ip_network(item, strict=False) for item in exclude]
    walked = [number for number in range(first, last + 1) if not any(ip_address(number) in out for out in excluded)]

    ipam = ipam_of({"type": "whereabouts", "range": text, "exclude": exclude, **span})

    assert [pool.size for pool in ipam.pools] == ([len(walked)] if walked else [])
    assert bool(ipam.refused) is not bool(walked)
    for pool in ipam.pools:
        assert [number for number in range(BASE - 16, BASE + 32) if pool.gives(number)] == walked


KEYS = st.sampled_from(
    """
    type name cniVersion plugins ipam range ranges ipRanges range_start range_end exclude gateway subnet rangeStart rangeEnd
    addresses address master mode vlanId vlan bridge capabilities ips runtimeConfig network_name node_slice_size TYPE
    """.split()  # noqa: SIM905 - one list of words reads better
)
WORDS = st.sampled_from(
    """
    macvlan ipvlan vlan bridge ptp dummy host-device ovs vendor whereabouts host-local static dhcp l2 0.3.1 1.2.0 eth1
    10.1.1.0/24 10.1.1.5 10.1.1.5-10.1.1.9/24 10.1.1.0/30 fd00::/64 fd00::5 ::/0 0.0.0.0/0 255.255.255.255/32 / - 1/1
    ::ffff:10.0.0.1/120
    """.split()  # noqa: SIM905 - one list of words reads better
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)
WORLD = (a_kubevirt(), a_node("a"), a_node("b"), a_network(LAB, "other", "tenant"))


def are_complete(judgements: Iterable[Judgement]) -> bool:
    """Whether each finding has a message and a remedy."""
    return all(finding.message and finding.remedy for judgement in judgements for finding in judgement.findings)


def judgements_with(config: str) -> Iterator[Judgement]:
    """The configuration as the migration network, through the KubeVirt CR, and as a neighbour."""
    network = a_network(config)
    yield judged(network, *WORLD)
    yield judged(a_kubevirt(), *WORLD, network)
    yield judged(a_network(LAB), *WORLD, a_network(config, "third", "tenant"))


@given(st.text())
def test_any_text_as_configuration_gives_complete_findings(config: str) -> None:
    """
    No text raises an error.
    """
    assert are_complete(judgements_with(config))


@given(VALUES)
def test_any_json_as_configuration_gives_complete_findings(config: Any) -> None:
    """
    Known keys can have any values, in any nesting.
    """
    assert are_complete(judgements_with(json.dumps(config)))


@given(VALUES)
def test_any_value_as_migration_network_gives_complete_findings(value: Any) -> None:
    """
    No value of the network in the KubeVirt CR raises an error.
    """
    assert are_complete([judged(a_kubevirt(value), *WORLD)])


@pytest.mark.parametrize(
    "name", ["a" * 64, "a.b", "A", "-a", "a-", "a/b/c", "/a", "a/", "a,b", "a@eth0", " a", "a\n", "ä"]
)
def test_a_value_that_multus_cannot_read_is_misnamed(name: str) -> None:
    """
    Only a DNS-1123 label, or two with a slash between them, can be looked up.
    """
    assert "LM715" in [rule for rule, _ in findings(a_kubevirt(name))]
