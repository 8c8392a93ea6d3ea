"""The API server refuses a setting of the wrong type."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import SETTINGS_GUIDE, TYPES_SOURCE, cr, setting_path, wrong_type


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    migrations = facts.migrations
    if migrations is not None and not isinstance(migrations, dict):
        yield Violation(
            MIGRATIONS, f"migrations is {shown(migrations)}, expected an object with settings", "migrations"
        )
        return
    for name, value in (migrations or {}).items():
        if name in SETTINGS and value is not None:
            yield from wrong_type(MIGRATIONS, SETTINGS[name], value)


RULE = Rule(
    id="LM601",
    name="migration-setting-of-wrong-type",
    about=About.SETTINGS,
    summary="A migration setting has the wrong type.",
    rationale="The API server refuses the KubeVirt CR. The usual cause is quotes around a number, true or false.",
    remediation="Write a value of the field's type. Remove the quotes around numbers, true and false.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("no settings", "{configuration: {}}"),
        Example("null, which is the default", cr("progressTimeout: null")),
        Example("correct types", cr("allowPostCopy: true, progressTimeout: 150, bandwidthPerMigration: 64Mi")),
        Example("a quoted number", cr('progressTimeout: "150"'), violates=(setting_path("progressTimeout"),)),
        Example("a quoted true", cr('allowPostCopy: "true"'), violates=(setting_path("allowPostCopy"),)),
        Example(
            "a number with a fraction",
            cr("bandwidthPerMigration: 1.5"),
            violates=(setting_path("bandwidthPerMigration"),),
        ),
        Example("a list", "{configuration: {migrations: [64Mi]}}", violates=("configuration.migrations",)),
    ),
)
