"""Unsafe migrations skip the checks that keep disks whole."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import UNSAFE_OVERRIDE, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import SETTINGS_GUIDE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if written(facts.migrations).get(UNSAFE_OVERRIDE) is True:
        yield setting(
            UNSAFE_OVERRIDE, True, f"{UNSAFE_OVERRIDE} is true: libvirt migrates even where a disk may be damaged"
        )


RULE = Rule(
    id="LM619",
    name="unsafe-migration",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Safety checks of migrations are off.",
    rationale=(
        "libvirt refuses to migrate a VM whose disk cache could leave source and target with different content. With this "
        "setting it migrates all the same, for every VM of the cluster."
    ),
    remediation="Remove unsafeMigrationOverride and give the disks in question cache none.",
    source="pkg/virt-launcher/virtwrap/live-migration-source.go generateMigrationFlags, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("safe", cr("unsafeMigrationOverride: false")),
        Example("unsafe", cr("unsafeMigrationOverride: true"), violates=(spot("unsafeMigrationOverride"),)),
    ),
)
