"""
Checks whether a network can carry migrations. virt-handler needs an interface on every node, and each interface needs a
different address.

Sources: KubeVirt v1.9.0 ``pkg/virt-handler/migration.go`` FindMigrationIP; the CNI plugins v1.9.1 ``plugins/main``; whereabouts
v0.9.4.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice, product
from typing import Final

from webhook.cni.addresses import is_global_unicast
from webhook.cni.attachments import OVN, ipams_of
from webhook.cni.ipam import DHCP, HOST_LOCAL, MAX_PAIRS, STATIC, WHEREABOUTS
from webhook.facts.network import CniConfig, Fault, Ipam, Neighbour, NetworkFacts, Plugin, Pool, Taken
from webhook.facts.unknown import Unknown

BRIDGES: Final = frozenset({"bridge", "cnv-bridge"})
"""Types of the bridge plugin: ``cnv-bridge`` is its name in OpenShift Virtualization (cluster-network-addons-operator)."""
REACHING: Final = BRIDGES | {"macvlan", "ipvlan", "vlan", "ovs", "host-device", "sriov", "ib-sriov", OVN}
"""Plugin types that can connect virt-handler to all nodes."""
CUT_OFF: Final = frozenset({"loopback", "dummy"})
"""Plugin types whose interface no other node can reach."""
ON_ONE_NODE: Final = frozenset({"ptp"})
"""Plugin types whose interface other nodes can reach only through additional routes."""
CHAINED: Final = frozenset({"tuning", "cnv-tuning", "portmap", "bandwidth", "firewall", "sbr", "vrf", "route-override"})
"""Plugin types that change an existing interface and assign no address."""
UNIQUE: Final = frozenset({WHEREABOUTS, DHCP, "kube-ovn", "spiderpool", "nv-ipam", "calico-ipam"})
"""IPAM types that assign each address only once in the cluster."""
REPEATING: Final = frozenset({HOST_LOCAL, STATIC})
"""IPAM types that assign addresses on each node separately."""
MIN_ADDRESSES: Final = 2
"""The number of addresses that a migration needs: one for the source node and one for the target node."""
ADD_SUBNETS: Final = (
    'Add `"subnets": "10.1.1.0/24"`, with a range of your network. OVN-Kubernetes does not read `ipam`.'
)
"""The remedy for a network of OVN-Kubernetes without addresses."""


def repeats(ipam: Ipam) -> bool | None:
    """Whether an IPAM plugin assigns the same address to two nodes. Returns None if this is unknown."""
    if ipam.type in REPEATING:
        return True
    return False if ipam.type in UNIQUE else None


def first_plugin(facts: NetworkFacts) -> Plugin | None:
    """Returns the plugin that creates the interface, if this is a migration network whose configuration can be read."""
    config = facts.config
    return (
        config.plugins[0] if facts.is_migration_network and isinstance(config, CniConfig) and config.plugins else None
    )


def cut_off(facts: NetworkFacts) -> Iterator[Fault]:
    """Yields a fault if no other node can reach the interface."""
    plugin = first_plugin(facts)
    if plugin is not None and plugin.type in CUT_OFF:
        at = plugin.at("type")
        yield Fault(at, f"{at} {plugin.type!r} creates an interface that no other node can reach")


def unaddressed(facts: NetworkFacts) -> Iterator[Fault | Unknown]:
    """
    Yields a fault if virt-handler gets no address, or Unknown if the address depends on other files.

    A plugin that is not in the tables above might also assign an address. For such a plugin, a missing ``ipam`` is not a fault.
    """
    plugin, config = first_plugin(facts), facts.config
    if plugin is None or not isinstance(config, CniConfig) or plugin.refused:
        return
    ipams = ipams_of(config)
    if plugin.assigns is not None:
        if not plugin.assigns:
            at = plugin.at("subnets")
            message = f"{at} is missing, so OVN-Kubernetes gives virt-handler's interface no address"
            yield Fault(at, message, ADD_SUBNETS)
        return
    all_known = plugin.type in REACHING | ON_ONE_NODE and all(chained.type in CHAINED for chained in config.plugins[1:])
    if not ipams and all_known:
        at = plugin.at("ipam")
        yield Fault(at, f"{at} is missing, so virt-handler's interface gets no address")
    pools = [pool for ipam in ipams for pool in ipam.pools]
    if pools and not any(ipam.addresses or ipam.open for ipam in ipams) and not any(map(_is_usable, pools)):
        yield Fault(
            pools[0].place, f"{pools[0].place} {pools[0].network} has no address that virt-handler uses for migrations"
        )
    for ipam in ipams:
        if ipam.type not in {WHEREABOUTS, HOST_LOCAL, STATIC} or ipam.refused or ipam.pools or ipam.addresses:
            continue
        if not ipam.open:
            yield Fault(ipam.place, f"{ipam.place} lists no address, so virt-handler's interface gets no address")
        else:
            yield Unknown(
                f"{ipam.place} has no range: {ipam.type} can read a range from another source",
                "write the range into the configuration",
            )


def _is_usable(pool: Pool) -> bool:
    """Whether virt-handler uses addresses of the pool. virt-handler ignores link-local, loopback and multicast addresses."""
    return is_global_unicast(type(pool.network.network_address)(pool.first))


def too_small(facts: NetworkFacts) -> Iterator[Fault | Unknown]:
    """
    Yields a fault for a range with fewer addresses than the cluster has nodes for VMs. A pod takes one address of each range.
    """
    nodes = facts.nodes
    for pool in _counted(facts):
        at, size = pool.place, pool.size
        if size < MIN_ADDRESSES:
            yield Fault(at, f"{at} {pool.network} has {_addresses(size)}; a migration needs {MIN_ADDRESSES}")
        elif nodes is None or isinstance(nodes, Unknown):
            continue
        elif size < nodes.schedulable:
            yield Fault(at, f"{at} {pool.network} has {_addresses(size)} for {nodes.schedulable} nodes")
        elif size < nodes.all and not nodes.schedulable:
            yield Unknown(
                f"{at} {pool.network} has {_addresses(size)} for {nodes.all} nodes, "
                "and no label says how many of them run VMs",
                "pass the nodes with their kubevirt.io/schedulable labels",
            )


def _addresses(size: int) -> str:
    return f"{size} address{'' if size == 1 else 'es'}"


def _counted(facts: NetworkFacts) -> Iterator[Pool]:
    """
    Yields the ranges from which every node takes one address. Ranges of host-local are left out, because each node uses the
    whole range.
    """
    if facts.is_migration_network and isinstance(facts.config, CniConfig):
        for ipam in ipams_of(facts.config):
            if ipam.type == WHEREABOUTS and not ipam.sliced:
                yield from ipam.pools


def colliding(facts: NetworkFacts) -> Iterator[tuple[Pool, Neighbour, Pool]]:
    """
    Yields ranges whose addresses another network also assigns, with at most one range for each other network.

    Two whereabouts networks that reserve addresses for the whole cluster never assign the same address.
    """
    if not facts.is_migration_network or not isinstance(facts.config, CniConfig):
        return
    own = ipams_of(facts.config)
    for neighbour in facts.neighbours:
        pairs = (
            (mine, theirs)
            for ipam, other in product(own, neighbour.ipams)
            if ipam.reserves_as is None or ipam.reserves_as != other.reserves_as
            for mine, theirs in product(ipam.pools, other.pools)
        )
        overlap = next((pair for pair in islice(pairs, MAX_PAIRS) if pair[0].overlaps(pair[1])), None)
        if overlap is not None:
            yield overlap[0], neighbour, overlap[1]


def hiding(facts: NetworkFacts) -> Iterator[tuple[Pool, Taken]]:
    """
    Yields ranges of the cluster that virt-handler can no longer reach, because its route to them leads to the migration
    network.

    Each range of an interface adds a route for the whole range, including the excluded addresses.
    """
    if facts.is_migration_network and isinstance(facts.config, CniConfig):
        for pool, taken in islice(product(_pools(facts.config), facts.taken), MAX_PAIRS):
            if pool.network.version == taken.network.version and pool.network.overlaps(taken.network):
                yield pool, taken


def hides_apiserver(pool: Pool, taken: Taken) -> bool:
    """Whether the pool covers the API server's address."""
    return taken.apiserver is not None and (
        int(pool.network.network_address) <= taken.apiserver <= int(pool.network.broadcast_address)
    )


def _pools(config: CniConfig) -> Iterator[Pool]:
    for ipam in ipams_of(config):
        yield from ipam.pools


def blocking_faults(facts: NetworkFacts) -> Iterator[Fault]:
    """Yields faults that prevent virt-handler from starting on this network, or that prevent all migrations."""
    config = facts.config
    if isinstance(config, Fault):
        yield config
    if not isinstance(config, CniConfig):
        return
    yield from config.malformed
    for plugin in config.plugins:
        yield from plugin.refused
    for ipam in ipams_of(config):
        yield from ipam.refused
    yield from cut_off(facts)
    yield from (fault for fault in unaddressed(facts) if isinstance(fault, Fault))
    yield from (fault for fault in too_small(facts) if isinstance(fault, Fault))
    for pool, taken in hiding(facts):
        if hides_apiserver(pool, taken):
            yield Fault(pool.place, f"{pool.place} {pool.network} contains the API server's address {_address(taken)}")


def _address(taken: Taken) -> str:
    return str(ip_address(taken.apiserver or 0))
