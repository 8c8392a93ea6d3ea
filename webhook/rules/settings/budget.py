"""Bandwidth and time must be enough for a GB, or no larger VM can ever finish."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import Behaviour
from webhook.kubevirt.settings.settings import BANDWIDTH, COMPLETION_TIMEOUT, written
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._budget import impossible
from webhook.rules.settings._words import MONITOR_SOURCE, SETTINGS_GUIDE, by_release, cr, spot, values_of


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    def judge(behaviour: Behaviour) -> tuple[FieldPath, str, str, int] | None:
        values = values_of(facts, behaviour)
        found = impossible(values)
        if found is None:
            return None
        name = BANDWIDTH if BANDWIDTH in written(facts.migrations) else COMPLETION_TIMEOUT
        message, largest = found
        return (*MIGRATIONS, name), message, "budget", -largest

    yield from by_release(facts.releases, judge)


RULE = Rule(
    id="LM615",
    name="impossible-migration-budget",
    about=About.SETTINGS,
    summary="At this bandwidth a migration cannot finish in the time that it is given.",
    rationale=(
        "KubeVirt allows completionTimeoutPerGiB for each GB that is begun. Where that time is too short to carry a GB even "
        "once, every VM with more memory in use than rounding forgives is cancelled, however idle it is. Paused guests "
        "(allowWorkloadDisruption) get twice the time; post-copy ends the count."
    ),
    remediation="Raise bandwidthPerMigration (0 is no limit) or completionTimeoutPerGiB, or allow post-copy and its risk.",
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("64Mi in 150 s", cr("bandwidthPerMigration: 64Mi, completionTimeoutPerGiB: 150")),
        Example("no limit", cr("bandwidthPerMigration: 0, completionTimeoutPerGiB: 1")),
        Example("7Mi is just enough for 150 s", cr("bandwidthPerMigration: 7Mi")),
        Example(
            "5Mi is not enough for the 150 s that 1.4 and later allow",
            cr("bandwidthPerMigration: 5Mi"),
            violates=(spot("bandwidthPerMigration"),),
        ),
        Example("5Mi is enough for the 800 s of 1.3", cr("bandwidthPerMigration: 5Mi"), release="1.3"),
        Example("post-copy ends the count", cr("bandwidthPerMigration: 5Mi, allowPostCopy: true")),
        Example("a pause doubles it", cr("bandwidthPerMigration: 5Mi, allowWorkloadDisruption: true")),
    ),
)
