"""A policy and the cluster's settings together must allow enough bandwidth and time for one GB."""

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
from webhook.rules.policies._policy import BASE, policy, well_typed_settings
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined
from webhook.rules.settings._budget import impossible
from webhook.rules.settings._setting import MONITOR_SOURCE, POLICY_GUIDE, by_release

BUDGET_SETTINGS = (BANDWIDTH, COMPLETION_TIMEOUT, ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION)


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    own = well_typed_settings(facts)
    changed = next((name for name in BUDGET_SETTINGS if name in own), None)
    if changed is None or own.get(ALLOW_POST_COPY) is True or own.get(COMPLETION_TIMEOUT) == 0:
        return
    if isinstance(facts.migrations, Unknown) and not all(name in own for name in BUDGET_SETTINGS[:3]):
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
        problem, without_policy = impossible(overlaid(values, own, behaviour)), impossible(values)
        if problem is None or (without_policy is not None and without_policy[1] <= problem[1]):
            return None  # no problem, or only a problem of the cluster's settings
        message, largest = problem
        return (*BASE, changed), message, "budget", -largest

    yield from by_release(facts.releases, judge)


_WORLD = (kubevirt(migrations={"completionTimeoutPerGiB": 150}),)
RULE = Rule(
    id="LM637",
    name="impossible-policy-budget",
    about=About.POLICY,
    summary="With this policy a migration cannot finish in the time that KubeVirt allows.",
    rationale=(
        "Each setting of the policy replaces the same setting of the cluster. If the time for one GB is too short to "
        "transfer one GB, KubeVirt cancels every migration of a larger VM that the policy matches, even of an idle "
        "VM."
    ),
    remediation="Raise bandwidthPerMigration or completionTimeoutPerGiB in the policy, or allow post-copy and accept its risk.",
    source=MONITOR_SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("enough", policy("bandwidthPerMigration: 64Mi"), world=_WORLD),
        Example(
            "a low bandwidth with more time",
            policy("bandwidthPerMigration: 5Mi, completionTimeoutPerGiB: 300"),
            world=_WORLD,
        ),
        Example("1Mi", policy("bandwidthPerMigration: 1Mi"), world=_WORLD, violates=("bandwidthPerMigration",)),
        Example("slow", policy("bandwidthPerMigration: 5Mi"), world=_WORLD, violates=("bandwidthPerMigration",)),
        Example(
            "too little time for the cluster's bandwidth",
            policy("completionTimeoutPerGiB: 10"),
            world=(kubevirt(migrations={"bandwidthPerMigration": "64Mi"}),),
            violates=("completionTimeoutPerGiB",),
        ),
        Example(
            "a low bandwidth, and no KubeVirt CR provided",
            policy("bandwidthPerMigration: 5Mi"),
            undetermined=("bandwidthPerMigration",),
        ),
        Example("a bandwidth without limit, which needs no KubeVirt CR", policy("bandwidthPerMigration: 0")),
    ),
)
