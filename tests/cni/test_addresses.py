"""IP addresses and ranges from text (webhook.cni.addresses)."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest

from webhook.cni.addresses import address_of, interface_of, is_global_unicast, network_of, taken_by_cluster
from webhook.facts.network import Taken
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.facts.unknown_world import UnknownWorld
from webhook.objects.meta import ObjectMeta
from webhook.objects.nad import Node, NodeSpec, ServiceCIDR, ServiceCIDRSpec

ZEROS_UP_TO_64 = "0" * 56 + "10.1.1.5"


@pytest.mark.parametrize(
    ("text", "sloppy", "address"),
    [
        ("10.1.1.5", False, "10.1.1.5"),
        ("fd00::5", False, "fd00::5"),
        ("010.001.01.005", True, "10.1.1.5"),
        ("10.0.0.0", True, "10.0.0.0"),
        ("010.1.1.5", False, None),
        ("fd00::0005", True, "fd00::5"),
        (ZEROS_UP_TO_64, True, "10.1.1.5"),
        ("0" + ZEROS_UP_TO_64, True, None),
        ("fe80::1%eth0", False, None),
        ("", False, None),
        ("host", False, None),
    ],
)
def test_an_address_is_read_as_go_reads_it(text: str, sloppy: bool, address: str | None) -> None:
    """
    Only ParseIPSloppy accepts leading zeros, neither accepts a zone, and longer texts than 64 characters are refused.
    """
    assert address_of(text, sloppy=sloppy) == (None if address is None else ip_address(address))


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.1.5/24", "10.1.1.0/24"),
        ("10.1.1.5/32", "10.1.1.5/32"),
        ("10.1.1.5/0", "0.0.0.0/0"),
        ("fd00::5/64", "fd00::/64"),
        ("fd00::5/128", "fd00::5/128"),
        ("10.1.1.5/00000000000000000024", "10.1.1.0/24"),
    ],
)
def test_an_address_with_its_length_has_a_network(text: str, network: str) -> None:
    """
    Host bits are kept in the address and cleared in the network.
    """
    assert interface_of(text) == (ip_address(text.partition("/")[0]), ip_network(network))


@pytest.mark.parametrize(
    "text",
    [
        "10.1.1.5",
        "10.1.1.5/",
        "10.1.1.5/33",
        "fd00::5/129",
        "10.1.1.5/255.255.255.0",
        "10.1.1.5/-1",
        "10.1.1.5/٢٤",
        "10.1.1.5/²",
        "10.1.1.5/000000000000000000024",
        "/24",
        "010.1.1.5/24",
    ],
)
def test_a_length_is_a_decimal_number_of_bits(text: str) -> None:
    """
    A netmask, a sign, a digit of another script and a length that the family does not have are refused.
    """
    assert interface_of(text) is None


def test_leading_zeros_are_refused_unless_sloppy() -> None:
    """
    Go's ParseIP refuses them since 1.17, because some programs read them as octal.
    """
    assert address_of("010.1.1.5") is None


def test_a_sloppy_interface_takes_leading_zeros() -> None:
    """
    The address of an interface is read as an address alone is.
    """
    assert interface_of("010.1.1.5/24", sloppy=True) == (ip_address("10.1.1.5"), IPv4Network("10.1.1.0/24"))


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.0.0/16", IPv4Network("10.1.0.0/16")),
        ("10.1.1.5", IPv4Network("10.1.1.5/32")),
        ("fd00::5", IPv6Network("fd00::5/128")),
        ("10.1.1", None),
    ],
)
def test_a_single_address_is_a_network_of_one(text: str, network: IPv4Network | IPv6Network | None) -> None:
    """
    A range is written with its length, or as one address.
    """
    assert network_of(text) == network


@pytest.mark.parametrize(
    ("text", "is_unicast"),
    [
        ("10.1.1.5", True),
        ("8.8.8.8", True),
        ("fd00::5", True),
        ("0.0.0.0", False),
        ("::", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("169.254.0.1", False),
        ("fe80::1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", True),
    ],
)
def test_global_unicast_is_as_in_go(text: str, is_unicast: bool) -> None:
    """
    Private addresses are global unicast; unspecified, loopback, multicast, link-local and broadcast addresses are not.
    """
    assert is_global_unicast(ip_address(text)) is is_unicast


def cidrs(name: str, *texts: str) -> ServiceCIDR:
    return ServiceCIDR(metadata=ObjectMeta(name=name), spec=ServiceCIDRSpec(cidrs=list(texts)))


def test_the_api_server_has_the_first_address_of_the_first_range() -> None:
    """
    Of the ServiceCIDR "kubernetes" the first range contains the API server's address; other ranges hold none.
    """
    world = ObjectsWorld((cidrs("kubernetes", "10.96.0.0/16", "fd00::/108"), cidrs("more", "10.97.0.0/16")))

    assert taken_by_cluster(world) == (
        Taken("the cluster's Services", IPv4Network("10.96.0.0/16"), int(ip_address("10.96.0.1"))),
        Taken("the cluster's Services", IPv6Network("fd00::/108")),
        Taken("the cluster's Services", IPv4Network("10.97.0.0/16")),
    )


def test_pods_have_the_ranges_of_their_nodes() -> None:
    """
    podCIDRs has precedence over podCIDR; a node without either, and text that is no range, use nothing.
    """
    specs = {
        "both": NodeSpec(pod_cidr="10.244.0.0/24", pod_cidrs=["10.244.0.0/24", "fd01::/64"]),
        "one": NodeSpec(pod_cidr="10.244.1.0/24"),
        "none": NodeSpec(),
        "bad": NodeSpec(pod_cidrs=["all"]),
    }
    nodes = [Node(metadata=ObjectMeta(name=name), spec=spec) for name, spec in specs.items()]
    bare = (Node(metadata=ObjectMeta(name="bare")), ServiceCIDR(metadata=ObjectMeta(name="bare")))
    world = ObjectsWorld([*nodes, *bare, cidrs("kubernetes", "all")])

    assert taken_by_cluster(world) == (
        Taken("the pods of node 'both'", IPv4Network("10.244.0.0/24")),
        Taken("the pods of node 'both'", IPv6Network("fd01::/64")),
        Taken("the pods of node 'one'", IPv4Network("10.244.1.0/24")),
    )


def test_an_unknown_cluster_uses_no_ranges() -> None:
    """
    Where neither ServiceCIDRs nor nodes can be read, no range of the cluster is known.
    """
    assert taken_by_cluster(UnknownWorld(Unknown("it cannot be read"))) == ()
