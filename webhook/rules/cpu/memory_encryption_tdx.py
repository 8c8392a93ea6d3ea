"""Intel TDX ties a guest's memory to the key of one processor."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    security = facts.launch_security
    if security is not None and security.value.tdx is not None:
        yield Violation(
            security.path if security.origin else (*security.path, "tdx"),
            "launchSecurity.tdx encrypts the guest's memory with a key of one processor",
            "tdx",
        )


RULE = Rule(
    id="LM403",
    name="encrypted-memory-tdx",
    about=About.VMI,
    reason=Reason.TDX,
    summary="The guest's memory is encrypted with Intel TDX.",
    rationale="Another processor cannot decrypt the memory, so KubeVirt (1.7 and later) does not migrate such a VM.",
    remediation="Remove launchSecurity, if the guest need not be protected from its host; else expect no live migration.",
    source="pkg/virt-handler/vm.go, v1.7.4",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("no launch security", "{domain: {devices: {}}}"),
        Example("TDX", "{domain: {devices: {}, launchSecurity: {tdx: {}}}}", violates=("domain.launchSecurity.tdx",)),
        Example("TDX before 1.7", "{domain: {devices: {}, launchSecurity: {tdx: {}}}}", release="1.6"),
    ),
)
