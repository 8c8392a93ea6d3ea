"""
Messages between the server and the process that renders the pages for operators.

The process reads objects of a cluster, so the server never unpickles its replies.
"""

import msgspec


class Sight(msgspec.Struct, frozen=True):
    """The part of a cluster that the caller may see."""

    namespaces: tuple[str, ...] | None = None
    """The namespaces whose VMs may be seen, sorted. None means all namespaces."""
    nodes: bool = True
    """Whether the nodes may be seen, the effect of their drains, and the placement of VMs."""
    policies: bool = True
    """Whether the MigrationPolicies may be seen."""
    settings: bool = True
    """Whether the findings about the KubeVirt CR and other objects that are not VMs may be seen."""
    user: str = ""
    """The name of the signed-in user. Empty if no sign-in is needed."""

    def shows(self, namespace: str) -> bool:
        """Whether the VMs of a namespace may be seen."""
        return self.namespaces is None or namespace in self.namespaces


class PageRequest(msgspec.Struct, frozen=True, tag="page"):
    """A request for a page."""

    path: str
    """The decoded path below ``/fleet``, such as ``/vms``. Empty for the overview."""
    query: tuple[tuple[str, str], ...]
    """The decoded parameters, in their order."""
    sight: Sight


class NamespacesRequest(msgspec.Struct, frozen=True, tag="namespaces"):
    """A request for the namespaces that have VMs."""


class PageReply(msgspec.Struct, frozen=True, tag="page"):
    """A page as HTML."""

    status: int
    body: bytes
    version: str
    """The version of the state. The same request gives the same page as long as the version stays."""


class NamespacesReply(msgspec.Struct, frozen=True, tag="namespaces"):
    """The namespaces that have VMs, sorted."""

    namespaces: tuple[str, ...]
