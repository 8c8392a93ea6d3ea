"""The target pod of a migration (``createTargetPod``)."""

from typing import Any

import pytest

from tests.kubevirt.launcher.building import NODE, around, rendered, target, vmi
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.surroundings import NoPod
from webhook.kubevirt.launcher.target_pod import Source, target_pod
from webhook.objects.pods import ContainerStatus

HOST_MODEL = {"cpu": {"model": "host-model"}}
MODEL = {"cpu-model-migration.node.kubevirt.io/Haswell": "true"}
VENDOR = {"cpu-vendor.node.kubevirt.io/Intel": "true"}
UNKNOWN = Unknown("why")


def added(pod: Any, of: Any, where: Any) -> dict[str, str]:
    """The selectors that the launcher pod does not have."""
    base = rendered(of, where).node_selector
    return {key: value for key, value in pod.node_selector.items() if base.get(key) != value}


@pytest.mark.parametrize(
    ("version", "has_vendor"),
    [
        ("v1.5.3", False),
        ("v1.6.3", False),
        ("v1.6.4", True),
        ("v1.7.0", False),
        ("v1.7.1", True),
        ("v1.8.0", True),
    ],
)
def test_the_vendor_of_the_source_node_is_a_selector_in_some_patch_releases(version: str, has_vendor: bool) -> None:
    """
    The change came to 1.6 and 1.7 by patches.
    """
    of, where = vmi(), around(version)

    assert added(target(of, where), of, where) == (VENDOR if has_vendor else {})


def test_a_vendor_that_the_vmi_selects_stays() -> None:
    """
    The vendor of the source node is added only if there is none.
    """
    of = vmi(nodeSelector={"cpu-vendor.node.kubevirt.io/AMD": "true"})

    assert added(target(of), of, around()) == {}


def test_the_first_migration_of_a_host_model_vmi_selects_the_model_of_the_source_node() -> None:
    """
    The required features of the node's model come with it.
    """
    node = {**NODE, "host-model-required-features.node.kubevirt.io/aes": "true"}
    of = vmi(HOST_MODEL)

    assert added(target(of, node=node), of, around()) == MODEL | VENDOR | {"cpu-feature.node.kubevirt.io/aes": "true"}


@pytest.mark.parametrize(
    "earlier", [{"cpu-model-migration.node.kubevirt.io/Old": "true"}, {"cpu-feature.node.kubevirt.io/svm": "true"}]
)
def test_selectors_of_the_source_pod_replace_those_of_the_source_node(earlier: dict[str, str]) -> None:
    """
    The source pod has them from an earlier migration, or from a required feature of the VMI.
    """
    of = vmi(HOST_MODEL)

    assert added(target(of, pod={"zone": "a", **earlier}), of, around()) == earlier | VENDOR


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (
            "v1.5.3",
            NoPod(
                'node does not contain labal "host-model-cpu.node.kubevirt.io/" with information about host cpu model'
            ),
        ),
        ("v1.6.0", {}),
        ("v1.9.0", {}),
    ],
)
def test_a_source_node_without_a_model_is_an_error_before_1_6(version: str, expected: NoPod | dict[str, str]) -> None:
    """
    From 1.6 on, virt-controller loses the error and selects no model.
    """
    of, where = vmi(HOST_MODEL), around(version)
    result = target_pod(of, where, Source({}, {}))

    assert (result if isinstance(result, NoPod) else added(result, of, where)) == expected


@pytest.mark.parametrize(("version", "zone"), [("v1.5.3", None), ("v1.6.0", "b"), ("v1.9.0", "b")])
def test_selectors_of_the_migration_are_added_from_1_6_on(version: str, zone: str | None) -> None:
    """
    They never replace a selector of the launcher pod.
    """
    of, where = vmi(nodeSelector={"pool": "vms"}), around(version)
    pod = target(of, where, node={}, added={"zone": "b", "pool": "x"})

    assert pod.node_selector.get("zone") == zone
    assert pod.node_selector["pool"] == "vms"


def test_the_target_pod_avoids_the_node_of_the_source_pod() -> None:
    """
    The anti-affinity of the VMI stays, and the launcher pod of a start has no such term.
    """
    own = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "zone"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [own]}}
    of = vmi(affinity=affinity)

    anti = target(of).affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]

    assert anti == [
        own,
        {"labelSelector": {"matchLabels": {"kubevirt.io/created-by": "uid"}}, "topologyKey": "kubernetes.io/hostname"},
    ]
    assert rendered(of).affinity["podAntiAffinity"] == affinity["podAntiAffinity"]
    assert of.spec.affinity == affinity


@pytest.mark.parametrize(
    ("context", "configuration", "message"),
    [
        ("", {}, "SELinux context not set on VMI status"),
        ("user:role", {}, "invalid Label"),
        ("system_u:object_r:container_file_t:s0:c1,c2", {}, None),
        ("", {"migrations": {"matchSELinuxLevelOnMigration": False}}, None),
    ],
)
def test_a_vmi_without_an_selinux_context_gets_no_target_pod(
    context: str, configuration: dict[str, Any], message: str | None
) -> None:
    """
    The setting matchSELinuxLevelOnMigration turns the check off.
    """
    of = vmi(status={"selinuxContext": context})
    result = target_pod(of, around(configuration=configuration), Source(NODE, {}))

    assert (result.message if isinstance(result, NoPod) else None) == message


@pytest.mark.parametrize(
    ("version", "image_id", "is_refused"),
    [
        ("v1.9.0", "registry.example/os@sha256:0a1b", False),
        ("v1.9.0", "registry.example/os:1", True),
        ("v1.6.0", "", True),
        ("v1.5.3", "", False),
    ],
)
def test_a_container_disk_without_a_digest_gets_no_target_pod_from_1_6_on(
    version: str, image_id: str, is_refused: bool
) -> None:
    """
    The status of the source pod contains the digest. Other containers do not count.
    """
    of = vmi(volumes=[{"name": "root", "containerDisk": {"image": "registry.example/os"}}])
    statuses = (ContainerStatus("compute", ""), ContainerStatus("volumeroot", image_id))
    result = target_pod(of, around(version), Source(NODE, {}, statuses))

    assert (result.message if isinstance(result, NoPod) else None) == (
        "failed to render launch manifest: can not proceed with the migration when no reproducible image digest can be "
        f'detected: failed to identify image digest for container "registry.example/os" with id "{image_id}"'
        if is_refused
        else None
    )


@pytest.mark.parametrize(
    ("domain", "version", "source", "why"),
    [
        (HOST_MODEL, "v1.9.0", Source(NODE, UNKNOWN), "the node selector of the source pod is unknown"),
        (HOST_MODEL, "v1.9.0", Source(UNKNOWN, {}), "the CPU model of the source node is unknown"),
        ({}, "v1.9.0", Source(UNKNOWN, {}), "the CPU vendor of the source node is unknown"),
        ({}, "v1.5.3", Source(UNKNOWN, UNKNOWN), None),
        (HOST_MODEL, "v1.5.3", Source(UNKNOWN, MODEL), None),
    ],
)
def test_an_unknown_source_matters_only_where_the_target_depends_on_it(
    domain: dict[str, Any], version: str, source: Source, why: str | None
) -> None:
    """
    The result names the missing input.
    """
    result = target_pod(vmi(domain), around(version), source)

    assert (result.why if isinstance(result, Unknown) else None) == why
