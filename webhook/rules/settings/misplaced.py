"""KubeVirt reads migration settings only at spec.configuration.migrations."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.objects.path import dotted
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import SETTINGS_GUIDE, TYPES_SOURCE, cr


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for path, right in facts.misplaced:
        yield Violation(
            path,
            f"KubeVirt does not read {dotted(path)}, so this field has no effect",
            dotted(path),
            f"Move the field to {right}.",
        )


RULE = Rule(
    id="LM604",
    name="misplaced-migration-setting",
    about=About.SETTINGS,
    summary="Migration settings are in a field that KubeVirt does not read.",
    rationale=(
        "KubeVirt reads only spec.configuration.migrations. The API server drops other fields, so the cluster keeps "
        "its defaults. `migrationConfiguration` is a name from old documentation, and `liveMigrationConfig` is a "
        "field of HyperConverged."
    ),
    remediation="Move the settings to spec.configuration.migrations.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the right field", cr("parallelMigrationsPerCluster: 5")),
        Example("no settings", "{configuration: {}}"),
        Example(
            "feature gates in developerConfiguration",
            "{configuration: {developerConfiguration: {featureGates: [VGPULiveMigration]}}}",
        ),
        Example(
            "the name in old documentation",
            "{configuration: {migrationConfiguration: {parallelMigrationsPerCluster: 5}}}",
            violates=("configuration.migrationConfiguration",),
        ),
        Example("outside configuration", "{migrations: {network: migration}}", violates=("migrations",)),
        Example(
            "one setting outside migrations",
            "{configuration: {allowPostCopy: true}}",
            violates=("configuration.allowPostCopy",),
        ),
        Example(
            "feature gates outside developerConfiguration",
            "{configuration: {featureGates: [VGPULiveMigration]}}",
            violates=("configuration.featureGates",),
        ),
    ),
)
