"""
The KubeVirt CR that HyperConverged's operator writes for a HyperConverged CR, as far as verdicts and rules depend on it.

Sources: hyperconverged-cluster-operator v1.18.1 and main of 2026-08-21, ``controllers/handlers/kubevirt.go`` (``NewKubeVirt``,
``getKVConfig``, ``hcLiveMigrationToKv``), ``pkg/webhooks/mutator`` (``mutateEvictionStrategy``).
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.hyperconverged.json_patch import CannotApply, apply
from webhook.kubevirt.hyperconverged.releases import (
    LAST_WITH_OLD_DEFAULTS,
    defaults,
    feature_gates,
    kubevirt_release,
)
from webhook.kubevirt.releases import Release
from webhook.kubevirt.settings.hyper_converged import JSON_PATCH, LIVE_MIGRATION
from webhook.kubevirt.settings.settings import ALLOW_WORKLOAD_DISRUPTION
from webhook.objects.hyper_converged import HyperConverged, PermittedDevices, WrittenConfiguration
from webhook.objects.kubevirt import (
    CommonInstancetypesDeployment,
    Configuration,
    KubeVirt,
    RegisteredBinding,
    WorkloadUpdateStrategy,
)
from webhook.objects.meta import Json, ObjectMeta
from webhook.objects.path import FieldPath

NAME: Final = "kubevirt-kubevirt-hyperconverged"
_PASST: Final = "hco.kubevirt.io/deployPasstNetworkBinding"
_BINDING: Final = "l2bridge"
"""The binding that the operator always registers (``primaryUDNNetworkBindingName``)."""
_WHY: Final = "annotation {} of the HyperConverged CR cannot be applied: {}"
_SETTLE: Final = "add the KubeVirt CR to the input"


class Written(msgspec.Struct, frozen=True):
    """The KubeVirt CR that the operator writes."""

    kubevirt: Fact[KubeVirt]
    """Unknown if the annotation with a JSON patch cannot be applied."""
    unpatched: KubeVirt
    """The CR before the annotation's JSON patch is applied."""
    patched: tuple[FieldPath, ...] = ()
    """The paths that the annotation changes."""


class Settings(msgspec.Struct, frozen=True):
    """The parts of a HyperConverged CR that the operator copies, read from their paths in the object's API version."""

    migrations: Json
    eviction_strategy: str | None
    update_strategy: WorkloadUpdateStrategy | None
    devices: PermittedDevices | None
    cpu_model: str | None
    bindings: Mapping[str, RegisteredBinding] | None
    state_storage_class: str | None


def settings_of(hyper_converged: HyperConverged) -> Settings:
    """The settings of an object of version v1beta1 or v1."""
    spec = hyper_converged.spec
    if not hyper_converged.is_v1:
        return Settings(
            spec.live_migration_config,
            spec.eviction_strategy,
            spec.workload_update_strategy,
            spec.permitted_host_devices,
            spec.default_cpu_model,
            spec.network_binding,
            spec.vm_state_storage_class,
        )
    virtual, storage, networking = spec.virtualization, spec.storage, spec.networking
    if virtual is None:
        return Settings(
            None,
            None,
            None,
            None,
            None,
            networking.network_binding if networking is not None else None,
            storage.vm_state_storage_class if storage is not None else None,
        )
    options = virtual.virtual_machine_options
    return Settings(
        virtual.live_migration_config,
        virtual.eviction_strategy,
        virtual.workload_update_strategy,
        virtual.permitted_host_devices,
        options.default_cpu_model if options is not None else None,
        networking.network_binding if networking is not None else None,
        storage.vm_state_storage_class if storage is not None else None,
    )


def written_gates(hyper_converged: HyperConverged) -> dict[str, bool]:
    """The object's gates, by lower-case name. Entries of a wrong type are left out."""
    gates = hyper_converged.spec.feature_gates
    if isinstance(gates, dict):
        return {name.lower(): state for name, state in gates.items() if isinstance(state, bool)}
    entries: Iterable[Json] = gates if isinstance(gates, list) else ()
    return {
        entry["name"].lower(): entry.get("state") != "Disabled"
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }


def written_kubevirt(hyper_converged: HyperConverged, release: Release) -> Written:
    """The KubeVirt CR that HyperConverged's operator writes, in the HyperConverged release that deploys this KubeVirt release."""
    raw = _raw(hyper_converged, release)
    unpatched = _convert(raw)
    patch = (hyper_converged.meta.annotations or {}).get(JSON_PATCH)
    if patch is None:
        return Written(unpatched, unpatched)
    try:
        patched, paths = apply(patch, raw)
        return Written(_convert(patched), unpatched, paths)
    except CannotApply as problem:
        why = str(problem)
    except msgspec.ValidationError:
        why = "it sets a value of a wrong type"
    return Written(Unknown(_WHY.format(JSON_PATCH, why), _SETTLE), unpatched)


def _convert(raw: Json) -> KubeVirt:
    kubevirt = msgspec.convert(raw, KubeVirt)
    configuration = kubevirt.spec.configuration or Configuration()
    written = WrittenConfiguration(**{name: getattr(configuration, name) for name in configuration.__struct_fields__})
    return replace(kubevirt, spec=replace(kubevirt.spec, configuration=written))


def _raw(hyper_converged: HyperConverged, release: Release) -> dict[str, Json]:
    settings = settings_of(hyper_converged)
    listed, disabled = feature_gates(written_gates(hyper_converged), release)
    if (hyper_converged.meta.annotations or {}).get(_PASST) == "true":
        listed.append("PasstBinding" if release >= Release(1, 8) else "PasstIPStackMigration")
        disabled = [gate for gate in disabled if gate not in listed]
    bindings = {name: msgspec.to_builtins(binding) for name, binding in (settings.bindings or {}).items()}
    configuration: dict[str, Json] = {
        "developerConfiguration": {"featureGates": listed, "disabledFeatureGates": disabled},
        "network": {"defaultNetworkInterface": "masquerade", "binding": {**bindings, _BINDING: {"migration": {}}}},
        "migrations": _migrations(settings.migrations, release),
        "evictionStrategy": _eviction_strategy(hyper_converged, settings),
        "vmRolloutStrategy": "LiveUpdate",
        "vmStateStorageClass": settings.state_storage_class or None,
        "cpuModel": settings.cpu_model or None,
    }
    if settings.devices is not None:
        kept = [device for device in settings.devices.mediated_devices or () if not device.disabled]
        configuration["permittedHostDevices"] = {
            "mediatedDevices": [
                {"mdevNameSelector": device.mdev_name_selector, "resourceName": device.resource_name} for device in kept
            ]
        }
    update = settings.update_strategy
    methods = update.workload_update_methods if update is not None else None
    deployment = _instancetypes(hyper_converged)
    if deployment is not None:
        configuration["commonInstancetypesDeployment"] = msgspec.to_builtins(deployment)
    version = kubevirt_release(hyper_converged)
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": msgspec.to_builtins(ObjectMeta(name=NAME, namespace=hyper_converged.meta.namespace)),
        "spec": {
            "configuration": {name: value for name, value in configuration.items() if value is not None},
            "workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"] if methods is None else list(methods)},
        },
        "status": {"observedKubeVirtVersion": version} if version else None,
    }


def _instancetypes(hyper_converged: HyperConverged) -> CommonInstancetypesDeployment | None:
    spec = hyper_converged.spec
    if not hyper_converged.is_v1:
        return spec.common_instancetypes_deployment
    return spec.workload_sources.common_instancetypes_deployment if spec.workload_sources is not None else None


def _migrations(written: Json, release: Release) -> Json:
    """The settings with the operator's defaults. Settings that HyperConverged does not have are left out."""
    if written is not None and not isinstance(written, dict):
        return written
    kept = {name: value for name, value in (written or {}).items() if name in LIVE_MIGRATION and value is not None}
    if release <= LAST_WITH_OLD_DEFAULTS:
        kept.pop(ALLOW_WORKLOAD_DISRUPTION, None)
    return {**defaults(release), **kept}


def _eviction_strategy(hyper_converged: HyperConverged, settings: Settings) -> str | None:
    """
    The strategy in the CR, otherwise the strategy that HyperConverged's webhook writes, or None if this is unknown.

    The webhook writes LiveMigrate in a cluster with several worker nodes, and None in a cluster with one worker node.
    """
    status = hyper_converged.status
    several = status.infrastructure_highly_available if status is not None else None
    if settings.eviction_strategy is not None or several is None:
        return settings.eviction_strategy
    return "LiveMigrate" if several else "None"
