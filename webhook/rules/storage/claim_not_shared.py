"""A volume needs a PersistentVolumeClaim (PVC) that two nodes can mount at the same time."""

from collections.abc import Iterator

from webhook.facts.migration import ClaimFacts, MigrationFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.kubevirt.releases import KNOWN, Reason, Release, before
from webhook.rules.example import claim, data_volume, kubevirt, storage_profile
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation
from webhook.rules.storage._access_modes import SHARED, listed, meant_mode

BEFORE_VOLUME_MIGRATION = before(Release(1, 3))
TO_BE_CREATED = (
    "Write `accessModes: [ReadWriteMany]` under `storage` (or `pvc`) of the DataVolume or dataVolumeTemplate, with a "
    "StorageClass that supports ReadWriteMany."
)
COPY = (
    "Create a PVC with `accessModes: [ReadWriteMany]` from a StorageClass that supports ReadWriteMany. Copy the data, and "
    "set claimName of the volume to the new PVC. The access modes of an existing PVC cannot be changed."
)
_ON_A_CLAIM = "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}"
_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for volume in facts.claims:
        releases = BEFORE_VOLUME_MIGRATION if volume.volume in facts.migrated_volumes else KNOWN
        modes, subject = volume.access_modes, identity_of(volume.volume, volume.claim)
        if isinstance(modes, Unknown):
            settle = _correction(volume, frozenset()) or modes.settle
            yield Undetermined(volume.path, modes.why, settle, subject, releases, modes.unreadable)
        elif isinstance(modes, Absent):
            yield Violation(
                volume.path,
                f"PVC {volume.claim!r} does not exist, so the VM cannot be live-migrated",
                subject,
                "Create the PVC with `accessModes: [ReadWriteMany]`.",
                releases,
                is_tolerated=facts.is_receiver,
            )
        elif SHARED not in modes:
            message = _message(volume, modes, is_receiver=facts.is_receiver)
            yield Violation(
                volume.path, message, subject, _remedy(facts, volume, modes), releases, is_tolerated=facts.is_receiver
            )


def identity_of(volume: str, claim: str) -> str:
    """The stable identity of a finding. A finding about the same volume with another claim has another identity."""
    return f"volume {volume} claim {claim}"


def _remedy(facts: MigrationFacts, volume: ClaimFacts, modes: frozenset[str]) -> str:
    """The remedy if KubeVirt cannot move the VM's volumes while the VM runs, or an empty text to use the rule's remedy."""
    if correction := _correction(volume, modes):
        return f"{correction[0].upper()}{correction[1:]}."
    if volume.expected_from:
        return TO_BE_CREATED
    can_move = facts.kind == "VirtualMachine" and bool(facts.releases & ~BEFORE_VOLUME_MIGRATION)
    return "" if can_move else COPY


def _correction(volume: ClaimFacts, modes: frozenset[str]) -> str:
    """The correction of a misspelt field or access mode in the manifest of the claim, or an empty text."""
    claim = f"PVC {volume.claim!r}"
    if volume.misspelt:
        owner = f"DataVolume {volume.claim!r}" if volume.expected_from else claim
        right, written = volume.misspelt
        return f"write {right} instead of {written} in {owner}"
    word = next((mode for mode in sorted(modes) if meant_mode(mode) == SHARED), "")
    return f"write {SHARED} instead of {word} in {volume.expected_from or claim}" if word else ""


def _message(volume: ClaimFacts, modes: frozenset[str], *, is_receiver: bool) -> str:
    state = f"is {listed(modes)}"
    if volume.misspelt:
        state += f" (unknown field {volume.misspelt[-1]})"
    if volume.expected_from:
        state = f"will be {listed(modes)} (from {volume.expected_from})"
    if is_receiver:
        return (
            f"PVC {volume.claim!r} {state}, not {SHARED} (RWX), so the VM cannot be live-migrated after it is received"
        )
    return f"PVC {volume.claim!r} {state}, not {SHARED} (RWX), so the VM cannot be live-migrated"


RULE = Rule(
    id="LM201",
    name="claim-not-shared",
    about=About.VMI,
    reason=Reason.DISKS,
    baseline=True,
    summary="The PVC of a volume is not ReadWriteMany (RWX).",
    rationale=(
        "During a live migration, the source node and the target node open the VM's disks at the same time. A PVC allows "
        "this only if its access modes include ReadWriteMany."
    ),
    remediation=(
        "Create a PVC with `accessModes: [ReadWriteMany]` from a StorageClass that supports ReadWriteMany. Set claimName of "
        "the volume to the new PVC. With `updateVolumesStrategy: Migration`, KubeVirt copies the data while the VM runs "
        "(1.3 and later). Otherwise, copy the data first. The access modes of an existing PVC cannot be changed. If the PVC "
        "has no data, delete it and create it again with the same name."
    ),
    source="pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0; pkg/storage/types/pvc.go HasSharedAccessMode",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a ReadWriteMany PVC", _ON_A_CLAIM, world=(claim("os", "ReadWriteMany"),)),
        Example("ReadWriteMany among other modes", _ON_A_CLAIM, world=(claim("os", "ReadWriteOnce", "ReadWriteMany"),)),
        Example("a ReadWriteOnce PVC", _ON_A_CLAIM, world=(claim("os", "ReadWriteOnce"),), violates=("volumes[0]",)),
        Example("a ReadOnlyMany PVC", _ON_A_CLAIM, world=(claim("os", "ReadOnlyMany"),), violates=("volumes[0]",)),
        Example("a PVC that was not provided", _ON_A_CLAIM, undetermined=("volumes[0]",)),
        Example(
            "a DataVolume that requests ReadWriteMany",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", accessModes=["ReadWriteMany"]),),
        ),
        Example(
            "a DataVolume without accessModes, and a StorageProfile that offers ReadWriteOnce",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", storageClassName="local"), storage_profile("local", "ReadWriteOnce")),
            violates=("volumes[0]",),
        ),
        Example(
            "a DataVolume without accessModes, and a StorageProfile that was not provided",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", storageClassName="local"),),
            undetermined=("volumes[0]",),
        ),
        Example(
            "an existing ReadWriteOnce PVC, and a DataVolume that requests ReadWriteMany",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", accessModes=["ReadWriteMany"]), claim("os", "ReadWriteOnce")),
            violates=("volumes[0]",),
        ),
        Example(
            "a VM that waits for a decentralized live migration, which copies its disks",
            _ON_A_CLAIM,
            vm_spec="{runStrategy: WaitAsReceiver}",
            world=(
                claim("os", "ReadWriteOnce"),
                kubevirt(developerConfiguration={"featureGates": ["DecentralizedLiveMigration"]}),
            ),
            violates=("spec.template.spec.volumes[0]",),
        ),
        Example(
            "an ephemeral volume over a ReadWriteOnce PVC",
            "{domain: {devices: {}}, volumes: [{name: os, ephemeral: {persistentVolumeClaim: {claimName: os}}}]}",
            world=(claim("os", "ReadWriteOnce"),),
        ),
    ),
)
