"""
The facts about the VirtualMachineInstance that KubeVirt creates for a VirtualMachine.

virt-controller builds the VMI from the template and adds the default network interface (``pkg/virt-controller/watch/vm/vm.go``,
v1.9.0). Next, virt-controller applies the instancetype, and finally the preference. virt-api's mutating webhook sets the
remaining defaults (``pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go``). This module ignores
VirtualMachineInstancePresets, which the mutating webhook also merges.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from webhook.facts.migration import ClaimFacts, Conflict, MigrationFacts, Sourced
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.expansion.inherited import NO_INSTANCETYPE, NO_PREFERENCE, Inherited, inherited_by
from webhook.kubevirt.expansion.interfaces import interfaces_of, on_pod_network
from webhook.kubevirt.expansion.nodes import host_model_known, tsc_frequency
from webhook.kubevirt.expansion.state_claim import STATE_CLAIM_COUNTS, state_claim
from webhook.kubevirt.expansion.volumes import claims_behind, templates_of
from webhook.kubevirt.expansion.workload import guest_memory
from webhook.kubevirt.releases import KNOWN, Release, Releases, since
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec
from webhook.objects.kubevirt import Configuration
from webhook.objects.path import FieldPath
from webhook.objects.vm import MIGRATION, MIGRATION_TARGET, WAIT_AS_RECEIVER
from webhook.objects.vmi import CPU, CPUFeature, Devices, Domain, Features, LaunchSecurity

T = TypeVar("T")

DEFAULT_ARCHITECTURE = "amd64"
_NO_DOMAIN = Domain()
_NO_DEVICES = Devices()
_NO_CPU = CPU()
_NO_FEATURES = Features()
_NO_ANNOTATIONS: Mapping[str, str] = {}
_NO_LABELS: Mapping[str, str] = {}
_NO_ADDED_ANNOTATIONS: Mapping[str, FieldPath] = {}

_PREFERRED_LAUNCH_SECURITY: Releases = since(Release(1, 9))


def expand(subject: Subject, world: World, releases: Releases = KNOWN) -> Iterator[MigrationFacts]:
    """
    Yields the facts about the VMI, once for each group of ``releases`` with the same facts.

    This function never raises an exception. A missing object becomes Unknown in the facts.
    """
    for inherited in inherited_by(subject, world, releases):
        yield _facts(subject, world, inherited)


def _facts(subject: Subject, world: World, inherited: Inherited) -> MigrationFacts:
    spec, base = subject.spec, subject.base
    domain = spec.domain or _NO_DOMAIN
    devices = domain.devices or _NO_DEVICES
    cluster = cluster_of(world)
    configuration = cluster.configuration
    preference, instancetype = inherited.preference, inherited.instancetype
    inherits = preference is not NO_PREFERENCE or instancetype is not NO_INSTANCETYPE
    interfaces, networks, default = interfaces_of(spec, devices, configuration, preference.devices, inherited.releases)
    architecture = spec.architecture or inherited.architecture
    actual = architecture or cluster.architecture or DEFAULT_ARCHITECTURE
    pod_network, pod_interface = on_pod_network(base, networks, interfaces, default)
    cpu = domain.cpu or _NO_CPU
    annotations = subject.meta.annotations or _NO_ANNOTATIONS
    written = _written_cpu_model(subject, cpu, inherited) if cpu.model or inherits else None
    reenlightenment = (
        _reenlightenment(subject, domain.features or _NO_FEATURES, inherited) if domain.features or inherits else None
    )
    claims, overlaid = claims_behind(subject, world, inherited)
    model = written.value if written is not None else _default_cpu_model(configuration, actual)
    return MigrationFacts(
        releases=inherited.releases,
        kind=subject.kind,
        namespace=subject.namespace,
        name=subject.name,
        base=base,
        spec=spec,
        node_selector=_node_selector(subject, inherited) if spec.node_selector or inherits else None,
        annotations=inherited.annotations(annotations) if inherits else annotations,
        outer_annotations=subject.outer.annotations or _NO_ANNOTATIONS,
        labels=subject.meta.labels or _NO_LABELS,
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
        templates=templates_of(subject, world, inherited, claims) if subject.vm.data_volume_templates else (),
        volumes_strategy=(*subject.owner, "updateVolumesStrategy")
        if subject.vm.update_volumes_strategy == MIGRATION
        else None,
        is_receiver=_is_receiver(subject, configuration, inherited.releases),
        state_claim=state_claim(subject, world, configuration, preference)
        if inherited.releases & STATE_CLAIM_COUNTS
        else None,
        migrated_volumes=_migrated_volumes(subject) if subject.vmi_status is not None else frozenset(),
        gpus=_either(subject, devices.gpus, instancetype.gpus, inherited, "gpus")
        if devices.gpus or instancetype.gpus
        else (),
        host_devices=_either(subject, devices.host_devices, instancetype.host_devices, inherited, "hostDevices")
        if devices.host_devices or instancetype.host_devices
        else (),
        launch_security=_launch_security(subject, domain.launch_security, inherited)
        if domain.launch_security is not None or inherits
        else None,
        guest_memory=guest_memory(subject, inherited),
        cpu_model=model,
        written_cpu_model=written,
        cpu_features=_cpu_features(cpu, preference) if cpu.features or inherits else (),
        isolated_emulator_thread=_isolated_emulator_thread(subject, cpu, inherited)
        if cpu.dedicated_cpu_placement or inherits
        else None,
        reenlightenment=reenlightenment,
        host_model_known=host_model_known(world) if isinstance(model, Unknown) or model == "host-model" else True,
        tsc_frequency=_tsc_frequency(subject, world, configuration, actual) if reenlightenment is not None else 0,
        hidden=inherited.unknown,
        hidden_path=(*subject.owner, inherited.unknown_field) if inherited.unknown else (),
        hidden_architecture=inherited.unknown_preference if architecture is None else None,
        assumptions=(*inherited.assumptions, *_new_claims(claims))
        if subject.vm.data_volume_templates
        else inherited.assumptions,
        conflicts=_conflicts(subject, instancetype) if instancetype is not NO_INSTANCETYPE else (),
        crashing_preference=(*subject.owner, "preference")
        if domain.cpu is None and subject.vm.instancetype is None and _prefers_features(preference)
        else None,
        added_annotations=_added_annotations(subject, inherited) if inherits else _NO_ADDED_ANNOTATIONS,
    )


def _added_annotations(subject: Subject, inherited: Inherited) -> Mapping[str, FieldPath]:
    own = subject.meta.annotations or {}
    sources = (("preference", inherited.preference.annotations), ("instancetype", inherited.instancetype.annotations))
    return {key: (*subject.owner, field) for field, added in sources for key in added or () if key not in own}


def _new_claims(claims: Sequence[ClaimFacts]) -> Iterator[str]:
    """The assumptions about claims that were not provided and that the VM's templates would create."""
    for claim in dict.fromkeys(claim.claim for claim in claims if claim.is_new):
        yield f"PVC {claim!r} does not exist yet (its dataVolumeTemplate then decides the access modes)"


def _conflicts(subject: Subject, instancetype: InstancetypeSpec) -> tuple[Conflict, ...]:
    from webhook.kubevirt.expansion.conflicts import conflicts  # noqa: PLC0415 - most VMs have no instancetype

    return conflicts(subject, instancetype)


def _is_receiver(subject: Subject, configuration: Fact[Configuration], releases: Releases) -> bool:
    annotations = subject.meta.annotations or _NO_ANNOTATIONS
    if subject.vm.run_strategy != WAIT_AS_RECEIVER and annotations.get(MIGRATION_TARGET) != "true":
        return False
    from webhook.kubevirt.expansion.receiver import receives  # noqa: PLC0415 - few VMs wait for a migration

    return receives(configuration, releases)


def _migrated_volumes(subject: Subject) -> frozenset[str]:
    status = subject.vmi_status
    if status is None or not status.migrated_volumes:
        return frozenset()
    return frozenset(volume.volume_name for volume in status.migrated_volumes)


def _either(
    subject: Subject, own: Sequence[T] | None, theirs: Sequence[T] | None, inherited: Inherited, field: str
) -> tuple[Sourced[T], ...]:
    """
    The VM's own list with paths, or the instancetype's list if the VM's own list is empty. KubeVirt refuses a VM that has both
    lists.
    """
    if own:
        return tuple(
            Sourced((*subject.base, "domain", "devices", field, index), item) for index, item in enumerate(own)
        )
    if theirs:
        return tuple(Sourced((*subject.owner, "instancetype"), item, inherited.origin) for item in theirs)
    return ()


def _node_selector(subject: Subject, inherited: Inherited) -> Sourced[Mapping[str, str]] | None:
    """The VM's own ``nodeSelector``, or that of the instancetype. KubeVirt refuses a VM that has both."""
    if subject.spec.node_selector:
        return Sourced((*subject.base, "nodeSelector"), subject.spec.node_selector)
    if inherited.instancetype.node_selector:
        return Sourced((*subject.owner, "instancetype"), inherited.instancetype.node_selector, inherited.origin)
    return None


def _launch_security(
    subject: Subject, own: LaunchSecurity | None, inherited: Inherited
) -> Sourced[LaunchSecurity] | None:
    if own is not None:
        return Sourced((*subject.base, "domain", "launchSecurity"), own)
    if inherited.instancetype.launch_security is not None:
        return Sourced((*subject.owner, "instancetype"), inherited.instancetype.launch_security, inherited.origin)
    preferred = inherited.preference.preferred_launch_security
    if preferred is not None and inherited.releases & _PREFERRED_LAUNCH_SECURITY:
        return Sourced((*subject.owner, "preference"), preferred, "the preference")
    return None


def _written_cpu_model(subject: Subject, cpu: CPU, inherited: Inherited) -> Sourced[str] | None:
    if cpu.model:
        return Sourced((*subject.base, "domain", "cpu", "model"), cpu.model)
    theirs = inherited.instancetype.cpu
    if theirs is not None and theirs.model:
        return Sourced((*subject.owner, "instancetype"), theirs.model, inherited.origin)
    return None


def _default_cpu_model(configuration: Fact[Configuration], architecture: str) -> Fact[str]:
    """
    The CPU model of a VM that does not set one.

    The default model is the CR's ``cpuModel``, or host-model if the CR has no ``cpuModel``. On arm64 the default model is
    always host-passthrough.

    Source: ``pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go``, v1.9.0.
    """
    if architecture == "arm64":
        return "host-passthrough"
    if isinstance(configuration, Unknown):
        return configuration
    return configuration.cpu_model or "host-model"


def _prefers_features(preference: PreferenceSpec) -> bool:
    return preference.cpu is not None and bool(preference.cpu.preferred_cpu_features)


def _cpu_features(cpu: CPU, preference: PreferenceSpec) -> tuple[CPUFeature, ...]:
    """
    The VM's own CPU features, then the features that only the preference lists (``preference/apply/cpu.go``, v1.9.0).
    """
    own = tuple(cpu.features or ())
    preferred = (preference.cpu.preferred_cpu_features if preference.cpu else None) or ()
    names = {feature.name for feature in own}
    return (*own, *(feature for feature in preferred if feature.name not in names))


def _isolated_emulator_thread(subject: Subject, cpu: CPU, inherited: Inherited) -> Sourced[bool] | None:
    """Whether the VM has dedicated CPUs with an isolated emulator thread. The instancetype can set both fields."""
    theirs = inherited.instancetype.cpu
    if not (cpu.dedicated_cpu_placement or (theirs is not None and theirs.dedicated_cpu_placement)):
        return None
    if cpu.isolate_emulator_thread:
        return Sourced((*subject.base, "domain", "cpu", "isolateEmulatorThread"), True)
    if theirs is not None and theirs.isolate_emulator_thread:
        return Sourced((*subject.owner, "instancetype"), True, inherited.origin)
    return None


def _tsc_frequency(subject: Subject, world: World, configuration: Fact[Configuration], architecture: str) -> Fact[int]:
    """
    The TSC frequency in the VMI's status. virt-controller writes this status only once.

    If the status has no frequency, the result is the frequency that virt-controller would write now.
    """
    status = subject.vmi_status
    if status is not None and status.topology_hints is not None:
        return status.topology_hints.tsc_frequency or 0
    return tsc_frequency(world, configuration, architecture)


def _reenlightenment(subject: Subject, features: Features, inherited: Inherited) -> Sourced[bool] | None:
    """The field ``hyperv.reenlightenment`` if it is on, otherwise None. By KubeVirt's default, the value ``{}`` means on."""
    own = features.hyperv
    if own is not None and own.reenlightenment is not None:
        path = (*subject.base, "domain", "features", "hyperv", "reenlightenment")
        return Sourced(path, True) if own.reenlightenment.enabled is not False else None
    preferred = inherited.preference.features.preferred_hyperv if inherited.preference.features else None
    if preferred is not None and preferred.reenlightenment is not None:
        if preferred.reenlightenment.enabled is not False:
            return Sourced((*subject.owner, "preference"), True, "the preference")
    return None
