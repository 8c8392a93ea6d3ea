"""
The claims behind a VMI's volumes: existing claims, future claims of the VM's templates, and claims in the VMI's status. Also the
facts about the entries of ``dataVolumeTemplates``.

Sources: ``pkg/virt-controller/watch/vmi/storage.go`` and ``pkg/instancetype/webhooks/vm/mutator.go``, v1.9.0.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from webhook.facts.migration import ClaimFacts, TemplateFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.claims import Modes, modes_of, of_template
from webhook.kubevirt.expansion.inherited import Inherited
from webhook.kubevirt.subject import Subject, name_of_template
from webhook.objects.storage import DataVolumeSpec
from webhook.objects.vmi import Volume

NO_CLAIM = Unknown(
    "the volume does not name a claim, so KubeVirt rejects the VM", "write the name of the PVC or DataVolume"
)
_NO_TEMPLATES: Mapping[str, DataVolumeSpec | Unknown] = {}


def claims_behind(
    subject: Subject, world: World, inherited: Inherited
) -> tuple[tuple[ClaimFacts, ...], tuple[ClaimFacts, ...]]:
    """The claims that virt-handler checks, and the claims under ephemeral volumes, which virt-handler does not check."""
    templates = made_from(subject.data_volumes, inherited) if subject.vm.data_volume_templates else _NO_TEMPLATES
    claims: list[ClaimFacts] = []
    overlaid: list[ClaimFacts] = []
    for index, volume in enumerate(subject.spec.volumes or ()):
        claim, into = volume.claim, claims
        if claim is None and volume.ephemeral is not None and volume.ephemeral.persistent_volume_claim is not None:
            claim, into = volume.ephemeral.persistent_volume_claim.claim_name, overlaid
        if claim is not None:
            if not claim:
                modes = Modes(NO_CLAIM)
            elif templates and subject.renames_templates and into is claims and claim in templates:
                modes = of_template(world, claim, templates[claim])
            else:
                modes = modes_of(world, subject.namespace, claim, templates)
            if not isinstance(modes.access_modes, frozenset) and into is claims:
                modes = _modes_in_status(subject, volume) or modes
            into.append(
                ClaimFacts(
                    volume.name,
                    claim,
                    (*subject.base, "volumes", index),
                    modes.access_modes,
                    modes.requested,
                    modes.expected_from,
                    modes.is_new,
                    modes.is_bare,
                    modes.misspelt,
                )
            )
    return tuple(claims), tuple(overlaid)


def made_from(written: Mapping[str, DataVolumeSpec], inherited: Inherited) -> Mapping[str, DataVolumeSpec | Unknown]:
    """
    The DataVolumes of ``dataVolumeTemplates``, with the changes that KubeVirt's webhook makes.

    An entry is Unknown if an unknown preference might set its storage class.
    """
    preferred = inherited.preference.volumes.preferred_storage_class_name if inherited.preference.volumes else None
    templates: dict[str, DataVolumeSpec | Unknown] = {}
    for name, spec in written.items():
        storage = spec.storage
        if preferred:
            templates[name] = _with_class(spec, preferred)
        elif (
            inherited.unknown_preference and storage and storage.storage_class_name is None and not storage.access_modes
        ):
            why = f"dataVolumeTemplate {name!r} has no storage class, and {inherited.unknown_preference.why}"
            templates[name] = inherited.unknown_preference.within(why)
        else:
            templates[name] = spec
    return templates


def _modes_in_status(subject: Subject, volume: Volume) -> Modes | None:
    """
    The access modes that virt-controller wrote to the VMI's status, for a claim that the input does not contain.

    If several entries have the same name, the last entry counts, as in ``checkVolumesForMigration``
    (``pkg/virt-handler/vm.go``, v1.0.1 to v1.9.0).
    """
    status = subject.vmi_status
    for entry in reversed((status.volume_status if status is not None else None) or ()):
        if entry.name == volume.name:
            info = entry.persistent_volume_claim_info
            return Modes(frozenset(info.access_modes or ())) if info is not None else None
    return None


def _with_class(spec: DataVolumeSpec, preferred: str) -> DataVolumeSpec:
    """Sets ``preferredStorageClassName`` in templates without a class."""
    if spec.storage is not None and spec.storage.storage_class_name is None:
        return msgspec.structs.replace(
            spec, storage=msgspec.structs.replace(spec.storage, storage_class_name=preferred)
        )
    if spec.pvc is not None and spec.pvc.storage_class_name is None:
        return msgspec.structs.replace(spec, pvc=msgspec.structs.replace(spec.pvc, storage_class_name=preferred))
    return spec


def templates_of(
    subject: Subject, world: World, inherited: Inherited, claims: Sequence[ClaimFacts]
) -> tuple[TemplateFacts, ...]:
    """The facts about each entry of ``dataVolumeTemplates``, in order."""
    return tuple(_template_facts(subject, world, inherited, claims))


def _template_facts(
    subject: Subject, world: World, inherited: Inherited, claims: Sequence[ClaimFacts]
) -> Iterator[TemplateFacts]:
    made = made_from(subject.data_volumes, inherited)
    behind = {claim.claim: claim.access_modes for claim in claims}  # claims with the same name have the same modes
    first: dict[str, int] = {}
    for index, entry in enumerate(subject.vm.data_volume_templates or ()):
        name = name_of_template(entry)
        earlier = first.setdefault(name, index)
        expected = of_template(world, name, made[name]) if name in behind and name in made else None
        yield TemplateFacts(
            name,
            (*subject.owner, "dataVolumeTemplates", index),
            earlier if earlier != index else None,
            expected.access_modes if expected is not None else None,
            behind.get(name),
            expected.expected_from if expected is not None else "",
        )
