"""If the time for one GB is too short to transfer one GB, migrations of larger VMs cannot finish."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import Behaviour
from webhook.kubevirt.settings.settings import BANDWIDTH, COMPLETION_TIMEOUT, written
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._budget import impossible
from webhook.rules.settings._setting import MONITOR_SOURCE, SETTINGS_GUIDE, by_release, cr, setting_path, values_of


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    def judge(behaviour: Behaviour) -> tuple[FieldPath, str, str, int] | None:
        values = values_of(facts, behaviour)
        problem = impossible(values)
        if problem is None:
            return None
        name = BANDWIDTH if BANDWIDTH in written(facts.migrations) else COMPLETION_TIMEOUT
        message, largest = problem
        return (*MIGRATIONS, name), message, "budget", -largest

    yield from by_release(facts.releases, judge)


RULE = Rule(
    id="LM615",
    name="impossible-migration-budget",
    about=About.SETTINGS,
    summary="At this bandwidth a migration cannot finish in the time that KubeVirt allows.",
    rationale=(
        "KubeVirt allows completionTimeoutPerGiB seconds per GB, rounded up. If this time is too short to transfer "
        "one GB, KubeVirt cancels every migration above a certain size, even of an idle VM. A paused guest "
        "(allowWorkloadDisruption) gets twice the time. Post-copy has no time limit."
    ),
    remediation="Raise bandwidthPerMigration (0 is no limit) or completionTimeoutPerGiB, or allow post-copy and accept its risk.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("64Mi in 150 s", cr("bandwidthPerMigration: 64Mi, completionTimeoutPerGiB: 150")),
        Example("no limit", cr("bandwidthPerMigration: 0, completionTimeoutPerGiB: 1")),
        Example("7Mi, just enough for 150 s", cr("bandwidthPerMigration: 7Mi")),
        Example(
            "5Mi, too slow for the 150 s of 1.4 and later",
            cr("bandwidthPerMigration: 5Mi"),
            violates=(setting_path("bandwidthPerMigration"),),
        ),
        Example("1Mi", cr("bandwidthPerMigration: 1Mi"), violates=(setting_path("bandwidthPerMigration"),)),
        Example(
            "too little time",
            cr("bandwidthPerMigration: 64Mi, completionTimeoutPerGiB: 10"),
            violates=(setting_path("bandwidthPerMigration"),),
        ),
        Example("5Mi, enough for the 800 s of 1.3", cr("bandwidthPerMigration: 5Mi"), release="1.3"),
        Example("post-copy, which has no time limit", cr("bandwidthPerMigration: 5Mi, allowPostCopy: true")),
        Example("a pause, which doubles the time", cr("bandwidthPerMigration: 5Mi, allowWorkloadDisruption: true")),
    ),
)
