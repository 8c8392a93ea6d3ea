"""With a limit of 0 parallel migrations, KubeVirt starts no migration."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import PARALLEL_CLUSTER, PARALLEL_OUTBOUND, written
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, in_cel, setting, setting_path

LIMITS = (PARALLEL_CLUSTER, PARALLEL_OUTBOUND)
NEVER = "no migration starts, and a node drain never finishes"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    for name in LIMITS:
        if values.get(name) == 0:
            yield setting(name, 0, f"{name} is 0, so {NEVER}")


RULE = Rule(
    id="LM609",
    name="no-migration-starts",
    about=About.SETTINGS,
    summary="A limit on parallel migrations is 0.",
    rationale=(
        'A limit of 0 does not mean "no limit". virt-controller starts a migration only while fewer migrations run '
        "than the limit allows."
    ),
    remediation="Write 1 or more, or remove the field.",
    source="pkg/virt-controller/watch/migration/migration.go, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    cel=tuple(in_cel(name, NEVER, "it == 0") for name in LIMITS),
    examples=(
        Example("the defaults", cr("allowPostCopy: true")),
        Example("ten migrations in the cluster", cr("parallelMigrationsPerCluster: 10")),
        Example("one migration at a time", cr("parallelMigrationsPerCluster: 1, parallelOutboundMigrationsPerNode: 1")),
        Example(
            "no migrations in the cluster",
            cr("parallelMigrationsPerCluster: 0"),
            violates=(setting_path("parallelMigrationsPerCluster"),),
        ),
        Example(
            "no migrations from a node",
            cr("parallelOutboundMigrationsPerNode: 0"),
            violates=(setting_path("parallelOutboundMigrationsPerNode"),),
        ),
        Example(
            "none at all",
            cr("parallelMigrationsPerCluster: 0, parallelOutboundMigrationsPerNode: 0"),
            violates=(setting_path("parallelMigrationsPerCluster"), setting_path("parallelOutboundMigrationsPerNode")),
        ),
    ),
)
