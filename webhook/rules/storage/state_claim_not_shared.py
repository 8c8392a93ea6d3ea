"""KubeVirt 1.3 needs a ReadWriteMany PVC for persistent TPM and EFI state."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.kubevirt.releases import Reason, Release, only
from webhook.rules.example import kubevirt, storage_profile
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation
from webhook.rules.storage._access_modes import SHARED, listed

_TPM = "{domain: {devices: {tpm: {persistent: true}}}}"
_EFI = "{domain: {devices: {}, firmware: {bootloader: {efi: {persistent: true}}}}}"
_LOCAL = (kubevirt(vmStateStorageClass="lvm"), storage_profile("lvm", "ReadWriteOnce"))


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    claim = facts.state_claim
    if claim is None:
        return
    modes = claim.access_modes
    if isinstance(modes, Unknown):
        yield Undetermined(
            claim.path,
            f"persistent TPM or EFI state is on a PVC whose access modes depend on the cluster; {modes.why}",
            modes.settle or "pass the KubeVirt CR, StorageClasses and StorageProfiles",
            "state",
            unreadable=modes.unreadable,
        )
    elif isinstance(modes, Absent) or SHARED not in modes:
        state = "does not exist" if isinstance(modes, Absent) else f"is {listed(modes)}, not {SHARED} (RWX)"
        yield Violation(
            claim.path,
            f"persistent TPM or EFI state is on PVC {claim.claim!r}, which {state}, so KubeVirt 1.3 cannot live-migrate the VM",
            "state",
        )


RULE = Rule(
    id="LM204",
    name="state-claim-not-shared",
    about=About.VMI,
    reason=Reason.DISKS,
    kubevirt=only(Release(1, 3)),
    summary="Persistent TPM or EFI state is on a PVC that only one node can use.",
    rationale=(
        "KubeVirt 1.3 keeps this state on a separate PVC, and both nodes need it during a live migration. Before 1.3 "
        "this PVC was always ReadWriteMany. From 1.4 on, KubeVirt copies the state to a new PVC."
    ),
    remediation=(
        "Ask the platform team to set spec.configuration.vmStateStorageClass of the KubeVirt CR to a class with "
        "ReadWriteMany filesystems, or to upgrade to KubeVirt 1.4."
    ),
    source="pkg/storage/backend-storage/backend-storage.go and pkg/virt-handler/vm.go, v1.3.1; removed by 4ef8c916ed",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a persistent TPM from 1.4 on", _TPM, release="1.4"),
        Example("a TPM that is not persistent", "{domain: {devices: {tpm: {}}}}", release="1.3"),
        Example(
            "a class for VM state that offers ReadWriteMany",
            _TPM,
            world=(kubevirt(vmStateStorageClass="nfs"), storage_profile("nfs", "ReadWriteMany")),
            release="1.3",
        ),
        Example(
            "a persistent TPM, and a class for VM state that offers ReadWriteOnce",
            _TPM,
            world=_LOCAL,
            violates=("domain.devices.tpm.persistent",),
            release="1.3",
        ),
        Example(
            "persistent EFI variables, and the same class",
            _EFI,
            world=_LOCAL,
            violates=("domain.firmware.bootloader.efi.persistent",),
            release="1.3",
        ),
        Example(
            "a persistent TPM and persistent EFI variables, which share a PVC",
            "{domain: {devices: {tpm: {persistent: true}}, firmware: {bootloader: {efi: {persistent: true}}}}}",
            world=_LOCAL,
            violates=("domain.devices.tpm.persistent",),
            release="1.3",
        ),
        Example(
            "a KubeVirt CR that was not provided",
            _TPM,
            undetermined=("domain.devices.tpm.persistent",),
            release="1.3",
        ),
    ),
)
