"""The KubeVirt CR of a cluster: the configuration in force and the architecture (webhook.kubevirt.cluster)."""

import msgspec
import pytest

from tests.kubevirt.building import Manifest, yaml
from webhook.facts.layered_world import VersionedWorld
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.cluster import BUILT_IN, Cluster, cluster_of, invalid_value
from webhook.kubevirt.releases import Version
from webhook.objects.kubevirt import Configuration, KubeVirt


def cr(spec: str, status: str = "{}") -> KubeVirt:
    manifest: Manifest = {"metadata": {"name": "kubevirt"}, "spec": yaml(spec), "status": yaml(status)}
    return msgspec.convert(manifest, KubeVirt)


@pytest.mark.parametrize(
    ("spec", "status", "architecture"),
    [
        ("{}", "{}", None),
        ("{}", "{defaultArchitecture: arm64}", "arm64"),
        ("{configuration: {architectureConfiguration: {}}}", "{defaultArchitecture: arm64}", "arm64"),
        (
            "{configuration: {architectureConfiguration: {defaultArchitecture: s390x}}}",
            "{defaultArchitecture: arm64}",
            "s390x",
        ),
    ],
)
def test_the_architecture_is_that_of_the_spec_then_of_the_status(
    spec: str, status: str, architecture: str | None
) -> None:
    """
    The spec of the KubeVirt CR has precedence over the status, which virt-operator writes.
    """
    result = cr(spec, status)

    assert cluster_of(ObjectsWorld([result])) == Cluster(result.spec.configuration or BUILT_IN, architecture)


def test_a_cluster_without_a_kubevirt_cr_has_built_in_settings() -> None:
    """
    Without a KubeVirt CR the defaults apply; with an unknown one the configuration is unknown.
    """
    assert cluster_of(ObjectsWorld((), [KubeVirt])) == Cluster(BUILT_IN, None)
    unknown = cluster_of(ObjectsWorld(()))
    assert isinstance(unknown.configuration, Unknown)
    assert unknown.architecture is None


@pytest.mark.parametrize(
    ("configuration", "wrong"),
    [
        ("{}", ""),
        ("{imagePullPolicy: Always}", ""),
        ("{imagePullPolicy: Never}", ""),
        ("{imagePullPolicy: IfNotPresent}", ""),
        ("{imagePullPolicy: ''}", ""),
        ("{imagePullPolicy: Sometimes}", "imagePullPolicy 'Sometimes'"),
        ("{network: {}}", ""),
        ("{network: {defaultNetworkInterface: ''}}", ""),
        ("{network: {defaultNetworkInterface: bridge}}", ""),
        ("{network: {defaultNetworkInterface: slirp}}", ""),
        ("{network: {defaultNetworkInterface: masquerade}}", ""),
        ("{network: {defaultNetworkInterface: nat}}", "network.defaultNetworkInterface 'nat'"),
        ("{developerConfiguration: {memoryOvercommit: 0}}", ""),
        ("{developerConfiguration: {memoryOvercommit: -1}}", "developerConfiguration.memoryOvercommit -1"),
        ("{developerConfiguration: {cpuAllocationRatio: 0}}", ""),
        ("{developerConfiguration: {cpuAllocationRatio: -1}}", "developerConfiguration.cpuAllocationRatio -1"),
        ("{developerConfiguration: {pvcTolerateLessSpaceUpToPercent: 0}}", ""),
        ("{developerConfiguration: {pvcTolerateLessSpaceUpToPercent: 100}}", ""),
        (
            "{developerConfiguration: {pvcTolerateLessSpaceUpToPercent: 101}}",
            "developerConfiguration.pvcTolerateLessSpaceUpToPercent 101",
        ),
        (
            "{developerConfiguration: {pvcTolerateLessSpaceUpToPercent: -1}}",
            "developerConfiguration.pvcTolerateLessSpaceUpToPercent -1",
        ),
    ],
)
def test_a_value_that_kubevirt_refuses_is_named(configuration: str, wrong: str) -> None:
    """
    KubeVirt then keeps its last valid configuration, so the value affects every field.
    """
    assert invalid_value(msgspec.convert(yaml(configuration), Configuration)) == wrong


def test_a_refused_configuration_is_unknown() -> None:
    """
    The configuration in force is an older one; the architecture is still that of the CR.
    """
    cluster = cluster_of(
        ObjectsWorld([cr("{configuration: {imagePullPolicy: Sometimes}}", "{defaultArchitecture: arm64}")])
    )

    assert cluster == Cluster(
        Unknown(
            "spec.configuration of the KubeVirt CR has an invalid imagePullPolicy 'Sometimes', so KubeVirt uses an older "
            "configuration, which Migratable cannot read",
            "ask the platform team to correct the KubeVirt CR",
        ),
        "arm64",
    )


def test_the_settings_follow_the_cr_and_the_patch_release() -> None:
    """
    The settings of the latest CR are kept, but never used for another CR or another patch release.
    """
    world = ObjectsWorld((), [KubeVirt])
    world.add(cr("{configuration: {cpuModel: Haswell}}"), "a.yaml")
    before = cluster_of(world)
    version = cluster_of(VersionedWorld(world, "1.6.2")).version
    world.add(cr("{configuration: {cpuModel: Skylake-Server}}"), "a.yaml")
    after = cluster_of(world)
    other = ObjectsWorld([cr("{configuration: {cpuModel: Haswell}}")])

    assert before == cluster_of(other) == Cluster(Configuration(cpu_model="Haswell"), None)
    assert version == Version(1, 6, 2)
    assert isinstance(after.configuration, Unknown)
    assert cluster_of(other).version is None
