"""The reading of a CNI configuration (webhook.cni.attachments), and the other objects that count for a network."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.cni.test_attachments import LAB, a_kubevirt, a_network, a_node
from webhook.cni.attachments import in_use_by, migration_network_facts, network_facts, read_config
from webhook.facts.network import CniConfig, Fault, Nodes
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.objects.meta import Json, ObjectMeta
from webhook.objects.nad import Node

IPAM: dict[str, Any] = {"type": "whereabouts", "range": "10.1.1.0/24"}


def config_of(value: Json) -> CniConfig:
    config = read_config(a_network(json.dumps(value)))
    assert isinstance(config, CniConfig)
    return config


def refused(value: Json) -> list[tuple[str, str]]:
    """Place and message of what the plugins refuse."""
    return [(fault.place, fault.message) for plugin in config_of(value).plugins for fault in plugin.refused]


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        ({"name": 5, "type": "macvlan"}, "name", "name is 5, not a string"),
        ({"cniVersion": [], "type": "macvlan"}, "cniVersion", "cniVersion is a list, not a string"),
        ({"type": 5}, "type", "type is 5, not a string"),
        ({"type": ""}, "", "the configuration has neither a plugin type nor a list of plugins"),
        ({}, "", "the configuration has neither a plugin type nor a list of plugins"),
        ({"plugins": []}, "plugins", "plugins is empty, not a list of plugins"),
        ({"plugins": {}}, "plugins", "plugins is an object, not a list of plugins"),
        ({"plugins": {"a": 1}}, "plugins", "plugins is an object, not a list of plugins"),
        ({"plugins": [5]}, "plugins[0]", "plugins[0] is 5, not an object"),
        (
            {"plugins": [{"type": 5}]},
            "plugins[0].type",
            "plugins[0].type is missing or not a string: it names the plugin to run",
        ),
        (
            {"plugins": [{"type": ""}]},
            "plugins[0].type",
            "plugins[0].type is missing or not a string: it names the plugin to run",
        ),
        ({"type": "macvlan", "ipam": 5}, "ipam", "ipam is 5, not an object"),
        ({"plugins": [{"type": "macvlan", "ipam": 5}]}, "plugins[0].ipam", "plugins[0].ipam is 5, not an object"),
        ({"type": "macvlan", "ipam": {"type": 5}}, "ipam.type", "ipam.type is 5, not a string"),
    ],
)
def test_a_configuration_that_cannot_be_decoded_names_the_key(value: Json, place: str, message: str) -> None:
    """
    libcni decodes these keys before it runs a plugin, and a value of another type ends the decoding.
    """
    (fault,) = config_of(value).malformed

    assert (fault.place, fault.message) == (place, message)


@pytest.mark.parametrize(("text", "shown"), [("[]", "a list"), ("5", "5"), ("null", "null")])
def test_a_configuration_is_a_json_object(text: str, shown: str) -> None:
    """
    Any other JSON value has no place to name: the whole configuration is wrong.
    """
    assert read_config(a_network(text)) == Fault("", f"the configuration is {shown}, not a JSON object")


def test_text_that_is_not_json_is_wrong_as_a_whole() -> None:
    """
    The message names line and character, so the fault has no key.
    """
    config = read_config(a_network("{"))

    assert isinstance(config, Fault)
    assert config.place == ""


@pytest.mark.parametrize(
    ("plugin", "keys"),
    [
        ({"type": "macvlan", "master": 5}, ["master"]),
        ({"type": "macvlan", "master": "a", "mode": 5}, ["mode"]),
        ({"type": "macvlan", "bridge": 5}, []),
        ({"type": "ipvlan", "master": 5, "mode": 5, "ipam": IPAM}, ["master", "mode"]),
        ({"type": "vlan", "master": 5, "mode": 5, "ipam": IPAM}, ["master"]),
        ({"type": "bridge", "bridge": 5, "master": 5}, ["bridge"]),
        ({"type": "host-device", "device": "a", "master": 5, "bridge": 5, "mode": 5}, []),
        ({"type": "vendor", "master": 5, "bridge": 5, "mode": 5}, []),
    ],
)
def test_values_must_be_strings_where_the_plugin_reads_strings(plugin: dict[str, Any], keys: list[str]) -> None:
    """
    A plugin ignores the keys of the others, and unknown plugins may read anything.
    """
    assert refused(plugin) == [(key, f"{key} is 5, not a string") for key in keys]


def test_a_fault_of_a_plugin_in_a_list_has_its_place_in_the_list() -> None:
    """
    The place starts with the plugin's index.
    """
    plugins = [{"type": "tuning"}, {"type": "bridge", "vlan": 5000}, {"type": "macvlan", "master": 5}]

    assert [place for place, _ in refused({"plugins": plugins})] == ["plugins[1].vlan", "plugins[2].master"]


@pytest.mark.parametrize(
    "more",
    [{"args": {}}, {"runtimeConfig": {}}, {"capabilities": {"ips": True, "ipRanges": True, "deviceID": True}}],
)
@pytest.mark.parametrize(
    "plugin",
    [
        {"type": "host-device"},
        {"type": "macvlan", "ipam": {"type": "host-local"}},
        {"type": "macvlan", "ipam": {"type": "static", "addresses": [5]}},
    ],
)
def test_addresses_that_a_pod_may_request_need_not_be_written(plugin: dict[str, Any], more: dict[str, Any]) -> None:
    """
    Addresses, ranges and the device can come at run time, so a configuration without them is accepted.
    """
    (read,) = config_of({**plugin, **more}).plugins

    assert [*read.refused, *(read.ipam.refused if read.ipam is not None else ())] == []


@pytest.mark.parametrize("capabilities", [None, {}, {"ipRanges": False}, {"ipRanges": "true"}, {"portMappings": True}])
def test_an_undeclared_capability_has_no_effect(capabilities: Json) -> None:
    """
    host-local then needs a range of its own.
    """
    (read,) = config_of({"type": "macvlan", "capabilities": capabilities, "ipam": {"type": "host-local"}}).plugins

    assert read.ipam is not None
    assert [fault.place for fault in read.ipam.refused] == ["ipam"]


def test_an_ipam_without_a_type_has_no_plugin() -> None:
    """
    The vlan plugin runs an IPAM plugin in any case, and fails without its name.
    """
    assert [place for place, _ in refused({"type": "vlan", "master": "a", "ipam": {}})] == ["ipam"]


def test_another_annotation_supplies_no_device() -> None:
    """
    Only a resource name makes the scheduler choose a device.
    """
    network = a_network('{"type": "host-device"}')
    annotated = replace(network, metadata=ObjectMeta(name="a", annotations={"resourceName": "nic"}))

    config = read_config(annotated)

    assert isinstance(config, CniConfig)
    assert [fault.place for fault in config.plugins[0].refused] == ["device"]


@pytest.mark.parametrize(
    ("clusters", "named"),
    [
        ((), False),
        ((a_kubevirt("other"),), False),
        ((a_kubevirt(),), True),
        ((a_kubevirt(), a_kubevirt("other", "second")), True),
    ],
    ids=["unknown", "other", "this", "both"],
)
def test_one_kubevirt_cr_that_names_it_makes_a_migration_network(clusters: tuple[Any, ...], named: bool) -> None:
    """
    Nodes, neighbours and the cluster's own ranges count for the migration network only.
    """
    world = ObjectsWorld((*clusters, a_node("a"), a_network(LAB, "neighbour")))

    network = network_facts(a_network(LAB), world)

    assert network.is_migration_network is named
    assert network.nodes == (Nodes(1, 1) if named else None)
    assert [neighbour.name for neighbour in network.neighbours] == (["kubevirt/neighbour"] if named else [])


def test_nodes_that_are_not_provided_are_unknown() -> None:
    """
    Their number is not known to be 0, except where all nodes are shown.
    """
    unknown, none = (
        network_facts(a_network(LAB), ObjectsWorld((a_kubevirt(),), complete)).nodes for complete in ((), (Node,))
    )

    assert isinstance(unknown, Unknown)
    assert none == Nodes(0, 0)


def test_neighbours_are_other_networks_with_ranges() -> None:
    """
    They are listed by name; one plugin with a range is enough, and a network is not its own neighbour.
    """
    two_plugins = json.dumps(
        {"plugins": [{"type": "bridge", "bridge": "a", "ipam": {"type": "dhcp"}}, {"type": "macvlan", "ipam": IPAM}]}
    )
    world = ObjectsWorld(
        (
            a_kubevirt(),
            a_network(LAB),
            a_network(two_plugins, "z"),
            a_network(LAB, "migration-network", "tenant"),
            a_network(LAB, "cluster-wide", ""),
            a_network('{"type": "macvlan"}', "without"),
            a_network("{", "broken"),
        )
    )

    network = network_facts(a_network(LAB), world)

    assert [neighbour.name for neighbour in network.neighbours] == [
        "cluster-wide",
        "kubevirt/z",
        "tenant/migration-network",
    ]


def test_a_missing_namespace_matches_every_namespace() -> None:
    """
    Manifests in a repository often leave it to kubectl.
    """
    assert in_use_by("tenant", "migration-network", a_kubevirt(namespace=""))
    assert in_use_by("", "migration-network", a_kubevirt("other/migration-network"))


def test_the_facts_of_a_named_network_are_those_of_a_migration_network() -> None:
    """
    The KubeVirt CR itself names it, so it is one even where no other CR is shown.
    """
    facts = migration_network_facts(a_kubevirt(), ObjectsWorld((a_network(LAB), a_node("a"))))

    assert facts is not None
    assert facts.network == replace(
        network_facts(a_network(LAB), ObjectsWorld(())), is_migration_network=True, nodes=Nodes(1, 1)
    )


@pytest.mark.parametrize(
    ("plugin", "faults"),
    [
        ({"type": "macvlan", "mode": "x"}, [("mode", "mode 'x' is unknown")]),
        ({"type": "macvlan", "mode": ""}, []),
        ({"type": "ipvlan", "mode": "x", "ipam": IPAM}, [("mode", "mode 'x' is unknown")]),
        ({"type": "ipvlan"}, [("ipam", "ipam is missing: the ipvlan plugin fails without one")]),
        ({"type": "bridge", "vlan": "100"}, [("vlan", "vlan '100' is not a number from 0 to 4094")]),
        ({"type": "bridge", "vlan": True}, [("vlan", "vlan true is not a number from 0 to 4094")]),
        ({"type": "bridge", "vlan": -1}, [("vlan", "vlan -1 is not a number from 0 to 4094")]),
        ({"type": "bridge", "vlan": 4095}, [("vlan", "vlan 4095 is not a number from 0 to 4094")]),
        ({"type": "bridge", "vlan": 4094}, []),
        ({"type": "bridge", "vlan": 0}, []),
        ({"type": "bridge"}, []),
    ],
)
def test_a_plugin_refuses_values_outside_its_own(plugin: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    """
    Whatever the node looks like.
    """
    assert refused(plugin) == faults


def test_ipvlan_needs_no_ipam_behind_another_plugin() -> None:
    """
    vlan does.
    """
    plugins = [{"type": "bridge"}, {"type": "ipvlan"}, {"type": "vlan", "master": "a"}]

    assert [place for place, _ in refused({"plugins": plugins})] == ["plugins[2].ipam"]


def test_names_are_read() -> None:
    """
    Of the configuration and of the plugin's interfaces.
    """
    result = config_of({"type": "bridge", "name": "n", "cniVersion": "1.0.0", "bridge": "br1", "master": "eth1"})

    assert (result.name, result.version) == ("n", "1.0.0")
    assert [(plugin.bridge, plugin.master) for plugin in result.plugins] == [("br1", "eth1")]


@pytest.mark.parametrize("config", [None, ""])
def test_an_empty_configuration_is_on_the_nodes(config: str | None) -> None:
    """
    So it is unknown.
    """
    result = read_config(a_network(config))

    assert isinstance(result, Unknown)
    assert result.why.startswith("the configuration is empty")


def test_the_clusters_ranges_count_for_the_migration_network_only() -> None:
    """
    The path of a finding is that of the configuration.
    """
    node = msgspec.convert({"metadata": {"name": "a"}, "spec": {"podCIDR": "10.1.0.0/16"}}, Node)

    unnamed, named = (
        network_facts(a_network(LAB), ObjectsWorld((node, *clusters))) for clusters in ((), (a_kubevirt(),))
    )

    assert (len(unnamed.taken), len(named.taken)) == (0, 1)
    assert named.path == ("spec", "config")
