"""The API server drops an unknown setting silently."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._setting import SETTINGS_GUIDE, TYPES_SOURCE, cr, setting_path, unknown_name


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if not isinstance(facts.migrations, dict):
        return
    for name, value in facts.migrations.items():
        if name not in SETTINGS:
            yield unknown_name(MIGRATIONS, name, value, "migrations", SETTINGS)


RULE = Rule(
    id="LM602",
    name="unknown-migration-setting",
    about=About.SETTINGS,
    summary="A migration setting does not exist in any KubeVirt release.",
    rationale="The API server drops unknown fields, so they have no effect. Names are case-sensitive.",
    remediation="Correct the name, or remove the field.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("a known setting", cr("completionTimeoutPerGiB: 300")),
        Example("no settings", "{configuration: {migrations: {}}}"),
        Example("a setting of a later release", cr("maxDowntimeMs: 900"), release="1.3"),
        Example(
            "a wrong case", cr("completionTimeoutPerGib: 300"), violates=(setting_path("completionTimeoutPerGib"),)
        ),
        Example("a missing letter", cr("allowPostcpy: true"), violates=(setting_path("allowPostcpy"),)),
        Example(
            "a field of MigrationPolicy.spec.experimental",
            cr("compression: zstd"),
            violates=(setting_path("compression"),),
        ),
    ),
)
