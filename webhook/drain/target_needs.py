"""
The objects that KubeVirt creates for a migration beside the target pod: a claim for the state of TPM and EFI, and a pod that
attaches hotplugged volumes.

Source: ``createPVC`` and ``getStorageClass`` of ``pkg/storage/backend-storage/backend-storage.go``;
``handleTargetPodCreation`` of ``pkg/virt-controller/watch/migration/migration.go``, v1.4.1 to v1.9.0.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.objects.meta import ObjectMeta
from webhook.objects.pods import Pod
from webhook.objects.storage import ClaimResources, ClaimSpec, PersistentVolumeClaim

DEFAULT_CLASS: Final = ("storageclass.kubevirt.io/is-default-virt-class", "storageclass.kubernetes.io/is-default-class")
"""The annotations that mark the default StorageClass. The first has precedence."""
_SIZE: Final = "10Mi"


class Beside(msgspec.Struct, frozen=True):
    """The objects that a migration needs besides the target pod."""

    attachment: Pod | None = None
    """The pod that attaches hotplugged volumes to the target node, without its node affinity to that node."""
    claim: PersistentVolumeClaim | None = None
    """The claim for the state of the VM on the target node."""

    def in_order(self, target: Pod) -> Iterator[tuple[str, str, Pod | PersistentVolumeClaim]]:
        """The objects in the order of their creation, each with its name and with the room that it needs in a quota."""
        if self.claim is not None:
            yield "claim for the state of the VM on the target node", f"one claim of {_SIZE}", self.claim
        yield "target pod", "the requests of one launcher", target
        if self.attachment is not None:
            yield "pod that attaches the hotplugged volumes", "one more small pod", self.attachment

    def with_attachment(self, target: Pod) -> Pod:
        """The target pod with the requests and volumes of the attachment pod, which has to run on the same node."""
        if self.attachment is None:
            return target
        extra, spec = self.attachment.spec, target.spec
        containers = [*(spec.containers or ()), *(extra.containers or ())]
        volumes = [*(spec.volumes or ()), *(extra.volumes or ())]
        return replace(target, spec=replace(spec, containers=containers, volumes=volumes or None))


def state_claim_of_target(namespace: str, storage_class: str) -> PersistentVolumeClaim:
    """The new claim for the state of a VM."""
    spec = ClaimSpec(
        access_modes=["ReadWriteOnce"],
        volume_mode="Filesystem",
        storage_class_name=storage_class or None,
        resources=ClaimResources({"storage": _SIZE}),
    )
    return PersistentVolumeClaim(metadata=ObjectMeta("persistent-state-for-target", namespace=namespace), spec=spec)
