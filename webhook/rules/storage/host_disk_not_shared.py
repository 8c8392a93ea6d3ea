"""A hostDisk is a file on one node, unless its owner says that every node has it."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for index, volume in enumerate(facts.spec.volumes or ()):
        if volume.host_disk is not None and volume.claim is None and not volume.host_disk.shared:
            yield Violation(
                facts.at("volumes", index),
                f"volume {volume.name!r} is a hostDisk that is not marked as shared between nodes",
                f"volume {volume.name}",
            )


RULE = Rule(
    id="LM202",
    name="host-disk-not-shared",
    about=About.VMI,
    reason=Reason.DISKS,
    summary="A volume is a file on one node.",
    rationale="The node that takes the VM over does not have the file of a hostDisk, unless it lies on shared storage.",
    remediation="Use a claim with ReadWriteMany, or write `shared: true` if the path is on storage that all nodes share.",
    source="pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "shared storage",
            "{domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk, shared: true}}]}",
        ),
        Example(
            "a file on the node",
            "{domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]}",
            violates=("volumes[0]",),
        ),
    ),
)
