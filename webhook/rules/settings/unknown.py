"""A setting that KubeVirt does not know is dropped without a word."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._words import SETTINGS_GUIDE, TYPES_SOURCE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if not isinstance(facts.migrations, dict):
        return
    lower = {name.lower(): name for name in SETTINGS}
    for name, value in facts.migrations.items():
        if name not in SETTINGS:
            close = close_matches(name.lower(), lower)
            remedy = f"Did you mean {lower[close[0]]}?" if close else ""
            yield setting(name, value, f"migrations has no field {shown(name)}; KubeVirt ignores it", remedy)


RULE = Rule(
    id="LM602",
    name="unknown-migration-setting",
    about=About.SETTINGS,
    summary="A migration setting that no KubeVirt release has.",
    rationale="The API server drops unknown fields, so what was meant never takes effect; names are compared letter by letter.",
    remediation="Correct the name, or remove the field.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("a known setting", cr("completionTimeoutPerGiB: 300")),
        Example("a wrong case", cr("completionTimeoutPerGib: 300"), violates=(spot("completionTimeoutPerGib"),)),
        Example("an invented one", cr("compression: zstd"), violates=(spot("compression"),)),
    ),
)
