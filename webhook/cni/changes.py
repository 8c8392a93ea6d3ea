"""
What an update changes about the migration network.

Source: ``NewHandlerDaemonSet`` of ``pkg/virt-operator/resource/generate/components/daemonsets.go``, KubeVirt v1.9.0: the pod
template of virt-handler holds the network's name and nothing of its configuration.
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
    How an update of the KubeVirt CR changes the migration network; None where it does not.

    The value goes into virt-handler's pod template letter by letter, so another spelling is a change too.
    """
    before, after = (text_of(network_value(each)) for each in (old, new))
    return NetworkChangeFacts(NETWORK_PATH, before, after) if before != after else None


def network_change(
    old: NetworkAttachmentDefinition, new: NetworkAttachmentDefinition, world: World
) -> NetworkChangeFacts | None:
    """
    A new configuration for the migration network; None where nothing of it changes, or it is not known to be that.

    Blanks and the order of keys are no change.
    """
    clusters = world.every(KubeVirt)
    if isinstance(clusters, Unknown) or not any(in_use_by(new.namespace, new.name, each) for each in clusters):
        return None
    if old.spec.config == new.spec.config or _parsed(old) == _parsed(new):
        return None
    return NetworkChangeFacts(CONFIG_PATH, new.name, new.name)


def _parsed(network: NetworkAttachmentDefinition) -> Json:
    """The configuration as JSON, or its text where it is none."""
    text = network.spec.config or ""
    try:
        return gojson.parse(text)
    except (gojson.NotJson, gojson.TooLarge):
        return text
