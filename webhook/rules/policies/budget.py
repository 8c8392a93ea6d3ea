"""A policy, on top of the cluster's settings, must leave enough bandwidth and time for a GB."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import Behaviour
from webhook.kubevirt.settings.policies import overlaid
from webhook.kubevirt.settings.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    BANDWIDTH,
    COMPLETION_TIMEOUT,
    bandwidth_of,
    in_force,
)
from webhook.objects.path import FieldPath
from webhook.rules.example import kubevirt
from webhook.rules.policies._policy import BASE, policy, sound
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined
from webhook.rules.settings._budget import impossible
from webhook.rules.settings._words import MONITOR_SOURCE, POLICY_GUIDE, by_release

MATTER = (BANDWIDTH, COMPLETION_TIMEOUT, ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION)


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    own = sound(facts)
    changed = next((name for name in MATTER if name in own), None)
    if changed is None or own.get(ALLOW_POST_COPY) is True or own.get(COMPLETION_TIMEOUT) == 0:
        return
    if isinstance(facts.migrations, Unknown) and not all(name in own for name in MATTER[:3]):
        bandwidth = bandwidth_of(own)
        if bandwidth is None or bandwidth.nano > 0:
            yield Undetermined(
                (*BASE, changed),
                f"whether migrations can finish depends on the cluster's settings; {facts.migrations.why}",
                facts.migrations.settle,
                "budget",
            )
        return
    cluster = None if isinstance(facts.migrations, Unknown) else facts.migrations

    def judge(behaviour: Behaviour) -> tuple[FieldPath, str, str, int] | None:
        values = in_force(cluster, behaviour)
        found, before = impossible(overlaid(values, own, behaviour)), impossible(values)
        if found is None or (before is not None and before[1] <= found[1]):
            return None  # nothing is wrong, or the cluster's own settings are to blame
        message, largest = found
        return (*BASE, changed), message, "budget", -largest

    yield from by_release(facts.releases, judge)


_WORLD = (kubevirt(migrations={"completionTimeoutPerGiB": 150}),)
RULE = Rule(
    id="LM637",
    name="impossible-policy-budget",
    about=About.POLICY,
    summary="With this policy a migration cannot finish in the time that it is given.",
    rationale=(
        "The policy's bandwidth and completionTimeoutPerGiB replace the cluster's, one by one. Where together they are too "
        "little for a GB, every larger VM that the policy matches is cancelled, however idle it is."
    ),
    remediation="Raise bandwidthPerMigration or completionTimeoutPerGiB in the policy, or allow post-copy and its risk.",
    source=MONITOR_SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("enough", policy("bandwidthPerMigration: 64Mi"), world=_WORLD),
        Example(
            "slow, with more time", policy("bandwidthPerMigration: 5Mi, completionTimeoutPerGiB: 300"), world=_WORLD
        ),
        Example("slow", policy("bandwidthPerMigration: 5Mi"), world=_WORLD, violates=("bandwidthPerMigration",)),
        Example(
            "too little time for the cluster's bandwidth",
            policy("completionTimeoutPerGiB: 10"),
            world=(kubevirt(migrations={"bandwidthPerMigration": "64Mi"}),),
            violates=("completionTimeoutPerGiB",),
        ),
        Example(
            "slow, and nobody showed us the KubeVirt CR",
            policy("bandwidthPerMigration: 5Mi"),
            undetermined=("bandwidthPerMigration",),
        ),
        Example("no limit needs no KubeVirt CR", policy("bandwidthPerMigration: 0")),
    ),
)
