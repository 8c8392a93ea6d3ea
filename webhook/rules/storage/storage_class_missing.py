"""A PVC is never bound if its StorageClass does not exist."""

from collections.abc import Iterator

from webhook.facts.storage import StorageFacts
from webhook.rules.example import data_volume, storage_class
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"
_TEMPLATE = "{dataVolumeTemplates: [{metadata: {name: os}, spec: {pvc: {storageClassName: fast, accessModes: [ReadWriteMany]}}}]}"
_SHARED = data_volume("os", accessModes=["ReadWriteMany"], storageClassName="fast")


def check(facts: StorageFacts) -> Iterator[Outcome]:
    for claim in facts.claims:
        if claim.is_class_missing:
            yield Violation(
                claim.path,
                f"StorageClass {claim.storage_class!r} of PVC {claim.claim!r} does not exist, so the PVC is never bound and "
                "the VM does not start",
                f"volume {claim.volume} class {claim.storage_class}",
            )


RULE = Rule(
    id="LM211",
    name="storage-class-missing",
    about=About.STORAGE,
    severity=Severity.WARNING,
    summary="A PVC names a StorageClass that the cluster does not have.",
    rationale=(
        "The PVC stays pending until a StorageClass of this name exists. The PVC's access modes do not show whether "
        "that StorageClass can share the volume."
    ),
    remediation="Set storageClassName to a StorageClass of the cluster.",
    source="pkg/virt-controller/watch/vm/vm.go handleDataVolumes, v1.9.0",
    reference="https://kubernetes.io/docs/concepts/storage/persistent-volumes/#class-1",
    check=check,
    examples=(
        Example(
            "a class of the cluster",
            _ON_A_DATA_VOLUME,
            world=(_SHARED, storage_class("fast", "x")),
            complete="StorageClass",
        ),
        Example("classes that were not provided", _ON_A_DATA_VOLUME, world=(_SHARED,)),
        Example(
            "an empty class name, which selects no class",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", accessModes=["ReadWriteMany"], storageClassName=""),),
            complete="StorageClass",
        ),
        Example(
            "a class that does not exist",
            _ON_A_DATA_VOLUME,
            world=(_SHARED,),
            complete="StorageClass",
            violates=("volumes[0]",),
        ),
        Example(
            "another class of the cluster",
            _ON_A_DATA_VOLUME,
            world=(_SHARED, storage_class("slow", "x")),
            complete="StorageClass",
            violates=("volumes[0]",),
        ),
        Example(
            "a dataVolumeTemplate with such a class",
            _ON_A_DATA_VOLUME,
            vm_spec=_TEMPLATE,
            complete="StorageClass",
            violates=("spec.template.spec.volumes[0]",),
        ),
    ),
)
