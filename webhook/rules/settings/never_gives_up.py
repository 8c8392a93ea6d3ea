"""A timeout of 0 is no timeout."""

from collections.abc import Iterator, Mapping

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, written
from webhook.objects.meta import Json
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE, SETTINGS_GUIDE, cr, setting, spot

MEANING = {
    COMPLETION_TIMEOUT: "a migration whose guest writes faster than the network carries runs for ever",
    PROGRESS_TIMEOUT: "a migration that is stuck stays so for ever",
}


def unending(values: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Name and message of each timeout that never comes."""
    for name, meaning in MEANING.items():
        if values.get(name) == 0:
            yield name, f"{name} is 0, which means never: {meaning}, and holds its place among the parallel migrations"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for name, message in unending(written(facts.migrations)):
        yield setting(name, 0, message)


RULE = Rule(
    id="LM613",
    name="migration-never-given-up",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A timeout is 0, so migrations may hang for ever.",
    rationale="A value of 0 turns the check off. It also turns off post-copy and pausing, which wait for the completion timeout.",
    remediation="Write seconds; KubeVirt's defaults are 150 for both (800 for completionTimeoutPerGiB up to 1.3).",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("with an end", cr("completionTimeoutPerGiB: 150, progressTimeout: 150")),
        Example("without an end", cr("completionTimeoutPerGiB: 0"), violates=(spot("completionTimeoutPerGiB"),)),
        Example("stuck for ever", cr("progressTimeout: 0"), violates=(spot("progressTimeout"),)),
    ),
)
