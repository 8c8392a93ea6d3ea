"""The operator that writes a KubeVirt CR or a network (webhook.kubevirt.owners)."""

import msgspec
import pytest

from webhook.kubevirt.owners import owner_of
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.nad import NetworkAttachmentDefinition


@pytest.mark.parametrize("setting", ["vm-migration-network", "storage-network"])
def test_harvester_owns_a_network_that_it_marks(setting: str) -> None:
    """
    The annotation names the Harvester setting that the network is made from.
    """
    metadata = {"name": "n", "annotations": {f"{setting}.settings.harvesterhci.io": "true"}}

    owner = owner_of(msgspec.convert({"metadata": metadata}, NetworkAttachmentDefinition))

    assert owner is not None
    assert (owner.name, owner.place(("spec", "config"))) == ("Harvester", f"change Harvester's setting {setting}")


@pytest.mark.parametrize("annotations", [None, {}, {"other.settings.harvesterhci.io": "true"}, {"storage-network": ""}])
def test_no_operator_owns_a_network_without_a_mark(annotations: dict[str, str] | None) -> None:
    """
    A network of a user is changed directly, whatever its other annotations.
    """
    metadata = {"name": "n", "namespace": "harvester-system", "annotations": annotations}

    assert owner_of(msgspec.convert({"metadata": metadata}, NetworkAttachmentDefinition)) is None


def test_no_operator_owns_a_kubevirt_cr_of_an_ordinary_installation() -> None:
    """
    The CR of KubeVirt's own release manifest has neither an owner nor labels.
    """
    assert owner_of(msgspec.convert({"metadata": {"name": "kubevirt", "namespace": "kubevirt"}}, KubeVirt)) is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "change Harvester's setting kubevirt-migration (Harvester 1.7 or later)"),
        (("progressTimeout",), "change Harvester's setting kubevirt-migration (Harvester 1.7 or later)"),
        (("network",), "change Harvester's setting vm-migration-network (Harvester 1.6 or later)"),
        (
            ("nodeDrainTaintKey",),
            "change kubevirt.spec.configuration.migrations.nodeDrainTaintKey in the values of Harvester's chart",
        ),
        (
            ("nodeDrainTaintKey", "below"),
            "change kubevirt.spec.configuration.migrations.nodeDrainTaintKey.below in the values of Harvester's chart",
        ),
    ],
)
def test_harvester_takes_migration_settings_from_settings_of_its_own(path: tuple[str, ...], place: str) -> None:
    """
    All but the taint key, which is only in the values of its chart.
    """
    owner = owner_of(msgspec.convert({"metadata": {"name": "kubevirt", "namespace": "harvester-system"}}, KubeVirt))

    assert owner is not None
    assert owner.place(("spec", "configuration", "migrations", *path)) == place


CONFIGURATION = ("spec", "configuration")
OF_PLATFORM = "change spec.components.platform.values.kubevirt.migrations{} of Package cozystack.cozystack-platform"
OF_KUBEVIRT = "change spec.components.kubevirt.values.{} of Package cozystack.kubevirt"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("migrations",), OF_PLATFORM.format("")),
        (("migrations", "bandwidthPerMigration"), OF_PLATFORM.format(".bandwidthPerMigration")),
        (("permittedHostDevices", "mediatedDevices", 0), OF_KUBEVIRT.format("permittedHostDevices")),
        (("developerConfiguration", "featureGates", 2), OF_KUBEVIRT.format("extraFeatureGates")),
        (
            ("evictionStrategy",),
            "Cozystack's chart kubevirt sets spec.configuration.evictionStrategy, and no value of the chart can change it",
        ),
    ],
)
def test_cozystack_takes_settings_from_its_packages(path: tuple[str, ...], place: str) -> None:
    """
    The namespace tells Cozystack's CR from others. Flux labels it too.
    """
    metadata = {"name": "kubevirt", "namespace": "cozy-kubevirt", "labels": {"helm.toolkit.fluxcd.io/name": "kubevirt"}}
    owner = owner_of(msgspec.convert({"metadata": metadata}, KubeVirt))

    assert owner is not None
    assert (owner.name, owner.place((*CONFIGURATION, *path))) == ("Cozystack", place)


def test_flux_names_the_helm_release_of_a_cr() -> None:
    """
    An empty label names no HelmRelease.
    """
    labelled = {"name": "kubevirt", "namespace": "kubevirt", "labels": {"helm.toolkit.fluxcd.io/name": "virt"}}
    owner = owner_of(msgspec.convert({"metadata": labelled}, KubeVirt))
    unnamed = {**labelled, "labels": {"helm.toolkit.fluxcd.io/name": ""}}

    assert owner is not None
    assert (owner.name, owner.place((*CONFIGURATION, "cpuModel"))) == (
        "HelmRelease",
        "change the values of HelmRelease virt that set spec.configuration.cpuModel",
    )
    assert owner_of(msgspec.convert({"metadata": unnamed}, KubeVirt)) is None
