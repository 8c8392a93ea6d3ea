"""
Detects updates that change the migration network or its configuration.

Source: ``NewHandlerDaemonSet`` of ``pkg/virt-operator/resource/generate/components/daemonsets.go``, KubeVirt v1.9.0. The pod
template of virt-handler contains only the name of the network.
"""

from webhook.cni import json as gojson
from webhook.cni.attachments import CONFIG_PATH, NETWORK_PATH, in_use_by, network_value
from webhook.cni.json import text_of
from webhook.facts.network import NetworkChangeFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Json
from webhook.objects.nad import NetworkAttachmentDefinition


def migration_network_change(old: KubeVirt, new: KubeVirt) -> NetworkChangeFacts | None:
    """
    Returns the change of the migration network by an update of the KubeVirt CR, or None if the network stays the same.

    virt-operator copies the value to virt-handler's pod template unchanged, so another spelling of the same network is
    also a change.
    """
    before, after = (text_of(network_value(kubevirt)) for kubevirt in (old, new))
    return NetworkChangeFacts(NETWORK_PATH, before, after) if before != after else None


def network_change(
    old: NetworkAttachmentDefinition, new: NetworkAttachmentDefinition, world: World
) -> NetworkChangeFacts | None:
    """
    Returns the change of the migration network's configuration. Returns None if the configuration stays the same, or if the
    object is not the migration network.

    A difference in whitespace or in the order of keys is not a change.
    """
    clusters = world.every(KubeVirt)
    if isinstance(clusters, Unknown) or not any(in_use_by(new.namespace, new.name, kubevirt) for kubevirt in clusters):
        return None
    if old.spec.config == new.spec.config or _parsed(old) == _parsed(new):
        return None
    return NetworkChangeFacts(CONFIG_PATH, new.name, new.name)


def _parsed(network: NetworkAttachmentDefinition) -> Json:
    """Returns the configuration as a JSON value, or the text of the configuration if it is not JSON."""
    text = network.spec.config or ""
    try:
        return gojson.parse(text)
    except (gojson.NotJson, gojson.TooLarge):
        return text
