"""
The facts about the target pod of a live migration: the nodes on which it can run, and the networks and disruption budgets
that apply to it. KubeVirt's verdict does not depend on them.
"""

from collections.abc import Mapping

import msgspec

from webhook.facts.drain import DrainFacts
from webhook.facts.migration import MigrationFacts
from webhook.facts.network import CniConfig
from webhook.facts.unknown import Fact
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.nad import Node
from webhook.objects.path import FieldPath


class Peer(msgspec.Struct, frozen=True):
    """Another VM, or the VMs of a replica set or pool."""

    name: str
    """The kind and name."""
    namespace: str
    labels: Mapping[str, str]
    """The labels of the pods."""
    replicas: int = 1
    """The number of running pods."""


class Attachment(msgspec.Struct, frozen=True):
    """An interface on a Multus network, and the configuration of the network if it is known."""

    path: FieldPath
    interface: str
    network: str
    """The name of the NetworkAttachmentDefinition, as written."""
    config: Fact[CniConfig]


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
    peers: tuple[Peer, ...] = ()
    """The other known VMs, looked up only for a VM with required anti-affinity."""
    attachments: tuple[Attachment, ...] = ()
    """The interfaces with bridge binding on Multus networks."""
    budgets: tuple[PodDisruptionBudget, ...] = ()
    """The known PodDisruptionBudgets of the VM's namespace whose selector matches the VM's pods."""
    pod_attachment: Attachment | None = None
    """The network that replaces the cluster's network, looked up only for a VM with the annotation for bridge binding."""
