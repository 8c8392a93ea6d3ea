"""The kind VirtualMachine, the other kinds that contain a VMI template, and the requests that copy a VM with patches."""

from typing import Final

import msgspec

from webhook.objects.meta import Int32, Json, Kubernetes, ObjectMeta, Read
from webhook.objects.storage import DataVolumeTemplate
from webhook.objects.vmi import ClaimInfo, ClaimSource, DataVolumeSource, VMISpec, VMITemplate

MIGRATION: Final = "Migration"
"""The ``updateVolumesStrategy`` with which KubeVirt copies the volumes of a running VM to other claims."""
WAIT_AS_RECEIVER: Final = "WaitAsReceiver"
"""The ``runStrategy`` of a VM that waits to receive a migration from another cluster or namespace."""
MIGRATION_TARGET: Final = "kubevirt.io/create-migration-target"
"""The annotation that virt-controller sets on the VMI of a receiver."""

IGNORE: Final = "Ignore"
"""The ``inferFromVolumeFailurePolicy`` that drops a reference which KubeVirt cannot infer."""


class Matcher(Read, frozen=True):
    """A reference in ``spec.instancetype`` or ``spec.preference``, to an object and its revision."""

    name: str | None = None
    kind: str | None = None
    revision_name: str | None = None
    infer_from_volume: str | None = None
    infer_from_volume_failure_policy: str | None = None


class VirtualMachineSpec(Read, frozen=True):
    """``VirtualMachine.spec``."""

    running: bool | None = None
    run_strategy: str | None = None
    instancetype: Matcher | None = None
    preference: Matcher | None = None
    template: VMITemplate | None = None
    data_volume_templates: list[DataVolumeTemplate] | None = None
    update_volumes_strategy: str | None = None


class InstancetypeStatusRef(Read, frozen=True):
    """The fields ``status.instancetypeRef`` and ``status.preferenceRef`` (since KubeVirt 1.5)."""

    name: str | None = None
    kind: str | None = None
    controller_revision_ref: Matcher | None = None
    """The reference to the ControllerRevision, of which only ``name`` is read."""


class HotplugVolumeSource(Read, frozen=True):
    """The ``volumeSource`` field of a hotplug request."""

    persistent_volume_claim: ClaimSource | None = None
    data_volume: DataVolumeSource | None = None


class VolumeRequestAdd(Read, frozen=True):
    """The ``addVolumeOptions`` field of a hotplug request."""

    name: str = ""
    volume_source: HotplugVolumeSource | None = None


class VolumeRequest(Read, frozen=True):
    """An entry of ``status.volumeRequests``."""

    add_volume_options: VolumeRequestAdd | None = None


class MigratedVolumeInfo(Read, frozen=True):
    """An entry of ``migratedVolumes``, which names a volume under volume migration (since KubeVirt 1.4)."""

    volume_name: str = ""
    source_pvc_info: ClaimInfo | None = msgspec.field(default=None, name="sourcePVCInfo")


class VolumeMigrationState(Read, frozen=True):
    """``status.volumeUpdateState.volumeMigrationState``."""

    migrated_volumes: list[MigratedVolumeInfo] | None = None


class VolumeUpdateState(Read, frozen=True):
    """``status.volumeUpdateState``."""

    volume_migration_state: VolumeMigrationState | None = None


class Condition(Read, frozen=True):
    """An entry of ``status.conditions``."""

    type: str = ""
    status: str = ""


class VirtualMachineStatus(Read, frozen=True):
    """``VirtualMachine.status``."""

    created: bool | None = None
    """Whether the VM has a VMI, into which volumes can be hotplugged. Tenants cannot write the status subresource."""
    instancetype_ref: InstancetypeStatusRef | None = None
    preference_ref: InstancetypeStatusRef | None = None
    volume_requests: list[VolumeRequest] | None = None
    volume_update_state: VolumeUpdateState | None = None
    conditions: list[Condition] | None = None


class VirtualMachine(Kubernetes, frozen=True):
    """kubevirt.io VirtualMachine."""

    spec: VirtualMachineSpec = msgspec.field(default_factory=VirtualMachineSpec)
    status: VirtualMachineStatus | None = None


class ReplicaSetSpec(Read, frozen=True):
    """``VirtualMachineInstanceReplicaSet.spec``."""

    replicas: Int32 | None = None
    paused: bool | None = None
    template: VMITemplate | None = None


class VirtualMachineInstanceReplicaSet(Kubernetes, frozen=True):
    """kubevirt.io VirtualMachineInstanceReplicaSet."""

    spec: ReplicaSetSpec = msgspec.field(default_factory=ReplicaSetSpec)


class VirtualMachineTemplate(Read, frozen=True):
    """The ``spec.virtualMachineTemplate`` of a VirtualMachinePool."""

    metadata: ObjectMeta | None = None
    spec: VirtualMachineSpec | None = None


class PoolSpec(Read, frozen=True):
    """``VirtualMachinePool.spec``."""

    replicas: Int32 | None = None
    paused: bool | None = None
    virtual_machine_template: VirtualMachineTemplate | None = None


class VirtualMachinePool(Kubernetes, frozen=True):
    """pool.kubevirt.io VirtualMachinePool."""

    spec: PoolSpec = msgspec.field(default_factory=PoolSpec)


NO_SPEC = VMISpec()


class PatchedCopySpec(Read, frozen=True):
    """The ``spec`` of both kinds (``staging/src/kubevirt.io/api/clone`` and ``snapshot``, v1.3.0 to v1.9.0)."""

    patches: list[str] | None = None
    """The JSON patches that are applied to the new VM, each as a string."""
    source: Json = None
    """The object that a VirtualMachineClone copies. It has any type, because only patches decide about a request."""


class PatchedCopy(Kubernetes, frozen=True):
    """The kinds VirtualMachineClone (clone.kubevirt.io) and VirtualMachineRestore (snapshot.kubevirt.io)."""

    spec: PatchedCopySpec = msgspec.field(default_factory=PatchedCopySpec)
