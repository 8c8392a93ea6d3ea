"""An existing claim hides the access modes that the VM's own template would give a new one."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.example import claim, storage_profile
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.storage.claim_not_shared import SHARED

_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"
_LOCAL = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteOnce]}}}]}"
_SHARED = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteMany]}}}]}"
_BY_PROFILE = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {storageClassName: local}}}]}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for each in facts.templates:
        asked, in_force = each.asked, each.in_force
        if each.first is not None or not isinstance(asked, frozenset) or not isinstance(in_force, frozenset):
            continue
        if SHARED in in_force and SHARED not in asked:
            listed = ", ".join(sorted(asked)) or "without any access mode"
            yield Violation(
                each.path,
                f"claim {each.name!r} is {SHARED}, but a claim created from this template would be {listed} "
                f"(from {each.expected_from})",
                identity_of_template(each.name),
            )


def identity_of_template(name: str) -> str:
    """The stable identity of a finding."""
    return f"dataVolumeTemplate {name}"


RULE = Rule(
    id="LM209",
    name="template-less-shared-than-claim",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The existing claim is ReadWriteMany, but the dataVolumeTemplate would create one that is not.",
    rationale=(
        "KubeVirt uses an existing claim and does not compare it with the dataVolumeTemplate of the same name. If the claim is "
        "deleted, or the VM is restored elsewhere, KubeVirt creates a new claim, and the VM cannot be live-migrated any more."
    ),
    remediation=(
        "Write `accessModes: [ReadWriteMany]` under `storage` (or `pvc`) of the dataVolumeTemplate, with a storage class that "
        "supports it."
    ),
    source="pkg/virt-controller/watch/vm/vm.go handleDataVolumes, v1.9.0",
    reference="https://kubevirt.io/user-guide/storage/disks_and_volumes/#datavolume",
    check=check,
    examples=(
        Example(
            "a template that asks for what the claim has",
            _ON_A_DATA_VOLUME,
            machine=_SHARED,
            world=(claim("os", "ReadWriteMany"),),
        ),
        Example(
            "a claim that exists on one node: another rule's finding",
            _ON_A_DATA_VOLUME,
            machine=_LOCAL,
            world=(claim("os", "ReadWriteOnce"),),
        ),
        Example("a claim that does not exist yet", _ON_A_DATA_VOLUME, machine=_LOCAL),
        Example(
            "a template whose storage profile is not known",
            _ON_A_DATA_VOLUME,
            machine=_BY_PROFILE,
            world=(claim("os", "ReadWriteMany"),),
        ),
        Example(
            "a template that asks for ReadWriteOnce",
            _ON_A_DATA_VOLUME,
            machine=_LOCAL,
            world=(claim("os", "ReadWriteMany"),),
            violates=("spec.dataVolumeTemplates[0]",),
        ),
        Example(
            "a template whose storage profile gives ReadWriteOnce",
            _ON_A_DATA_VOLUME,
            machine=_BY_PROFILE,
            world=(claim("os", "ReadWriteMany"), storage_profile("local", "ReadWriteOnce")),
            violates=("spec.dataVolumeTemplates[0]",),
        ),
        Example(
            "a volume that names the claim itself",
            "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}",
            machine=_LOCAL,
            world=(claim("os", "ReadWriteMany"),),
            violates=("spec.dataVolumeTemplates[0]",),
        ),
    ),
)
