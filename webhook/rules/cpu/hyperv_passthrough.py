"""All Hyper-V features of one host, whatever they are, cannot be promised on another."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    features = facts.spec.domain.features if facts.spec.domain is not None else None
    passthrough = features.hyperv_passthrough if features is not None else None
    if passthrough is None or passthrough.enabled is False:
        return
    path = facts.at("domain", "features", "hypervPassthrough")
    if passthrough.enabled is None:
        yield Violation(
            path,
            "hypervPassthrough is present without `enabled`, which crashes KubeVirt's own check",
            "hypervPassthrough",
            "Write `enabled: false`, or remove hypervPassthrough.",
        )
    else:
        yield Violation(
            path, "hypervPassthrough gives the guest every Hyper-V feature of its node", "hypervPassthrough"
        )


RULE = Rule(
    id="LM406",
    name="hyperv-passthrough",
    about=About.VMI,
    reason=Reason.HYPERV_PASSTHROUGH,
    summary="The guest gets all Hyper-V features of its node.",
    rationale="Another node may offer other features, and a running guest cannot be told.",
    remediation="List the Hyper-V features that the guest needs under features.hyperv instead.",
    source="pkg/virt-handler/vm.go, v1.9.0 line 1278; from v1.3",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("switched off", "{domain: {devices: {}, features: {hypervPassthrough: {enabled: false}}}}"),
        Example(
            "switched on",
            "{domain: {devices: {}, features: {hypervPassthrough: {enabled: true}}}}",
            violates=("domain.features.hypervPassthrough",),
        ),
        Example(
            "present without a value",
            "{domain: {devices: {}, features: {hypervPassthrough: {}}}}",
            violates=("domain.features.hypervPassthrough",),
        ),
    ),
)
