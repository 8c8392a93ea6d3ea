"""libvirt refuses to migrate a writable disk that the host caches."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.objects.vmi import Disk
from webhook.rules.example import claim, kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

CACHED = ("writeback", "writethrough")
_ON_A_CLAIM = "volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]"
_SHARED = claim("os", "ReadWriteMany")


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    configuration = facts.configuration
    migrations = configuration.migrations if not isinstance(configuration, Unknown) else None
    if isinstance(migrations, dict) and migrations.get("unsafeMigrationOverride") is True:
        return
    on_claims = {claim.volume for claim in facts.claims}
    domain = facts.spec.domain
    for index, disk in enumerate((domain.devices.disks if domain and domain.devices else None) or ()):
        if disk.cache in CACHED and disk.name in on_claims and not disk.shareable and not _read_only(disk):
            yield Violation(
                facts.at("domain", "devices", "disks", index, "cache"),
                f"disk {disk.name!r} on a PVC has `cache: {disk.cache}`, so libvirt might refuse to live-migrate the "
                "VM",
                f"disk {disk.name} cache",
            )


def _read_only(disk: Disk) -> bool:
    if disk.cdrom is not None:
        return disk.cdrom.readonly is not False
    target = disk.lun or disk.disk
    return target is not None and bool(target.readonly)


RULE = Rule(
    id="LM207",
    name="disk-cache-unsafe",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The node caches a disk on a PVC.",
    rationale=(
        "The target node does not see the cache of the source node. Unless the PVC is on a cluster filesystem, libvirt "
        "refuses to migrate a writable disk whose cache is not `none`. KubeVirt does not check this, so the condition "
        "LiveMigratable stays True."
    ),
    remediation="Remove `cache`, or write `cache: none`.",
    source=(
        "pkg/virt-launcher/virtwrap/live-migration-source.go (MIGRATE_UNSAFE only with unsafeMigrationOverride), v1.9.0; "
        "libvirt src/qemu/qemu_migration.c qemuMigrationSrcIsSafe"
    ),
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "`cache: none`",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: none}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
        ),
        Example(
            "`cache: writeback`",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
            violates=("domain.devices.disks[0].cache",),
        ),
        Example(
            "`cache: writethrough`",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: writethrough}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
            violates=("domain.devices.disks[0].cache",),
        ),
        Example(
            "a CD-ROM to which the guest can write",
            f"{{domain: {{devices: {{disks: [{{name: os, cdrom: {{readonly: false}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
            violates=("domain.devices.disks[0].cache",),
        ),
        Example(
            "a read-only disk",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{readonly: true}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
        ),
        Example(
            "an emptyDisk, which a migration copies",
            "{domain: {devices: {disks: [{name: tmp, disk: {}, cache: writeback}]}}, "
            "volumes: [{name: tmp, emptyDisk: {capacity: 2Gi}}]}",
        ),
        Example(
            "a cluster with unsafeMigrationOverride",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED, kubevirt(migrations={"unsafeMigrationOverride": True})),
        ),
    ),
)
