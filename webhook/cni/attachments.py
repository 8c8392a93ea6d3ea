"""
Reads NetworkAttachmentDefinitions as Multus reads them, and finds the NetworkAttachmentDefinition that KubeVirt uses for
migrations.

Sources: multus-cni v4 ``pkg/types/conf.go`` and ``pkg/k8sclient``, libcni 1.3 ``libcni/conf.go``, the CNI plugins v1.9.1
``plugins/main``; KubeVirt v1.9.0 ``pkg/virt-operator/resource/generate/components/daemonsets.go`` and
``pkg/virt-handler/migration.go``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from webhook.cni import json as gojson
from webhook.cni.addresses import taken_by_cluster
from webhook.cni.ipam import read_ipam
from webhook.cni.json import member, text_of
from webhook.facts.derived import Derived
from webhook.facts.network import (
    CniConfig,
    Fault,
    Ipam,
    MigrationNetworkFacts,
    Neighbour,
    NetworkFacts,
    Nodes,
    Plugin,
)
from webhook.facts.unknown import Absent, Fact, Found, Unknown
from webhook.facts.world import World
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Json
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown

NETWORK_PATH: Final[FieldPath] = ("spec", "configuration", "migrations", "network")
CONFIG_PATH: Final[FieldPath] = ("spec", "config")
RESOURCE_NAME: Final = "k8s.v1.cni.cncf.io/resourceName"
"""The annotation of a NetworkAttachmentDefinition whose device is chosen by a device plugin."""
IN_USE: Final = (
    "is KubeVirt's migration network: without it virt-handler does not start on any node. First change or remove "
    "spec.configuration.migrations.network of the KubeVirt CR, and wait until virt-handler has restarted on every node"
)
"""The reason why a NetworkAttachmentDefinition must not be deleted or broken, and the remedy. Messages put it after the name."""
LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
"""A DNS-1123 label, the only form of a name that Multus accepts in a pod's annotation."""

OVN: Final = "ovn-k8s-cni-overlay"
"""The plugin type of OVN-Kubernetes, which reads its own settings instead of ``ipam``."""
_MODES: Final[Mapping[str, frozenset[str]]] = {
    "macvlan": frozenset({"", "bridge", "private", "vepa", "passthru"}),
    "ipvlan": frozenset({"", "l2", "l3", "l3s"}),
}
_STRINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "macvlan": ("master", "mode"),
    "ipvlan": ("master", "mode"),
    "vlan": ("master",),
    "bridge": ("bridge",),
    "cnv-bridge": ("bridge",),
}
"""The keys that each plugin reads as strings."""
_VLAN_KEYS: Final[Mapping[str, str]] = {"vlan": "vlanId", "bridge": "vlan", "cnv-bridge": "vlan"}
_HOST_DEVICE_KEYS: Final = ("device", "hwaddr", "kernelpath", "pciBusID")
_MAX_PLUGINS: Final = 64


def network_facts(network: NetworkAttachmentDefinition, world: World) -> NetworkFacts:
    """Returns the facts about a NetworkAttachmentDefinition. Some facts are set only for a migration network."""
    clusters = world.every(KubeVirt)
    named = not isinstance(clusters, Unknown) and any(
        in_use_by(network.namespace, network.name, cluster) for cluster in clusters
    )
    return _facts(network, world, named=named)


def migration_network_facts(kubevirt: KubeVirt, world: World) -> MigrationNetworkFacts | None:
    """Returns the facts about the migration network that a KubeVirt CR names, or None if the CR names no network."""
    value = network_value(kubevirt)
    if value is None:
        return None
    namespace, name = _reference(value, kubevirt.namespace)
    network: Found[NetworkFacts]
    if not name:
        network = Unknown("the value is not a valid name")
    else:
        attachment = world.find(NetworkAttachmentDefinition, namespace, name)
        network = attachment if isinstance(attachment, Absent | Unknown) else _facts(attachment, world, named=True)
    return MigrationNetworkFacts(value, NETWORK_PATH, kubevirt.namespace, namespace, name, network)


def in_use_by(nad_namespace: str, nad_name: str, kubevirt: KubeVirt) -> bool:
    """Whether the KubeVirt CR uses this NetworkAttachmentDefinition. An empty namespace matches every namespace."""
    namespace, name = _reference(network_value(kubevirt), kubevirt.namespace)
    return bool(name) and name == nad_name and (namespace == nad_namespace or not namespace or not nad_namespace)


def network_value(kubevirt: KubeVirt) -> Json:
    """Returns the value of ``migrations.network`` as written in the KubeVirt CR, which can have any type."""
    configuration = kubevirt.spec.configuration
    migrations = configuration.migrations if configuration is not None else None
    return migrations.get("network") if isinstance(migrations, dict) else None


def _reference(value: Json, own_namespace: str) -> tuple[str, str]:
    """Returns the namespace and the name. The name is empty if the value has neither the form ``name`` nor ``namespace/name``."""
    namespace, slash, name = text_of(value).rpartition("/")
    if not LABEL.fullmatch(name) or (slash and not LABEL.fullmatch(namespace)):
        return own_namespace, ""
    return namespace or own_namespace, name


def _facts(network: NetworkAttachmentDefinition, world: World, *, named: bool) -> NetworkFacts:
    return NetworkFacts(
        network.namespace,
        network.name,
        CONFIG_PATH,
        read_config(network),
        named,
        _nodes(world) if named else None,
        _neighbours(network, world) if named else (),
        taken_by_cluster(world) if named else (),
    )


def _nodes(world: World) -> Fact[Nodes]:
    nodes = world.every(Node)
    if isinstance(nodes, Unknown):
        return nodes
    return Nodes(len(nodes), sum(node.traits.schedulable for node in nodes))


def _neighbours(network: NetworkAttachmentDefinition, world: World) -> tuple[Neighbour, ...]:
    others = world.every(NetworkAttachmentDefinition)
    own = (network.namespace, network.name)
    known = _ADDRESSED.of(() if isinstance(others, Unknown) else others)
    return tuple(neighbour for identity, neighbour in known if identity != own)


def _addressed(networks: Iterable[NetworkAttachmentDefinition]) -> Sequence[tuple[tuple[str, str], Neighbour]]:
    """The networks that assign addresses from pools, by name, each with its namespace and name."""
    found = []
    for network in networks:
        config = read_config(network)
        ipams = ipams_of(config) if isinstance(config, CniConfig) else ()
        if any(ipam.pools for ipam in ipams):
            name = f"{network.namespace}/{network.name}".lstrip("/")
            found.append(((network.namespace, network.name), Neighbour(name, ipams)))
    return sorted(found, key=lambda one: one[1].name)


_ADDRESSED: Final = Derived(_addressed)


def ipams_of(config: CniConfig) -> tuple[Ipam, ...]:
    """Returns the ``ipam`` of each plugin that has one."""
    return tuple(plugin.ipam for plugin in config.plugins if plugin.ipam is not None)


def read_config(network: NetworkAttachmentDefinition) -> Fact[CniConfig] | Fault:
    """
    Returns the configuration in ``spec.config``. Returns a Fault if ``spec.config`` is not a JSON object. Returns Unknown if
    the configuration is too large, or if Multus reads it from a file on the nodes.
    """
    text = network.spec.config
    if not text:
        return Unknown(
            "the configuration is empty: Multus reads it from a file on each node",
            "write the CNI configuration into spec.config",
        )
    try:
        parsed = gojson.parse(text)
    except gojson.NotJson as error:
        return Fault("", f"the configuration {error}")
    except gojson.TooLarge as error:
        return Unknown(f"the configuration {error}", "make it shorter")
    if not isinstance(parsed, dict):
        return Fault("", f"the configuration is {shown(parsed)}, not a JSON object")
    return _read_object(parsed, frozenset({RESOURCE_NAME} & (network.meta.annotations or {}).keys()))


def _read_object(parsed: Mapping[str, Json], annotations: frozenset[str]) -> CniConfig:
    """Reads one plugin if the configuration has ``type``, as Multus does. Otherwise reads the list ``plugins``."""
    malformed: list[Fault] = []
    for key in ("name", "cniVersion", "type"):
        value = member(parsed, key)
        if value is not None and not isinstance(value, str):
            malformed.append(Fault(key, f"{key} is {shown(value)}, not a string", "Write a string."))
    name, version = text_of(member(parsed, "name")), text_of(member(parsed, "cniVersion"))
    if malformed:
        return CniConfig(name, version, (), tuple(malformed))
    listed = member(parsed, "plugins")
    if text_of(member(parsed, "type")):
        entries = [("", parsed)]
    elif listed is None:
        malformed.append(Fault("", "the configuration has neither a plugin type nor a list of plugins"))
        entries = []
    elif not isinstance(listed, list) or not listed:
        malformed.append(
            Fault(
                "plugins",
                f"plugins is {'empty' if listed == [] else shown(listed)}, not a list of plugins",
                "Write a list with one object for each plugin.",
            )
        )
        entries = []
    else:
        entries = [(f"plugins[{index}]", entry) for index, entry in enumerate(listed[:_MAX_PLUGINS])]
    plugins: list[Plugin] = []
    for place, entry in entries:
        fault = _malformed(place, entry)
        if fault is not None:
            malformed.append(fault)
        else:
            plugins.append(_read_plugin(place, entry, annotations, first=not plugins))
    return CniConfig(name, version, tuple(plugins), tuple(malformed))


def _malformed(place: str, plugin: Json) -> Fault | None:
    """
    Returns the first fault for which libcni refuses the configuration of a plugin without a search for the plugin's program.
    """
    if not isinstance(plugin, dict):
        return Fault(place, f"{place} is {shown(plugin)}, not an object", "Write an object.")
    at = f"{place}." if place else ""
    kind, ipam = member(plugin, "type"), member(plugin, "ipam")
    if not isinstance(kind, str) or not kind:
        message = f"{at}type is missing or not a string: it names the plugin to run"
        return Fault(f"{at}type", message, "Write the name of the plugin, such as macvlan.")
    if ipam is not None and not isinstance(ipam, dict):
        return Fault(f"{at}ipam", f"{at}ipam is {shown(ipam)}, not an object", "Write an object.")
    ipam_type = member(ipam, "type") if ipam else None
    if ipam_type is not None and not isinstance(ipam_type, str):
        return Fault(f"{at}ipam.type", f"{at}ipam.type is {shown(ipam_type)}, not a string", "Write a string.")
    return None


def _read_plugin(place: str, settings: Mapping[str, Json], annotations: frozenset[str], *, first: bool) -> Plugin:
    at = f"{place}." if place else ""
    ipam = member(settings, "ipam")
    capabilities = member(settings, "capabilities")
    at_run_time = (
        frozenset(key for key, value in capabilities.items() if value is True)
        if isinstance(capabilities, dict)
        else frozenset()
    )
    if member(settings, "args") is not None or member(settings, "runtimeConfig") is not None:
        at_run_time |= {"ips", "ipRanges", "deviceID"}
    has_ipam = isinstance(ipam, dict) and bool(text_of(member(ipam, "type")))
    faults = chain(
        _wrong_types(settings, at),
        _refused(settings, at, device_chosen=bool(annotations) or "deviceID" in at_run_time),
        _unaddressed(settings, at, has_ipam=has_ipam, first=first),
    )
    return Plugin(
        place,
        text_of(member(settings, "type")),
        text_of(member(settings, "master")),
        text_of(member(settings, "bridge")),
        read_ipam(ipam, f"{at}ipam", at_run_time) if has_ipam else None,
        tuple(faults),
        _ovn_subnets(settings),
    )


def _ovn_subnets(settings: Mapping[str, Json]) -> bool | None:
    """
    Whether a network of OVN-Kubernetes assigns addresses, or None for other plugins. OVN-Kubernetes assigns addresses from
    ``subnets``. Without this field, a layer2 or localnet network has no addresses.

    Source: ovn-kubernetes, ``go-controller/pkg/cni/types`` NetConf and ``docs/features/multiple-networks``, 2026-08.
    """
    if text_of(member(settings, "type")) != OVN:
        return None
    return bool(text_of(member(settings, "subnets")).strip())


def _wrong_types(settings: Mapping[str, Json], at: str) -> list[Fault]:
    """Returns a fault for each key that the plugin reads as a string and whose value has another type."""
    values = ((key, member(settings, key)) for key in _STRINGS.get(text_of(member(settings, "type")), ()))
    return [
        Fault(f"{at}{key}", f"{at}{key} is {shown(value)}, not a string", "Write a string.")
        for key, value in values
        if value is not None and not isinstance(value, str)
    ]


def _refused(settings: Mapping[str, Json], at: str, *, device_chosen: bool) -> list[Fault]:
    """Returns a fault for each value that the plugin refuses on every node."""
    kind, faults = text_of(member(settings, "type")), []
    mode = text_of(member(settings, "mode"))
    if kind in _MODES and mode not in _MODES[kind]:
        known = ", ".join(sorted(_MODES[kind] - {""}))
        faults.append(
            Fault(f"{at}mode", f"{at}mode {shown(mode)} is unknown", f"Write one of the modes of {kind}: {known}.")
        )
    if kind == "vlan" and not member(settings, "master"):
        message = f"{at}master is missing: a vlan needs an interface of the node"
        faults.append(Fault(f"{at}master", message, "Write the name of an interface of the node, such as eth1."))
    if kind in _VLAN_KEYS:
        key = _VLAN_KEYS[kind]
        tag = member(settings, key)
        if isinstance(tag, str | bool) or (isinstance(tag, int) and not 0 <= tag <= 4094):
            message = f"{at}{key} {shown(tag)} is not a number from 0 to 4094"
            faults.append(Fault(f"{at}{key}", message, "Write a number from 0 to 4094, without quotes."))
    if kind == "host-device" and not device_chosen and not any(member(settings, key) for key in _HOST_DEVICE_KEYS):
        remedy = f"Set one of {', '.join(_HOST_DEVICE_KEYS)}."
        faults.append(Fault(f"{at}device", f"{at}device is missing", remedy))
    return faults


def _unaddressed(settings: Mapping[str, Json], at: str, *, has_ipam: bool, first: bool) -> list[Fault]:
    """Plugin ``vlan`` always needs an IPAM plugin. Plugin ``ipvlan`` needs an IPAM plugin unless another plugin runs first."""
    kind = text_of(member(settings, "type"))
    if has_ipam or kind not in {"vlan", "ipvlan"} or (kind == "ipvlan" and not first):
        return []
    return [Fault(f"{at}ipam", f"{at}ipam is missing: the {kind} plugin fails without one")]
