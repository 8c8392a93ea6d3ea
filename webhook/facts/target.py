"""
The facts about the target pod of a live migration: the nodes on which it can run, and the networks and disruption budgets
that apply to it. KubeVirt's verdict does not depend on them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from webhook.facts.drain import DrainFacts
from webhook.facts.features import Feature, Features
from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Fact, Unknown
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.nad import Node
from webhook.objects.path import FieldPath

if TYPE_CHECKING:
    from webhook.facts.network import CniConfig


class Attachment(msgspec.Struct, frozen=True):
    """An interface on a Multus network, and the configuration of the network if it is known."""

    path: FieldPath
    interface: str
    network: str
    """The name of the NetworkAttachmentDefinition, as written."""
    config: "Fact[CniConfig]"


class QuotaRoom(msgspec.Struct, frozen=True):
    """A ResourceQuota without room for the target pod."""

    quota: str
    resources: tuple[str, ...]
    """The exceeded resources, such as ``requests.memory``."""
    text: str
    """The message of the API server."""
    is_full: bool
    """Whether only the present usage of the quota leaves no room. Otherwise, an unused quota has no room for two pods."""


class NodeSizes(msgspec.Struct, frozen=True):
    """The nodes that fit the VM by their labels and taints, by size."""

    nodes: tuple[str, ...]
    small: Mapping[str, tuple[tuple[str, int, int], ...]]
    """
    The nodes on which the pod does not fit even if they are empty: each insufficient resource, the pod's request, and the
    node's allocatable amount, in millicores, bytes or pieces.
    """


class TargetRoom(msgspec.Struct, frozen=True):
    """The room for the target pod."""

    quotas: tuple[QuotaRoom, ...]
    sizes: NodeSizes


class TargetFacts(msgspec.Struct, frozen=True):
    """One VMI and the objects around its target pod."""

    releases: int
    """The judged releases."""
    vmi: MigrationFacts
    """The facts for the newest group of releases."""
    drain: DrainFacts
    nodes: Fact[tuple[Node, ...]]
    replicas: int = 1
    """The number of running VMs that belong to the judged object."""
    apart: Mapping[int, int] = {}
    """
    The number of running VMs that must run on different nodes, by the index of each required anti-affinity term that matches
    the VM's own labels.
    """
    attachments: tuple[Attachment, ...] = ()
    """The interfaces with bridge binding on Multus networks."""
    budgets: tuple[PodDisruptionBudget, ...] = ()
    """The known PodDisruptionBudgets of the VM's namespace whose selector matches the VM's pods."""
    room: TargetRoom | None = None
    """Looked up only if quotas of the namespace or the resources of nodes are known."""
    pod_attachment: Attachment | None = None
    """The network that replaces the cluster's network, looked up only for a VM with the annotation for bridge binding."""


class TargetFeature:
    """The features that rules about target pods need, each as a set (``webhook.facts.features``)."""

    NODES: Final[Features] = 1 << 1
    """A node is known."""
    PLACEMENT: Final[Features] = 1 << 2
    """The VMI has a ``nodeSelector`` or an affinity."""
    BRIDGED_POD_NETWORK: Final[Features] = 1 << 3
    """The VMI has bridge binding on the pod network, and annotations."""
    ANTI_AFFINITY: Final[Features] = 1 << 4
    """VMs must run on different nodes."""
    ATTACHMENTS: Final[Features] = 1 << 5
    """An interface with bridge binding is on a Multus network with a known configuration."""
    BUDGETS: Final[Features] = 1 << 6
    """A PodDisruptionBudget selects the VM's pods."""
    ROOM: Final[Features] = 1 << 7
    """Quotas of the namespace or the resources of nodes are known."""


def features_of_target(facts: TargetFacts) -> Features:
    """The features of a target pod."""
    found, vmi = Feature.ANY, facts.vmi
    if facts.nodes and not isinstance(facts.nodes, Unknown):
        found |= TargetFeature.NODES
    if vmi.node_selector is not None or vmi.spec.affinity is not None:
        found |= TargetFeature.PLACEMENT
    on_pod = vmi.pod_interface
    if vmi.annotations and on_pod is not None and on_pod.value.bridge is not None:
        found |= TargetFeature.BRIDGED_POD_NETWORK
    if facts.apart:
        found |= TargetFeature.ANTI_AFFINITY
    if any(not isinstance(attachment.config, Unknown) for attachment in facts.attachments):
        found |= TargetFeature.ATTACHMENTS
    if facts.budgets:
        found |= TargetFeature.BUDGETS
    if facts.room is not None:
        found |= TargetFeature.ROOM
    return found
