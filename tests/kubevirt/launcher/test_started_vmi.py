"""The VMI that KubeVirt stores when a VM starts."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.kubevirt.evictions import release_of
from tests.kubevirt.target_pods import Case, cases_of, fields_of, normal, surroundings
from tests.kubevirt.test_target_pods import FILES
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod
from webhook.kubevirt.launcher.started_vmi import started_vmi
from webhook.kubevirt.launcher.surroundings import Surroundings
from webhook.kubevirt.releases import Version
from webhook.objects.instancetype import VirtualMachineInstancetype, VirtualMachinePreference
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.launcher_vmi import LauncherTemplate, LauncherVMI, LauncherVMIStatus
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import VirtualMachine

VERSION = Version(1, 9, 0)


def started(spec: Any, *world: Kubernetes, version: Version = VERSION, **more: Any) -> LauncherVMI:
    """The VMI of a VM with this template."""
    configuration = more.pop("configuration", {})
    vm: Any = {
        "metadata": {"name": "vm", "namespace": "lab", "uid": "u"},
        "spec": {"template": {"metadata": more.pop("metadata", {}), "spec": spec}, **more},
    }
    cr = msgspec.convert({"metadata": {"name": "kubevirt"}, "spec": {"configuration": configuration}}, KubeVirt)
    vmi = started_vmi(
        msgspec.convert(vm, VirtualMachine),
        msgspec.convert(vm["spec"]["template"], LauncherTemplate),
        ObjectsWorld((cr, *world), (VirtualMachineInstancetype,)),
        msgspec.convert(configuration, LauncherConfiguration),
        version,
    )
    assert isinstance(vmi, LauncherVMI), vmi
    return vmi


def fields(vmi: LauncherVMI, around: Surroundings) -> Any:
    pod = launcher_pod(vmi, around)
    return normal(fields_of(pod)) if isinstance(pod, Rendered) else pod


def without_defaults(case: Case) -> Any:
    """The stored spec, without the fields that have KubeVirt's default."""
    spec, configuration = copy.deepcopy(case["vmi"]["spec"]), case.get("kubevirt") or {}
    domain = spec["domain"]
    if spec.get("architecture") == (case.get("defaultArchitecture") or "amd64"):
        del spec["architecture"]
    machines = {"amd64": "q35", "arm64": "virt", "s390x": "s390-ccw-virtio"}
    default = configuration.get("machineType") or machines[case["vmi"]["spec"]["architecture"]]
    if domain.get("machine", {}).get("type") == default and "architectureConfiguration" not in configuration:
        del domain["machine"]
    cpu = domain.get("cpu") or {}
    if cpu.get("model") == "host-model" and "cpuModel" not in configuration:
        del cpu["model"]
    resources = domain.get("resources") or {}
    has_cpu = any("cpu" in (resources.get(part) or {}) for part in ("requests", "limits"))
    if not has_cpu and all(cpu.get(part) == 1 for part in ("cores", "sockets", "threads")):
        for part in ("cores", "sockets", "threads"):
            del cpu[part]
    return spec


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_defaults_are_those_of_kubevirts_webhook(file: Path) -> None:
    """
    The stored VMIs have passed the mutating webhook of the release. Without the fields that have a default, the pod is the same.
    """
    version, stripped = release_of(file, None), 0
    for case in cases_of(file):
        around = surroundings(case, version)
        meta = {part: case["vmi"]["metadata"].get(part) or {} for part in ("labels", "annotations")}
        stored = replace(msgspec.convert(case["vmi"], LauncherVMI), status=LauncherVMIStatus())
        spec = without_defaults(case)
        stripped += spec != case["vmi"]["spec"]
        configuration = case.get("kubevirt") or {}
        if around.architecture != "amd64":
            configuration = {**configuration, "architectureConfiguration": {"defaultArchitecture": around.architecture}}
        vmi = started(spec, metadata=meta, configuration=configuration, version=version)
        named = replace(vmi, metadata=stored.meta)

        assert fields(named, around) == fields(stored, around), case["id"]
    assert stripped > 100


def test_an_instancetype_gives_cpus_memory_devices_and_selectors() -> None:
    """
    And a preference gives firmware and devices.
    """
    instancetype = msgspec.convert(
        {
            "metadata": {"name": "big", "namespace": "lab"},
            "spec": {
                "cpu": {"guest": 4, "dedicatedCPUPlacement": True, "realtime": {}},
                "memory": {"guest": "8Gi", "hugepages": {"pageSize": "2Mi"}},
                "gpus": [{"name": "gpu", "deviceName": "nvidia.com/A100"}],
                "nodeSelector": {"disk": "fast"},
                "schedulerName": "own",
            },
        },
        VirtualMachineInstancetype,
    )
    preference = msgspec.convert(
        {
            "metadata": {"name": "secure", "namespace": "lab"},
            "spec": {
                "devices": {"preferredTPM": {"persistent": True}},
                "firmware": {"preferredEfi": {"persistent": True}},
            },
        },
        VirtualMachinePreference,
    )
    vmi = started(
        {"domain": {"devices": {}}},
        instancetype,
        preference,
        instancetype={"name": "big", "kind": "VirtualMachineInstancetype"},
        preference={"name": "secure", "kind": "VirtualMachinePreference"},
    )
    domain = vmi.spec.domain

    assert domain.cpu is not None
    assert (domain.cpu.vcpus, domain.cpu.dedicated_cpu_placement, domain.cpu.model) == (4, True, "host-model")
    assert domain.cpu.realtime is not None
    assert domain.memory is not None
    assert domain.memory.hugepages is not None
    assert (domain.memory.guest, domain.memory.hugepages.page_size) == ("8Gi", "2Mi")
    assert [gpu.device_name for gpu in domain.devices.gpus or ()] == ["nvidia.com/A100"]
    assert (vmi.spec.node_selector, vmi.spec.scheduler_name) == ({"disk": "fast"}, "own")
    assert domain.devices.tpm is not None
    assert domain.devices.tpm.persistent
    assert domain.firmware is not None
    assert domain.firmware.bootloader is not None
    assert domain.firmware.bootloader.efi is not None


def test_a_missing_instancetype_is_unknown() -> None:
    """
    The pod would have too few CPUs and too little memory.
    """
    vm: Any = {
        "metadata": {"name": "vm"},
        "spec": {"instancetype": {"name": "big"}, "template": {"spec": {"domain": {}}}},
    }
    vmi = started_vmi(
        msgspec.convert(vm, VirtualMachine),
        msgspec.convert(vm["spec"]["template"], LauncherTemplate),
        ObjectsWorld(()),
        LauncherConfiguration(),
        VERSION,
    )

    assert isinstance(vmi, Unknown)


@pytest.mark.parametrize(
    ("version", "requests"),
    [
        (Version(1, 6, 1), {"memory": "2147483648"}),
        (Version(1, 6, 2), {"memory": "4Gi"}),
        (Version(1, 6, 3), {"memory": "2147483648"}),
        (Version(1, 6, 4), None),
        (Version(1, 9, 0), None),
    ],
)
def test_the_webhook_wrote_the_memory_request_up_to_1_6_3(version: Version, requests: dict[str, str] | None) -> None:
    """
    With an overcommit of 200 %. Later, virt-controller computes the request.
    """
    configuration = {"developerConfiguration": {"memoryOvercommit": 200}}
    vmi = started({"domain": {"memory": {"guest": "4Gi"}}}, version=version, configuration=configuration)

    assert vmi.spec.domain.resources.requests == requests


def test_a_memory_limit_was_the_request_up_to_1_6_3() -> None:
    """
    The guest's memory does not count then.
    """
    domain = {"memory": {"guest": "1Gi"}, "resources": {"limits": {"memory": "2Gi"}}}
    old, new = (started({"domain": domain}, version=version) for version in (Version(1, 6, 3), VERSION))

    assert old.spec.domain.resources.requests == {"memory": "2Gi"}
    assert new.spec.domain.resources.requests is None


@pytest.mark.parametrize(
    ("resources", "configuration", "request_", "vcpus"),
    [
        ({"limits": {"cpu": "1500m"}}, {}, "1500m", 2),
        ({"requests": {"cpu": "3"}}, {}, "3", 3),
        ({"requests": {"cpu": "2"}, "limits": {"cpu": "4"}}, {}, "2", 4),
        ({}, {"cpuRequest": "250m"}, "250m", 1),
        ({}, {"cpuRequest": "100m"}, None, 1),
        ({}, {"cpuRequest": "0.1"}, None, 1),
    ],
)
def test_the_cpu_request_follows_from_limits_or_the_cr(
    resources: Any, configuration: Any, request_: str | None, vcpus: int
) -> None:
    """
    And the number of vCPUs follows from the request.
    """
    domain = started({"domain": {"resources": resources}}, configuration=configuration).spec.domain

    assert (domain.resources.requests or {}).get("cpu") == request_
    assert domain.cpu is not None
    assert domain.cpu.vcpus == vcpus


def test_a_vm_without_interfaces_gets_the_default_interface() -> None:
    """
    It needs a tun device and a vhost-net device.
    """
    assert [one.name for one in started({"domain": {}}).spec.domain.devices.interfaces or ()] == ["default"]
    detached = {"domain": {"devices": {"autoattachPodInterface": False}}}
    assert started(detached).spec.domain.devices.interfaces is None


@pytest.mark.parametrize(
    ("architecture", "configuration", "machine"),
    [
        ("amd64", {}, "q35"),
        ("arm64", {}, "virt"),
        ("s390x", {}, "s390-ccw-virtio"),
        ("arm64", {"machineType": "any"}, "any"),
        ("arm64", {"architectureConfiguration": {"arm64": {"machineType": "virt-9"}}}, "virt-9"),
        ("amd64", {"architectureConfiguration": {"arm64": {"machineType": "virt-9"}}}, "q35"),
    ],
)
def test_the_machine_type_is_that_of_the_architecture(architecture: str, configuration: Any, machine: str) -> None:
    """
    The KubeVirt CR can set another one.
    """
    vmi = started({"architecture": architecture, "domain": {}}, configuration=configuration)

    assert vmi.spec.domain.machine is not None
    assert vmi.spec.domain.machine.type == machine
