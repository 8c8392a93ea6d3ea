"""VirtualMachineClone and VirtualMachineRestore: requests to create a VM from another VM or from a snapshot."""

import msgspec

from webhook.objects.meta import Kubernetes, Read


class PatchedCopySpec(Read, frozen=True):
    """``spec`` of both kinds (``staging/src/kubevirt.io/api/clone`` and ``snapshot``, v1.3.0 to v1.9.0)."""

    patches: list[str] | None = None
    """JSON patches of the new VM, each as a string."""


class PatchedCopy(Kubernetes, frozen=True):
    """clone.kubevirt.io VirtualMachineClone and snapshot.kubevirt.io VirtualMachineRestore."""

    spec: PatchedCopySpec = msgspec.field(default_factory=PatchedCopySpec)
