"""A live migration waits until utility volumes are detached."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Release, since
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for index, volume in enumerate(facts.spec.utility_volumes or ()):
        yield Violation(
            facts.at("utilityVolumes", index),
            f"utility volume {volume.name!r} is attached, so a live migration waits until it is detached",
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
        "Utility volumes exist from KubeVirt 1.8 on. A live migration waits until these volumes are detached, and "
        "fails after `utilityVolumesTimeout` seconds (150 by default)."
    ),
    remediation="Remove the entry from utilityVolumes when its task is complete.",
    source="pkg/virt-controller/watch/migration, v1.8.4",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("no utility volume", "{domain: {devices: {}}}"),
        Example("an empty list", "{domain: {devices: {}}, utilityVolumes: []}"),
        Example(
            "a utility volume in 1.7, which ignores the field",
            "{domain: {devices: {}}, utilityVolumes: [{name: u, claimName: u, type: MemoryDump}]}",
            release="1.7",
        ),
        Example(
            "a memory dump",
            "{domain: {devices: {}}, utilityVolumes: [{name: u, claimName: u, type: MemoryDump}]}",
            violates=("utilityVolumes[0]",),
        ),
        Example(
            "a utility volume without a type",
            "{domain: {devices: {}}, utilityVolumes: [{name: u, claimName: u}]}",
            violates=("utilityVolumes[0]",),
        ),
        Example(
            "two utility volumes",
            "{domain: {devices: {}}, utilityVolumes: [{name: a, claimName: a, type: MemoryDump}, "
            "{name: b, claimName: b, type: MemoryDump}]}",
            violates=("utilityVolumes[0]", "utilityVolumes[1]"),
        ),
    ),
)
