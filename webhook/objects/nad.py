"""NetworkAttachmentDefinition, and what says which addresses a cluster uses already."""

import re
from collections.abc import Mapping

import msgspec

from webhook.objects.meta import Kubernetes, Read


class NetworkSpec(Read, frozen=True):
    """``NetworkAttachmentDefinition.spec``: ``config`` is JSON in a string; empty means a file on the host."""

    config: str | None = None


class NetworkAttachmentDefinition(Kubernetes, frozen=True):
    """k8s.cni.cncf.io NetworkAttachmentDefinition."""

    spec: NetworkSpec = msgspec.field(default_factory=NetworkSpec)


class NodeSpec(Read, frozen=True):
    """``Node.spec``: the ranges of the node's pods, where Kubernetes gives them out."""

    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")
    pod_cidrs: list[str] | None = msgspec.field(default=None, name="podCIDRs")


class NodeTraits(Read, frozen=True):
    """What verdicts take from the labels of a node."""

    schedulable: bool = False
    """Whether virt-handler lives there, so that virtual machines may run."""
    reports_host_model: bool = False
    tsc_frequency: int = 0
    """Hz; 0 where the node carries no valid label."""


class Node(Kubernetes, frozen=True):
    """
    A node. Of a cluster's nodes metadata alone is read, so ``spec`` is there only in manifests.

    It has more than a hundred labels: what counts of them is read once, and not for every virtual machine that is judged.
    """

    spec: NodeSpec | None = None
    traits: NodeTraits = msgspec.field(default_factory=NodeTraits, name="traits of its labels")
    """No field of a node: no manifest has a key of this name, and what it would hold is not looked at."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "traits", _traits(self.meta.labels or {}))


HOST_MODEL_LABEL = "host-model-cpu.node.kubevirt.io/"
TSC_LABEL = "cpu-timer.node.kubevirt.io/tsc-frequency"
SCHEDULABLE = "kubevirt.io/schedulable"
_INT64 = r"\+?[0-9]{1,63}"  # what strconv.ParseInt takes, as far as it is positive


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
    """networking.k8s.io ServiceCIDR (served from Kubernetes 1.33 on): addresses of Services."""

    spec: ServiceCIDRSpec = msgspec.field(default_factory=ServiceCIDRSpec)


class Namespace(Kubernetes, frozen=True):
    """A namespace; only its labels are read."""
