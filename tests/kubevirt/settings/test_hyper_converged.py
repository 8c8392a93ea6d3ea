"""Each field of the KubeVirt CR is traced to the HyperConverged field that it comes from, in both API versions."""

import pytest

from webhook.kubevirt.settings.hyper_converged import (
    Place,
    hyper_converged_place,
    in_hyper_converged,
    where_in_hyper_converged,
)
from webhook.objects.path import FieldPath

CONFIGURATION: FieldPath = ("spec", "configuration")
BELOW = "spec.virtualization"


@pytest.mark.parametrize(
    ("path", "v1beta1", "v1"),
    [
        (("migrations", "network"), "spec.liveMigrationConfig.network", f"{BELOW}.liveMigrationConfig.network"),
        (
            ("migrations", "completionTimeoutPerGiB"),
            "spec.liveMigrationConfig.completionTimeoutPerGiB",
            f"{BELOW}.liveMigrationConfig.completionTimeoutPerGiB",
        ),
        (("evictionStrategy",), "spec.evictionStrategy", f"{BELOW}.evictionStrategy"),
        (("cpuModel",), "spec.defaultCPUModel", f"{BELOW}.virtualMachineOptions.defaultCPUModel"),
        (("obsoleteCPUModels", "486"), "spec.obsoleteCPUs.cpuModels", f"{BELOW}.obsoleteCPUModels"),
        (
            ("permittedHostDevices", "pciHostDevices", 0),
            "spec.permittedHostDevices",
            f"{BELOW}.permittedHostDevices",
        ),
        (("network", "binding", "passt"), "spec.networkBinding.passt", "spec.networking.networkBinding.passt"),
        (
            ("mediatedDevicesConfiguration", "mediatedDeviceTypes", 0),
            "spec.mediatedDevicesConfiguration",
            f"{BELOW}.mediatedDevicesConfiguration",
        ),
        (
            ("liveUpdateConfiguration", "maxGuest"),
            "spec.liveUpdateConfiguration.maxGuest",
            f"{BELOW}.liveUpdateConfiguration.maxGuest",
        ),
        (("vmStateStorageClass",), "spec.vmStateStorageClass", "spec.storage.vmStateStorageClass"),
    ],
)
def test_a_field_is_named_in_both_versions(path: FieldPath, v1beta1: str, v1: str) -> None:
    """
    A warning names the field of v1beta1, and the remedy also that of v1.
    """
    whole = (*CONFIGURATION, *path)

    assert where_in_hyper_converged(whole) == f"HyperConverged {v1beta1}"
    assert in_hyper_converged(whole) == f"set {v1beta1} of the HyperConverged object (version v1: {v1})"


def test_fields_below_a_field_have_the_same_place_below_it() -> None:
    """
    spec.workloadUpdateStrategy has the same structure on both sides.
    """
    path: FieldPath = ("spec", "workloadUpdateStrategy", "workloadUpdateMethods", 1)

    assert where_in_hyper_converged(path) == "HyperConverged spec.workloadUpdateStrategy.workloadUpdateMethods[1]"
    assert in_hyper_converged(path).endswith(f"version v1: {BELOW}.workloadUpdateStrategy.workloadUpdateMethods[1])")


@pytest.mark.parametrize(
    "path",
    [
        ("spec", "configuration", "migrations", "disableTLS"),
        ("spec", "configuration", "developerConfiguration", "featureGates", 0),
        ("spec", "configuration", "vmRolloutStrategy"),
        ("spec",),
    ],
)
def test_a_setting_without_a_field_comes_from_the_annotation(path: FieldPath) -> None:
    """
    HyperConverged has no field for it, so only its JSON patch annotation can have written it.
    """
    assert in_hyper_converged(path) == "use annotation kubevirt.kubevirt.io/jsonpatch of the HyperConverged object"
    assert where_in_hyper_converged(path).startswith("HyperConverged annotation kubevirt.kubevirt.io/jsonpatch (spec")


@pytest.mark.parametrize(
    "name",
    """
    parallelMigrationsPerCluster parallelOutboundMigrationsPerNode bandwidthPerMigration completionTimeoutPerGiB
    progressTimeout network allowAutoConverge allowPostCopy
    """.split(),  # noqa: SIM905 - one list of words reads better
)
def test_eight_migration_settings_have_a_field(name: str) -> None:
    """
    With the same name in liveMigrationConfig.
    """
    assert hyper_converged_place((*CONFIGURATION, "migrations", name)) == Place(
        ("spec", "liveMigrationConfig", name), ("spec", "virtualization", "liveMigrationConfig", name)
    )
    assert hyper_converged_place((*CONFIGURATION, "migrations")) is None


@pytest.mark.parametrize(
    ("field", "v1beta1", "v1"),
    [
        ("obsoleteCPUModels", ("spec", "obsoleteCPUs", "cpuModels"), ("obsoleteCPUModels",)),
        ("permittedHostDevices", ("spec", "permittedHostDevices"), ("permittedHostDevices",)),
        ("mediatedDevicesConfiguration", ("spec", "mediatedDevicesConfiguration"), ("mediatedDevicesConfiguration",)),
    ],
)
def test_entries_that_are_named_differently_are_left_out(field: str, v1beta1: FieldPath, v1: FieldPath) -> None:
    """
    At any depth below the field.
    """
    for below in ((), ("entries",), ("entries", 0), ("entries", 0, "name")):
        assert hyper_converged_place((*CONFIGURATION, field, *below)) == Place(v1beta1, ("spec", "virtualization", *v1))
