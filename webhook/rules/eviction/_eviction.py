"""Parts that the rules about evictionStrategy share. Not a rule itself."""

from webhook.facts.drain import DrainFacts
from webhook.objects.path import FieldPath

EVICTION_GUIDE = "https://kubevirt.io/user-guide/compute/node_maintenance/"
NOT_MIGRATABLE = "domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]"
MIGRATABLE = "domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]"
HOST_DISK = "domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]"


def strategy_path(facts: DrainFacts) -> FieldPath:
    """The path of the field if it is present. Otherwise the path of the VMI's spec, because the cluster's default applies."""
    return (*facts.base, "evictionStrategy") if facts.written else facts.base
