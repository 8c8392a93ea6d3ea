"""hypervPassthrough gives the guest all Hyper-V features of its node, and another node can have other features."""

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
            "hypervPassthrough has no field `enabled`, so KubeVirt's check for live migration crashes",
            "hypervPassthrough",
            "Write `enabled: false`, or remove hypervPassthrough.",
        )
    else:
        yield Violation(
            path,
            "hypervPassthrough enables every Hyper-V feature of the node, so the VM cannot be live-migrated",
            "hypervPassthrough",
        )


RULE = Rule(
    id="LM406",
    name="hyperv-passthrough",
    about=About.VMI,
    reason=Reason.HYPERV_PASSTHROUGH,
    summary="The guest gets all Hyper-V features of its node.",
    rationale="The target node can have other Hyper-V features, and a running guest cannot adapt to them.",
    remediation=(
        "Write `hypervPassthrough: {enabled: false}`, and list the Hyper-V features that the guest needs under "
        "features.hyperv."
    ),
    source="pkg/virt-handler/vm.go, v1.9.0 line 1278; from v1.3",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("`enabled: false`", "{domain: {devices: {}, features: {hypervPassthrough: {enabled: false}}}}"),
        Example("listed features", "{domain: {devices: {}, features: {hyperv: {relaxed: {}, vapic: {}}}}}"),
        Example("no features", "{domain: {devices: {}}}"),
        Example(
            "`enabled: true`",
            "{domain: {devices: {}, features: {hypervPassthrough: {enabled: true}}}}",
            violates=("domain.features.hypervPassthrough",),
        ),
        Example(
            "`enabled: true` beside listed features",
            "{domain: {devices: {}, features: {hyperv: {relaxed: {}}, hypervPassthrough: {enabled: true}}}}",
            violates=("domain.features.hypervPassthrough",),
        ),
        Example(
            "no field `enabled`",
            "{domain: {devices: {}, features: {hypervPassthrough: {}}}}",
            violates=("domain.features.hypervPassthrough",),
        ),
    ),
)
