"""Parts that the rules about evictionStrategy share. This file is not a rule."""

from collections.abc import Sequence

from webhook.facts.drain import DrainFacts
from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.launcher.host_model import common_models
from webhook.objects.nad import Node
from webhook.objects.path import FieldPath

EVICTION_GUIDE = "https://kubevirt.io/user-guide/cluster_admin/node_maintenance/"
NOT_MIGRATABLE = "domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]"
MIGRATABLE = "domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]"
HOST_DISK = "domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]"


def strategy_path(facts: DrainFacts) -> FieldPath:
    """The path of the field, or the path of the VMI's spec if the field is missing and the cluster's default applies."""
    return (*facts.base, "evictionStrategy") if facts.written else facts.base


def model_path(facts: MigrationFacts) -> FieldPath:
    """The path of the CPU model, or of the domain if KubeVirt's default applies."""
    written = facts.written_cpu_model
    return written.path if written is not None else facts.at("domain")


def common_model(nodes: Sequence[Node]) -> str:
    """The remedy for nodes with different CPU models, or an empty text if they have no CPU model in common."""
    common = common_models(nodes)
    return f"Write `cpu: {{model: {common[0]}}}`, which all these nodes have." if common else ""
