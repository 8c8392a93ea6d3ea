"""The memory overhead of launcher pods, with the patch releases that change it (``GetMemoryOverhead``)."""

from typing import Any

import pytest

from tests.kubevirt.launcher.building import around, rendered, vmi

GIB = 1 << 30
MIB = 1 << 20
CPUS = {"cpu": {"cores": 2}}


def overhead(version: str, domain: dict[str, Any], configuration: dict[str, Any] | None = None, **spec: Any) -> int:
    return rendered(vmi(CPUS | domain, **spec), around(version, configuration)).memory_overhead


@pytest.mark.parametrize(
    ("version", "mebibytes"),
    [
        ("v1.3.1", 250),
        ("v1.4.0", 250),
        ("v1.4.1", 255),
        ("v1.5.0", 260),
        ("v1.5.3", 260),
        ("v1.6.0", 276),
        ("v1.9.0", 276),
        ("v1.10.0", 296),
    ],
)
def test_the_processes_of_the_pod_differ_between_releases(version: str, mebibytes: int) -> None:
    """
    2 vCPUs and a graphics device, without a memory request.
    """
    assert overhead(version, {}) == mebibytes * MIB


def test_the_page_tables_depend_on_the_memory_request_alone() -> None:
    """
    KubeVirt rounds the request up to 1,000 bytes and divides it by 512. Guest memory does not count.
    """
    requested = {"resources": {"requests": {"memory": "4Gi"}}}

    assert overhead("v1.9.0", requested) == 284 * MIB + 1
    assert overhead("v1.9.0", {"memory": {"guest": "4Gi"}}) == 276 * MIB


@pytest.mark.parametrize(
    ("domain", "mebibytes"),
    [
        ({"cpu": {"cores": 2, "sockets": 3, "threads": 2}}, 80),
        ({"cpu": {}}, -8),
        ({"cpu": None, "resources": {"limits": {"cpu": "3500m"}, "requests": {"cpu": "1"}}}, 16),
        ({"cpu": None, "resources": {"requests": {"cpu": "3"}}}, 8),
        ({"cpu": None}, -8),
        ({"devices": {"autoattachGraphicsDevice": False}}, -32),
        ({"devices": {"gpus": [{"name": "g", "deviceName": "example.com/gpu"}]}}, 1024),
        ({"devices": {"hostDevices": [{"name": "h", "deviceName": "example.com/nic"}]}}, 1024),
        ({"devices": {"interfaces": [{"name": "i", "sriov": {}}]}}, 1024),
        ({"devices": {"tpm": {}}}, 53),
        ({"devices": {"tpm": {"enabled": False}}}, 0),
        ({"devices": {"interfaces": [{"name": "i", "passtBinding": {}}]}}, 250),
        ({"launchSecurity": {"sev": {}}}, 256),
        ({"launchSecurity": {"snp": {}}}, 256),
        ({"launchSecurity": {"tdx": {}}}, 0),
        ({"cpu": {"cores": 2, "dedicatedCpuPlacement": True}}, 100),
        ({"memory": {"reservedOverhead": {"addedOverhead": "7Mi"}}}, 7),
    ],
)
def test_devices_and_options_add_memory(domain: dict[str, Any], mebibytes: int) -> None:
    """
    The base is a VMI with 2 vCPUs in KubeVirt 1.9.
    """
    assert overhead("v1.9.0", domain) - overhead("v1.9.0", {}) == mebibytes * MIB


@pytest.mark.parametrize(
    ("spec", "mebibytes"),
    [
        ({"livenessProbe": {"exec": {"command": ["true"]}}}, 110),
        ({"livenessProbe": {"exec": {}}, "readinessProbe": {"exec": {}}}, 120),
        ({"readinessProbe": {"httpGet": {"port": 80}}}, 0),
        ({"architecture": "arm64"}, 128),
        ({"architecture": "s390x"}, 0),
        ({"volumes": [{"name": "m", "downwardMetrics": {}}]}, 1),
    ],
)
def test_other_parts_of_the_spec_add_memory(spec: dict[str, Any], mebibytes: int) -> None:
    """
    A probe needs memory only if it runs a command.
    """
    assert overhead("v1.9.0", {}, **spec) - overhead("v1.9.0", {}) == mebibytes * MIB


def test_a_vmi_without_an_architecture_has_that_of_the_control_plane() -> None:
    """
    Old VMIs have no architecture.
    """
    assert rendered(vmi(CPUS), around(architecture="arm64")).memory_overhead == 404 * MIB


@pytest.mark.parametrize(
    ("version", "counts"),
    [("v1.3.1", True), ("v1.4.0", True), ("v1.4.1", False), ("v1.5.0", True), ("v1.5.1", False), ("v1.6.0", False)],
)
def test_a_tpm_that_is_not_enabled_counts_in_some_patch_releases(version: str, counts: bool) -> None:
    """
    1.4.1 introduced the field ``enabled``, 1.5.0 did not have it, and 1.5.1 has it again.
    """
    disabled = {"devices": {"tpm": {"enabled": False}}}

    assert (overhead(version, disabled) > overhead(version, {})) is counts


@pytest.mark.parametrize(("version", "mebibytes"), [("v1.6.6", 0), ("v1.7.0", 256)])
def test_snp_counts_as_sev_from_1_7_on(version: str, mebibytes: int) -> None:
    """
    Before, only SEV counts.
    """
    assert overhead(version, {"launchSecurity": {"snp": {}}}) - overhead(version, {}) == mebibytes * MIB


@pytest.mark.parametrize(("version", "with_ratio"), [("v1.5.2", False), ("v1.5.3", True), ("v1.9.0", True)])
def test_the_ratio_applies_to_dedicated_cpus_from_1_5_3_on(version: str, with_ratio: bool) -> None:
    """
    Before, the 100 MiB are added after the ratio.
    """
    dedicated = {"cpu": {"cores": 2, "dedicatedCpuPlacement": True}}
    ratio = {"additionalGuestMemoryOverheadRatio": "2"}

    more = overhead(version, dedicated, ratio) - overhead(version, {}, ratio)

    assert more // MIB == (200 if with_ratio else 100)


@pytest.mark.parametrize(("ratio", "factor"), [("1.5", 1.5), ("1", 1.0), ("", 1.0), ("none", 1.0)])
def test_the_ratio_of_the_cluster_multiplies_the_overhead(ratio: str, factor: float) -> None:
    """
    KubeVirt adds a whole number of kilobytes, and ignores an invalid ratio.
    """
    base = overhead("v1.9.0", {})
    kilobytes = -(-base // 1000)

    assert (
        overhead("v1.9.0", {}, {"additionalGuestMemoryOverheadRatio": ratio})
        == base + int(kilobytes * (factor - 1)) * 1000
    )


def test_a_binding_plugin_counts_once_and_after_the_ratio() -> None:
    """
    Two interfaces with one plugin need its memory once.
    """
    configuration = {
        "additionalGuestMemoryOverheadRatio": "3",
        "network": {"binding": {"plug": {"computeResourceOverhead": {"requests": {"memory": "64Mi"}}}}},
    }
    interfaces = [{"name": name, "binding": {"name": "plug"}} for name in "ab"]

    more = overhead("v1.9.0", {"devices": {"interfaces": interfaces}}, configuration) - overhead(
        "v1.9.0", {}, configuration
    )

    assert more == 64 * MIB


@pytest.mark.parametrize(
    ("version", "resources", "guaranteed"),
    [
        ("v1.9.0", {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}}, True),
        ("v1.9.0", {"requests": {"cpu": "1"}, "limits": {"cpu": "1", "memory": "1Gi"}}, True),
        ("v1.6.3", {"requests": {"cpu": "1"}, "limits": {"cpu": "1", "memory": "1Gi"}}, False),
        ("v1.6.4", {"requests": {"cpu": "1"}, "limits": {"cpu": "1", "memory": "1Gi"}}, True),
        ("v1.9.0", {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}, False),
        ("v1.9.0", {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}, False),
    ],
)
def test_equal_requests_and_limits_of_the_vmi_need_100_mib(
    version: str, resources: dict[str, Any], guaranteed: bool
) -> None:
    """
    The resources of the stored VMI decide, not those of the pod. From 1.6.4 on, a memory limit without a request suffices.
    """
    page_tables = {"resources": {"requests": {"memory": resources["requests"].get("memory", "0")}}}

    more = overhead(version, {"resources": resources}) - overhead(version, page_tables)

    assert more == (100 * MIB if guaranteed else 0)
