"""No node can send more migrations than the whole cluster may run."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import newest
from webhook.kubevirt.settings.settings import PARALLEL_CLUSTER, PARALLEL_OUTBOUND, written
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._words import SETTINGS_GUIDE, cr, spot, values_of


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    outbound = written(facts.migrations).get(PARALLEL_OUTBOUND)
    cluster = values_of(facts, newest(facts.releases))[PARALLEL_CLUSTER]
    if outbound is not None and 0 < cluster < outbound:
        default = "" if PARALLEL_CLUSTER in written(facts.migrations) else " (KubeVirt's default)"
        yield Violation(
            (*MIGRATIONS, PARALLEL_OUTBOUND),
            f"{PARALLEL_OUTBOUND} is {outbound}, but {PARALLEL_CLUSTER} is {cluster}{default}: "
            f"never more than {cluster} run at once",
            "outbound above cluster",
            f"Write {cluster} or less, or raise {PARALLEL_CLUSTER}.",
            harm=outbound - cluster,
        )


RULE = Rule(
    id="LM612",
    name="outbound-above-cluster",
    about=About.SETTINGS,
    summary="More migrations may leave one node than may run in the whole cluster.",
    rationale="Both limits hold at once, so the larger one never takes effect: one of the two numbers is not what was meant.",
    remediation="Make parallelOutboundMigrationsPerNode at most parallelMigrationsPerCluster.",
    source="pkg/virt-controller/watch/migration/migration.go, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("fewer per node", cr("parallelMigrationsPerCluster: 10, parallelOutboundMigrationsPerNode: 5")),
        Example("the cluster's alone, below the default of 2 per node", cr("parallelMigrationsPerCluster: 1")),
        Example(
            "more per node",
            cr("parallelMigrationsPerCluster: 5, parallelOutboundMigrationsPerNode: 10"),
            violates=(spot("parallelOutboundMigrationsPerNode"),),
        ),
        Example(
            "more per node than the cluster's default of 5",
            cr("parallelOutboundMigrationsPerNode: 6"),
            violates=(spot("parallelOutboundMigrationsPerNode"),),
        ),
    ),
)
