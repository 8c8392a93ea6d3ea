"""A hostDisk is a file on one node, unless it is marked as shared."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for index, volume in enumerate(facts.spec.volumes or ()):
        if volume.host_disk is not None and volume.claim is None and not volume.host_disk.shared:
            yield Violation(
                facts.at("volumes", index),
                f"volume {volume.name!r} is a hostDisk without `shared: true`, so the VM cannot be live-migrated",
                f"volume {volume.name}",
            )


RULE = Rule(
    id="LM202",
    name="host-disk-not-shared",
    about=About.VMI,
    reason=Reason.DISKS,
    summary="A volume is a file on one node.",
    rationale=(
        "The target node of a live migration does not have the file of a hostDisk, unless the file is on shared "
        "storage."
    ),
    remediation=(
        "Use a PVC with `accessModes: [ReadWriteMany]`, or write `shared: true` if the path is on storage that all nodes "
        "share."
    ),
    source="pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "a hostDisk on shared storage",
            "{domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk, shared: true}}]}",
        ),
        Example("a containerDisk", "{domain: {devices: {}}, volumes: [{name: os, containerDisk: {image: fedora}}]}"),
        Example("an emptyDisk", "{domain: {devices: {}}, volumes: [{name: tmp, emptyDisk: {capacity: 2Gi}}]}"),
        Example(
            "a hostDisk on one node",
            "{domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]}",
            violates=("volumes[0]",),
        ),
        Example(
            "`shared: false`",
            "{domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk, shared: false}}]}",
            violates=("volumes[0]",),
        ),
        Example(
            "a hostDisk that KubeVirt creates, as the second volume",
            "{domain: {devices: {}}, volumes: [{name: tmp, emptyDisk: {capacity: 2Gi}}, "
            "{name: h, hostDisk: {path: /d/x.img, type: DiskOrCreate, capacity: 2Gi}}]}",
            violates=("volumes[1]",),
        ),
    ),
)
