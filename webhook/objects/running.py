"""
Running VMIs and their migrations, with the status fields on which a node drain depends.

Source: ``staging/src/kubevirt.io/api/core/v1/types.go``, v1.3.0 to v1.9.0. These kinds are read only for the rehearsal of a
drain, never at admission.
"""

import msgspec

from webhook.objects.meta import Empty, Kubernetes, Read
from webhook.objects.vmi import VirtualMachineInstance, VMIStatus

FINAL = frozenset(("Succeeded", "Failed"))
"""The last phases of pods, VMIs and migrations."""
LIVE_MIGRATABLE = "LiveMigratable"
STORAGE_LIVE_MIGRATABLE = "StorageLiveMigratable"


class VMICondition(Read, frozen=True):
    """An entry of ``status.conditions`` of a VMI."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class MigrationState(Read, frozen=True):
    """The ``status.migrationState``. It describes the current or the latest migration of the VMI."""

    start_timestamp: str | None = None
    end_timestamp: str | None = None
    completed: bool = False
    source_node: str = ""


class RunningStatus(VMIStatus, frozen=True):
    """``VirtualMachineInstance.status``."""

    node_name: str = ""
    phase: str = ""
    evacuation_node_name: str = ""
    """The mark: the name of the node that the VMI must leave. Empty without a mark."""
    conditions: list[VMICondition] | None = None
    migration_state: MigrationState | None = None
    launcher_container_image_version: str = ""


class RunningVMI(VirtualMachineInstance, frozen=True):
    """A VirtualMachineInstance with its status."""

    status: RunningStatus | None = None

    @property
    def node(self) -> str:
        """The node of the VMI. Empty if the VMI has not started."""
        return self.status.node_name if self.status is not None else ""

    @property
    def phase(self) -> str:
        """The phase of the VMI. Empty if it is not set."""
        return self.status.phase if self.status is not None else ""

    @property
    def mark(self) -> str:
        """The name of the node that the VMI must leave. Empty without a mark."""
        return self.status.evacuation_node_name if self.status is not None else ""

    @property
    def is_final(self) -> bool:
        """Whether the guest has ended."""
        return self.phase in FINAL

    @property
    def is_migratable(self) -> bool:
        """Whether the condition LiveMigratable has status True. KubeVirt treats an absent condition as False."""
        return any(condition.type == LIVE_MIGRATABLE and condition.status == "True" for condition in self.conditions)

    @property
    def live_migratable(self) -> VMICondition | None:
        """The condition LiveMigratable, or None if virt-handler has not set it."""
        return next((condition for condition in self.conditions if condition.type == LIVE_MIGRATABLE), None)

    @property
    def conditions(self) -> list[VMICondition]:
        """The conditions of the VMI."""
        return (self.status.conditions if self.status is not None else None) or []


class MigrationSpec(Read, frozen=True):
    """``VirtualMachineInstanceMigration.spec``."""

    vmi_name: str = ""
    send_to: Empty | None = None
    """Set in the source of a migration to another cluster or namespace (KubeVirt 1.6)."""
    receive: Empty | None = None
    """Set in the target of a migration from another cluster or namespace (KubeVirt 1.6)."""
    added_node_selector: dict[str, str] | None = None


class MigrationStatus(Read, frozen=True):
    """``VirtualMachineInstanceMigration.status``."""

    phase: str = ""


class Migration(Kubernetes, frozen=True):
    """kubevirt.io VirtualMachineInstanceMigration (VMIM)."""

    spec: MigrationSpec = msgspec.field(default_factory=MigrationSpec)
    status: MigrationStatus = msgspec.field(default_factory=MigrationStatus)

    @property
    def is_final(self) -> bool:
        """Whether the migration has succeeded or failed."""
        return self.status.phase in FINAL
