"""Interfaces after KubeVirt's defaulting (webhook.kubevirt.expansion.interfaces)."""

import msgspec
import pytest

from tests.kubevirt.building import yaml
from webhook.facts.migration import Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.interfaces import (
    PASST_BINDING,
    PLUGIN_MIGRATION,
    has_binding,
    interfaces_of,
    movable_beside_core_bindings,
    on_pod_network,
    plugin_can_migrate,
)
from webhook.kubevirt.releases import NONE, Release, only
from webhook.objects.instancetype import DevicePreferences
from webhook.objects.kubevirt import Configuration
from webhook.objects.vmi import Devices, Interface, Network, VMISpec

V1_0, V1_9 = only(Release(1, 0)), only(Release(1, 9))
MASQUERADE = "{preferredInterfaceMasquerade: {}}"


def interface(text: str) -> Interface:
    return msgspec.convert(yaml(text), Interface)


def after(
    devices: str = "{}", networks: str = "[]", preferences: str = "", configuration: str = "{}", releases: int = V1_9
) -> tuple[tuple[Interface, ...], tuple[Network, ...], object]:
    """A VMI with KubeVirt's defaults."""
    return interfaces_of(
        msgspec.convert({"networks": yaml(networks)}, VMISpec),
        msgspec.convert(yaml(devices), Devices),
        msgspec.convert(yaml(configuration), Configuration),
        msgspec.convert(yaml(preferences), DevicePreferences) if preferences else None,
        releases,
    )


@pytest.mark.parametrize(
    ("configuration", "binding"),
    [
        ("{}", "bridge"),
        ("{network: {}}", "bridge"),
        ("{network: {defaultNetworkInterface: bridge}}", "bridge"),
        ("{network: {defaultNetworkInterface: masquerade}}", "masquerade"),
        ("{network: {defaultNetworkInterface: slirp}}", "slirp"),
    ],
)
def test_a_vmi_without_networks_gets_one_of_the_clusters_binding(configuration: str, binding: str) -> None:
    """
    One interface named default on the pod network, with one binding.
    """
    interfaces, networks, default = after(configuration=configuration)

    assert interfaces == (interface(f"{{name: default, {binding}: {{}}}}"),)
    assert [(network.name, network.pod is not None) for network in networks] == [("default", True)]
    assert default == binding


def test_only_1_0_adds_masquerade_beside_the_default_binding() -> None:
    """
    From 1.1 on the default interface comes before the preference.
    """
    assert after(preferences=MASQUERADE, releases=V1_0)[0] == (
        interface("{name: default, bridge: {}, masquerade: {}}"),
    )
    assert after(preferences=MASQUERADE, releases=V1_9)[0] == (interface("{name: default, bridge: {}}"),)
    assert after(preferences="{}", releases=V1_0)[0] == (interface("{name: default, bridge: {}}"),)


@pytest.mark.parametrize(
    ("devices", "preferences", "attached"),
    [
        ("{autoattachPodInterface: false}", "", False),
        ("{autoattachPodInterface: true}", "{preferredAutoattachPodInterface: false}", True),
        ("{}", "{preferredAutoattachPodInterface: false}", False),
        ("{}", "{preferredAutoattachPodInterface: true}", True),
        ("{}", "{}", True),
    ],
)
def test_the_default_interface_can_be_declined(devices: str, preferences: str, attached: bool) -> None:
    """
    By the VM itself, else by its preference.
    """
    interfaces, networks, default = after(devices, preferences=preferences)

    assert (len(interfaces), len(networks), default is not None) == (attached, attached, attached)


def test_an_unknown_cluster_leaves_the_binding_open() -> None:
    """
    No interface is made up, and the reason is kept.
    """
    unknown = Unknown("no KubeVirt CR is in the input")

    assert interfaces_of(VMISpec(), Devices(), unknown, None, V1_9) == ((), (), unknown)


@pytest.mark.parametrize(
    ("written", "releases", "expected"),
    [
        ("{name: a}", V1_9, "{name: a, masquerade: {}}"),
        ("{name: a, bridge: {}}", V1_9, "{name: a, bridge: {}}"),
        ("{name: a, bridge: {}}", V1_0, "{name: a, bridge: {}, masquerade: {}}"),
        ("{name: b}", V1_9, "{name: b}"),
        ("{name: b}", V1_0, "{name: b, masquerade: {}}"),
        ("{name: a, masquerade: {}}", V1_0, "{name: a, masquerade: {}}"),
    ],
)
def test_a_preference_binds_interfaces_without_binding(written: str, releases: int, expected: str) -> None:
    """
    From 1.1 on only interfaces on the pod network without a binding; 1.0 adds masquerade to every one.
    """
    networks = "[{name: a, pod: {}}, {name: b, multus: {networkName: net}}]"

    result = after(f"{{interfaces: [{written}]}}", networks, MASQUERADE, releases=releases)

    assert result[0] == (interface(expected),)
    assert len(result[1]) == 2
    assert result[2] is None


def test_without_the_preference_interfaces_stay_as_written() -> None:
    """
    Networks alone are enough to get no default interface.
    """
    assert after("{interfaces: [{name: a}]}", "[{name: a, pod: {}}]", "{}")[0] == (interface("{name: a}"),)
    assert after(networks="[{name: a, pod: {}}]")[::2] == ((), None)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("{}", False),
        *(
            (f"{{{binding}: {{}}}}", True)
            for binding in ("masquerade", "bridge", "sriov", "slirp", "macvtap", "passt", "passtBinding")
        ),
        ("{binding: {name: plugin}}", True),
    ],
)
def test_every_binding_is_one(text: str, bound: bool) -> None:
    """
    The eight ways to bind an interface.
    """
    assert has_binding(interface(text)) is bound


PODS = msgspec.convert(yaml("[{name: m, multus: {networkName: net}}, {name: p, pod: {}}]"), list[Network])
BASE = ("spec", "template", "spec")


def test_the_interface_on_the_pod_network_has_its_name() -> None:
    """
    Network and interface are found with their places.
    """
    interfaces = [interface("{name: m, bridge: {}}"), interface("{name: p, masquerade: {}}")]

    network, result = on_pod_network(BASE, PODS, interfaces, None)

    assert network == Sourced((*BASE, "networks", 1), PODS[1])
    assert result == Sourced((*BASE, "domain", "devices", "interfaces", 1), interfaces[1])


def test_of_two_interfaces_of_one_name_the_first_counts() -> None:
    """
    The API server refuses the second; a manifest may still have it.
    """
    first, second = interface("{name: p, bridge: {}}"), interface("{name: p, masquerade: {}}")

    _, result = on_pod_network(BASE, PODS, [first, second], None)

    assert result == Sourced((*BASE, "domain", "devices", "interfaces", 0), first)


def test_the_default_interface_has_the_path_of_the_devices() -> None:
    """
    KubeVirt adds it, so the object has no closer place.
    """
    added = interface("{name: default, bridge: {}}")

    assert on_pod_network(BASE, PODS[1:], [added], "bridge") == (
        Sourced((*BASE, "domain", "devices"), PODS[1]),
        Sourced((*BASE, "domain", "devices"), added),
    )


def test_a_pod_network_may_lack_its_interface() -> None:
    """
    KubeVirt refuses such a VMI; a VMI may also have no pod network at all.
    """
    assert on_pod_network(BASE, PODS, [interface("{name: m}")], None) == (
        Sourced((*BASE, "networks", 1), PODS[1]),
        None,
    )
    assert on_pod_network(BASE, PODS[:1], [], None) == (None, None)


@pytest.mark.parametrize(
    ("configuration", "can"),
    [
        ("{}", False),
        ("{network: {}}", False),
        ("{network: {binding: {}}}", False),
        ("{network: {binding: {plugin: {}}}}", False),
        ("{network: {binding: {plugin: {migration: {}}}}}", True),
        ("{network: {binding: {other: {migration: {}}}}}", False),
    ],
)
def test_a_plugin_migrates_where_its_registration_has_migration(configuration: str, can: bool) -> None:
    """
    An empty object under migration is enough.
    """
    assert plugin_can_migrate(msgspec.convert(yaml(configuration), Configuration), "plugin") is can


@pytest.mark.parametrize(
    ("text", "plugin", "releases"),
    [
        ("{passtBinding: {}}", False, PASST_BINDING),
        ("{}", True, NONE),
        ("{binding: {name: plugin}}", True, PLUGIN_MIGRATION),
        ("{binding: {name: plugin}}", False, NONE),
        ("{binding: {name: plugin}}", Unknown("not shown"), NONE),
        ("{binding: {name: plugin}, bridge: {}}", True, PLUGIN_MIGRATION & ~PASST_BINDING),
        ("{binding: {name: plugin}, passtBinding: {}}", True, PLUGIN_MIGRATION | PASST_BINDING),
        ("{binding: {name: plugin}, passtBinding: {}, bridge: {}}", True, PLUGIN_MIGRATION | PASST_BINDING),
    ],
)
def test_a_plugin_makes_an_interface_movable(text: str, plugin: bool | Unknown, releases: int) -> None:
    """
    Beside a bridge only before 1.8.
    """
    assert movable_beside_core_bindings(interface(text), plugin) == releases
