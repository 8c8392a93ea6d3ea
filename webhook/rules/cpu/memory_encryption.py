"""AMD SEV ties a guest's memory to the key of one processor."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import KNOWN, Reason, Release, since
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

SNP = since(Release(1, 7))


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    security = facts.launch_security
    if security is None:
        return
    brought = f" (brought by {security.origin})" if security.origin else ""
    for name, value, releases in (("sev", security.value.sev, KNOWN), ("snp", security.value.snp, SNP)):
        if value is not None:
            yield Violation(
                security.path if security.origin else (*security.path, name),
                f"launchSecurity.{name}{brought} encrypts the guest's memory with a key of one processor",
                name,
                releases=releases,
            )


RULE = Rule(
    id="LM402",
    name="encrypted-memory-sev",
    about=About.VMI,
    reason=Reason.SEV,
    summary="The guest's memory is encrypted with AMD SEV or SEV-SNP.",
    rationale=(
        "Another processor cannot decrypt the memory, so KubeVirt does not migrate such a VM. SEV-SNP (`snp`) exists from "
        "KubeVirt 1.7 on; an older one drops the field."
    ),
    remediation="Remove launchSecurity, if the guest need not be protected from its host; else expect no live migration.",
    source="pkg/virt-handler/vm.go, v1.9.0; .snp counts from v1.7",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("no launch security", "{domain: {devices: {}}}"),
        Example("SEV", "{domain: {devices: {}, launchSecurity: {sev: {}}}}", violates=("domain.launchSecurity.sev",)),
        Example(
            "SEV-SNP", "{domain: {devices: {}, launchSecurity: {snp: {}}}}", violates=("domain.launchSecurity.snp",)
        ),
        Example("SEV-SNP before 1.7", "{domain: {devices: {}, launchSecurity: {snp: {}}}}", release="1.6"),
    ),
)
