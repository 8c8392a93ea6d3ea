"""An existing PVC hides the access modes that the VM's own template would give a new PVC."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.example import claim, storage_profile
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.storage._access_modes import SHARED, listed

_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"
_LOCAL = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteOnce]}}}]}"
_SHARED = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteMany]}}}]}"
_BY_PROFILE = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {storageClassName: local}}}]}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for template in facts.templates:
        asked, in_force = template.asked, template.in_force
        if template.first is not None or not isinstance(asked, frozenset) or not isinstance(in_force, frozenset):
            continue
        if SHARED in in_force and SHARED not in asked:
            yield Violation(
                template.path,
                f"PVC {template.name!r} is {SHARED} (RWX), but a PVC created from this template would be {listed(asked)} "
                f"(from {template.expected_from}), and the VM could no longer be live-migrated",
                identity_of_template(template.name),
            )


def identity_of_template(name: str) -> str:
    """The stable identity of a finding."""
    return f"dataVolumeTemplate {name}"


RULE = Rule(
    id="LM209",
    name="template-less-shared-than-claim",
    about=About.VMI,
    severity=Severity.WARNING,
    summary=("The PVC is ReadWriteMany, but the dataVolumeTemplate would create a PVC without this mode."),
    rationale=(
        "KubeVirt uses an existing PVC and does not compare it with the dataVolumeTemplate of the same name. If the PVC is "
        "deleted, or the VM is restored elsewhere, KubeVirt creates a new PVC, and the VM can no longer be live-migrated."
    ),
    remediation=(
        "Write `accessModes: [ReadWriteMany]` under `storage` (or `pvc`) of the dataVolumeTemplate, with a StorageClass "
        "that supports ReadWriteMany."
    ),
    source="pkg/virt-controller/watch/vm/vm.go handleDataVolumes, v1.9.0",
    reference="https://kubevirt.io/user-guide/storage/disks_and_volumes/#datavolume",
    check=check,
    examples=(
        Example(
            "a template that requests ReadWriteMany, like the PVC",
            _ON_A_DATA_VOLUME,
            vm_spec=_SHARED,
            world=(claim("os", "ReadWriteMany"),),
        ),
        Example(
            "an existing ReadWriteOnce PVC, which LM201 reports",
            _ON_A_DATA_VOLUME,
            vm_spec=_LOCAL,
            world=(claim("os", "ReadWriteOnce"),),
        ),
        Example("a PVC that does not exist yet", _ON_A_DATA_VOLUME, vm_spec=_LOCAL),
        Example(
            "a template whose StorageProfile was not provided",
            _ON_A_DATA_VOLUME,
            vm_spec=_BY_PROFILE,
            world=(claim("os", "ReadWriteMany"),),
        ),
        Example(
            "a template that requests ReadWriteOnce",
            _ON_A_DATA_VOLUME,
            vm_spec=_LOCAL,
            world=(claim("os", "ReadWriteMany"),),
            violates=("spec.dataVolumeTemplates[0]",),
        ),
        Example(
            "a template whose StorageProfile offers ReadWriteOnce",
            _ON_A_DATA_VOLUME,
            vm_spec=_BY_PROFILE,
            world=(claim("os", "ReadWriteMany"), storage_profile("local", "ReadWriteOnce")),
            violates=("spec.dataVolumeTemplates[0]",),
        ),
        Example(
            "a volume that names the PVC itself",
            "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}",
            vm_spec=_LOCAL,
            world=(claim("os", "ReadWriteMany"),),
            violates=("spec.dataVolumeTemplates[0]",),
        ),
    ),
)
