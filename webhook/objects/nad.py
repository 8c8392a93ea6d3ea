"""NetworkAttachmentDefinition, and the objects that name the address ranges in use: Node and ServiceCIDR."""

import re
from collections.abc import Mapping

import msgspec

from webhook.objects.meta import Kubernetes, Read


class NetworkSpec(Read, frozen=True):
    """``NetworkAttachmentDefinition.spec``. ``config`` is JSON in a string; without it, a file on the node counts."""

    config: str | None = None


class NetworkAttachmentDefinition(Kubernetes, frozen=True):
    """k8s.cni.cncf.io NetworkAttachmentDefinition."""

    spec: NetworkSpec = msgspec.field(default_factory=NetworkSpec)


class NodeSpec(Read, frozen=True):
    """``Node.spec``: the pod address ranges of the node, if Kubernetes assigns them."""

    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")
    pod_cidrs: list[str] | None = msgspec.field(default=None, name="podCIDRs")


class NodeTraits(Read, frozen=True):
    """Facts from the labels of a node, which verdicts need."""

    schedulable: bool = False
    """Whether virt-handler is alive on the node, so that VMs can run there."""
    reports_host_model: bool = False
    tsc_frequency: int = 0
    """In Hz; 0 if the node has no valid label."""


class Node(Kubernetes, frozen=True):
    """
    A node. Only manifests have ``spec``; from a cluster only the metadata is read.

    A node has more than a hundred labels. ``traits`` is computed once per node, not once per judged VM.
    """

    spec: NodeSpec | None = None
    traits: NodeTraits = msgspec.field(default_factory=NodeTraits, name="traits of its labels")
    """Not a field of a node: computed from the labels. The name with spaces cannot collide with a real field."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "traits", _traits(self.meta.labels or {}))


HOST_MODEL_LABEL = "host-model-cpu.node.kubevirt.io/"
TSC_LABEL = "cpu-timer.node.kubevirt.io/tsc-frequency"
SCHEDULABLE = "kubevirt.io/schedulable"
_INT64 = r"\+?[0-9]{1,63}"  # positive numbers that Go's strconv.ParseInt accepts


def _traits(labels: Mapping[str, str]) -> NodeTraits:
    text = labels.get(TSC_LABEL, "")
    frequency = int(text) if re.fullmatch(_INT64, text) else 0
    return NodeTraits(
        labels.get(SCHEDULABLE) == "true",
        any(key.startswith(HOST_MODEL_LABEL) for key in labels),
        frequency if frequency < 1 << 63 else 0,
    )


class ServiceCIDRSpec(Read, frozen=True):
    """``ServiceCIDR.spec``."""

    cidrs: list[str] | None = None


class ServiceCIDR(Kubernetes, frozen=True):
    """networking.k8s.io ServiceCIDR (Kubernetes 1.33 and later): the address ranges of Services."""

    spec: ServiceCIDRSpec = msgspec.field(default_factory=ServiceCIDRSpec)


class Namespace(Kubernetes, frozen=True):
    """A namespace. Only its labels are read."""
