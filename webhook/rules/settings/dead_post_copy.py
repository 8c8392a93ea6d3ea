"""KubeVirt starts post-copy only if workload disruption is allowed."""

from collections.abc import Iterator, Mapping

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION, DISRUPTION_SINCE, written
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import MONITOR_SOURCE, SETTINGS_GUIDE, at, cr, setting_path

NEVER_STARTS = (
    f"{ALLOW_POST_COPY} is true and {ALLOW_WORKLOAD_DISRUPTION} is false, so KubeVirt never starts post-copy and "
    "cancels the migration at the timeout"
)


def post_copy_that_never_starts(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """A violation if the settings under ``base`` allow post-copy but not workload disruption."""
    if values.get(ALLOW_POST_COPY) is True and values.get(ALLOW_WORKLOAD_DISRUPTION) is False:
        yield at(base, ALLOW_WORKLOAD_DISRUPTION, False, NEVER_STARTS, "", DISRUPTION_SINCE)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from post_copy_that_never_starts(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM617",
    name="post-copy-without-disruption",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Post-copy is allowed, but the workload disruption that it needs is not.",
    rationale=(
        "From 1.5 on, post-copy starts only if allowWorkloadDisruption is true. The default of "
        "allowWorkloadDisruption is the value of allowPostCopy."
    ),
    remediation="Remove allowWorkloadDisruption, or set allowPostCopy to false.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the default", cr("allowPostCopy: true")),
        Example("both", cr("allowPostCopy: true, allowWorkloadDisruption: true")),
        Example("neither", cr("allowPostCopy: false, allowWorkloadDisruption: false")),
        Example(
            "post-copy without disruption",
            cr("allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=(setting_path("allowWorkloadDisruption"),),
        ),
        Example(
            "post-copy without disruption in 1.5",
            cr("allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=(setting_path("allowWorkloadDisruption"),),
            release="1.5",
        ),
        Example(
            "post-copy without disruption, with auto-converge",
            cr("allowAutoConverge: true, allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=(setting_path("allowWorkloadDisruption"),),
        ),
        Example("before 1.5", cr("allowPostCopy: true, allowWorkloadDisruption: false"), release="1.4"),
    ),
)
