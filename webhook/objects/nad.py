"""NetworkAttachmentDefinition, and what says which addresses a cluster uses already."""

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


class Node(Kubernetes, frozen=True):
    """A node. Of a cluster's nodes metadata alone is read, so ``spec`` is there only in manifests."""

    spec: NodeSpec | None = None


class ServiceCIDRSpec(Read, frozen=True):
    """``ServiceCIDR.spec``."""

    cidrs: list[str] | None = None


class ServiceCIDR(Kubernetes, frozen=True):
    """networking.k8s.io ServiceCIDR (served from Kubernetes 1.33 on): addresses of Services."""

    spec: ServiceCIDRSpec = msgspec.field(default_factory=ServiceCIDRSpec)


class Namespace(Kubernetes, frozen=True):
    """A namespace; only its labels are read."""
