"""Reads IP addresses and ranges from text, as Go's ``net`` package reads them."""

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
    """Returns the address in ``text``, or None. ``sloppy`` allows leading zeros, as Kubernetes' ``ParseIPSloppy`` does."""
    if "%" in text or len(text) > 64:
        return None
    if sloppy and ":" not in text:
        text = _LEADING_ZEROS.sub("", text)
    try:
        return ip_address(text)
    except ValueError:
        return None


def interface_of(text: str, *, sloppy: bool = False) -> tuple[Address, Network] | None:
    """
    Returns the address and the network of a text such as ``10.1.1.5/24``, or None. Go does not accept a netmask in place of the
    prefix length.
    """
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
    """Returns the network of a range or a single address, or None for any other text."""
    single = address_of(text)
    interface = interface_of(f"{text}/{single.max_prefixlen}" if single is not None else text)
    return None if interface is None else interface[1]


def is_global_unicast(address: Address) -> bool:
    """Implements Go's ``IP.IsGlobalUnicast``, which includes private addresses. virt-handler uses only such addresses."""
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address == IPv4Address("255.255.255.255")
    )


def taken_by_cluster(world: World) -> tuple[Taken, ...]:
    """
    Returns the known ranges of Services and pods.

    The address of the API server is the first address in the first range of the ServiceCIDR ``kubernetes``
    (``pkg/controlplane/apiserver/options``, ``ServiceIPRange``, Kubernetes v1.34).
    """
    taken: list[Taken] = []
    services = world.every(ServiceCIDR)
    for service_cidr in () if isinstance(services, Unknown) else services:
        for index, text in enumerate(service_cidr.spec.cidrs or ()):
            network = network_of(text)
            if network is not None:
                first = int(network.network_address) + 1 if index == 0 and service_cidr.name == "kubernetes" else None
                taken.append(Taken("the cluster's Services", network, first))
    nodes = world.every(Node)
    for node in () if isinstance(nodes, Unknown) else nodes:
        spec = node.spec or NodeSpec()
        texts = spec.pod_cidrs or ([] if spec.pod_cidr is None else [spec.pod_cidr])
        ranges = [network for network in map(network_of, texts) if network is not None]
        taken.extend(Taken(f"the pods of node {node.name!r}", network) for network in ranges)
    return tuple(taken)
