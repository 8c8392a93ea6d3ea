"""
From VirtualMachine to the VirtualMachineInstance that KubeVirt would run, and the facts about it.

Order inside virt-controller (``pkg/virt-controller/watch/vm/vm.go``, v1.9.0): the VMI is built from the template; the
default network interface is added; instancetype, then preference are applied; virt-api's mutating webhook defaults what
is left (``pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go``). VirtualMachineInstancePresets, which that
webhook merges too, are not followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from webhook.facts.migration import ClaimFacts, MigrationFacts, Sourced
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.claims import Modes, modes_of, of_template
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.conflicts import conflicts
from webhook.kubevirt.infer import Named
from webhook.kubevirt.instancetypes import find_instancetype, find_preference
from webhook.kubevirt.interfaces import interfaces_of, on_pod_network
from webhook.kubevirt.nodes import host_model_known, tsc_frequency
from webhook.kubevirt.releases import KNOWN, Release, Releases, since, split
from webhook.kubevirt.state_claim import STATE_CLAIM_COUNTS, state_claim
from webhook.kubevirt.subject import Subject
from webhook.kubevirt.workload import guest_memory
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec
from webhook.objects.kubevirt import Configuration
from webhook.objects.storage import DataSource, DataVolumeSpec
from webhook.objects.vmi import CPU, CPUFeature, Devices, Domain, Features, LaunchSecurity, Volume

T = TypeVar("T")

DEFAULT_ARCHITECTURE = "amd64"
_NO_DOMAIN = Domain()
_NO_DEVICES = Devices()
_NO_CPU = CPU()
_NO_FEATURES = Features()
_NO_INSTANCETYPE = InstancetypeSpec()
_NO_PREFERENCE = PreferenceSpec()

_ANNOTATIONS: Releases = since(Release(1, 1))
_STATUS_REFERENCES = Release(1, 5)
_SOURCE_ARCHITECTURE: Releases = since(Release(1, 6))
_PREFERRED_ARCHITECTURE: Releases = since(Release(1, 7))
_PREFERRED_LAUNCH_SECURITY: Releases = since(Release(1, 9))
PREFERENCE_CHANGES: tuple[Release, ...] = (Release(1, 1), Release(1, 7), Release(1, 9))
"""
Releases from which on a preference acts in another way. 1.0 adds masquerade beside any binding and knows no annotations;
``preferredArchitecture`` counts from 1.7, ``preferredLaunchSecurity`` from 1.9 (``pkg/instancetype/preference/apply``).
"""
ARCHITECTURE_LABEL = "template.kubevirt.io/architecture"
ARCHITECTURES = ("amd64", "arm64", "s390x")


def expand(subject: Subject, world: World, releases: Releases = KNOWN) -> Iterator[MigrationFacts]:
    """
    The facts about the VMI, once for every group of ``releases`` in which the expansion differs.

    Never raises: what is not known becomes Unknown in the facts.
    """
    vm, source = subject.vm, _source_architecture(subject, world)
    refers = vm.instancetype is not None or vm.preference is not None
    if not refers and not source:
        yield _facts(subject, world, releases, _Brought())
        return
    changes = [*(PREFERENCE_CHANGES if refers else ()), *((Release(1, 6),) if source else ())]
    status = subject.vm_status
    noted = status is not None and (status.instancetype_ref is not None or status.preference_ref is not None)
    if noted and refers:
        changes.append(_STATUS_REFERENCES)
    found: dict[bool, _Brought] = {}
    for group in split(releases, changes):
        counts = noted and bool(group & since(_STATUS_REFERENCES))
        if counts not in found:
            found[counts] = _brought(subject, world, counts, source)
        yield _facts(subject, world, group, replace(found[counts], variant=group))


@dataclass(frozen=True, slots=True)
class _Brought:
    """What instancetype, preference and DataSources bring to the VMI in one group of releases."""

    instancetype: InstancetypeSpec = _NO_INSTANCETYPE
    instancetype_name: str = ""
    preference: PreferenceSpec = _NO_PREFERENCE
    variant: Releases = KNOWN
    hidden: Unknown | None = None
    hidden_field: str = ""
    hidden_preference: Unknown | None = None
    source_architecture: str = ""

    @property
    def origin(self) -> str:
        return f"instancetype {self.instancetype_name!r}"

    @property
    def hidden_instancetype(self) -> Unknown | None:
        return self.hidden if self.hidden is not self.hidden_preference else None


def _brought(subject: Subject, world: World, with_status: bool, source: str) -> _Brought:
    vm, status = subject.vm, subject.vm_status if with_status else None
    named = Named(world, subject.namespace, subject.spec, subject.data_volumes)
    instancetype, its_name = find_instancetype(named, vm.instancetype, status.instancetype_ref if status else None)
    preference, _ = find_preference(named, vm.preference, status.preference_ref if status else None)
    hidden_preference = preference if isinstance(preference, Unknown) else None
    hidden = instancetype if isinstance(instancetype, Unknown) else hidden_preference
    return _Brought(
        instancetype if isinstance(instancetype, InstancetypeSpec) else _NO_INSTANCETYPE,
        its_name,
        preference if isinstance(preference, PreferenceSpec) else _NO_PREFERENCE,
        hidden=hidden,
        hidden_field="instancetype" if hidden is not hidden_preference else "preference",
        hidden_preference=hidden_preference,
        source_architecture=source,
    )


def _source_architecture(subject: Subject, world: World) -> str:
    """
    The architecture that the label of a template's DataSource names; empty if none does, or nobody showed it.

    Source: ``pkg/defaults/defaults.go`` setDefaultArchitectureFromDataSource, v1.6.6 and v1.9.0.
    """
    if subject.spec.architecture:
        return ""
    for template in subject.data_volumes.values():
        ref = template.source_ref
        if ref is None or ref.kind.lower() != "datasource":
            continue
        found = world.find(DataSource, ref.namespace or subject.namespace, ref.name)
        further = found.spec.source.data_source if isinstance(found, DataSource) and found.spec.source else None
        if further is not None:
            found = world.find(DataSource, further.namespace or "", further.name)
        named = (found.meta.labels or {}).get(ARCHITECTURE_LABEL) if isinstance(found, DataSource) else None
        if named in ARCHITECTURES:
            return named
    return ""


def _facts(subject: Subject, world: World, releases: Releases, brought: _Brought) -> MigrationFacts:
    spec, base = subject.spec, subject.base
    domain = spec.domain or _NO_DOMAIN
    devices = domain.devices or _NO_DEVICES
    cluster = cluster_of(world)
    configuration = cluster.configuration
    preference, instancetype = brought.preference, brought.instancetype
    interfaces, networks, default = interfaces_of(spec, devices, configuration, preference.devices, brought.variant)
    architecture = spec.architecture or _brought_architecture(brought)
    actual = architecture or cluster.architecture or DEFAULT_ARCHITECTURE
    pod_network, pod_interface = on_pod_network(base, networks, interfaces, default)
    cpu = domain.cpu or _NO_CPU
    cpu_model = cpu.model or (instancetype.cpu.model if instancetype.cpu else None)
    reenlightenment = _reenlightenment(subject, domain.features or _NO_FEATURES, brought)
    claims, overlaid = _claims(subject, world, brought)
    model = cpu_model or _default_cpu_model(configuration, actual)
    return MigrationFacts(
        releases=releases,
        kind=subject.kind,
        namespace=subject.namespace,
        name=subject.name,
        base=base,
        spec=spec,
        annotations=_annotations(subject, brought),
        outer_annotations=subject.outer.annotations or {},
        labels=subject.meta.labels or {},
        configuration=configuration,
        architecture=actual,
        architecture_assumed=architecture is None and cluster.architecture is None,
        interfaces=interfaces,
        networks=networks,
        default_interface=default,
        pod_interface=pod_interface,
        pod_network=pod_network,
        claims=claims,
        overlaid_claims=overlaid,
        state_claim=state_claim(subject, world, configuration, preference) if releases & STATE_CLAIM_COUNTS else None,
        migrated_volumes=_migrated_volumes(subject),
        gpus=_either(subject, devices.gpus, instancetype.gpus, brought.origin, "domain", "devices", "gpus"),
        host_devices=_either(
            subject, devices.host_devices, instancetype.host_devices, brought.origin, "domain", "devices", "hostDevices"
        ),
        launch_security=_launch_security(subject, domain.launch_security, brought),
        guest_memory=guest_memory(subject, instancetype, brought.origin, brought.hidden_instancetype),
        cpu_model=model,
        cpu_model_written=cpu_model is not None,
        cpu_features=_cpu_features(cpu, preference),
        isolated_emulator_thread=_isolated_emulator_thread(subject, cpu, brought),
        reenlightenment=reenlightenment,
        host_model_known=host_model_known(world) if model == "host-model" else True,
        tsc_frequency=_tsc_frequency(subject, world, configuration, actual) if reenlightenment is not None else 0,
        hidden=brought.hidden,
        hidden_path=(*subject.owner, brought.hidden_field) if brought.hidden else (),
        hidden_architecture=brought.hidden_preference if architecture is None else None,
        conflicts=conflicts(subject, instancetype) if instancetype is not _NO_INSTANCETYPE else (),
    )


def _brought_architecture(brought: _Brought) -> str | None:
    """What the preference, else a template's DataSource says of the architecture, where the release asks them."""
    if brought.variant & _PREFERRED_ARCHITECTURE and brought.preference.preferred_architecture:
        return brought.preference.preferred_architecture
    return brought.source_architecture or None if brought.variant & _SOURCE_ARCHITECTURE else None


def _annotations(subject: Subject, brought: _Brought) -> Mapping[str, str]:
    """The VMI's annotations; what instancetype and preference bring never overrides what is there."""
    own = subject.meta.annotations or {}
    if not brought.variant & _ANNOTATIONS:
        return own
    added = (brought.preference.annotations, brought.instancetype.annotations)
    return {**(added[0] or {}), **(added[1] or {}), **own} if any(added) else own


def _claims(subject: Subject, world: World, brought: _Brought) -> tuple[tuple[ClaimFacts, ...], tuple[ClaimFacts, ...]]:
    """Claims that virt-handler looks at, and those under ephemeral volumes, which it does not."""
    templates = _templates(subject.data_volumes, brought)
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


def _templates(written: Mapping[str, DataVolumeSpec], brought: _Brought) -> Mapping[str, DataVolumeSpec | Unknown]:
    """``dataVolumeTemplates`` after KubeVirt's webhook; Unknown where a preference that nobody showed may name the class."""
    preferred = brought.preference.volumes.preferred_storage_class_name if brought.preference.volumes else None
    if not written or not (preferred or brought.hidden_preference):
        return written
    templates: dict[str, DataVolumeSpec | Unknown] = {}
    for name, each in written.items():
        asked = each.storage
        if preferred:
            templates[name] = _with_class(each, preferred)
        elif brought.hidden_preference and asked and asked.storage_class_name is None and not asked.access_modes:
            why = f"dataVolumeTemplate {name!r} names no storage class, and {brought.hidden_preference.why}"
            templates[name] = Unknown(why, brought.hidden_preference.settle)
        else:
            templates[name] = each
    return templates


def _noted_modes(subject: Subject, volume: Volume) -> Modes | None:
    """What virt-controller noted of the claim in the VMI's status: it counts as long as the claim is out of sight."""
    status = subject.vmi_status
    for each in (status.volume_status if status is not None else None) or ():
        if each.name == volume.name and each.persistent_volume_claim_info is not None:
            return Modes(frozenset(each.persistent_volume_claim_info.access_modes or ()))
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


def _migrated_volumes(subject: Subject) -> frozenset[str]:
    status = subject.vmi_status
    if status is None or not status.migrated_volumes:
        return frozenset()
    return frozenset(each.volume_name for each in status.migrated_volumes)


def _either(
    subject: Subject, own: Sequence[T] | None, brought: Sequence[T] | None, origin: str, *steps: str
) -> tuple[Sourced[T], ...]:
    """The VM's own list, each with its path, else the instancetype's; setting both is a conflict that KubeVirt refuses."""
    if own:
        return tuple(Sourced((*subject.base, *steps, index), each) for index, each in enumerate(own))
    if brought:
        return tuple(Sourced((*subject.owner, "instancetype"), each, origin) for each in brought)
    return ()


def _launch_security(subject: Subject, own: LaunchSecurity | None, brought: _Brought) -> Sourced[LaunchSecurity] | None:
    if own is not None:
        return Sourced((*subject.base, "domain", "launchSecurity"), own)
    if brought.instancetype.launch_security is not None:
        return Sourced((*subject.owner, "instancetype"), brought.instancetype.launch_security, brought.origin)
    preferred = brought.preference.preferred_launch_security
    if preferred is not None and brought.variant & _PREFERRED_LAUNCH_SECURITY:
        return Sourced((*subject.owner, "preference"), preferred, "the preference")
    return None


def _default_cpu_model(configuration: Fact[Configuration], architecture: str) -> Fact[str]:
    """
    The CR's ``cpuModel``, else host-model; on arm64 always host-passthrough, which is set before the CR is asked.

    Source: ``pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go``, v1.9.0.
    """
    if architecture == "arm64":
        return "host-passthrough"
    if isinstance(configuration, Unknown):
        return configuration
    return configuration.cpu_model or "host-model"


def _cpu_features(cpu: CPU, preference: PreferenceSpec) -> tuple[CPUFeature, ...]:
    """The VM's own, and those of the preference that it does not name itself (``preference/apply/cpu.go``, v1.9.0)."""
    own = tuple(cpu.features or ())
    preferred = (preference.cpu.preferred_cpu_features if preference.cpu else None) or ()
    named = {each.name for each in own}
    return (*own, *(each for each in preferred if each.name not in named))


def _isolated_emulator_thread(subject: Subject, cpu: CPU, brought: _Brought) -> Sourced[bool] | None:
    """Dedicated CPUs with an isolated emulator thread, each from the VM or from its instancetype."""
    theirs = brought.instancetype.cpu
    if not (cpu.dedicated_cpu_placement or (theirs is not None and theirs.dedicated_cpu_placement)):
        return None
    if cpu.isolate_emulator_thread:
        return Sourced((*subject.base, "domain", "cpu", "isolateEmulatorThread"), True)
    if theirs is not None and theirs.isolate_emulator_thread:
        return Sourced((*subject.owner, "instancetype"), True, brought.origin)
    return None


def _tsc_frequency(subject: Subject, world: World, configuration: Fact[Configuration], architecture: str) -> Fact[int]:
    """What virt-controller has hinted at, which it does once, else what it would hint at now."""
    status = subject.vmi_status
    if status is not None and status.topology_hints is not None:
        return status.topology_hints.tsc_frequency or 0
    return tsc_frequency(world, configuration, architecture)


def _reenlightenment(subject: Subject, features: Features, brought: _Brought) -> Sourced[bool] | None:
    """``hyperv.reenlightenment`` where it is on: ``{}`` becomes enabled by the VMI's defaulting."""
    own = features.hyperv
    if own is not None and own.reenlightenment is not None:
        path = (*subject.base, "domain", "features", "hyperv", "reenlightenment")
        return Sourced(path, True) if own.reenlightenment.enabled is not False else None
    preferred = brought.preference.features.preferred_hyperv if brought.preference.features else None
    if preferred is not None and preferred.reenlightenment is not None:
        if preferred.reenlightenment.enabled is not False:
            return Sourced((*subject.owner, "preference"), True, "the preference")
    return None
