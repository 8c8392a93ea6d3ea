"""Intel TDX encrypts the guest memory with a key of one processor."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.example import instancetype
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    security = facts.launch_security
    if security is not None and security.value.tdx is not None:
        yield Violation(
            security.path if security.origin else (*security.path, "tdx"),
            "launchSecurity.tdx encrypts the guest memory with a key of one processor, so the VM cannot be live-migrated",
            "tdx",
        )


RULE = Rule(
    id="LM403",
    name="encrypted-memory-tdx",
    about=About.VMI,
    reason=Reason.TDX,
    summary="The guest memory is encrypted with Intel TDX.",
    rationale="Another processor cannot decrypt the memory, so KubeVirt (1.7 and later) does not migrate such a VM.",
    remediation=(
        "Remove launchSecurity. If the guest must be protected from its node, ask the administrator for an exemption, and set "
        "`spec.template.spec.evictionStrategy` of the VM to LiveMigrateIfPossible. The VM is refused until the exemption "
        "exists."
    ),
    source="pkg/virt-handler/vm.go, v1.7.4",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("no launchSecurity", "{domain: {devices: {}}}"),
        Example("an empty launchSecurity", "{domain: {devices: {}, launchSecurity: {}}, architecture: amd64}"),
        Example("TDX", "{domain: {devices: {}, launchSecurity: {tdx: {}}}}", violates=("domain.launchSecurity.tdx",)),
        Example(
            "TDX in 1.7",
            "{domain: {devices: {}, launchSecurity: {tdx: {}}}}",
            violates=("domain.launchSecurity.tdx",),
            release="1.7",
        ),
        Example(
            "TDX in the instancetype",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: sealed}}",
            world=(instancetype("sealed", launchSecurity={"tdx": {}}),),
            violates=("spec.instancetype",),
        ),
        Example("TDX in 1.6", "{domain: {devices: {}, launchSecurity: {tdx: {}}}}", release="1.6"),
    ),
)
