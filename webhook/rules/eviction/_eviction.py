"""Parts that the rules about evictionStrategy share. This file is not a rule."""

from webhook.facts.drain import DrainFacts
from webhook.objects.path import FieldPath

EVICTION_GUIDE = "https://kubevirt.io/user-guide/cluster_admin/node_maintenance/"
NOT_MIGRATABLE = "domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]"
MIGRATABLE = "domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]"
HOST_DISK = "domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]"


def strategy_path(facts: DrainFacts) -> FieldPath:
    """The path of the field, or the path of the VMI's spec if the field is missing and the cluster's default applies."""
    return (*facts.base, "evictionStrategy") if facts.written else facts.base
