"""An ephemeral volume can be migrated, but two nodes might not be able to attach its PVC."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.example import claim
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.storage._access_modes import listed

_OVERLAY = "{domain: {devices: {}}, volumes: [{name: os, ephemeral: {persistentVolumeClaim: {claimName: os}}}]}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for overlay in facts.overlaid_claims:
        modes = overlay.access_modes
        if isinstance(modes, frozenset) and not modes & {"ReadWriteMany", "ReadOnlyMany"}:
            yield Violation(
                overlay.path,
                f"ephemeral volume {overlay.volume!r} is based on PVC {overlay.claim!r}, which is {listed(modes)}, so "
                "a live migration can time out",
                f"volume {overlay.volume} claim {overlay.claim}",
            )


RULE = Rule(
    id="LM205",
    name="ephemeral-over-single-node-claim",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="An ephemeral volume is based on a PVC that only one node can attach.",
    rationale=(
        "KubeVirt reports such a VM as live-migratable and does not check the PVC. The pod on the target node can "
        "wait for the PVC until the migration times out."
    ),
    remediation="Use a PVC with `accessModes: [ReadWriteMany]` or `[ReadOnlyMany]` under the ephemeral volume.",
    source="pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0: ephemeral is not examined",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a ReadWriteMany PVC", _OVERLAY, world=(claim("os", "ReadWriteMany"),)),
        Example("a ReadOnlyMany PVC", _OVERLAY, world=(claim("os", "ReadOnlyMany"),)),
        Example("ReadOnlyMany among other modes", _OVERLAY, world=(claim("os", "ReadWriteOnce", "ReadOnlyMany"),)),
        Example("a ReadWriteOnce PVC", _OVERLAY, world=(claim("os", "ReadWriteOnce"),), violates=("volumes[0]",)),
        Example("a ReadWriteOncePod PVC", _OVERLAY, world=(claim("os", "ReadWriteOncePod"),), violates=("volumes[0]",)),
        Example("a PVC without access modes", _OVERLAY, world=(claim("os"),), violates=("volumes[0]",)),
    ),
)
