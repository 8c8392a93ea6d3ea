"""Some settings are the cluster's alone."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.rules.policies._policy import policy, setting
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._words import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        if name in SETTINGS and not SETTINGS[name].policy:
            yield setting(name, value, f"a MigrationPolicy has no field {name}; it is a setting of the whole cluster")


RULE = Rule(
    id="LM632",
    name="cluster-setting-in-policy",
    about=About.POLICY,
    summary="A MigrationPolicy sets what only the KubeVirt CR can set.",
    rationale="The API server drops the field, so what was meant never takes effect.",
    remediation="Move the field to spec.configuration.migrations of the KubeVirt CR; it then holds for every VM.",
    source="staging/src/kubevirt.io/api/migrations/v1alpha1/types.go MigrationPolicySpec, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("a policy's own setting", policy("allowAutoConverge: true")),
        Example(
            "a limit of the cluster",
            policy("parallelMigrationsPerCluster: 1"),
            violates=("parallelMigrationsPerCluster",),
        ),
        Example("a timeout of the cluster", policy("progressTimeout: 60"), violates=("progressTimeout",)),
    ),
)
