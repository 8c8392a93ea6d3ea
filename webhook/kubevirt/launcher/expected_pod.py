"""
The target pod of a VM that may not run yet, from the facts about its VMI.

The facts do not contain everything that adds to a pod: ``supportContainerResources``, ``virtualMachineOptions`` and sidecars have
KubeVirt's defaults. This module does no I/O.

Source: ``pkg/defaults/defaults.go`` and ``pkg/instancetype/apply``, v1.9.0, and the modules of this package.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.inherited import inherited_by
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod
from webhook.kubevirt.launcher.surroundings import Surroundings
from webhook.kubevirt.releases import Release, Version, newest
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeSpec
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.nad import Namespace, NetworkAttachmentDefinition
from webhook.objects.pods import Pod
from webhook.objects.quantity import parse_quantity
from webhook.objects.storage import ClaimSpec, PersistentVolumeClaim
from webhook.scheduling.pod_defaults import with_api_defaults

_BLOCK: Final = PersistentVolumeClaim(spec=ClaimSpec(volume_mode="Block"))
_Json = dict[str, Any]


def expected_pod(
    facts: MigrationFacts, subject: Subject, world: World, quota_resources: Iterable[str] = ()
) -> Pod | None:
    """
    The target pod in the newest release of ``facts``, or None if it is not known. ``quota_resources`` are the resources that the
    quotas of the namespace limit.
    """
    guest = facts.guest_memory
    if facts.hidden is not None or not isinstance(guest, Sourced) or parse_quantity(guest.value) is None:
        return None
    *_, inherited = inherited_by(subject, world, facts.releases)
    try:
        vmi = msgspec.convert(_vmi(facts, subject, inherited.instancetype), LauncherVMI)
        rendered = launcher_pod(vmi, _around(facts, world, frozenset(quota_resources), vmi), is_target=True)
    except ValueError:  # such as a quantity that the API server refuses
        return None
    return with_api_defaults(rendered.pod()) if isinstance(rendered, Rendered) else None


def _vmi(facts: MigrationFacts, subject: Subject, instancetype: InstancetypeSpec) -> _Json:
    """The VMI as KubeVirt stores it, as JSON."""
    spec: _Json = _plain(facts.spec)
    domain: _Json = spec.setdefault("domain", {})
    devices: _Json = domain.setdefault("devices", {})
    devices["interfaces"] = _plain(facts.interfaces)
    devices["gpus"] = [_plain(gpu.value) for gpu in facts.gpus]
    devices["hostDevices"] = [_plain(device.value) for device in facts.host_devices]
    spec["networks"] = _plain(facts.networks)
    spec["architecture"] = facts.architecture
    if facts.node_selector is not None:
        spec["nodeSelector"] = dict(facts.node_selector.value)
    _set_cpu(domain, instancetype)
    _set_memory(domain, facts, instancetype)
    for key, value in (("ioThreadsPolicy", instancetype.io_threads_policy), ("ioThreads", instancetype.io_threads)):
        if value is not None:
            domain[key] = _plain(value)
    meta = {"name": subject.name or "vm", "namespace": subject.namespace}
    return {"metadata": {**meta, "labels": {**facts.labels}, "annotations": {**facts.annotations}}, "spec": spec}


def _set_cpu(domain: _Json, instancetype: InstancetypeSpec) -> None:
    """The vCPUs (``SetDefaultGuestCPUTopology``) and the default request (``setDefaultResourceRequests``)."""
    cpu: _Json = domain.setdefault("cpu", {})
    resources: _Json = domain.setdefault("resources", {})
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    if "cpu" in limits and "cpu" not in requests:
        resources["requests"] = requests = {**requests, "cpu": limits["cpu"]}
    inherited = instancetype.cpu
    if inherited is not None:
        cpu |= {"cores": inherited.guest or 1, "sockets": 1, "threads": 1}
        cpu["dedicatedCpuPlacement"] = bool(inherited.dedicated_cpu_placement or cpu.get("dedicatedCpuPlacement"))
        cpu["isolateEmulatorThread"] = bool(inherited.isolate_emulator_thread or cpu.get("isolateEmulatorThread"))
    elif not any(cpu.get(part) for part in ("cores", "sockets", "threads")):
        written = parse_quantity(limits.get("cpu", requests.get("cpu", 1)))
        cpu |= {"cores": 1, "sockets": written.value if written is not None else 1, "threads": 1}


def _set_memory(domain: _Json, facts: MigrationFacts, instancetype: InstancetypeSpec) -> None:
    """The guest memory (``setGuestMemory``), and the request, which the mutating webhook of releases before 1.6.4 writes."""
    memory: _Json = domain.setdefault("memory", {})
    guest = facts.guest_memory
    if isinstance(guest, Unknown) or guest is None:
        return
    memory["guest"] = guest.value
    if instancetype.memory is not None and instancetype.memory.hugepages is not None:
        memory["hugepages"] = _plain(instancetype.memory.hugepages)
    resources: _Json = domain["resources"]
    requests = resources.get("requests", {})
    if newest(facts.releases).release < Release(1, 7) and requests.get("memory") in {None, 0, "0"}:
        limit = resources.get("limits", {}).get("memory")
        quantity = parse_quantity(guest.value)
        overcommit = _overcommit(facts)
        if limit is None and quantity is not None:
            limit = guest.value if overcommit == 100 else quantity.value * 100 // overcommit
        resources["requests"] = {**requests, "memory": limit}


def _overcommit(facts: MigrationFacts) -> int:
    """The percentage of ``memoryOvercommit``."""
    if isinstance(facts.configuration, Unknown) or facts.configuration.developer_configuration is None:
        return 100
    return max(facts.configuration.developer_configuration.memory_overcommit or 100, 1)


def _around(facts: MigrationFacts, world: World, limited: frozenset[str], vmi: LauncherVMI) -> Surroundings:
    configuration = LauncherConfiguration()
    if not isinstance(facts.configuration, Unknown):
        configuration = msgspec.convert(_plain(facts.configuration), LauncherConfiguration)
    release = newest(facts.releases).release
    space = world.find(Namespace, "", facts.namespace)
    return Surroundings(
        Version(release.major, release.minor, 0),
        msgspec.structs.replace(configuration, permitted_host_devices=None),
        facts.architecture,
        space.meta.labels or {} if isinstance(space, Namespace) else {},
        limited,
        {volume.claim: _BLOCK for volume in vmi.spec.volumes or () if volume.claim},
        dict(_networks(facts, world)),
    )


def _networks(facts: MigrationFacts, world: World) -> Iterable[tuple[str, Mapping[str, str]]]:
    """The annotations of the networks of the VM."""
    for network in facts.networks:
        if network.multus is None:
            continue
        namespace, slash, name = network.multus.network_name.partition("/")
        space, name = (namespace, name) if slash else (facts.namespace, namespace)
        found = world.find(NetworkAttachmentDefinition, space, name)
        known = found.meta.annotations if isinstance(found, NetworkAttachmentDefinition) else None
        yield f"{space}/{name}", known or {}


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """The JSON of structs, without fields that are null."""
    return _without_nulls(msgspec.to_builtins(value))


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(member) for member in value] if isinstance(value, list | tuple) else value
