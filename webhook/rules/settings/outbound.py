"""A limit per node that is higher than the limit of the cluster has no effect."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import newest
from webhook.kubevirt.settings.settings import PARALLEL_CLUSTER, PARALLEL_OUTBOUND, written
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, setting_path, values_of


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    outbound = written(facts.migrations).get(PARALLEL_OUTBOUND)
    cluster = values_of(facts, newest(facts.releases))[PARALLEL_CLUSTER]
    if outbound is not None and 0 < cluster < outbound:
        default = "" if PARALLEL_CLUSTER in written(facts.migrations) else " (KubeVirt's default)"
        yield Violation(
            (*MIGRATIONS, PARALLEL_OUTBOUND),
            f"{PARALLEL_OUTBOUND} is {outbound}, but {PARALLEL_CLUSTER} is {cluster}{default}, so KubeVirt runs at "
            f"most {cluster} at the same time",
            "outbound above cluster",
            f"Write {cluster} or less, or raise {PARALLEL_CLUSTER}.",
            harm=outbound - cluster,
        )


RULE = Rule(
    id="LM612",
    name="outbound-above-cluster",
    about=About.SETTINGS,
    summary="The limit of migrations per node is larger than the limit of the cluster.",
    rationale=(
        "Both limits apply together, so the limit per node never takes effect. One of the two numbers is probably "
        "wrong."
    ),
    remediation="Make parallelOutboundMigrationsPerNode at most parallelMigrationsPerCluster.",
    source="pkg/virt-controller/watch/migration/migration.go, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("equal limits", cr("parallelMigrationsPerCluster: 5, parallelOutboundMigrationsPerNode: 5")),
        Example("fewer per node", cr("parallelMigrationsPerCluster: 10, parallelOutboundMigrationsPerNode: 5")),
        Example("only a limit of the cluster, below the default of 2 per node", cr("parallelMigrationsPerCluster: 1")),
        Example(
            "more per node",
            cr("parallelMigrationsPerCluster: 5, parallelOutboundMigrationsPerNode: 10"),
            violates=(setting_path("parallelOutboundMigrationsPerNode"),),
        ),
        Example(
            "a limit of 2 per node and 1 in the cluster",
            cr("parallelMigrationsPerCluster: 1, parallelOutboundMigrationsPerNode: 2"),
            violates=(setting_path("parallelOutboundMigrationsPerNode"),),
        ),
        Example(
            "a limit per node above the cluster's default of 5",
            cr("parallelOutboundMigrationsPerNode: 6"),
            violates=(setting_path("parallelOutboundMigrationsPerNode"),),
        ),
    ),
)
