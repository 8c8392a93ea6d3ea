"""
From VirtualMachine to the VirtualMachineInstance that KubeVirt would run, and the facts about it.

Order inside virt-controller (``pkg/virt-controller/watch/vm/vm.go``, v1.9.0): the VMI is built from the template; the
default network interface is added; instancetype, then preference are applied; virt-api's mutating webhook defaults what
is left (``pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from webhook.facts.migration import ClaimFacts, MigrationFacts, Sourced
from webhook.facts.unknown import Fact, Found, Unknown
from webhook.facts.world import World
from webhook.kubevirt.claims import Modes, default_class, modes_of, property_sets
from webhook.kubevirt.instancetypes import Named, find_instancetype, find_preference
from webhook.kubevirt.interfaces import interfaces_of, on_pod_network
from webhook.kubevirt.nodes import host_model_known, tsc_frequency
from webhook.kubevirt.releases import KNOWN, Release, Releases, before, only, since
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec
from webhook.objects.kubevirt import Configuration, KubeVirt
from webhook.objects.path import FieldPath
from webhook.objects.storage import DataVolumeSpec, PersistentVolumeClaim
from webhook.objects.vmi import CPU, CPUFeature, Devices, Domain, Features, LaunchSecurity

T = TypeVar("T")

DEFAULT_ARCHITECTURE = "amd64"
BUILT_IN = Configuration()
_NO_DOMAIN = Domain()
_NO_DEVICES = Devices()
_NO_CPU = CPU()
_NO_FEATURES = Features()
_NO_INSTANCETYPE = InstancetypeSpec()
_NO_PREFERENCE = PreferenceSpec()

PREFERENCE_VARIANTS: tuple[Releases, ...] = (
    before(Release(1, 1)),
    since(Release(1, 1)) & before(Release(1, 7)),
    since(Release(1, 7)) & before(Release(1, 9)),
    since(Release(1, 9)),
)
"""
Releases between which a preference acts alike. 1.0 adds masquerade beside any binding and knows no annotations;
``preferredArchitecture`` counts from 1.7, ``preferredLaunchSecurity`` from 1.9 (``pkg/instancetype/preference/apply``).
"""
_ANNOTATIONS: Releases = since(Release(1, 1))
STATE_CLAIM_COUNTS: Releases = only(Release(1, 3))
"""Only 1.3 looks at the claim of persistent TPM or EFI state (``pkg/virt-handler/vm.go``, v1.3.1)."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The KubeVirt CR, read once: its configuration in force and the control plane's architecture."""

    configuration: Fact[Configuration]
    architecture: str | None


def cluster_of(world: World) -> Cluster:
    """
    The one KubeVirt CR of the cluster; built-in defaults where it is known that there is none.
    """
    found = world.every(KubeVirt)
    if isinstance(found, Unknown):
        return Cluster(found, None)
    if not found:
        return Cluster(BUILT_IN, None)
    kubevirt = found[0]
    return Cluster(
        kubevirt.spec.configuration or BUILT_IN,
        kubevirt.status.default_architecture if kubevirt.status is not None else None,
    )


def expand(subject: Subject, world: World, releases: Releases = KNOWN) -> Iterator[MigrationFacts]:
    """
    The facts about the VMI, once for every group of ``releases`` in which the expansion differs.

    Never raises: what is not known becomes Unknown in the facts.
    """
    vm = subject.vm
    if vm.instancetype is None and vm.preference is None:
        yield _facts(subject, world, releases, _Brought())
        return
    named = Named(world, subject.namespace, subject.spec, subject.data_volumes)
    status = subject.vm_status
    instancetype, its_name = find_instancetype(named, vm.instancetype, status.instancetype_ref if status else None)
    preference, _ = find_preference(named, vm.preference, status.preference_ref if status else None)
    for variant in PREFERENCE_VARIANTS:
        if releases & variant:
            brought = _Brought(
                instancetype if isinstance(instancetype, InstancetypeSpec) else _NO_INSTANCETYPE,
                its_name,
                preference if isinstance(preference, PreferenceSpec) else _NO_PREFERENCE,
                variant,
                *_hidden(subject, instancetype, preference),
            )
            yield _facts(subject, world, releases & variant, brought)


@dataclass(frozen=True, slots=True)
class _Brought:
    """What instancetype and preference bring to the VMI in one group of releases."""

    instancetype: InstancetypeSpec = _NO_INSTANCETYPE
    instancetype_name: str = ""
    preference: PreferenceSpec = _NO_PREFERENCE
    variant: Releases = KNOWN
    hidden: Unknown | None = None
    hidden_field: str = ""

    @property
    def origin(self) -> str:
        return f"instancetype {self.instancetype_name!r}"


def _hidden(
    subject: Subject, instancetype: Found[InstancetypeSpec], preference: Found[PreferenceSpec]
) -> tuple[Unknown | None, str]:
    if isinstance(instancetype, Unknown):
        return instancetype, "instancetype"
    return (preference, "preference") if isinstance(preference, Unknown) else (None, "")


def _facts(subject: Subject, world: World, releases: Releases, brought: _Brought) -> MigrationFacts:
    spec, base = subject.spec, subject.base
    domain = spec.domain or _NO_DOMAIN
    devices = domain.devices or _NO_DEVICES
    cluster = cluster_of(world)
    configuration = cluster.configuration
    preference = brought.preference
    interfaces, networks, default = interfaces_of(spec, devices, configuration, preference.devices, brought.variant)
    architecture = spec.architecture or (
        preference.preferred_architecture if brought.variant & since(Release(1, 7)) else None
    )
    actual = architecture or cluster.architecture or DEFAULT_ARCHITECTURE
    pod_network, pod_interface = on_pod_network(base, networks, interfaces, default)
    cpu = domain.cpu or _NO_CPU
    cpu_model = cpu.model or (brought.instancetype.cpu.model if brought.instancetype.cpu else None)
    reenlightenment = _reenlightenment(subject, domain.features or _NO_FEATURES, brought)
    claims, overlaid = _claims(subject, world, preference)
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
        state_claim=_state_claim(subject, world, configuration, brought) if releases & STATE_CLAIM_COUNTS else None,
        migrated_volumes=_migrated_volumes(subject),
        gpus=_either(subject, devices.gpus, brought.instancetype.gpus, brought.origin, "domain", "devices", "gpus"),
        host_devices=_either(
            subject,
            devices.host_devices,
            brought.instancetype.host_devices,
            brought.origin,
            "domain",
            "devices",
            "hostDevices",
        ),
        launch_security=_launch_security(subject, domain.launch_security, brought),
        cpu_model=cpu_model or _default_cpu_model(configuration, actual),
        cpu_model_written=cpu_model is not None,
        cpu_features=_cpu_features(cpu, preference),
        reenlightenment=reenlightenment,
        host_model_known=host_model_known(world),
        tsc_frequency=tsc_frequency(world, configuration, actual) if reenlightenment is not None else 0,
        hidden=brought.hidden,
        hidden_path=(*subject.owner, brought.hidden_field) if brought.hidden else (),
        conflicts=_conflicts(subject, domain, devices, cpu, brought.instancetype),
    )


def _annotations(subject: Subject, brought: _Brought) -> Mapping[str, str]:
    """The VMI's annotations; what instancetype and preference bring never overrides what is there."""
    own = subject.meta.annotations or {}
    if not brought.variant & _ANNOTATIONS:
        return own
    added = (brought.preference.annotations, brought.instancetype.annotations)
    return {**(added[0] or {}), **(added[1] or {}), **own} if any(added) else own


def _claims(
    subject: Subject, world: World, preference: PreferenceSpec
) -> tuple[tuple[ClaimFacts, ...], tuple[ClaimFacts, ...]]:
    """Claims that virt-handler looks at, and those under ephemeral volumes, which it does not."""
    templates = subject.data_volumes
    preferred = preference.volumes.preferred_storage_class_name if preference.volumes else None
    if preferred and templates:
        templates = {name: _with_class(each, preferred) for name, each in templates.items()}
    claims: list[ClaimFacts] = []
    overlaid: list[ClaimFacts] = []
    for index, volume in enumerate(subject.spec.volumes or ()):
        claim, into = volume.claim, claims
        if claim is None and volume.ephemeral is not None and volume.ephemeral.persistent_volume_claim is not None:
            claim, into = volume.ephemeral.persistent_volume_claim.claim_name, overlaid
        if claim is not None:
            modes = modes_of(world, subject.namespace, claim, templates)
            path = (*subject.base, "volumes", index)
            into.append(ClaimFacts(volume.name, claim, path, modes.access_modes, modes.expected_from))
    return tuple(claims), tuple(overlaid)


def _with_class(spec: DataVolumeSpec, preferred: str) -> DataVolumeSpec:
    """``preferredStorageClassName`` goes into templates that name no class."""
    if spec.storage is not None and spec.storage.storage_class_name is None:
        return msgspec.structs.replace(
            spec, storage=msgspec.structs.replace(spec.storage, storage_class_name=preferred)
        )
    if spec.pvc is not None and spec.pvc.storage_class_name is None:
        return msgspec.structs.replace(spec, pvc=msgspec.structs.replace(spec.pvc, storage_class_name=preferred))
    return spec


def _state_claim(
    subject: Subject, world: World, configuration: Fact[Configuration], brought: _Brought
) -> ClaimFacts | None:
    """
    The claim of persistent TPM or EFI state, as KubeVirt 1.3 makes it.

    ReadWriteMany where ``vmStateStorageClass`` is set, else ReadWriteOnce; a StorageProfile's set with volumeMode
    Filesystem outranks both (``pkg/storage/backend-storage/backend-storage.go``).
    """
    domain = subject.spec.domain or _NO_DOMAIN
    devices = domain.devices or _NO_DEVICES
    bootloader = domain.firmware.bootloader if domain.firmware else None
    if devices.tpm is not None and devices.tpm.persistent:
        path = (*subject.base, "domain", "devices", "tpm", "persistent")
    elif bootloader is not None and bootloader.efi is not None and bootloader.efi.persistent:
        path = (*subject.base, "domain", "firmware", "bootloader", "efi", "persistent")
    else:
        return None
    claim = f"persistent-state-for-{subject.name}"
    found = world.find(PersistentVolumeClaim, subject.namespace, claim)
    if isinstance(found, PersistentVolumeClaim):
        return ClaimFacts("", claim, path, frozenset(found.spec.access_modes or ()))
    modes = _state_modes(world, configuration)
    return ClaimFacts("", claim, path, modes.access_modes, modes.expected_from)


def _state_modes(world: World, configuration: Fact[Configuration]) -> Modes:
    if isinstance(configuration, Unknown):
        return Modes(configuration)
    named = configuration.vm_state_storage_class
    storage_class = named or default_class(world, prefer_virt=False)
    mode = "ReadWriteMany" if named else "ReadWriteOnce"
    if isinstance(storage_class, Unknown):
        return Modes(storage_class)
    if isinstance(storage_class, str):
        sets = property_sets(world, storage_class)
        if isinstance(sets, Unknown):
            return Modes(sets)
        offered = {each for one in sets if one.volume_mode == "Filesystem" for each in one.access_modes or ()}
        if offered & {"ReadWriteMany", "ReadWriteOnce"}:
            mode = "ReadWriteMany" if "ReadWriteMany" in offered else "ReadWriteOnce"
    return Modes(frozenset((mode,)), "KubeVirt's choice for persistent TPM or EFI state")


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
    if preferred is not None and brought.variant & since(Release(1, 9)):
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


def _conflicts(
    subject: Subject, domain: Domain, devices: Devices, cpu: CPU, instancetype: InstancetypeSpec
) -> tuple[FieldPath, ...]:
    """Fields that the VM and its instancetype both set (``pkg/instancetype/apply``, v1.9.0)."""
    if instancetype is _NO_INSTANCETYPE:
        return ()
    pairs: tuple[tuple[bool, tuple[str, ...]], ...] = (
        (bool(devices.gpus and instancetype.gpus), ("domain", "devices", "gpus")),
        (bool(devices.host_devices and instancetype.host_devices), ("domain", "devices", "hostDevices")),
        (domain.launch_security is not None and instancetype.launch_security is not None, ("domain", "launchSecurity")),
        (
            bool(cpu.model and instancetype.cpu is not None and instancetype.cpu.model),
            ("domain", "cpu", "model"),
        ),
        (
            domain.memory is not None and domain.memory.guest is not None and instancetype.memory is not None,
            ("domain", "memory", "guest"),
        ),
    )
    return tuple((*subject.base, *steps) for both, steps in pairs if both)
