"""KubeVirt reads its configuration from the KubeVirt CR, not from a ConfigMap."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.meta import Json
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

NAME = "kubevirt-config"
_MAP = "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {}, namespace: kubevirt}}, data: {{{}}}}}"


def is_dead(api_version: str, kind: str, metadata: Json) -> bool:
    """Whether an object is the ConfigMap that KubeVirt does not read any more."""
    return kind == "ConfigMap" and api_version == "v1" and isinstance(metadata, dict) and metadata.get("name") == NAME


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if is_dead(facts.api_version, facts.kind, dict(facts.metadata)):
        yield Violation(
            ("metadata", "name"),
            f"KubeVirt 0.48 and later do not read ConfigMap {NAME}, so its settings have no effect",
            f"ConfigMap {NAME}",
        )


RULE = Rule(
    id="LM810",
    name="dead-configuration",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="The ConfigMap kubevirt-config has no effect.",
    rationale=(
        "Old instructions set feature gates and migration settings in this ConfigMap. KubeVirt 0.48 removed it, and reads only "
        "the KubeVirt CR. Error messages of later releases still mention the name."
    ),
    remediation=(
        "Move the settings to spec.configuration of the KubeVirt CR: feature-gates to developerConfiguration.featureGates, "
        "migrations to migrations. Then delete the ConfigMap."
    ),
    source="commit be786e28d0 (Remove the kubevirt-config configMap), v0.48.0",
    reference="https://kubevirt.io/user-guide/cluster_admin/activating_feature_gates/",
    check=check,
    examples=(
        Example("another ConfigMap", _MAP.format("settings", "feature-gates: LiveMigration")),
        Example("the ConfigMap of CDI", _MAP.format("cdi-config", "")),
        Example(
            "a Secret of this name", "{apiVersion: v1, kind: Secret, metadata: {name: kubevirt-config}, stringData: {}}"
        ),
        Example("feature gates", _MAP.format(NAME, "feature-gates: LiveMigration"), violates=("metadata.name",)),
        Example("migration settings", _MAP.format(NAME, "migrations: '{}'"), violates=("metadata.name",)),
        Example("no data", _MAP.format(NAME, ""), violates=("metadata.name",)),
    ),
)
