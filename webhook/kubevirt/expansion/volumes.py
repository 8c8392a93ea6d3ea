"""
The claims behind a VMI's volumes, from what exists, what the VM's templates will make, and what a status has noted.

Sources: ``pkg/virt-controller/watch/vmi/storage.go`` and ``pkg/instancetype/webhooks/vm/mutator.go``, v1.9.0.
"""

from collections.abc import Mapping

import msgspec

from webhook.facts.migration import ClaimFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.claims import Modes, modes_of, of_template
from webhook.kubevirt.expansion.inherited import Brought
from webhook.kubevirt.subject import Subject
from webhook.objects.storage import DataVolumeSpec
from webhook.objects.vmi import Volume


def claims_behind(
    subject: Subject, world: World, brought: Brought
) -> tuple[tuple[ClaimFacts, ...], tuple[ClaimFacts, ...]]:
    """Claims that virt-handler looks at, and those under ephemeral volumes, which it does not."""
    templates = made_from(subject.data_volumes, brought)
    claims: list[ClaimFacts] = []
    overlaid: list[ClaimFacts] = []
    for index, volume in enumerate(subject.spec.volumes or ()):
        claim, into = volume.claim, claims
        if claim is None and volume.ephemeral is not None and volume.ephemeral.persistent_volume_claim is not None:
            claim, into = volume.ephemeral.persistent_volume_claim.claim_name, overlaid
        if claim is not None:
            if subject.renames_templates and into is claims and claim in templates:
                modes = of_template(world, claim, templates[claim])
            else:
                modes = modes_of(world, subject.namespace, claim, templates)
            if not isinstance(modes.access_modes, frozenset) and into is claims:
                modes = _noted_modes(subject, volume) or modes
            path = (*subject.base, "volumes", index)
            into.append(ClaimFacts(volume.name, claim, path, modes.access_modes, modes.expected_from))
    return tuple(claims), tuple(overlaid)


def made_from(written: Mapping[str, DataVolumeSpec], brought: Brought) -> Mapping[str, DataVolumeSpec | Unknown]:
    """``dataVolumeTemplates`` after KubeVirt's webhook; Unknown where a preference that nobody showed may name the class."""
    preferred = brought.preference.volumes.preferred_storage_class_name if brought.preference.volumes else None
    templates: dict[str, DataVolumeSpec | Unknown] = {}
    for name, each in written.items():
        asked = each.storage
        if preferred:
            templates[name] = _with_class(each, preferred)
        elif brought.hidden_preference and asked and asked.storage_class_name is None and not asked.access_modes:
            why = f"dataVolumeTemplate {name!r} names no storage class, and {brought.hidden_preference.why}"
            templates[name] = brought.hidden_preference.within(why)
        else:
            templates[name] = each
    return templates


def _noted_modes(subject: Subject, volume: Volume) -> Modes | None:
    """
    What virt-controller noted of the claim in the VMI's status: it counts as long as the claim is out of sight.

    Of several entries with one name the last counts, as in the map that ``checkVolumesForMigration`` makes
    (``pkg/virt-handler/vm.go``, v1.0.1 to v1.9.0).
    """
    status = subject.vmi_status
    for each in reversed((status.volume_status if status is not None else None) or ()):
        if each.name == volume.name:
            info = each.persistent_volume_claim_info
            return Modes(frozenset(info.access_modes or ())) if info is not None else None
    return None


def _with_class(spec: DataVolumeSpec, preferred: str) -> DataVolumeSpec:
    """``preferredStorageClassName`` goes into templates that name no class."""
    if spec.storage is not None and spec.storage.storage_class_name is None:
        return msgspec.structs.replace(
            spec, storage=msgspec.structs.replace(spec.storage, storage_class_name=preferred)
        )
    if spec.pvc is not None and spec.pvc.storage_class_name is None:
        return msgspec.structs.replace(spec, pvc=msgspec.structs.replace(spec.pvc, storage_class_name=preferred))
    return spec
