"""Fields that a VM and its instancetype both set (webhook.kubevirt.expansion.conflicts)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import read, vm, yaml
from webhook.kubevirt.expansion.conflicts import conflicts
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import InstancetypeSpec

CPU, MEMORY = "cpu: {guest: 1}", "memory: {guest: 1Gi}"
PLAIN = f"{{{CPU}, {MEMORY}}}"


def clashes(domain: str, theirs: str = PLAIN, annotations: dict[str, str] | None = None, **fields: Any) -> list[str]:
    """The paths of the clashes, below the domain where they are in it."""
    manifest = vm("{}", annotations, **fields)
    manifest["spec"]["template"]["spec"] = {"domain": yaml(domain)} if domain else {}
    subject = subject_of(read(manifest))
    assert subject is not None
    result = conflicts(subject, msgspec.convert(yaml(theirs), InstancetypeSpec))
    return [".".join(map(str, path)).removeprefix("spec.template.spec.domain.") for path in result]


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("", []),
        ("{}", []),
        ("{cpu: {}, devices: {}, memory: {}, resources: {}}", []),
        ("{cpu: {sockets: 1}}", ["cpu.sockets"]),
        ("{cpu: {cores: 1}}", ["cpu.cores"]),
        ("{cpu: {threads: 1}}", ["cpu.threads"]),
        ("{cpu: {sockets: 2, cores: 2, threads: 2}}", ["cpu.sockets", "cpu.cores", "cpu.threads"]),
        ("{cpu: {sockets: 0}}", []),
        ("{resources: {requests: {cpu: 1}}}", ["resources.requests.cpu"]),
        ("{resources: {limits: {cpu: 1}}}", ["resources.limits.cpu"]),
        ("{resources: {requests: {cpu: 1}, limits: {cpu: 1}}}", ["resources.requests.cpu", "resources.limits.cpu"]),
        ("{memory: {guest: 1Gi}}", ["memory.guest"]),
        ("{memory: {hugepages: {pageSize: 2Mi}}}", []),
        ("{resources: {requests: {memory: 1Gi}}}", ["resources.requests.memory"]),
        ("{resources: {limits: {memory: 1Gi}}}", ["resources.limits.memory"]),
        ("{resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}}", ["resources.requests.memory"]),
        ("{memory: {guest: 1Gi}, resources: {requests: {memory: 1Gi}}}", ["memory.guest"]),
    ],
)
def test_an_instancetype_always_sets_cpu_and_memory(domain: str, expected: list[str]) -> None:
    """
    CPUs and memory conflict wherever the VM sets them; of the memory, only the first field is reported.
    """
    assert clashes(domain) == expected


@pytest.mark.parametrize(
    ("domain", "instancetype", "expected"),
    [
        ("{cpu: {model: host-model}}", f"{{cpu: {{guest: 1, model: a}}, {MEMORY}}}", ["cpu.model"]),
        ("{cpu: {model: host-model}}", "{}", []),
        ("{cpu: {model: ''}}", f"{{cpu: {{guest: 1, model: a}}, {MEMORY}}}", []),
        ("{cpu: {model: host-model}}", PLAIN, []),
        (
            "{cpu: {dedicatedCpuPlacement: true}}",
            f"{{cpu: {{guest: 1, dedicatedCPUPlacement: false}}, {MEMORY}}}",
            ["cpu.dedicatedCpuPlacement"],
        ),
        ("{cpu: {dedicatedCpuPlacement: false}}", f"{{cpu: {{guest: 1, dedicatedCPUPlacement: true}}, {MEMORY}}}", []),
        ("{cpu: {dedicatedCpuPlacement: true}}", PLAIN, []),
        (
            "{cpu: {isolateEmulatorThread: true}}",
            f"{{cpu: {{guest: 1, isolateEmulatorThread: false}}, {MEMORY}}}",
            ["cpu.isolateEmulatorThread"],
        ),
        ("{cpu: {isolateEmulatorThread: false}}", f"{{cpu: {{guest: 1, isolateEmulatorThread: true}}, {MEMORY}}}", []),
        ("{cpu: {isolateEmulatorThread: true}}", PLAIN, []),
        (
            "{devices: {gpus: [{name: a, deviceName: b}]}}",
            f"{{gpus: [{{name: c, deviceName: d}}], {CPU}}}",
            ["devices.gpus"],
        ),
        ("{devices: {gpus: [{name: a, deviceName: b}]}}", PLAIN, []),
        ("{devices: {gpus: []}}", f"{{gpus: [{{name: c, deviceName: d}}], {CPU}}}", []),
        (
            "{devices: {hostDevices: [{name: a, deviceName: b}]}}",
            f"{{hostDevices: [{{name: c, deviceName: d}}], {CPU}}}",
            ["devices.hostDevices"],
        ),
        ("{devices: {hostDevices: [{name: a, deviceName: b}]}}", PLAIN, []),
        ("{devices: {}}", f"{{hostDevices: [{{name: c, deviceName: d}}], {CPU}}}", []),
        ("{launchSecurity: {sev: {}}}", f"{{launchSecurity: {{sev: {{}}}}, {CPU}}}", ["launchSecurity"]),
        ("{launchSecurity: {sev: {}}}", PLAIN, []),
        ("{}", f"{{launchSecurity: {{sev: {{}}}}, {CPU}}}", []),
    ],
)
def test_other_fields_conflict_where_both_set_them(domain: str, instancetype: str, expected: list[str]) -> None:
    """
    Defaults of the VM never conflict, even where the instancetype sets the field to false.
    """
    assert clashes(domain, instancetype) == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, []), ({"a": "1"}, []), ({"a": "2"}, ["spec.template.metadata.annotations.a"]), ({"b": "2"}, [])],
)
def test_an_annotation_conflicts_with_another_value(own: dict[str, str], expected: list[str]) -> None:
    """
    The same annotation with the same value is no conflict.
    """
    assert clashes("{}", "{annotations: {a: '1'}}", own) == expected


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ({"name": "small"}, ["memory.guest"]),
        ({"inferFromVolume": "d"}, ["memory.guest"]),
        ({"inferFromVolume": "d", "inferFromVolumeFailurePolicy": "Reject"}, ["memory.guest"]),
        ({"name": "small", "inferFromVolumeFailurePolicy": "Ignore"}, ["memory.guest"]),
        ({"inferFromVolume": "d", "inferFromVolumeFailurePolicy": "Ignore"}, []),
    ],
)
def test_memory_is_dropped_where_a_failed_inference_is_ignored(matcher: dict[str, str], expected: list[str]) -> None:
    """
    KubeVirt sets the memory so that the VM can run without the instancetype, and clears it when it finds one.
    """
    assert clashes("{memory: {guest: 1Gi}}", instancetype=matcher) == expected
