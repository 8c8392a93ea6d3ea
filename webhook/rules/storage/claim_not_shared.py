"""A disk on a claim that one node alone can mount ties the VMI to that node."""

from collections.abc import Iterator

from webhook.facts.migration import ClaimFacts, MigrationFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.kubevirt.releases import KNOWN, Reason, Release, before
from webhook.rules.example import claim, data_volume, storage_profile
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

SHARED = "ReadWriteMany"
BEFORE_VOLUME_MIGRATION = before(Release(1, 3))
TO_BE_MADE = (
    "Ask for another claim before it is made: write `accessModes: [ReadWriteMany]` under `storage` (or `pvc`) of the DataVolume "
    "or dataVolumeTemplate, and name a storage class there that offers it."
)
_ON_A_CLAIM = "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}"
_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for volume in facts.claims:
        releases = BEFORE_VOLUME_MIGRATION if volume.volume in facts.migrated_volumes else KNOWN
        modes, subject = volume.access_modes, identity_of(volume.volume, volume.claim)
        if isinstance(modes, Unknown):
            yield Undetermined(volume.path, modes.why, modes.settle, subject, releases, modes.unreadable)
        elif isinstance(modes, Absent):
            yield Violation(
                volume.path, f"claim {volume.claim!r} does not exist", subject, "Create the claim first.", releases
            )
        elif SHARED not in modes:
            yield Violation(
                volume.path, said(volume, modes), subject, TO_BE_MADE if volume.expected_from else "", releases
            )


def identity_of(volume: str, claim: str) -> str:
    """The stable identity of a finding: another claim behind the same volume is another finding."""
    return f"volume {volume} claim {claim}"


def said(volume: ClaimFacts, modes: frozenset[str]) -> str:
    listed = ", ".join(sorted(modes)) or "without any access mode"
    if volume.expected_from:
        return f"claim {volume.claim!r} will be {listed}, as {volume.expected_from} makes it"
    return f"claim {volume.claim!r} is {listed}"


RULE = Rule(
    id="LM201",
    name="claim-not-shared",
    about=About.VMI,
    reason=Reason.DISKS,
    baseline=True,
    summary="A volume's claim cannot be used from two nodes at once.",
    rationale=(
        "During a live migration the VM's disks are open on the old node and on the new one at the same moment. A claim "
        "allows that only if its access modes include ReadWriteMany."
    ),
    remediation=(
        "Use a claim whose spec.accessModes include ReadWriteMany. Access modes cannot be changed on an existing claim: "
        "make a new one from a storage class that offers it, and copy the data."
    ),
    source="pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0; pkg/storage/types/pvc.go HasSharedAccessMode",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a shared claim", _ON_A_CLAIM, world=(claim("os", "ReadWriteMany"),)),
        Example("shared among other modes", _ON_A_CLAIM, world=(claim("os", "ReadWriteOnce", "ReadWriteMany"),)),
        Example("a single-node claim", _ON_A_CLAIM, world=(claim("os", "ReadWriteOnce"),), violates=("volumes[0]",)),
        Example("a read-only claim", _ON_A_CLAIM, world=(claim("os", "ReadOnlyMany"),), violates=("volumes[0]",)),
        Example("a claim that nobody showed us", _ON_A_CLAIM, undetermined=("volumes[0]",)),
        Example(
            "a DataVolume that asks for ReadWriteMany",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", accessModes=["ReadWriteMany"]),),
        ),
        Example(
            "a DataVolume that leaves the mode to a StorageProfile with single-node storage",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", storageClassName="local"), storage_profile("local", "ReadWriteOnce")),
            violates=("volumes[0]",),
        ),
        Example(
            "a DataVolume whose StorageProfile nobody showed us",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", storageClassName="local"),),
            undetermined=("volumes[0]",),
        ),
        Example(
            "an existing claim outranks what its DataVolume asks for",
            _ON_A_DATA_VOLUME,
            world=(data_volume("os", accessModes=["ReadWriteMany"]), claim("os", "ReadWriteOnce")),
            violates=("volumes[0]",),
        ),
        Example(
            "an overlay over a single-node claim",
            "{domain: {devices: {}}, volumes: [{name: os, ephemeral: {persistentVolumeClaim: {claimName: os}}}]}",
            world=(claim("os", "ReadWriteOnce"),),
        ),
    ),
)
