"""The node selector of launcher pods (``nodeselectorrenderer.go``)."""

from typing import Any

import pytest

from tests.kubevirt.launcher.building import around, rendered, vmi

ALWAYS = {"kubevirt.io/schedulable": "true"}


def selector(
    domain: dict[str, Any] | None = None,
    version: str = "v1.9.0",
    configuration: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, str]:
    pod = rendered(vmi(domain, **more), around(version, configuration))
    return {key: value for key, value in pod.node_selector.items() if key not in ALWAYS}


def gates(*names: str) -> dict[str, Any]:
    return {"developerConfiguration": {"featureGates": list(names)}}


def test_a_node_must_be_schedulable_for_vms() -> None:
    """
    virt-handler sets the label.
    """
    assert rendered(vmi()).node_selector == ALWAYS


def test_the_vmi_replaces_selectors_of_the_cluster_and_kubevirt_replaces_both() -> None:
    """
    The architecture is in lower case.
    """
    configuration = {"developerConfiguration": {"nodeSelectors": {"zone": "a", "pool": "vms", "cpumanager": "x"}}}

    found = selector(
        {"cpu": {"dedicatedCpuPlacement": True}},
        "v1.7.4",
        configuration,
        nodeSelector={"zone": "b"},
        architecture="AMD64",
    )

    assert found == {"kubernetes.io/arch": "amd64", "zone": "b", "pool": "vms", "cpumanager": "true"}


@pytest.mark.parametrize(("version", "label"), [("v1.7.4", "cpumanager"), ("v1.8.0", "kubevirt.io/cpumanager")])
def test_dedicated_cpus_need_a_cpu_manager(version: str, label: str) -> None:
    """
    1.8 renames the label.
    """
    assert selector({"cpu": {"dedicatedCpuPlacement": True}}, version) == {label: "true"}


def test_a_cpu_model_and_its_required_features_are_labels() -> None:
    """
    A feature without a policy is required.
    """
    features = [{"name": "aes"}, {"name": "avx", "policy": "require"}, {"name": "vmx", "policy": "optional"}]

    assert selector({"cpu": {"model": "Haswell", "features": features}}) == {
        "cpu-model.node.kubevirt.io/Haswell": "true",
        "cpu-feature.node.kubevirt.io/aes": "true",
        "cpu-feature.node.kubevirt.io/avx": "true",
    }


@pytest.mark.parametrize(
    ("model", "expected"),
    [("host-model", {"cpu-feature.node.kubevirt.io/aes": "true"}), ("host-passthrough", None), ("", {})],
)
def test_features_are_labels_only_with_a_model(model: str, expected: dict[str, str] | None) -> None:
    """
    host-model and host-passthrough are models, but not labels.
    """
    found = selector({"cpu": {"model": model, "features": [{"name": "aes"}]}})

    assert found == (expected if expected is not None else {"cpu-feature.node.kubevirt.io/aes": "true"})


@pytest.mark.parametrize(
    ("version", "status", "label"),
    [
        ("v1.5.0", "pc-q35-10.0", None),
        ("v1.5.1", "pc-q35-10.0", "pc-q35-10.0"),
        ("v1.9.0", None, "q35"),
        ("v1.9.0", "", "q35"),
    ],
)
def test_the_machine_type_is_a_label_from_1_5_1_on(version: str, status: str | None, label: str | None) -> None:
    """
    A running VMI has the type with its version.
    """
    machine = {"machine": {"type": status}} if status is not None else {}
    found = selector({"machine": {"type": "q35"}}, version, status=machine)

    assert found == ({f"machine-type.node.kubevirt.io/{label}": "true"} if label else {})


HYPERV = {
    "vpindex": {"enabled": True},
    "synic": {"enabled": False},
    "ipi": {},
    "tlbflush": {"enabled": True},
    "evmcs": {},
}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({}, {}),
        (
            gates("HypervStrictCheck"),
            {
                "hyperv.node.kubevirt.io/vpindex": "true",
                "hyperv.node.kubevirt.io/tlbflush": "true",
                "cpu-vendor.node.kubevirt.io/Intel": "true",
            },
        ),
    ],
)
def test_hyperv_features_are_labels_with_the_gate_hypervstrictcheck(
    configuration: dict[str, Any], expected: dict[str, str]
) -> None:
    """
    A feature must be enabled explicitly, except evmcs.
    """
    assert selector({"features": {"hyperv": HYPERV}}, configuration=configuration) == expected


@pytest.mark.parametrize(
    ("domain", "hertz", "is_label"),
    [
        ({"cpu": {"features": [{"name": "invtsc", "policy": "require"}]}}, 2000, True),
        ({"cpu": {"features": [{"name": "invtsc", "policy": "force"}]}}, 2000, True),
        ({"cpu": {"features": [{"name": "invtsc"}]}}, 2000, False),
        ({"features": {"hyperv": {"reenlightenment": {"enabled": True}}}}, 2000, True),
        ({"features": {"hyperv": {"reenlightenment": {}}}}, 2000, False),
        ({"features": {"hyperv": {"reenlightenment": {"enabled": True}}}}, 0, False),
    ],
)
def test_a_fixed_tsc_frequency_is_a_label(domain: dict[str, Any], hertz: int, is_label: bool) -> None:
    """
    The policy of ``invtsc`` must be written.
    """
    found = selector(domain, status={"topologyHints": {"tscFrequency": hertz}})
    expected = {f"scheduling.node.kubevirt.io/tsc-frequency-{hertz}": "true"} if is_label else {}

    assert found == expected


@pytest.mark.parametrize(
    ("version", "domain", "labels"),
    [
        ("v1.4.1", {"cpu": {"realtime": {}}}, []),
        ("v1.5.0", {"cpu": {"realtime": {}}}, ["realtime"]),
        ("v1.4.1", {"launchSecurity": {"sev": {}}}, []),
        ("v1.5.0", {"launchSecurity": {"sev": {}}}, ["sev"]),
        ("v1.9.0", {"launchSecurity": {"sev": {"policy": {"encryptedState": True}}}}, ["sev", "sev-es"]),
        ("v1.6.6", {"launchSecurity": {"snp": {}}}, []),
        ("v1.7.0", {"launchSecurity": {"snp": {}}}, ["sev", "sev-snp"]),
        ("v1.6.6", {"launchSecurity": {"tdx": {}}}, []),
        ("v1.7.0", {"launchSecurity": {"tdx": {}}}, ["tdx"]),
    ],
)
def test_realtime_and_confidential_computing_are_labels(
    version: str, domain: dict[str, Any], labels: list[str]
) -> None:
    """
    Before 1.5, the mutating webhook writes them into the VMI.
    """
    assert selector(domain, version) == {f"kubevirt.io/{label}": "true" for label in labels}


@pytest.mark.parametrize(("version", "is_label"), [("v1.5.3", False), ("v1.6.0", True)])
def test_secure_execution_is_a_label_from_1_6_on(version: str, is_label: bool) -> None:
    """
    On s390x, every launchSecurity is Secure Execution.
    """
    found = selector({"launchSecurity": {}}, version, architecture="s390x")

    assert ("kubevirt.io/s390-pv" in found) is is_label


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v1.8.4", {"kubernetes.io/arch": "arm64"}),
        ("v1.9.0", {"kubevirt.io/vm-arch-arm64": "true"}),
    ],
)
def test_a_gate_of_1_9_replaces_the_label_of_the_architecture(version: str, expected: dict[str, str]) -> None:
    """
    The gate is CrossArchitectureVirtualization.
    """
    configuration = gates("CrossArchitectureVirtualization")

    assert selector({}, version, configuration, architecture="arm64") == expected
