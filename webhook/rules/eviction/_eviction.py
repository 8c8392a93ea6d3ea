"""Words and examples that the rules about evictionStrategy share. Not a rule itself."""

from webhook.facts.drain import DrainFacts
from webhook.objects.path import FieldPath

EVICTION_GUIDE = "https://kubevirt.io/user-guide/compute/node_maintenance/"
NOT_MIGRATABLE = "domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]"
MIGRATABLE = "domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]"


def where(facts: DrainFacts) -> FieldPath:
    """The field if it is written, else the spec that leaves it to the cluster."""
    return (*facts.base, "evictionStrategy") if facts.written else facts.base
