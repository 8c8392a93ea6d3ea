"""The network behind the pod network of a VMI, if an annotation selects it for Multus. This module does no I/O."""

from typing import Final

from webhook.cni.attachments import read_config
from webhook.cni.network_selection import DEFAULT_NETWORK, selections
from webhook.facts.migration import MigrationFacts
from webhook.facts.network import Fault
from webhook.facts.target import Attachment
from webhook.facts.unknown import Absent, Unknown
from webhook.facts.world import World
from webhook.objects.nad import NetworkAttachmentDefinition

MULTUS_NAMESPACE: Final = "kube-system"
"""The usual namespace of Multus, in which it looks up a default network without a namespace (``tryLoadK8sPodDefaultNetwork``)."""


def pod_attachment(facts: MigrationFacts, world: World) -> Attachment | None:
    """The network of the interface on the pod network, or None if no annotation selects a network that can be read."""
    selected = selections(facts.annotations.get(DEFAULT_NETWORK, ""))
    if facts.pod_interface is None or len(selected) != 1:
        return None
    namespace, name = selected[0].namespace or MULTUS_NAMESPACE, selected[0].name
    found = world.find(NetworkAttachmentDefinition, namespace, name)
    if isinstance(found, Absent):
        return None
    config = found if isinstance(found, Unknown) else read_config(found)
    if isinstance(config, Fault):
        return None
    on_pod = facts.pod_interface
    return Attachment(on_pod.path, on_pod.value.name, f"{namespace}/{name}", config)
