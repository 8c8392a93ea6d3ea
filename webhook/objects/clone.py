"""VirtualMachineClone and VirtualMachineRestore: requests to create a VM from another VM or from a snapshot."""

import msgspec

from webhook.objects.meta import Json, Kubernetes, Read


class PatchedCopySpec(Read, frozen=True):
    """The ``spec`` of both kinds (``staging/src/kubevirt.io/api/clone`` and ``snapshot``, v1.3.0 to v1.9.0)."""

    patches: list[str] | None = None
    """The JSON patches that are applied to the new VM, each as a string."""
    source: Json = None
    """The object that a VirtualMachineClone copies. It has any type, because only patches decide about a request."""


class PatchedCopy(Kubernetes, frozen=True):
    """The kinds VirtualMachineClone (clone.kubevirt.io) and VirtualMachineRestore (snapshot.kubevirt.io)."""

    spec: PatchedCopySpec = msgspec.field(default_factory=PatchedCopySpec)
