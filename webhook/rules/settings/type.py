"""A setting of the wrong type is refused by the API server, or was never meant."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import SETTINGS, well_typed
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._words import SETTINGS_GUIDE, TYPES_SOURCE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    written = facts.migrations
    if written is not None and not isinstance(written, dict):
        yield Violation(MIGRATIONS, f"migrations is {shown(written)}, expected an object with settings", "migrations")
        return
    for name, value in (written or {}).items():
        known = SETTINGS.get(name)
        if known is not None and value is not None and not well_typed(known, value):
            yield setting(name, value, f"{name} is {shown(value)}, expected {known.type.value}")


RULE = Rule(
    id="LM601",
    name="migration-setting-of-wrong-type",
    about=About.SETTINGS,
    summary="A migration setting has the wrong type.",
    rationale="The API server refuses the KubeVirt CR; quotes around a number or around true and false are the usual cause.",
    remediation="Write the type that the field has; numbers, true and false stand without quotes.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("right types", cr("allowPostCopy: true, progressTimeout: 150, bandwidthPerMigration: 64Mi")),
        Example("a quoted number", cr('progressTimeout: "150"'), violates=(spot("progressTimeout"),)),
        Example("a quoted true", cr('allowPostCopy: "true"'), violates=(spot("allowPostCopy"),)),
        Example(
            "a number with a fraction", cr("bandwidthPerMigration: 1.5"), violates=(spot("bandwidthPerMigration"),)
        ),
        Example("no object", "{configuration: {migrations: [64Mi]}}", violates=("configuration.migrations",)),
    ),
)
