"""Post-copy that may not disrupt the workload never happens."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION, DISRUPTION_SINCE, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE, SETTINGS_GUIDE, cr, setting, spot

DEAD = (
    f"{ALLOW_POST_COPY} is true and {ALLOW_WORKLOAD_DISRUPTION} is false: post-copy never happens, "
    "the migration is cancelled when its time is over"
)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if values.get(ALLOW_POST_COPY) is True and values.get(ALLOW_WORKLOAD_DISRUPTION) is False:
        yield setting(ALLOW_WORKLOAD_DISRUPTION, False, DEAD, "", DISRUPTION_SINCE)


RULE = Rule(
    id="LM617",
    name="post-copy-without-disruption",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Post-copy is allowed, but what starts it is not.",
    rationale="From 1.5 on KubeVirt turns to post-copy only where allowWorkloadDisruption is true, which it is by default then.",
    remediation="Remove allowWorkloadDisruption, or set allowPostCopy to false.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("it follows allowPostCopy", cr("allowPostCopy: true")),
        Example("neither", cr("allowPostCopy: false, allowWorkloadDisruption: false")),
        Example(
            "a dead pair",
            cr("allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=(spot("allowWorkloadDisruption"),),
        ),
    ),
)
