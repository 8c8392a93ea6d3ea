"""A HyperConverged CR is read as the KubeVirt CR that its operator writes."""

from typing import Any

import msgspec
import pytest

from webhook.facts.unknown import Unknown
from webhook.kubevirt.hyperconverged.releases import kubevirt_release
from webhook.kubevirt.hyperconverged.translate import written_kubevirt
from webhook.kubevirt.releases import Release
from webhook.kubevirt.settings.hyper_converged import JSON_PATCH
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import Configuration, KubeVirt

V1BETA1, V1 = "hco.kubevirt.io/v1beta1", "hco.kubevirt.io/v1"


def hyper_converged(version: str, spec: Any, annotations: Any = None, **status: Any) -> HyperConverged:
    raw = {
        "apiVersion": version,
        "kind": "HyperConverged",
        "metadata": {"name": "kubevirt-hyperconverged", "namespace": "cnv", "annotations": annotations or {}},
        "spec": spec,
        "status": status,
    }
    return msgspec.convert(raw, HyperConverged)


def written(of: HyperConverged, minor: int = 9) -> KubeVirt:
    kubevirt = written_kubevirt(of, Release(1, minor)).kubevirt
    assert isinstance(kubevirt, KubeVirt)
    return kubevirt


def configuration(of: HyperConverged, minor: int = 9) -> Configuration:
    found = written(of, minor).spec.configuration
    assert found is not None
    return found


SAME = [
    (
        V1BETA1,
        {
            "liveMigrationConfig": {"network": "mig"},
            "evictionStrategy": "LiveMigrate",
            "defaultCPUModel": "Haswell",
            "vmStateStorageClass": "fast",
            "networkBinding": {"own": {"migration": {}}},
            "permittedHostDevices": {
                "mediatedDevices": [
                    {"mdevNameSelector": "G", "resourceName": "n/G"},
                    {"mdevNameSelector": "H", "resourceName": "n/H", "disabled": True},
                ]
            },
            "workloadUpdateStrategy": {"workloadUpdateMethods": ["Evict"]},
        },
    ),
    (
        V1,
        {
            "virtualization": {
                "liveMigrationConfig": {"network": "mig"},
                "evictionStrategy": "LiveMigrate",
                "virtualMachineOptions": {"defaultCPUModel": "Haswell"},
                "permittedHostDevices": {
                    "mediatedDevices": [
                        {"mdevNameSelector": "G", "resourceName": "n/G"},
                        {"mdevNameSelector": "H", "resourceName": "n/H", "disabled": True},
                    ]
                },
                "workloadUpdateStrategy": {"workloadUpdateMethods": ["Evict"]},
            },
            "storage": {"vmStateStorageClass": "fast"},
            "networking": {"networkBinding": {"own": {"migration": {}}}},
        },
    ),
]


@pytest.mark.parametrize(("version", "spec"), SAME, ids=["v1beta1", "v1"])
def test_each_field_is_copied_in_both_versions(version: str, spec: Any) -> None:
    """
    The operator adds binding l2bridge, and leaves out disabled devices.
    """
    kubevirt = written(hyper_converged(version, spec))
    found = kubevirt.spec.configuration

    assert found is not None
    assert found.migrations["network"] == "mig"
    assert (found.eviction_strategy, found.cpu_model, found.vm_state_storage_class) == (
        "LiveMigrate",
        "Haswell",
        "fast",
    )
    assert found.network is not None
    assert sorted(found.network.binding or ()) == ["l2bridge", "own"]
    assert found.permitted_host_devices is not None
    assert [device.resource_name for device in found.permitted_host_devices.mediated_devices or ()] == ["n/G"]
    assert kubevirt.spec.workload_update_strategy is not None
    assert kubevirt.spec.workload_update_strategy.workload_update_methods == ["Evict"]
    assert kubevirt.namespace == "cnv"


@pytest.mark.parametrize("version", [V1BETA1, V1])
def test_fields_that_the_operator_writes_itself(version: str) -> None:
    """
    The default interface is masquerade, the rollout strategy LiveUpdate, and the update method LiveMigrate.
    """
    kubevirt = written(hyper_converged(version, {}))
    found = kubevirt.spec.configuration

    assert found is not None
    assert found.network is not None
    assert found.network.default_network_interface == "masquerade"
    assert found.vm_rollout_strategy == "LiveUpdate"
    assert kubevirt.spec.workload_update_strategy is not None
    assert kubevirt.spec.workload_update_strategy.workload_update_methods == ["LiveMigrate"]


def test_defaults_change_with_hyperconverged_1_19() -> None:
    """
    Up to 1.18, the defaults are KubeVirt's own.
    """
    assert configuration(hyper_converged(V1BETA1, {}), 8).migrations == {}
    assert configuration(hyper_converged(V1BETA1, {"liveMigrationConfig": {"network": "a"}}), 9).migrations == {
        "completionTimeoutPerGiB": 20,
        "parallelOutboundMigrationsPerNode": 1,
        "allowWorkloadDisruption": False,
        "network": "a",
    }


def test_settings_that_hyperconverged_lacks_are_dropped() -> None:
    """
    The API server prunes them. HyperConverged has allowWorkloadDisruption from 1.19 on.
    """
    of = hyper_converged(
        V1BETA1, {"liveMigrationConfig": {"disableTLS": True, "allowWorkloadDisruption": True, "allowPostCopy": None}}
    )

    assert configuration(of, 8).migrations == {}
    assert configuration(of, 9).migrations["allowWorkloadDisruption"] is True
    assert "disableTLS" not in configuration(of, 9).migrations


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"infrastructureHighlyAvailable": True}, "LiveMigrate"),
        ({"infrastructureHighlyAvailable": False}, "None"),
        ({}, None),
    ],
)
def test_the_number_of_worker_nodes_decides_the_eviction_strategy(status: Any, expected: str | None) -> None:
    """
    HyperConverged's webhook writes the strategy when the status says whether there are several worker nodes.
    """
    assert configuration(hyper_converged(V1BETA1, {}, **status)).eviction_strategy == expected
    assert configuration(hyper_converged(V1BETA1, {"evictionStrategy": "External"}, **status)).eviction_strategy == (
        "External"
    )


@pytest.mark.parametrize(
    ("version", "gates", "minor", "listed", "disabled"),
    [
        (V1BETA1, {}, 8, "DecentralizedLiveMigration", False),
        (V1BETA1, {"decentralizedLiveMigration": False}, 8, "", False),
        (V1BETA1, {}, 7, "", False),
        (V1BETA1, {"persistentReservation": True}, 7, "PersistentReservation", False),
        (V1, [{"name": "decentralizedlivemigration", "state": "Disabled"}], 8, "", False),
        (V1, [{"name": "persistentReservation"}], 8, "PersistentReservation", False),
        (V1, [], 9, "DeclarativeHotplugVolumes", False),
        (V1, [{"name": "declarativeHotplugVolumes", "state": "Disabled"}], 9, "HotplugVolumes", True),
        (V1BETA1, {}, 4, "VMLiveUpdateFeatures", False),
    ],
)
def test_gates_are_a_map_or_a_list(version: str, gates: Any, minor: int, listed: str, disabled: bool) -> None:
    """
    The operator lists KubeVirt's gates by release, and from 1.19 on it disables beta gates.
    """
    developer = configuration(hyper_converged(version, {"featureGates": gates}), minor).developer_configuration

    assert developer is not None
    names = developer.feature_gates or []
    assert (listed in names) if listed else "DecentralizedLiveMigration" not in names
    assert ("DeclarativeHotplugVolumes" in (developer.disabled_feature_gates or ())) is disabled


def test_the_annotation_patches_the_kubevirt_cr() -> None:
    """
    Its paths are known, so that a finding about them is at the annotation.
    """
    patch = '[{"op":"add","path":"/spec/configuration/migrations/disableTLS","value":true}]'
    found = written_kubevirt(hyper_converged(V1BETA1, {}, {JSON_PATCH: patch}), Release(1, 8))

    assert isinstance(found.kubevirt, KubeVirt)
    assert found.kubevirt.spec.configuration is not None
    assert found.kubevirt.spec.configuration.migrations == {"disableTLS": True}
    assert found.patched == (("spec", "configuration", "migrations", "disableTLS"),)


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("[", "it is not JSON"),
        ('[{"op":"add","path":"/spec/configuration/evictionStrategy","value":1}]', "it sets a value of a wrong type"),
    ],
)
def test_an_annotation_that_cannot_be_applied_makes_the_settings_unknown(patch: str, why: str) -> None:
    """
    The reason names the annotation.
    """
    found = written_kubevirt(hyper_converged(V1BETA1, {}, {JSON_PATCH: patch}), Release(1, 8)).kubevirt

    assert isinstance(found, Unknown)
    assert found.why == f"annotation {JSON_PATCH} of the HyperConverged CR cannot be applied: {why}"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.15.2", "1.5"),
        ("v1.18.1", "1.8"),
        ("1.19.0", "1.9"),
        ("1.20.0-unstable", "1.9"),
        ("4.20.1", ""),
        ("", ""),
        ("x", ""),
    ],
)
def test_the_release_of_hyperconverged_gives_the_release_of_kubevirt(version: str, expected: str) -> None:
    """
    Releases of OpenShift Virtualization (4.x) are not known.
    """
    assert (
        kubevirt_release(hyper_converged(V1BETA1, {}, versions=[{"name": "operator", "version": version}])) == expected
    )
