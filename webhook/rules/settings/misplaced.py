"""KubeVirt reads migration settings at one place only."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.objects.path import dotted
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._words import SETTINGS_GUIDE, TYPES_SOURCE, cr


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for path, right in facts.misplaced:
        yield Violation(
            path,
            f"KubeVirt does not look at {dotted(path)}; nothing in it takes effect",
            dotted(path),
            f"Move it to {right}.",
        )


RULE = Rule(
    id="LM604",
    name="misplaced-migration-setting",
    about=About.SETTINGS,
    summary="Migration settings stand where KubeVirt does not look.",
    rationale=(
        "Only spec.configuration.migrations is read. The API server drops what stands elsewhere, so the cluster keeps its "
        "defaults; `migrationConfiguration` is a name from old documentation, `liveMigrationConfig` one of HyperConverged."
    ),
    remediation="Move the settings to spec.configuration.migrations.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the right place", cr("parallelMigrationsPerCluster: 5")),
        Example(
            "the old name",
            "{configuration: {migrationConfiguration: {parallelMigrationsPerCluster: 5}}}",
            violates=("configuration.migrationConfiguration",),
        ),
        Example("outside configuration", "{migrations: {network: migration}}", violates=("migrations",)),
        Example(
            "a setting by itself", "{configuration: {allowPostCopy: true}}", violates=("configuration.allowPostCopy",)
        ),
        Example(
            "feature gates outside developerConfiguration",
            "{configuration: {featureGates: [VGPULiveMigration]}}",
            violates=("configuration.featureGates",),
        ),
    ),
)
