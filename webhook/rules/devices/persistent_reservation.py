"""A SCSI persistent reservation belongs to the node that made it."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    domain = facts.spec.domain
    for index, disk in enumerate((domain.devices.disks if domain and domain.devices else None) or ()):
        if disk.lun is not None and disk.lun.reservation:
            yield Violation(
                facts.at("domain", "devices", "disks", index, "lun", "reservation"),
                f"disk {disk.name!r} uses SCSI persistent reservations, so KubeVirt 1.8 and earlier cannot live-migrate the VM",
                f"disk {disk.name}",
            )


RULE = Rule(
    id="LM303",
    name="persistent-reservation",
    about=About.VMI,
    reason=Reason.PERSISTENT_RESERVATION,
    summary="A LUN uses SCSI persistent reservations.",
    rationale="KubeVirt 1.8 and earlier cannot move a reservation to another node. KubeVirt 1.9 and later can.",
    remediation="Remove `reservation: true`, or run KubeVirt 1.9 or later.",
    source="pkg/storage/reservation/pr.go, v1.8.4; moved to storage migration only by 6e459496c5",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a LUN without reservations", "{domain: {devices: {disks: [{name: l, lun: {}}]}}}", release="1.8"),
        Example(
            "`reservation: false`",
            "{domain: {devices: {disks: [{name: l, lun: {reservation: false}}]}}}",
            release="1.8",
        ),
        Example(
            "a LUN with reservations in 1.8",
            "{domain: {devices: {disks: [{name: l, lun: {reservation: true}}]}}}",
            violates=("domain.devices.disks[0].lun.reservation",),
            release="1.8",
        ),
        Example(
            "a LUN with reservations in 1.3",
            "{domain: {devices: {disks: [{name: l, lun: {reservation: true}}]}}}",
            violates=("domain.devices.disks[0].lun.reservation",),
            release="1.3",
        ),
        Example(
            "the second of two LUNs",
            "{domain: {devices: {disks: [{name: a, lun: {}}, {name: b, lun: {reservation: true}}]}}}",
            violates=("domain.devices.disks[1].lun.reservation",),
            release="1.8",
        ),
        Example(
            "a LUN with reservations in 1.9", "{domain: {devices: {disks: [{name: l, lun: {reservation: true}}]}}}"
        ),
    ),
)
