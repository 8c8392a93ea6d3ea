"""The overlay moves, the claim under it may not attach twice."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.example import claim
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_OVERLAY = "{domain: {devices: {}}, volumes: [{name: os, ephemeral: {persistentVolumeClaim: {claimName: os}}}]}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for overlay in facts.overlaid_claims:
        modes = overlay.access_modes
        if isinstance(modes, frozenset) and not modes & {"ReadWriteMany", "ReadOnlyMany"}:
            yield Violation(
                overlay.path,
                f"ephemeral volume {overlay.volume!r} lies over claim {overlay.claim!r}, which is {', '.join(sorted(modes))}",
                f"volume {overlay.volume} claim {overlay.claim}",
            )


RULE = Rule(
    id="LM205",
    name="ephemeral-over-single-node-claim",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="An ephemeral volume lies over a claim that one node alone can attach.",
    rationale=(
        "KubeVirt calls such a VM migratable and never looks at the claim, but the pod on the target node may wait for it "
        "until the migration is given up."
    ),
    remediation="Use a claim with ReadWriteMany or ReadOnlyMany under the ephemeral volume.",
    source="pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0: ephemeral is not examined",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("over a shared claim", _OVERLAY, world=(claim("os", "ReadWriteMany"),)),
        Example("over a single-node claim", _OVERLAY, world=(claim("os", "ReadWriteOnce"),), violates=("volumes[0]",)),
    ),
)
