"""
The resources of Multus networks, and the sidecars of network binding plugins.

Source: ``NetworkToResource`` of ``pkg/network/multus/nad.go`` and ``NetBindingPluginSidecarList`` of
``pkg/network/netbinding/netbinding.go``, v1.3.1 to v1.9.0. This module does no I/O.
"""

from typing import Final

from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings, gate_is_on
from webhook.objects.launcher_vmi import LauncherVMI

RESOURCE_NAME: Final = "k8s.v1.cni.cncf.io/resourceName"
"""The annotation of a NetworkAttachmentDefinition with the resource that each of its attachments takes."""


def network_resources(vmi: LauncherVMI, around: Surroundings) -> tuple[str, ...] | NoPod | Unknown:
    """
    The resource of each Multus network; an empty text for a network without a resource.

    With the gate ExternalNetResourceInjection, KubeVirt adds none: a webhook of the cluster can add them to the pod.
    """
    if gate_is_on(around, "ExternalNetResourceInjection"):
        return ()
    resources: dict[str, str] = {}
    for network in vmi.spec.networks or ():
        if network.multus is None:
            continue
        namespace, slash, name = network.multus.network_name.partition("/")
        key = f"{namespace}/{name}" if slash else f"{vmi.namespace}/{namespace}"
        if isinstance(around.networks, Unknown):
            return around.networks.within(f"the resource of the NetworkAttachmentDefinition {key} is unknown")
        if key not in around.networks:
            return NoPod(f"failed to render launch manifest: failed to locate network attachment definition {key}")
        resources[network.name] = around.networks[key].get(RESOURCE_NAME, "")
    return tuple(resources.values())


def plugin_sidecars(vmi: LauncherVMI, around: Surroundings) -> int | NoPod:
    """The number of sidecars of network binding plugins, one for each plugin with an image."""
    bindings = around.configuration.bindings
    sidecars = set()
    for interface in vmi.spec.domain.devices.interfaces or ():
        if interface.binding is None:
            continue
        name = interface.binding.name
        if name not in bindings:
            word = "binding" if around.version[:2] >= (1, 7) else "bindining"
            return NoPod(f"failed to render launch manifest: couldn't find configuration for network {word}: {name}")
        if bindings[name].sidecar_image:
            sidecars.add(name)
    return len(sidecars)
