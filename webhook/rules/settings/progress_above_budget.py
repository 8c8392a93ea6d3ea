"""A progress timeout above the completion timeout has no effect for small VMs."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import Behaviour
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, written
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import MONITOR_SOURCE, SETTINGS_GUIDE, by_release, cr, setting_path, values_of

_SHIPPED = (150, 20)
"""The defaults of HyperConverged 1.19 and later (``progressTimeout``, ``completionTimeoutPerGiB``)."""


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    def judge(behaviour: Behaviour) -> tuple[FieldPath, str, str, int] | None:
        values = values_of(facts, behaviour)
        progress, completion = values[PROGRESS_TIMEOUT], values[COMPLETION_TIMEOUT]
        if not 0 < completion < progress or (progress, completion) == _SHIPPED:
            return None
        name = PROGRESS_TIMEOUT if PROGRESS_TIMEOUT in written(facts.migrations) else COMPLETION_TIMEOUT
        message = (
            f"{PROGRESS_TIMEOUT} ({progress} s) has no effect for a VM of up to 1 GB, because KubeVirt cancels its "
            f"migration after {completion} s ({COMPLETION_TIMEOUT})"
        )
        return (*MIGRATIONS, name), message, f"{progress} above {completion}", 0

    yield from by_release(facts.releases, judge)


RULE = Rule(
    id="LM616",
    name="progress-timeout-above-budget",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="The progress timeout is longer than the completion timeout of a small VM.",
    rationale="For small VMs the completion timeout always comes first, so the progress timeout has no effect.",
    remediation="Make progressTimeout at most completionTimeoutPerGiB.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the defaults", cr("allowPostCopy: true")),
        Example("the defaults of HyperConverged", cr("progressTimeout: 150, completionTimeoutPerGiB: 20")),
        Example("equal", cr("progressTimeout: 150, completionTimeoutPerGiB: 150")),
        Example("longer", cr("progressTimeout: 300"), violates=(setting_path("progressTimeout"),)),
        Example("one second longer", cr("progressTimeout: 151"), violates=(setting_path("progressTimeout"),)),
        Example(
            "a shorter completion timeout",
            cr("completionTimeoutPerGiB: 60"),
            violates=(setting_path("completionTimeoutPerGiB"),),
        ),
        Example("a progress timeout below the 800 s of 1.3", cr("progressTimeout: 300"), release="1.3"),
    ),
)
