"""A migration waits until utility volumes are gone."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Release, since
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for index, volume in enumerate(facts.spec.utility_volumes or ()):
        yield Violation(
            facts.at("utilityVolumes", index),
            f"utility volume {volume.name!r} is attached; a migration waits for it to be detached",
            f"utilityVolume {volume.name}",
            releases=since(Release(1, 8)),
        )


RULE = Rule(
    id="LM206",
    name="utility-volume-attached",
    about=About.VMI,
    severity=Severity.INFO,
    summary="A utility volume is attached.",
    rationale=(
        "Utility volumes exist from KubeVirt 1.8 on. A migration waits `utilityVolumesTimeout` seconds (150 by default) for "
        "them to go, then fails."
    ),
    remediation="Detach it when the work that needs it is done.",
    source="pkg/virt-controller/watch/migration, v1.8.4",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("none", "{domain: {devices: {}}}"),
        Example(
            "one",
            "{domain: {devices: {}}, utilityVolumes: [{name: u, claimName: u, type: MemoryDump}]}",
            violates=("utilityVolumes[0]",),
        ),
    ),
)
