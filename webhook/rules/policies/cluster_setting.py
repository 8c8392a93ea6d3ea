"""A MigrationPolicy does not have every setting of the KubeVirt CR."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.rules.policies._policy import policy, setting
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._setting import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        if name in SETTINGS and not SETTINGS[name].policy:
            yield setting(name, value, f"a MigrationPolicy has no field {name}, which only the KubeVirt CR has")


RULE = Rule(
    id="LM632",
    name="cluster-setting-in-policy",
    about=About.POLICY,
    summary="A MigrationPolicy has a setting that only the KubeVirt CR has.",
    rationale="The API server drops the field, so it has no effect.",
    remediation="Move the field to spec.configuration.migrations of the KubeVirt CR, where it applies to every VM.",
    source="staging/src/kubevirt.io/api/migrations/v1alpha1/types.go MigrationPolicySpec, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("a setting of policies", policy("allowAutoConverge: true")),
        Example("a bandwidth", policy("bandwidthPerMigration: 64Mi")),
        Example("a downtime", policy("maxDowntimeMs: 500")),
        Example(
            "a limit of the cluster",
            policy("parallelMigrationsPerCluster: 1"),
            violates=("parallelMigrationsPerCluster",),
        ),
        Example("the migration network", policy("network: migration"), violates=("network",)),
        Example("a timeout of the cluster", policy("progressTimeout: 60"), violates=("progressTimeout",)),
    ),
)
