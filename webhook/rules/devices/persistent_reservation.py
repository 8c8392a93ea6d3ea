"""A SCSI reservation belongs to the node that made it."""

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
                f"disk {disk.name!r} asks for SCSI persistent reservations",
                f"disk {disk.name}",
            )


RULE = Rule(
    id="LM303",
    name="persistent-reservation",
    about=About.VMI,
    reason=Reason.PERSISTENT_RESERVATION,
    summary="A LUN uses SCSI persistent reservations.",
    rationale="Up to 1.8 KubeVirt cannot hand a reservation over to another node; from 1.9 on it can.",
    remediation="Remove `reservation: true`, or run KubeVirt 1.9 or later.",
    source="pkg/storage/reservation/pr.go, v1.8.4; moved to storage migration only by 6e459496c5",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a LUN without reservations", "{domain: {devices: {disks: [{name: l, lun: {}}]}}}", release="1.8"),
        Example(
            "a LUN with reservations",
            "{domain: {devices: {disks: [{name: l, lun: {reservation: true}}]}}}",
            violates=("domain.devices.disks[0].lun.reservation",),
            release="1.8",
        ),
        Example("the same in 1.9", "{domain: {devices: {disks: [{name: l, lun: {reservation: true}}]}}}"),
    ),
)
