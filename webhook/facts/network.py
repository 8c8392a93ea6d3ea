"""The facts about one NetworkAttachmentDefinition and about the migration network of the KubeVirt CR."""

from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

import msgspec

from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

Network: TypeAlias = IPv4Network | IPv6Network


class Fault(msgspec.Struct, frozen=True):
    """One fault in a CNI configuration."""

    place: str
    """The path in the configuration's JSON, such as ``ipam.range`` (empty for the whole configuration)."""
    message: str
    """The message for the user, with the place."""
    remedy: str = ""
    """The instruction that corrects this fault. If it is empty, the remedy of the rule applies."""


class Pool(msgspec.Struct, frozen=True):
    """The addresses that an IPAM plugin assigns from one range, as integers from ``first`` to ``last`` inclusive."""

    place: str
    network: Network
    first: int
    last: int
    excluded: tuple[tuple[int, int], ...] = ()
    """The excluded spans between ``first`` and ``last``, disjoint and sorted."""

    @property
    def size(self) -> int:
        """The number of addresses that are not excluded."""
        return max(self.last - self.first + 1 - sum(last - first + 1 for first, last in self.excluded), 0)

    def gives(self, address: int) -> bool:
        """Whether a pod can get this address. The address must be of the same family as the pool."""
        return self.first <= address <= self.last and not any(low <= address <= high for low, high in self.excluded)

    def overlaps(self, other: "Pool") -> bool:
        """Whether both pools can assign the same address. Excluded addresses count only if they cover the whole overlap."""
        if self.network.version != other.network.version:
            return False
        low, high = max(self.first, other.first), min(self.last, other.last)
        return low <= high and not any(
            first <= low and high <= last for pool in (self, other) for first, last in pool.excluded
        )


class Ipam(msgspec.Struct, frozen=True):
    """The ``ipam`` of one plugin, as the IPAM plugin of that type reads it."""

    place: str
    type: str
    pools: tuple[Pool, ...] = ()
    """A pod gets one address from each pool."""
    addresses: int = 0
    """The number of fixed addresses."""
    refused: tuple[Fault, ...] = ()
    """Faults that prevent the IPAM plugin from assigning an address to any pod."""
    doubtful: tuple[Fault, ...] = ()
    """Settings that the IPAM plugin accepts and ignores."""
    reserves_as: str | None = None
    """
    The network name under which whereabouts reserves addresses for the whole cluster; None if addresses are not reserved in
    this way.
    """
    open: bool = False
    """Whether addresses can also come from a file on the nodes, or from the pod."""
    sliced: bool = False
    """Whether every node gets a slice of the range instead of single addresses."""


class Plugin(msgspec.Struct, frozen=True):
    """One plugin of a CNI configuration."""

    place: str
    """The place of the plugin, such as ``plugins[0]`` (empty for a configuration of a single plugin)."""
    type: str
    master: str = ""
    bridge: str = ""
    ipam: Ipam | None = None
    refused: tuple[Fault, ...] = ()
    """Faults that prevent the plugin from creating an interface for any pod."""
    assigns: bool | None = None
    """Whether OVN-Kubernetes assigns addresses, for which it does not need ``ipam``. None for other plugins."""

    def at(self, key: str) -> str:
        """Returns the place of a key of this plugin in the configuration."""
        return f"{self.place}.{key}" if self.place else key


class CniConfig(msgspec.Struct, frozen=True):
    """The ``spec.config`` of a NetworkAttachmentDefinition, as Multus and the plugins read it."""

    name: str
    """The name in the configuration. If it is empty, Multus uses the name of the NetworkAttachmentDefinition."""
    version: str
    """The ``cniVersion``. An empty string means 0.1.0."""
    plugins: tuple[Plugin, ...] = ()
    """The plugins in the order in which Multus runs them."""
    malformed: tuple[Fault, ...] = ()
    """Faults that prevent Multus from running any plugin."""


class Nodes(msgspec.Struct, frozen=True):
    """The number of nodes, and the number of nodes that can run VMs."""

    all: int
    schedulable: int


class Neighbour(msgspec.Struct, frozen=True):
    """Another NetworkAttachmentDefinition that assigns addresses."""

    name: str
    """``namespace/name``."""
    ipams: tuple[Ipam, ...]


class Taken(msgspec.Struct, frozen=True):
    """A range that the cluster itself uses."""

    name: str
    """The name of the range in messages, such as ``the pods of node 'a'`` or ``the cluster's Services``."""
    network: Network
    apiserver: int | None = None
    """The address at which pods reach the API server, as an integer, or None if this address is not in the range."""


class NetworkFacts(msgspec.Struct, frozen=True):
    """One NetworkAttachmentDefinition."""

    namespace: str
    name: str
    path: FieldPath
    """The path of ``spec.config``."""
    config: Fact[CniConfig] | Fault
    """The configuration; Unknown if Multus reads it from a file on the nodes, a Fault if it is not a JSON object."""
    is_migration_network: bool = False
    """Whether a known KubeVirt CR names this NetworkAttachmentDefinition as the migration network."""
    nodes: Fact[Nodes] | None = None
    """The numbers of nodes, set only for the migration network."""
    neighbours: tuple[Neighbour, ...] = ()
    """The known networks that also assign addresses, set only for the migration network."""
    taken: tuple[Taken, ...] = ()
    """The known ranges that the cluster itself uses, set only for the migration network."""


class NetworkChangeFacts(msgspec.Struct, frozen=True):
    """An update that changes the migration network or its configuration."""

    path: FieldPath
    """The path of the changed field."""
    before: str
    """The name of the network before the update (empty if there was no network)."""
    after: str


class MigrationNetworkFacts(msgspec.Struct, frozen=True):
    """The migration network of a KubeVirt CR that sets ``spec.configuration.migrations.network``."""

    value: Json
    """The value as written, which can have any type if the API server did not validate the CR against its CRD."""
    path: FieldPath
    namespace: str
    """The namespace of the KubeVirt CR, in which virt-handler runs."""
    network_namespace: str
    """
    The namespace in which Multus looks up the network. This is the namespace in the value, or otherwise the namespace of the
    CR.
    """
    network_name: str
    """The name of the network (empty if the value is not a valid name)."""
    network: Found[NetworkFacts]
