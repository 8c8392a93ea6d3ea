"""
The interfaces of a VMI with KubeVirt's defaults, and the interface on the pod network.

Sources: ``pkg/network/vmispec/defaults.go`` and ``network.go``, v1.9.0; up to 1.4 ``pkg/virt-config/virt-config.go``.
"""

from collections.abc import Sequence

import msgspec

from webhook.facts.migration import Sourced
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.releases import NONE, Release, Releases, only, since
from webhook.objects.instancetype import DevicePreferences
from webhook.objects.kubevirt import Configuration
from webhook.objects.meta import Empty
from webhook.objects.path import FieldPath
from webhook.objects.vmi import Devices, Interface, Network, VMISpec

_EMPTY = Empty()
_DEFAULT_NETWORK = Network(name="default", pod=_EMPTY)
_IN_1_0: Releases = only(Release(1, 0))
PASST_BINDING: Releases = since(Release(1, 8))
"""``passtBinding`` is a field from 1.8 on. The API server of an older release drops the field."""
PLUGIN_MIGRATION: Releases = since(Release(1, 2))
"""Binding plugins exist from 1.1 on, and their ``migration`` field exists from 1.2 on."""
BRIDGE_OVERRIDE = "kubevirt.io/allow-pod-bridge-network-live-migration"
"""An annotation of the VMI. KubeVirt ignores the annotation's value (``pkg/network/vmispec/interface.go``, v1.9.0)."""


def interfaces_of(
    spec: VMISpec,
    devices: Devices,
    configuration: Fact[Configuration],
    preferences: DevicePreferences | None,
    releases: Releases,
) -> tuple[tuple[Interface, ...], tuple[Network, ...], Fact[str] | None]:
    """
    The interfaces and networks with KubeVirt's defaults, and the binding of the interface that KubeVirt adds.

    From 1.1 on, KubeVirt adds the default interface before it applies the preference. ``preferredInterfaceMasquerade``
    therefore cannot change the default interface from bridge to masquerade.
    """
    written = tuple(devices.interfaces or ())
    networks = tuple(spec.networks or ())
    prefers_masquerade = preferences is not None and preferences.preferred_interface_masquerade is not None
    if written or networks:
        if prefers_masquerade:
            written = _with_masquerade(written, networks, in_1_0=bool(releases & _IN_1_0))
        return written, networks, None
    autoattach = devices.autoattach_pod_interface
    if autoattach is None and preferences is not None:
        autoattach = preferences.preferred_autoattach_pod_interface
    if autoattach is False:
        return (), (), None
    if isinstance(configuration, Unknown):
        return (), (), configuration
    binding = (configuration.network.default_network_interface if configuration.network else None) or "bridge"
    interface = Interface(
        name="default",
        bridge=_EMPTY if binding == "bridge" else None,
        masquerade=_EMPTY if binding == "masquerade" or (prefers_masquerade and releases & _IN_1_0) else None,
        slirp=_EMPTY if binding == "slirp" else None,
    )
    return (interface,), (_DEFAULT_NETWORK,), binding


def _with_masquerade(
    interfaces: tuple[Interface, ...], networks: tuple[Network, ...], *, in_1_0: bool
) -> tuple[Interface, ...]:
    """
    Applies ``preferredInterfaceMasquerade``, which sets masquerade on pod network interfaces without a binding.

    KubeVirt 1.0 sets masquerade on all interfaces.
    """
    pod = {network.name for network in networks if network.pod is not None}
    return tuple(
        msgspec.structs.replace(interface, masquerade=_EMPTY)
        if (in_1_0 and interface.masquerade is None) or (interface.name in pod and not has_binding(interface))
        else interface
        for interface in interfaces
    )


def has_binding(interface: Interface) -> bool:
    """Whether the interface has any binding."""
    return any(
        binding is not None
        for binding in (
            interface.masquerade,
            interface.bridge,
            interface.sriov,
            interface.slirp,
            interface.macvtap,
            interface.passt,
            interface.passt_binding,
            interface.binding,
        )
    )


def on_pod_network(
    base: FieldPath, networks: Sequence[Network], interfaces: Sequence[Interface], default: Fact[str] | None
) -> tuple[Sourced[Network] | None, Sourced[Interface] | None]:
    """
    The first pod network, and the interface that uses it.

    A Multus network with ``default: true`` is not a pod network.
    """
    for index, network in enumerate(networks):
        if network.pod is None:
            continue
        if default is not None:
            place = (*base, "domain", "devices")
            return Sourced(place, network), Sourced(place, interfaces[0])
        own = None
        for at, interface in enumerate(interfaces):
            if interface.name == network.name:
                own = Sourced((*base, "domain", "devices", "interfaces", at), interface)
                break
        return Sourced((*base, "networks", index), network), own
    return None, None


def plugin_can_migrate(configuration: Fact[Configuration], plugin: str) -> Fact[bool]:
    """Whether the KubeVirt CR registers the binding plugin with the field ``migration``, which can be an empty object."""
    if isinstance(configuration, Unknown):
        return configuration
    entry = (configuration.network.binding or {}).get(plugin) if configuration.network is not None else None
    return entry is not None and entry.migration is not None


def movable_beside_core_bindings(interface: Interface, plugin: Fact[bool]) -> Releases:
    """
    The releases in which passtBinding or a registered plugin allows the live migration of an interface on the pod network.

    If the interface also has bridge binding, KubeVirt 1.8 and later check only the bridge (``VerifyVMIMigratable``, v1.7.4 and
    v1.9.0).
    """
    passt = PASST_BINDING if interface.passt_binding is not None else NONE
    if interface.binding is None or plugin is not True:
        return passt
    return passt | (PLUGIN_MIGRATION & ~PASST_BINDING if interface.bridge is not None else PLUGIN_MIGRATION)
