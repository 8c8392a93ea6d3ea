"""What is known about one NetworkAttachmentDefinition, and about the migration network that the KubeVirt CR names."""

from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

import msgspec

from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

Network: TypeAlias = IPv4Network | IPv6Network


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong inside a CNI configuration."""

    place: str
    """Keys and indices inside the configuration's JSON, e.g. ``ipam.range``; empty for the whole."""
    message: str
    """In the user's words, the place included."""


class Pool(msgspec.Struct, frozen=True):
    """The addresses that an IPAM plugin gives out of one range, as integers, both ends included."""

    place: str
    network: Network
    first: int
    last: int
    excluded: tuple[tuple[int, int], ...] = ()
    """Disjoint, sorted, and cut to what lies between ``first`` and ``last``."""

    @property
    def size(self) -> int:
        """How many addresses are left after exclusions."""
        return max(self.last - self.first + 1 - sum(last - first + 1 for first, last in self.excluded), 0)

    def gives(self, address: int) -> bool:
        """Whether this address, of the same family, may be given to a pod."""
        return self.first <= address <= self.last and not any(low <= address <= high for low, high in self.excluded)

    def overlaps(self, other: "Pool") -> bool:
        """Whether both give out some address; exclusions count only where they cover all of it."""
        if self.network.version != other.network.version:
            return False
        low, high = max(self.first, other.first), min(self.last, other.last)
        return low <= high and not any(
            first <= low and high <= last for each in (self, other) for first, last in each.excluded
        )


class Ipam(msgspec.Struct, frozen=True):
    """``ipam`` of one plugin, read as the IPAM plugin of that type reads it."""

    place: str
    type: str
    pools: tuple[Pool, ...] = ()
    """A pod gets one address out of each."""
    addresses: int = 0
    """How many fixed addresses are written."""
    refused: tuple[Fault, ...] = ()
    """With one of these the IPAM plugin gives no address to any pod."""
    doubtful: tuple[Fault, ...] = ()
    """What the IPAM plugin accepts and then does not do."""
    reserves_as: str | None = None
    """The name under which whereabouts reserves each address for the whole cluster; None where nothing does that."""
    open: bool = False
    """Whether addresses may also come from elsewhere: from a file on the nodes, or with the pod."""
    sliced: bool = False
    """Whether every node gets a slice of the range instead of single addresses."""


class Plugin(msgspec.Struct, frozen=True):
    """One plugin of a CNI configuration."""

    place: str
    """Empty where the configuration holds this plugin alone, else ``plugins[0]`` and so on."""
    type: str
    master: str = ""
    bridge: str = ""
    ipam: Ipam | None = None
    refused: tuple[Fault, ...] = ()
    """With one of these the plugin makes no interface for any pod."""

    def at(self, key: str) -> str:
        """The place of one of this plugin's keys in the configuration."""
        return f"{self.place}.{key}" if self.place else key


class CniConfig(msgspec.Struct, frozen=True):
    """``spec.config`` of a NetworkAttachmentDefinition, as Multus and the plugins read it."""

    name: str
    """Empty where absent: Multus then writes the name of the NetworkAttachmentDefinition."""
    version: str
    """``cniVersion``; empty where absent, which counts as 0.1.0."""
    plugins: tuple[Plugin, ...] = ()
    """In the order in which they run."""
    malformed: tuple[Fault, ...] = ()
    """What keeps Multus from running any plugin."""


class Nodes(msgspec.Struct, frozen=True):
    """How many nodes there are, and how many of them are known to run virtual machines."""

    all: int
    schedulable: int


class Neighbour(msgspec.Struct, frozen=True):
    """Another NetworkAttachmentDefinition that gives out addresses."""

    name: str
    """``namespace/name``."""
    ipams: tuple[Ipam, ...]


class Taken(msgspec.Struct, frozen=True):
    """A range that the cluster itself uses."""

    name: str
    """``the pods of node 'a'``, ``the cluster's Services``."""
    network: Network
    apiserver: int | None = None
    """The address, as an integer, under which pods reach the API server; None where it is not in this range."""


class NetworkFacts(msgspec.Struct, frozen=True):
    """One NetworkAttachmentDefinition."""

    namespace: str
    name: str
    path: FieldPath
    """Of ``spec.config``."""
    config: Fact[CniConfig] | Fault
    """Unknown where it stands in a file on the nodes, a Fault where it is not a JSON object."""
    is_migration_network: bool = False
    """Whether a KubeVirt CR is known to name it."""
    nodes: Fact[Nodes] | None = None
    """Gathered for the migration network only."""
    neighbours: tuple[Neighbour, ...] = ()
    """Those that are known; gathered for the migration network only."""
    taken: tuple[Taken, ...] = ()
    """Those that are known; gathered for the migration network only."""


class NetworkChangeFacts(msgspec.Struct, frozen=True):
    """An update by which the migration network changes, or its configuration."""

    path: FieldPath
    """Of what differs."""
    before: str
    """The network's name, empty where there is none."""
    after: str


class MigrationNetworkFacts(msgspec.Struct, frozen=True):
    """``spec.configuration.migrations.network`` of a KubeVirt CR that sets it."""

    value: Json
    """As written; a string, unless nobody checked it against the CRD."""
    path: FieldPath
    namespace: str
    """The KubeVirt CR's own, in which virt-handler runs."""
    network_namespace: str
    """Where Multus looks; that of the CR unless the value names one."""
    network_name: str
    """Empty where the value is no name."""
    network: Found[NetworkFacts]
