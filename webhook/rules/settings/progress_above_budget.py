"""The progress timeout is of no use when the whole time is over before it."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import Behaviour
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, written
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE, SETTINGS_GUIDE, by_release, cr, spot, values_of


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    def judge(behaviour: Behaviour) -> tuple[FieldPath, str, str, int] | None:
        values = values_of(facts, behaviour)
        progress, completion = values[PROGRESS_TIMEOUT], values[COMPLETION_TIMEOUT]
        if not 0 < completion < progress:
            return None
        name = PROGRESS_TIMEOUT if PROGRESS_TIMEOUT in written(facts.migrations) else COMPLETION_TIMEOUT
        message = (
            f"{PROGRESS_TIMEOUT} is {progress} s, but a VM of up to 1 GB is given {completion} s in all "
            f"({COMPLETION_TIMEOUT}): a stuck migration is never noticed as such"
        )
        return (*MIGRATIONS, name), message, f"{progress} above {completion}", 0

    yield from by_release(facts.releases, judge)


RULE = Rule(
    id="LM616",
    name="progress-timeout-above-budget",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="The progress timeout is longer than all the time that a small VM is given.",
    rationale="For small VMs the completion timeout always comes first, so the progress timeout does nothing.",
    remediation="Make progressTimeout at most completionTimeoutPerGiB.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("equal, as by default", cr("progressTimeout: 150, completionTimeoutPerGiB: 150")),
        Example("longer", cr("progressTimeout: 300"), violates=(spot("progressTimeout"),)),
        Example(
            "longer than what was shortened",
            cr("completionTimeoutPerGiB: 60"),
            violates=(spot("completionTimeoutPerGiB"),),
        ),
        Example("not longer in 1.3", cr("progressTimeout: 300"), release="1.3"),
    ),
)
