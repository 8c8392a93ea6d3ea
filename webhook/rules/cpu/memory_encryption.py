"""AMD SEV encrypts the guest memory with a key of one processor."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import KNOWN, Reason, Release, since
from webhook.rules.example import instancetype
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

SNP = since(Release(1, 7))


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    security = facts.launch_security
    if security is None:
        return
    origin = f" (from {security.origin})" if security.origin else ""
    for name, value, releases in (("sev", security.value.sev, KNOWN), ("snp", security.value.snp, SNP)):
        if value is not None:
            yield Violation(
                security.path if security.origin else (*security.path, name),
                f"launchSecurity.{name}{origin} encrypts the guest memory with a key of one processor, so the VM cannot be "
                "live-migrated",
                name,
                releases=releases,
            )


RULE = Rule(
    id="LM402",
    name="encrypted-memory-sev",
    about=About.VMI,
    reason=Reason.SEV,
    summary="The guest memory is encrypted with AMD SEV or SEV-SNP.",
    rationale=(
        "Another processor cannot decrypt the memory, so KubeVirt does not migrate such a VM. SEV-SNP (`snp`) exists in "
        "KubeVirt 1.7 and later. Earlier releases drop the field."
    ),
    remediation=(
        "Remove launchSecurity. If the guest must be protected from its node, ask the administrator for an exemption, and set "
        "`spec.template.spec.evictionStrategy` of the VM to LiveMigrateIfPossible. The VM is refused until the exemption "
        "exists."
    ),
    source="pkg/virt-handler/vm.go, v1.9.0; .snp counts from v1.7",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("no launchSecurity", "{domain: {devices: {}}}"),
        Example("an empty launchSecurity", "{domain: {devices: {}, launchSecurity: {}}, architecture: amd64}"),
        Example("SEV", "{domain: {devices: {}, launchSecurity: {sev: {}}}}", violates=("domain.launchSecurity.sev",)),
        Example(
            "SEV-SNP", "{domain: {devices: {}, launchSecurity: {snp: {}}}}", violates=("domain.launchSecurity.snp",)
        ),
        Example(
            "SEV in the instancetype",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: sealed}}",
            world=(instancetype("sealed", launchSecurity={"sev": {}}),),
            violates=("spec.instancetype",),
        ),
        Example("SEV-SNP in 1.6", "{domain: {devices: {}, launchSecurity: {snp: {}}}}", release="1.6"),
    ),
)
