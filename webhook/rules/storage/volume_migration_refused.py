"""KubeVirt refuses to move some volumes of a running VM to other claims."""

from collections.abc import Iterator

from webhook.facts.storage import StorageFacts
from webhook.rules.example import claim
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: StorageFacts) -> Iterator[Outcome]:
    for fixed in facts.volume_migration.fixed if facts.volume_migration is not None else ():
        yield Violation(
            fixed.path,
            f"KubeVirt refuses to move volume {fixed.volume!r} to another PVC while the VM runs, because {fixed.why}",
            f"volume {fixed.volume}",
            releases=fixed.releases,
        )


_SPEC = "{{domain: {{devices: {}}}, volumes: [{{name: os, {}}}]}}"
_CLAIM = "persistentVolumeClaim: {claimName: os}"
_MIGRATION = "{updateVolumesStrategy: Migration}"
_SHARED = (claim("os", "ReadWriteMany"),)
_PLUGGED = "persistentVolumeClaim: {claimName: os, hotpluggable: true}"
_DISK = _SPEC.format("{disks: [{name: os, disk: {}}]}", _CLAIM)
_LUN = _SPEC.format("{disks: [{name: os, lun: {}}]}", _CLAIM)
_DEVICES = "spec.template.spec.domain.devices"
RULE = Rule(
    id="LM213",
    name="volume-migration-refused",
    about=About.STORAGE,
    severity=Severity.INFO,
    summary="The VM has `updateVolumesStrategy: Migration` and a volume that KubeVirt refuses to move.",
    rationale=(
        "KubeVirt refuses to move shareable disks, LUNs and mounted filesystems, and in 1.3 hotpluggable volumes. "
        "Such an update takes effect only after a restart. Every ReadWriteOnce PVC must move in the same update."
    ),
    remediation="Stop the VM, copy the data to the new PVC, and name this PVC in the volume.",
    source="pkg/virt-controller/watch/volume-migration/volume-migration.go ValidateVolumes, v1.3.1 to v1.9.0",
    reference="https://kubevirt.io/user-guide/storage/volume_migration/",
    check=check,
    examples=(
        Example("a disk", _DISK, vm_spec=_MIGRATION, world=_SHARED),
        Example("a LUN, without volume migration", _LUN, vm_spec="{updateVolumesStrategy: Replacement}", world=_SHARED),
        Example(
            "a hotpluggable volume in 1.4",
            _SPEC.format("{disks: [{name: os, disk: {}}]}", _PLUGGED),
            vm_spec=_MIGRATION,
            world=_SHARED,
            release="1.4",
        ),
        Example("a LUN", _LUN, vm_spec=_MIGRATION, world=_SHARED, violates=(f"{_DEVICES}.disks[0].lun",)),
        Example(
            "a shareable disk",
            _SPEC.format("{disks: [{name: os, disk: {}, shareable: true}]}", _CLAIM),
            vm_spec=_MIGRATION,
            world=_SHARED,
            violates=(f"{_DEVICES}.disks[0].shareable",),
        ),
        Example(
            "a mounted filesystem",
            _SPEC.format("{filesystems: [{name: os, virtiofs: {}}]}", _CLAIM),
            vm_spec=_MIGRATION,
            world=_SHARED,
            violates=(f"{_DEVICES}.filesystems[0]",),
        ),
        Example(
            "a hotpluggable volume in 1.3",
            _SPEC.format("{disks: [{name: os, disk: {}}]}", _PLUGGED),
            vm_spec=_MIGRATION,
            world=_SHARED,
            release="1.3",
            violates=("spec.template.spec.volumes[0]",),
        ),
    ),
)
