"""KubeVirt 1.3 kept persistent TPM and EFI state in a claim that had to be shared."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.kubevirt.releases import Reason, Release, only
from webhook.rules.example import kubevirt, storage_profile
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_TPM = "{domain: {devices: {tpm: {persistent: true}}}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    claim = facts.state_claim
    if claim is None:
        return
    modes = claim.access_modes
    if isinstance(modes, Unknown):
        yield Undetermined(
            claim.path,
            f"persistent state is kept in a claim whose access modes depend on the cluster; {modes.why}",
            modes.settle or "pass the KubeVirt CR, StorageClasses and StorageProfiles",
            "state",
            unreadable=modes.unreadable,
        )
    elif isinstance(modes, Absent) or "ReadWriteMany" not in modes:
        listed = "missing" if isinstance(modes, Absent) else ", ".join(sorted(modes))
        yield Violation(claim.path, f"persistent state is kept in claim {claim.claim!r}, which is {listed}", "state")


RULE = Rule(
    id="LM204",
    name="state-claim-not-shared",
    about=About.VMI,
    reason=Reason.DISKS,
    kubevirt=only(Release(1, 3)),
    summary="Persistent TPM or EFI state lies on storage that only one node can use.",
    rationale=(
        "KubeVirt 1.3 keeps this state in a claim of its own and needs it on both nodes during a migration. Before, the "
        "claim was always shared; from 1.4 on the state is handed over to a fresh claim."
    ),
    remediation=(
        "Ask the platform team to set spec.configuration.vmStateStorageClass of the KubeVirt CR to a class with "
        "ReadWriteMany filesystems, or upgrade to 1.4."
    ),
    source="pkg/storage/backend-storage/backend-storage.go and pkg/virt-handler/vm.go, v1.3.1; removed by 4ef8c916ed",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("from 1.4 on", _TPM, release="1.4"),
        Example(
            "a shared class for VM state",
            _TPM,
            world=(kubevirt(vmStateStorageClass="nfs"), storage_profile("nfs", "ReadWriteMany")),
            release="1.3",
        ),
        Example(
            "a class for VM state that one node alone can use",
            _TPM,
            world=(kubevirt(vmStateStorageClass="lvm"), storage_profile("lvm", "ReadWriteOnce")),
            violates=("domain.devices.tpm.persistent",),
            release="1.3",
        ),
        Example(
            "a cluster that nobody showed us", _TPM, undetermined=("domain.devices.tpm.persistent",), release="1.3"
        ),
    ),
)
