"""IP addresses and ranges from text, as Go's ``net`` package takes them."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from webhook.facts.network import Network, Taken
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.objects.nad import Node, NodeSpec, ServiceCIDR

Address: TypeAlias = IPv4Address | IPv6Address
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def address_of(text: str, *, sloppy: bool = False) -> Address | None:
    """The address, or None; ``sloppy`` takes leading zeros as decimal, as Kubernetes' ``ParseIPSloppy`` does."""
    if "%" in text or len(text) > 64:
        return None
    if sloppy and ":" not in text:
        text = _LEADING_ZEROS.sub("", text)
    try:
        return ip_address(text)
    except ValueError:
        return None


def interface_of(text: str, *, sloppy: bool = False) -> tuple[Address, Network] | None:
    """Address and network of ``10.1.1.5/24``, or None; a netmask in place of the length is none, as in Go."""
    written, _, length = text.partition("/")
    address = address_of(written, sloppy=sloppy)
    if address is None or not (length.isascii() and length.isdigit()) or len(length) > 20:
        return None
    bits = int(length)
    if bits > address.max_prefixlen:
        return None
    if isinstance(address, IPv4Address):
        return address, IPv4Network((int(address), bits), strict=False)
    return address, IPv6Network((int(address), bits), strict=False)


def network_of(text: str) -> Network | None:
    """The network of a range, or a single address as a network of one; None where the text is neither."""
    single = address_of(text)
    found = interface_of(f"{text}/{single.max_prefixlen}" if single is not None else text)
    return None if found is None else found[1]


def is_global_unicast(address: Address) -> bool:
    """Go's ``IP.IsGlobalUnicast``, private addresses included: what virt-handler takes for a migration network."""
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address == IPv4Address("255.255.255.255")
    )


def taken_by_cluster(world: World) -> tuple[Taken, ...]:
    """
    The ranges of Services and pods that are known.

    The API server has the first address of the first range of Services (``pkg/controlplane/apiserver/options``,
    ``ServiceIPRange``, Kubernetes v1.34); other ServiceCIDRs than ``kubernetes`` hold no address of its.
    """
    found: list[Taken] = []
    services = world.every(ServiceCIDR)
    for each in () if isinstance(services, Unknown) else services:
        for index, text in enumerate(each.spec.cidrs or ()):
            network = network_of(text)
            if network is not None:
                first = int(network.network_address) + 1 if index == 0 and each.name == "kubernetes" else None
                found.append(Taken("the cluster's Services", network, first))
    nodes = world.every(Node)
    for node in () if isinstance(nodes, Unknown) else nodes:
        spec = node.spec or NodeSpec()
        texts = spec.pod_cidrs or ([] if spec.pod_cidr is None else [spec.pod_cidr])
        ranges = [each for each in map(network_of, texts) if each is not None]
        found.extend(Taken(f"the pods of node {node.name!r}", each) for each in ranges)
    return tuple(found)
