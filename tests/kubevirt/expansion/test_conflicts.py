"""Fields that a VM and its instancetype both set (webhook.kubevirt.expansion.conflicts)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import read, vm, yaml
from webhook.kubevirt.expansion.conflicts import conflicts
from webhook.kubevirt.releases import NEWEST, Release, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import InstancetypeSpec

CPU, MEMORY = "cpu: {guest: 1}", "memory: {guest: 1Gi}"
PLAIN = f"{{{CPU}, {MEMORY}}}"


def clashes(
    domain: str,
    theirs: str = PLAIN,
    annotations: dict[str, str] | None = None,
    release: Release = NEWEST,
    spec: str = "{}",
    **fields: Any,
) -> list[str]:
    """The paths of the conflicts in ``release``, below the domain where they are in it."""
    manifest = vm("{}", annotations, **fields)
    manifest["spec"]["template"]["spec"] = {"domain": yaml(domain), **yaml(spec)} if domain else {}
    subject = subject_of(read(manifest))
    assert subject is not None
    result = conflicts(subject, msgspec.convert(yaml(theirs), InstancetypeSpec))
    return [
        ".".join(map(str, conflict.path)).removeprefix("spec.template.spec.").removeprefix("domain.")
        for conflict in result
        if conflict.releases & only(release)
    ]


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


BOTH = [
    ("{cpu: {numa: {guestMappingPassthrough: {}}}}", "cpu: {guest: 1, numa: {}}", "cpu.numa"),
    ("{cpu: {realtime: {}}}", "cpu: {guest: 1, realtime: {mask: 0-3}}", "cpu.realtime"),
    ("{memory: {hugepages: {}}}", "memory: {guest: 1Gi, hugepages: {pageSize: 2Mi}}", "memory.hugepages"),
    ("{memory: {maxGuest: 2Gi}}", "memory: {guest: 1Gi, maxGuest: 4Gi}", "memory.maxGuest"),
    ("{ioThreadsPolicy: auto}", "ioThreadsPolicy: shared", "ioThreadsPolicy"),
    (
        "{ioThreads: {supplementalPoolThreadCount: 2}}",
        "ioThreads: {supplementalPoolThreadCount: 4}",
        "ioThreads.supplementalPoolThreadCount",
    ),
]


@pytest.mark.parametrize(("domain", "field", "path"), BOTH)
def test_a_field_conflicts_only_if_both_set_it(domain: str, field: str, path: str) -> None:
    """In KubeVirt 1.9, the VM's field alone and the instancetype's field alone are no conflict."""
    assert clashes(domain, f"{{{field}}}") == [path]
    assert clashes(domain) == []
    assert clashes("{devices: {}}", f"{{{field}}}") == []


@pytest.mark.parametrize(
    ("spec", "field", "path"),
    [
        ("{nodeSelector: {a: b}}", "nodeSelector: {c: d}", "nodeSelector"),
        ("{nodeSelector: {}}", "nodeSelector: {}", "nodeSelector"),
        ("{schedulerName: mine}", "schedulerName: theirs", "schedulerName"),
    ],
)
@pytest.mark.parametrize("release", [Release(1, 3), Release(1, 9)], ids=str)
def test_placement_conflicts_if_both_set_it(spec: str, field: str, path: str, release: Release) -> None:
    assert clashes("{}", f"{{{field}}}", spec=spec, release=release) == [path]
    assert clashes("{}", spec=spec, release=release) == []
    assert clashes("{}", f"{{{field}}}", release=release) == []


def test_an_empty_scheduler_name_is_no_conflict() -> None:
    assert clashes("{}", "{schedulerName: ''}", spec="{schedulerName: mine}") == []


@pytest.mark.parametrize(
    ("domain", "until_1_6", "since_1_7"),
    [
        ("{memory: {}}", ["memory"], []),
        ("{memory: {hugepages: {pageSize: 2Mi}}}", ["memory"], []),
        ("{memory: {guest: 1Gi}}", ["memory.guest"], ["memory.guest"]),
        ("{memory: {}, resources: {requests: {memory: 1Gi}}}", ["memory"], ["resources.requests.memory"]),
        ("{memory: {}, resources: {limits: {memory: 1Gi}}}", ["memory"], ["resources.limits.memory"]),
        ("{resources: {limits: {memory: 1Gi}}}", ["resources.limits.memory"], ["resources.limits.memory"]),
    ],
)
def test_kubevirt_up_to_1_6_refuses_any_memory_beside_an_instancetype(
    domain: str, until_1_6: list[str], since_1_7: list[str]
) -> None:
    for release in (Release(1, 3), Release(1, 6)):
        assert clashes(domain, release=release) == until_1_6
    for release in (Release(1, 7), Release(1, 9)):
        assert clashes(domain, release=release) == since_1_7


def test_io_threads_conflict_from_1_7_on() -> None:
    domain, theirs, path = BOTH[-1]
    assert clashes(domain, f"{{{theirs}}}", release=Release(1, 6)) == []
    assert clashes(domain, f"{{{theirs}}}", release=Release(1, 7)) == [path]


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
