"""libvirt does not trust a host's page cache during a migration."""

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
    on_claims = {each.volume for each in facts.claims}
    domain = facts.spec.domain
    for index, disk in enumerate((domain.devices.disks if domain and domain.devices else None) or ()):
        if disk.cache in CACHED and disk.name in on_claims and not disk.shareable and not _read_only(disk):
            yield Violation(
                facts.at("domain", "devices", "disks", index, "cache"),
                f"disk {disk.name!r} on a claim has cache {disk.cache}, with which libvirt may call the migration unsafe",
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
    summary="A disk on a claim is cached by its node.",
    rationale=(
        "What a node has cached, the other does not see. Unless the claim lies on a cluster filesystem, libvirt refuses to "
        "migrate a writable disk whose cache is not `none`; the VMI's condition does not tell this beforehand."
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
            "no cache",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: none}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
        ),
        Example(
            "a cache on the node",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
            violates=("domain.devices.disks[0].cache",),
        ),
        Example(
            "a disk that cannot be written",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{readonly: true}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED,),
        ),
        Example(
            "a disk that is copied along",
            "{domain: {devices: {disks: [{name: tmp, disk: {}, cache: writeback}]}}, "
            "volumes: [{name: tmp, emptyDisk: {capacity: 2Gi}}]}",
        ),
        Example(
            "a cluster that overrides libvirt's judgement",
            f"{{domain: {{devices: {{disks: [{{name: os, disk: {{}}, cache: writeback}}]}}}}, {_ON_A_CLAIM}}}",
            world=(_SHARED, kubevirt(migrations={"unsafeMigrationOverride": True})),
        ),
    ),
)
