"""The requests and limits of the container compute, with the patch releases that change them (``VMIResourcePredicates``)."""

from typing import Any

import pytest

from tests.kubevirt.launcher.building import around, compute, rendered, vmi
from webhook.kubevirt.launcher.quantities import MIB, amounts, nano

GIB = 1 << 30
OVERHEAD = 276 * MIB
"""The overhead of 2 vCPUs in KubeVirt 1.9."""
CPUS = {"cpu": {"cores": 2}}


def requests(version: str, domain: dict[str, Any], configuration: dict[str, Any] | None = None) -> dict[str, int]:
    return amounts(compute(rendered(vmi(CPUS | domain), around(version, configuration)))[0])


def limits(
    version: str, domain: dict[str, Any], configuration: dict[str, Any] | None = None, **more: Any
) -> dict[str, int]:
    return amounts(compute(rendered(vmi(CPUS | domain), around(version, configuration, **more)))[1])


def developer(**fields: Any) -> dict[str, Any]:
    return {"developerConfiguration": fields}


@pytest.mark.parametrize(
    ("domain", "configuration", "cpu"),
    [
        ({}, {}, "200m"),
        ({"cpu": {"cores": 1, "sockets": 3}}, {}, "300m"),
        ({"cpu": None}, {}, "100m"),
        ({"cpu": {"cores": 1}}, developer(cpuAllocationRatio=7), "142857143n"),
        ({"cpu": {"cores": 3}}, developer(cpuAllocationRatio=2), "1500m"),
        ({}, developer(cpuAllocationRatio=1), "2"),
        ({"resources": {"requests": {"cpu": "7"}}}, {}, "7"),
    ],
)
def test_the_cpu_request_is_a_share_of_the_vcpus(
    domain: dict[str, Any], configuration: dict[str, Any], cpu: str
) -> None:
    """
    The request of the VMI itself has precedence. Go prints the share as a decimal number and reads it again.
    """
    assert requests("v1.9.0", domain, configuration)["cpu"] == nano(cpu)


def test_a_cpu_topology_of_zeros_has_no_request() -> None:
    """
    KubeVirt writes no request for 0 vCPUs.
    """
    assert "cpu" not in requests("v1.9.0", {"cpu": {}})


@pytest.mark.parametrize(("version", "millis"), [("v1.5.1", "200m"), ("v1.5.2", "500m"), ("v1.9.0", "500m")])
def test_a_pool_of_io_threads_counts_as_vcpus_from_1_5_2_on(version: str, millis: str) -> None:
    """
    3 threads and 2 vCPUs.
    """
    pool = {"ioThreadsPolicy": "supplementalPool", "ioThreads": {"supplementalPoolThreadCount": 3}}

    assert requests(version, pool)["cpu"] == nano(millis)


@pytest.mark.parametrize(("version", "cpu"), [("v1.4.1", None), ("v1.5.0", "3"), ("v1.5.1", "3"), ("v1.5.2", None)])
def test_a_pool_of_io_threads_is_a_cpu_limit_in_1_5_0_and_1_5_1(version: str, cpu: str | None) -> None:
    """
    The limit is the number of threads alone, without the vCPUs.
    """
    pool = {"ioThreadsPolicy": "supplementalPool", "ioThreads": {"supplementalPoolThreadCount": 3}}

    assert limits(version, pool).get("cpu") == (nano(cpu) if cpu else None)


@pytest.mark.parametrize(
    ("version", "domain", "expected"),
    [
        ("v1.9.0", {"memory": {"guest": "1Gi"}}, GIB),
        ("v1.6.4", {"memory": {"guest": "1Gi"}}, GIB),
        ("v1.6.3", {"memory": {"guest": "1Gi"}}, 0),
        ("v1.9.0", {"memory": {"guest": "1Gi"}, "resources": {"limits": {"memory": "2Gi"}}}, 2 * GIB),
        ("v1.9.0", {"memory": {"hugepages": {"pageSize": "1Gi"}, "guest": None}}, None),
        ("v1.9.0", {"memory": {"guest": "1Gi"}, "resources": {"requests": {"memory": "512"}}}, 512),
    ],
)
def test_the_memory_request_comes_from_the_limit_or_the_guest_from_1_6_4_on(
    version: str, domain: dict[str, Any], expected: int | None
) -> None:
    """
    Before, the mutating webhook writes the request into the VMI.
    """
    pod = rendered(vmi(CPUS | domain), around(version))
    wanted = pod.memory_overhead + (expected or 0)

    assert amounts(compute(pod)[0])["memory"] == wanted * 10**9


@pytest.mark.parametrize(
    ("version", "bytes_"), [("v1.6.1", GIB), ("v1.6.2", GIB * 100 // 150), ("v1.6.3", GIB), ("v1.9.0", GIB)]
)
def test_1_6_2_alone_divides_an_explicit_request_by_the_overcommit(version: str, bytes_: int) -> None:
    """
    1.6.3 reverted this change.
    """
    domain = {"resources": {"requests": {"memory": "1Gi"}}}
    pod = rendered(vmi(CPUS | domain), around(version, developer(memoryOvercommit=150)))

    assert amounts(compute(pod)[0])["memory"] == (bytes_ + pod.memory_overhead) * 10**9


def test_the_overcommit_divides_guest_memory() -> None:
    """
    The division drops fractions of a byte.
    """
    domain = {"memory": {"guest": "1000000001"}}

    assert requests("v1.9.0", domain, developer(memoryOvercommit=300))["memory"] == (333333333 + OVERHEAD) * 10**9


def test_the_overhead_can_be_left_out_of_the_request() -> None:
    """
    A memory limit still contains it.
    """
    domain = {"resources": {"overcommitGuestOverhead": True, "requests": {"memory": "1G"}, "limits": {"memory": "2G"}}}
    pod = rendered(vmi(CPUS | domain))

    assert amounts(compute(pod)[0])["memory"] == nano("1G")
    assert amounts(compute(pod)[1])["memory"] == nano("2G") + pod.memory_overhead * 10**9


def test_huge_pages_hold_the_guest_and_ordinary_memory_the_rest() -> None:
    """
    A request above the guest's memory adds the difference to the ordinary memory.
    """
    domain = {
        "memory": {"guest": "1Gi", "hugepages": {"pageSize": "2Mi"}},
        "resources": {"requests": {"memory": "1536Mi"}, "limits": {"memory": "2Gi"}},
    }
    pod = rendered(vmi(CPUS | domain))
    asked, limited = (amounts(part) for part in compute(pod))

    assert asked["hugepages-2Mi"] == limited["hugepages-2Mi"] == nano("1Gi")
    assert asked["memory"] == nano("512Mi") + pod.memory_overhead * 10**9
    assert limited["memory"] == nano("1Gi") + pod.memory_overhead * 10**9


@pytest.mark.parametrize(
    ("version", "requested", "limit"),
    [("v1.4.1", None, "4"), ("v1.5.1", None, "4"), ("v1.5.2", "4", "4"), ("v1.9.0", "4", "4")],
)
def test_dedicated_cpus_are_requests_and_limits_from_1_5_2_on(version: str, requested: str | None, limit: str) -> None:
    """
    Before, KubeVirt writes only the limit, from which the API server makes the request.
    """
    domain = {"cpu": {"cores": 4, "dedicatedCpuPlacement": True}}

    assert requests(version, domain).get("cpu") == (nano(requested) if requested else None)
    assert limits(version, domain)["cpu"] == nano(limit)


@pytest.mark.parametrize(
    ("version", "cores", "threads", "annotated", "cpus"),
    [
        ("v1.9.0", 4, 0, False, 5),
        ("v1.9.0", 4, 0, True, 6),
        ("v1.9.0", 3, 0, True, 4),
        ("v1.9.0", 4, 1, True, 7),
        ("v1.9.0", 3, 1, True, 5),
        ("v1.5.2", 3, 1, True, 5),
        ("v1.4.1", 4, 1, True, 6),
    ],
)
def test_an_isolated_emulator_thread_takes_one_or_two_cpus(
    version: str, cores: int, threads: int, annotated: bool, cpus: int
) -> None:
    """
    The annotation asks for an even number. The threads of a pool count twice in this test, from 1.5.2 on.
    """
    pool = {"ioThreadsPolicy": "supplementalPool", "ioThreads": {"supplementalPoolThreadCount": threads}}
    domain = {"cpu": {"cores": cores, "dedicatedCpuPlacement": True, "isolateEmulatorThread": True}}
    annotations = {"alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity": ""} if annotated else {}

    pod = rendered(vmi(domain | (pool if threads else {}), annotations=annotations), around(version))

    assert amounts(compute(pod)[1])["cpu"] == cpus * 10**9


def test_dedicated_cpus_limit_the_memory_to_the_request() -> None:
    """
    Both contain the overhead.
    """
    domain = {"cpu": {"cores": 2, "dedicatedCpuPlacement": True}, "memory": {"guest": "1Gi"}}
    asked, limited = (amounts(part) for part in compute(rendered(vmi(domain))))

    assert asked["memory"] == limited["memory"] == nano("1Gi") + (OVERHEAD + 100 * MIB) * 10**9


@pytest.mark.parametrize(
    ("domain", "configuration", "devices"),
    [
        ({}, {}, {"tun", "kvm"}),
        ({"devices": {"autoattachPodInterface": False}}, {}, {"kvm"}),
        ({"devices": {"interfaces": [{"name": "a", "sriov": {}}]}}, {}, {"tun", "kvm", "vhost-net"}),
        ({"devices": {"interfaces": [{"name": "a", "model": "e1000"}]}}, {}, {"tun", "kvm"}),
        ({"devices": {"interfaces": [{"name": "a"}]}}, developer(useEmulation=True), {"tun"}),
        ({"devices": {"autoattachVSOCK": True}}, {}, {"tun", "kvm", "vhost-vsock"}),
        ({"launchSecurity": {"sev": {}}}, {}, {"tun", "kvm", "sev"}),
        ({"launchSecurity": {"tdx": {}}}, {}, {"tun", "kvm", "tdx"}),
        ({"devices": {"disks": [{"name": "d", "lun": {"reservation": True}}]}}, {}, {"tun", "kvm", "pr-helper"}),
        ({}, developer(featureGates=["IOMMUFD"]), {"tun", "kvm", "iommufd"}),
        ({}, {"hypervisors": [{"name": "hyperv-direct"}]}, {"tun", "kvm"}),
        (
            {},
            {"hypervisors": [{"name": "hyperv-direct"}], **developer(featureGates=["ConfigurableHypervisor"])},
            {"tun", "mshv"},
        ),
    ],
)
def test_the_limits_contain_one_of_each_device(
    domain: dict[str, Any], configuration: dict[str, Any], devices: set[str]
) -> None:
    """
    The names begin with ``devices.kubevirt.io/``.
    """
    found = {name: amount for name, amount in limits("v1.9.0", domain, configuration).items() if "/" in name}

    assert found == {f"devices.kubevirt.io/{device}": 10**9 for device in devices}


@pytest.mark.parametrize(("version", "has_device"), [("v1.8.4", False), ("v1.9.0", True)])
def test_tdx_needs_a_device_from_1_9_on(version: str, has_device: bool) -> None:
    """
    Before, TDX needs only a label of the node.
    """
    assert ("devices.kubevirt.io/tdx" in limits(version, {"launchSecurity": {"tdx": {}}})) is has_device


def test_devices_of_device_plugins_are_requests_and_limits() -> None:
    """
    Two GPUs with the same resource need two. A device with a claim is not a resource.
    """
    gpu = {"name": "a", "deviceName": "example.com/gpu"}
    domain = {
        "devices": {
            "gpus": [gpu, gpu],
            "hostDevices": [{"name": "b", "deviceName": "example.com/nic"}, {"name": "c", "claimName": "x"}],
        }
    }

    for part in compute(rendered(vmi(CPUS | domain))):
        found = {name: amount // 10**9 for name, amount in amounts(part).items() if name.startswith("example.com")}
        assert found == {"example.com/gpu": 2, "example.com/nic": 1}


def test_the_vmi_own_amount_of_a_device_stays() -> None:
    """
    KubeVirt increases a calculated amount, which the VMI's own amount then replaces.
    """
    domain = {
        "devices": {"gpus": [{"name": "a", "deviceName": "example.com/gpu"}]},
        "resources": {"limits": {"example.com/gpu": "3"}},
    }

    assert limits("v1.9.0", domain)["example.com/gpu"] == nano("3")


def test_ephemeral_storage_gets_50_mb_more() -> None:
    """
    A limit gets them too.
    """
    domain = {"resources": {"requests": {"ephemeral-storage": "1G"}, "limits": {"ephemeral-storage": "2G"}}}

    assert requests("v1.9.0", domain)["ephemeral-storage"] == nano("1050M")
    assert limits("v1.9.0", domain)["ephemeral-storage"] == nano("2050M")
    assert requests("v1.9.0", {})["ephemeral-storage"] == nano("50M")


def test_a_quota_on_limits_makes_kubevirt_write_limits() -> None:
    """
    The memory limit is twice the request, and the CPU limit is the number of vCPUs.
    """
    quotas = frozenset({"limits.cpu", "limits.memory", "pods"})
    found = limits("v1.9.0", {"memory": {"guest": "1Gi"}}, quota_resources=quotas)

    assert found["cpu"] == nano("2")
    assert found["memory"] == 2 * (GIB + OVERHEAD) * 10**9


@pytest.mark.parametrize(("label", "ratio"), [("1.5", 1.5), ("0.5", 2.0), ("x", 2.0)])
def test_a_label_of_the_namespace_sets_the_ratio_of_the_memory_limit(label: str, ratio: float) -> None:
    """
    KubeVirt ignores a ratio below 1.
    """
    found = limits(
        "v1.9.0",
        {"memory": {"guest": "1Gi"}},
        quota_resources=frozenset({"limits.memory"}),
        namespace_labels={"alpha.kubevirt.io/auto-memory-limits-ratio": label},
    )

    assert found["memory"] == int((GIB + OVERHEAD) * ratio) * 10**9


@pytest.mark.parametrize(
    ("version", "gates", "is_limited"),
    [("v1.4.1", [], False), ("v1.4.1", ["AutoResourceLimitsGate"], True), ("v1.5.0", [], True)],
)
def test_a_quota_adds_limits_without_a_gate_from_1_5_on(version: str, gates: list[str], is_limited: bool) -> None:
    """
    Before, the gate AutoResourceLimitsGate is needed.
    """
    found = limits(version, {}, developer(featureGates=gates), quota_resources=frozenset({"limits.cpu"}))

    assert ("cpu" in found) is is_limited


def test_a_selector_of_namespaces_adds_a_cpu_limit() -> None:
    """
    A limit of the VMI itself stays.
    """
    configuration = {"autoCPULimitNamespaceLabelSelector": {"matchLabels": {"limit": "cpu"}}}
    limited = {"resources": {"limits": {"cpu": "5"}}}

    assert limits("v1.9.0", {}, configuration, namespace_labels={"limit": "cpu"})["cpu"] == nano("2")
    assert limits("v1.9.0", limited, configuration, namespace_labels={"limit": "cpu"})["cpu"] == nano("5")
    assert "cpu" not in limits("v1.9.0", {}, configuration, namespace_labels={})
