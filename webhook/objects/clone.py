"""VirtualMachineClone and VirtualMachineRestore: requests to create a VM from another one or from a snapshot."""

import msgspec

from webhook.objects.meta import Kubernetes, Read


class CarrierSpec(Read, frozen=True):
    """``spec`` of both kinds (``staging/src/kubevirt.io/api/clone`` and ``snapshot``, v1.3.0 to v1.9.0)."""

    patches: list[str] | None = None
    """JSON patches of the new VM, each as text."""


class Carrier(Kubernetes, frozen=True):
    """clone.kubevirt.io VirtualMachineClone and snapshot.kubevirt.io VirtualMachineRestore."""

    spec: CarrierSpec = msgspec.field(default_factory=CarrierSpec)
