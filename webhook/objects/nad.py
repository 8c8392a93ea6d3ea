"""NetworkAttachmentDefinition and Node."""

import msgspec

from webhook.objects.meta import Kubernetes, Read


class NetworkSpec(Read, frozen=True):
    """``NetworkAttachmentDefinition.spec``: ``config`` is JSON in a string; empty means a file on the host."""

    config: str | None = None


class NetworkAttachmentDefinition(Kubernetes, frozen=True):
    """k8s.cni.cncf.io NetworkAttachmentDefinition."""

    spec: NetworkSpec = msgspec.field(default_factory=NetworkSpec)


class Node(Kubernetes, frozen=True):
    """A node; only its labels are read."""


class Namespace(Kubernetes, frozen=True):
    """A namespace; only its labels are read."""
