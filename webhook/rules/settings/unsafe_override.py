"""Unsafe migrations skip libvirt's checks against disk corruption."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import UNSAFE_OVERRIDE, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, setting, setting_path


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if written(facts.migrations).get(UNSAFE_OVERRIDE) is True:
        yield setting(
            UNSAFE_OVERRIDE,
            True,
            f"{UNSAFE_OVERRIDE} is true, so libvirt migrates a VM even if this can corrupt a disk",
        )


RULE = Rule(
    id="LM619",
    name="unsafe-migration",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="libvirt's safety checks for migrations are off.",
    rationale=(
        "libvirt refuses to migrate a VM whose disk cache can leave source and target with different content. This setting "
        "disables the check for every VM of the cluster."
    ),
    remediation="Remove unsafeMigrationOverride, and set cache to none on the affected disks.",
    source="pkg/virt-launcher/virtwrap/live-migration-source.go generateMigrationFlags, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the default", cr("allowPostCopy: true")),
        Example("null, which is the default", cr("unsafeMigrationOverride: null")),
        Example("safe", cr("unsafeMigrationOverride: false")),
        Example("unsafe", cr("unsafeMigrationOverride: true"), violates=(setting_path("unsafeMigrationOverride"),)),
        Example(
            "unsafe migrations on a migration network",
            cr("network: migration, unsafeMigrationOverride: true"),
            violates=(setting_path("unsafeMigrationOverride"),),
        ),
        Example(
            "unsafe in 1.3",
            cr("unsafeMigrationOverride: true"),
            violates=(setting_path("unsafeMigrationOverride"),),
            release="1.3",
        ),
    ),
)
