"""
Matches new and old findings when a VM is restored from its own snapshot. virt-controller renames the claims of the VM, unless
``volumeRestorePolicy`` is ``InPlace``.

Each volume keeps its name. The claim, the DataVolume and the ``dataVolumeTemplate`` of the volume get the name
``restore-<uid>-<volume>`` or a name that the user chose (``pkg/storage/snapshot/restore.go`` restoreVolumeName and
generateRestoredVMSpec, v1.9.0).
"""

from collections.abc import Mapping

from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes
from webhook.objects.review import AdmissionRequest
from webhook.rules.storage.claim_not_shared import identity_of
from webhook.rules.storage.template_not_shared import identity_of_template
from webhook.surfaces.admission.kubevirt_accounts import CONTROLLER, account_of, restores


def is_restore(request: AdmissionRequest, new: Kubernetes, old: Kubernetes, install_namespace: str) -> bool:
    """Whether virt-controller replaces the VM's spec with the spec from a snapshot."""
    return account_of(request.user_info.username, install_namespace) == CONTROLLER and restores(new, old)


def former_subjects(new: Kubernetes, old: Kubernetes) -> Mapping[str, str]:
    """Maps the new subject of a finding to the old subject, for each volume whose claim the restore replaces."""
    after, before = subject_of(new), subject_of(old)
    if after is None or before is None:
        return {}
    claims = {volume.name: volume.claim for volume in before.spec.volumes or ()}
    former: dict[str, str] = {}
    for volume in after.spec.volumes or ():
        claim, old_claim = volume.claim, claims.get(volume.name)
        if claim is not None and old_claim is not None and claim != old_claim:
            former[identity_of(volume.name, claim)] = identity_of(volume.name, old_claim)
            former[identity_of_template(claim)] = identity_of_template(old_claim)
    return former
