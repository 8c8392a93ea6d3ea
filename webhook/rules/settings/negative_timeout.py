"""A timeout below 0 is over before it begins."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, UTILITY_VOLUMES_TIMEOUT, written
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._words import MONITOR_SOURCE, SETTINGS_GUIDE, cr, in_cel, setting, spot

TIMEOUTS = (COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, UTILITY_VOLUMES_TIMEOUT)
OVER = "the time is over before a migration begins"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    for name in TIMEOUTS:
        if values.get(name, 0) < 0:
            yield setting(name, values[name], f"{name} is {values[name]}: {OVER}")


RULE = Rule(
    id="LM614",
    name="negative-timeout",
    about=About.SETTINGS,
    summary="A timeout is negative, so every migration is cancelled at once.",
    rationale="KubeVirt compares the seconds that went by with the timeout; only 0 turns the check off.",
    remediation="Write seconds, such as 150.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    cel=tuple(in_cel(name, OVER, "it < 0") for name in TIMEOUTS),
    examples=(
        Example("seconds", cr("completionTimeoutPerGiB: 150")),
        Example("negative", cr("completionTimeoutPerGiB: -1"), violates=(spot("completionTimeoutPerGiB"),)),
        Example("negative progress", cr("progressTimeout: -150"), violates=(spot("progressTimeout"),)),
    ),
)
