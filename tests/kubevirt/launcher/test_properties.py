"""Properties of launcher pods that hold for every VMI."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.kubevirt.launcher.building import around, rendered, vmi
from webhook.scheduling.pod_requests import pod_requests

RELEASES = ("v1.3.1", "v1.4.1", "v1.5.1", "v1.5.3", "v1.6.2", "v1.6.3", "v1.6.6", "v1.7.0", "v1.8.4", "v1.9.0")
COUNTS = st.integers(0, 8)
SIZES = st.sampled_from(("512Mi", "1G", "1000000001", "4Gi", "1.5Gi"))
CONFIGURATIONS = st.fixed_dictionaries(
    {},
    optional={
        "additionalGuestMemoryOverheadRatio": st.sampled_from(("1", "1.25", "2")),
        "developerConfiguration": st.fixed_dictionaries(
            {},
            optional={"cpuAllocationRatio": st.integers(1, 20), "memoryOvercommit": st.integers(50, 250)},
        ),
    },
)
DOMAINS = st.fixed_dictionaries(
    {"memory": st.fixed_dictionaries({"guest": SIZES})},
    optional={
        "resources": st.fixed_dictionaries(
            {},
            optional={
                part: st.dictionaries(st.sampled_from(("cpu", "memory")), SIZES) for part in ("requests", "limits")
            },
        ),
    },
)
CPUS = st.fixed_dictionaries(
    {"cores": st.integers(1, 8), "sockets": COUNTS, "threads": COUNTS},
    optional={"dedicatedCpuPlacement": st.booleans(), "isolateEmulatorThread": st.booleans()},
)


def requests(version: str, domain: dict[str, Any], configuration: dict[str, Any]) -> dict[str, int]:
    pod = rendered(vmi(domain), around(version, configuration))
    return {**pod_requests(pod.pod()), "overhead": pod.memory_overhead}


@given(st.sampled_from(RELEASES), DOMAINS, CPUS, CONFIGURATIONS)
def test_more_vcpus_never_lower_a_request(
    version: str, domain: dict[str, Any], cpu: dict[str, Any], configuration: dict[str, Any]
) -> None:
    """
    Neither the overhead nor a request of the pod becomes smaller with one core more.
    """
    fewer = requests(version, {**domain, "cpu": cpu}, configuration)
    more = requests(version, {**domain, "cpu": {**cpu, "cores": cpu["cores"] + 1}}, configuration)

    assert {name: amount for name, amount in fewer.items() if more[name] < amount} == {}


@given(st.sampled_from(RELEASES), DOMAINS, CPUS, CONFIGURATIONS)
def test_a_device_never_lowers_a_request(
    version: str, domain: dict[str, Any], cpu: dict[str, Any], configuration: dict[str, Any]
) -> None:
    """
    A TPM, a host device, encrypted memory and a probe only add requests.
    """
    plain = {**domain, "cpu": cpu}
    devices = {"tpm": {}, "hostDevices": [{"name": "a", "deviceName": "example.com/a"}]}
    before = requests(version, plain, configuration)
    after = requests(version, {**plain, "devices": devices, "launchSecurity": {"sev": {}}}, configuration)

    assert {name: amount for name, amount in before.items() if after[name] < amount} == {}
    assert after["overhead"] > before["overhead"]
