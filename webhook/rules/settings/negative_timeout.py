"""A negative timeout cancels every migration immediately."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, UTILITY_VOLUMES_TIMEOUT, written
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._setting import MONITOR_SOURCE, SETTINGS_GUIDE, cr, in_cel, setting, setting_path

TIMEOUTS = (COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, UTILITY_VOLUMES_TIMEOUT)
AT_ONCE = "KubeVirt cancels every migration immediately"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    for name in TIMEOUTS:
        if values.get(name, 0) < 0:
            yield setting(name, values[name], f"{name} is {values[name]}, so {AT_ONCE}")


RULE = Rule(
    id="LM614",
    name="negative-timeout",
    about=About.SETTINGS,
    summary="A timeout is negative, so KubeVirt cancels every migration immediately.",
    rationale="KubeVirt compares the elapsed seconds with the timeout. Only the value 0 disables this check.",
    remediation="Write seconds, such as 150.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    cel=tuple(in_cel(name, AT_ONCE, "it < 0") for name in TIMEOUTS),
    examples=(
        Example("seconds", cr("completionTimeoutPerGiB: 150")),
        Example("0, which disables the check", cr("progressTimeout: 0")),
        Example("the defaults", cr("allowPostCopy: true")),
        Example(
            "a negative completion timeout",
            cr("completionTimeoutPerGiB: -1"),
            violates=(setting_path("completionTimeoutPerGiB"),),
        ),
        Example(
            "a negative progress timeout", cr("progressTimeout: -150"), violates=(setting_path("progressTimeout"),)
        ),
        Example(
            "a negative timeout for utility volumes",
            cr("utilityVolumesTimeout: -1"),
            violates=(setting_path("utilityVolumesTimeout"),),
        ),
    ),
)
