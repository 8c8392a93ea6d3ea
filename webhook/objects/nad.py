"""The kinds NetworkAttachmentDefinition, Node and ServiceCIDR. Nodes and ServiceCIDRs name the address ranges in use."""

import re
from collections.abc import Mapping

import msgspec

from webhook.objects.meta import Kubernetes, Quantity, Read
from webhook.objects.scheduling import Taint


class NetworkSpec(Read, frozen=True):
    """``NetworkAttachmentDefinition.spec``. ``config`` is JSON in a string. If it is empty, Multus reads a file on the node."""

    config: str | None = None


class NetworkAttachmentDefinition(Kubernetes, frozen=True):
    """k8s.cni.cncf.io NetworkAttachmentDefinition."""

    spec: NetworkSpec = msgspec.field(default_factory=NetworkSpec)


class NodeSpec(Read, frozen=True):
    """The taints of a node, and its pod address ranges if Kubernetes assigns such ranges."""

    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")
    pod_cidrs: list[str] | None = msgspec.field(default=None, name="podCIDRs")
    taints: list[Taint] | None = None
    unschedulable: bool | None = None


class NodeCondition(Read, frozen=True):
    """An entry of ``status.conditions``."""

    type: str = ""
    status: str = ""


class NodeStatus(Read, frozen=True):
    """``Node.status``: the resources that pods can request, as written, and the conditions."""

    allocatable: dict[str, Quantity] | None = None
    conditions: list[NodeCondition] | None = None


class NodeTraits(Read, frozen=True):
    """The facts in the labels of a node that verdicts need."""

    schedulable: bool = False
    """Whether virt-handler is alive on the node, so that VMs can run on the node."""
    host_model: str = ""
    """The host CPU model; empty if the node has no such label."""
    host_model_features: tuple[str, ...] = ()
    """The labels for the CPU features that the target node of a VM with CPU model host-model must have."""
    tsc_frequency: int = 0
    """The TSC frequency in Hz; 0 if the node has no valid label."""

    @property
    def reports_host_model(self) -> bool:
        """Whether the node has a label with its host CPU model."""
        return bool(self.host_model)


class Node(Kubernetes, frozen=True):
    """
    A node. ``spec`` and ``status`` are read only from manifests and for the rehearsal of a drain. The store of the webhook reads
    only the metadata.

    A node has more than a hundred labels, so ``traits`` is computed once per node and not once per judged VM.
    """

    spec: NodeSpec | None = None
    status: NodeStatus | None = None
    traits: NodeTraits = msgspec.field(default_factory=NodeTraits, name="traits of its labels")
    """
    Values that are computed from the labels and are not a field of a node. The name contains spaces, so no real field can have
    it.
    """

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "traits", _traits(self.meta.labels or {}))


HOST_MODEL_LABEL = "host-model-cpu.node.kubevirt.io/"
HOST_MODEL_FEATURE_LABEL = "host-model-required-features.node.kubevirt.io/"
CPU_FEATURE_LABEL = "cpu-feature.node.kubevirt.io/"
TSC_LABEL = "cpu-timer.node.kubevirt.io/tsc-frequency"
SCHEDULABLE = "kubevirt.io/schedulable"
_INT64 = r"\+?[0-9]{1,63}"  # matches the positive numbers that Go's strconv.ParseInt accepts


def _traits(labels: Mapping[str, str]) -> NodeTraits:
    text = labels.get(TSC_LABEL, "")
    frequency = int(text) if re.fullmatch(_INT64, text) else 0
    host_model, features = "", []
    for key in labels:
        if key.startswith(HOST_MODEL_LABEL):
            host_model = key[len(HOST_MODEL_LABEL) :]
        elif key.startswith(HOST_MODEL_FEATURE_LABEL):
            features.append(CPU_FEATURE_LABEL + key[len(HOST_MODEL_FEATURE_LABEL) :])
    return NodeTraits(
        labels.get(SCHEDULABLE) == "true",
        host_model,
        tuple(features),
        frequency if frequency < 1 << 63 else 0,
    )


class ServiceCIDRSpec(Read, frozen=True):
    """``ServiceCIDR.spec``."""

    cidrs: list[str] | None = None


class ServiceCIDR(Kubernetes, frozen=True):
    """The address ranges of Services, in networking.k8s.io ServiceCIDR (Kubernetes 1.33 and later)."""

    spec: ServiceCIDRSpec = msgspec.field(default_factory=ServiceCIDRSpec)


class Namespace(Kubernetes, frozen=True):
    """A namespace, of which only the labels are read."""
