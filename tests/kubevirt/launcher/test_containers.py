"""The containers of launcher pods beside compute (``template.go``, ``container-disk.go``, ``serialconsolelog.go``)."""

import json
from typing import Any

import pytest

from tests.kubevirt.launcher.building import around, needs, rendered, vmi
from webhook.kubevirt.launcher.launcher_pod import Rendered
from webhook.kubevirt.launcher.quantities import amounts

DISK = {"name": "root", "containerDisk": {"image": "registry.example/os"}}
KERNEL = {"kernelBoot": {"container": {"image": "registry.example/kernel"}}}


def names(pod: Rendered) -> list[str]:
    return [container.name for container in (*pod.init_containers, *pod.containers)]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v1.5.3", ["container-disk-binary", "volumeroot-init", "compute", "volumeroot", "guest-console-log"]),
        ("v1.6.0", ["guest-console-log", "container-disk-binary", "volumeroot-init", "compute", "volumeroot"]),
        ("v1.9.0", ["guest-console-log", "volumeroot", "compute"]),
    ],
)
def test_the_containers_of_a_container_disk_differ_between_releases(version: str, expected: list[str]) -> None:
    """
    In 1.9, the gate ImageVolume is on, and an init container finds the digest of the image.
    """
    assert names(rendered(vmi(volumes=[DISK]), around(version))) == expected


@pytest.mark.parametrize(
    ("version", "gates", "known", "expected"),
    [
        ("v1.6.6", {"featureGates": ["ImageVolume"]}, False, []),
        ("v1.7.0", {"featureGates": ["ImageVolume"]}, False, ["volumeroot", "volumekernel-boot-volume"]),
        ("v1.7.0", {"featureGates": ["ImageVolume"]}, True, []),
        ("v1.9.0", {}, True, []),
        (
            "v1.9.0",
            {"disabledFeatureGates": ["ImageVolume"]},
            True,
            [
                "container-disk-binary",
                "volumeroot-init",
                "volumekernel-boot-volume-init",
                "volumeroot",
                "volumekernel-boot-volume",
            ],
        ),
    ],
)
def test_image_volumes_replace_the_containers_of_container_disks(
    version: str, gates: dict[str, Any], known: bool, expected: list[str]
) -> None:
    """
    A target pod needs no init container, because the digests are known. A kernel is a container disk too.
    """
    of = vmi({"firmware": KERNEL, "devices": {"autoattachSerialConsole": False}}, volumes=[DISK])
    pod = rendered(of, around(version, {"developerConfiguration": gates}), is_target=known)

    assert [name for name in names(pod) if name != "compute"] == expected


@pytest.mark.parametrize(
    ("devices", "options", "logs"),
    [
        ({}, {}, True),
        ({"logSerialConsole": False}, {}, False),
        ({"autoattachSerialConsole": False, "logSerialConsole": True}, {}, False),
        ({}, {"disableSerialConsoleLog": {}}, False),
        ({"logSerialConsole": True}, {"disableSerialConsoleLog": {}}, True),
    ],
)
def test_the_serial_console_is_logged_unless_turned_off(
    devices: dict[str, Any], options: dict[str, Any], logs: bool
) -> None:
    """
    The VMI has precedence over the cluster, and a VMI without a console has no log.
    """
    pod = rendered(vmi({"devices": devices}), around(configuration={"virtualMachineOptions": options}))

    assert ("guest-console-log" in names(pod)) is logs


def test_the_console_log_is_a_sidecar_of_kubernetes_from_1_6_on() -> None:
    """
    It counts as long as the pod runs.
    """
    assert [container.restart_policy for container in rendered(vmi()).init_containers] == ["Always"]


CONSOLE = {"cpu": "5m", "memory": "35M"}, {"cpu": "15m", "memory": "60M"}
GUARANTEED = {"cpu": {"dedicatedCpuPlacement": True, "cores": 1}}


@pytest.mark.parametrize(
    ("domain", "support", "expected"),
    [
        ({}, [], CONSOLE),
        (GUARANTEED, [], (CONSOLE[1], CONSOLE[1])),
        (
            {},
            [{"requests": {"cpu": "0"}, "limits": {"memory": "1G"}}, {"requests": {"cpu": "7m"}}],
            ({"cpu": "7m", "memory": "35M"}, {"cpu": "15m", "memory": "1G"}),
        ),
        (
            GUARANTEED,
            [{"requests": {"cpu": "7m"}, "limits": {"cpu": "9m"}}],
            ({"cpu": "9m", "memory": "60M"}, {"cpu": "9m", "memory": "60M"}),
        ),
    ],
)
def test_the_cluster_can_set_the_resources_of_support_containers(
    domain: dict[str, Any], support: list[Any], expected: tuple[dict[str, str], dict[str, str]]
) -> None:
    """
    The first amount that is not 0 counts. With dedicated CPUs, requests equal limits.
    """
    entries = [{"type": "guest-console-log", "resources": resources} for resources in support]
    pod = rendered(vmi(domain), around(configuration={"supportContainerResources": entries}))

    found = needs(pod.init_containers[0])
    assert tuple(map(amounts, found)) == tuple(map(amounts, expected))


@pytest.mark.parametrize(("version", "expected"), [("v1.7.4", 2), ("v1.8.0", 1)])
def test_every_shared_filesystem_has_a_container(version: str, expected: int) -> None:
    """
    From 1.8 on, a webhook of KubeVirt adds the container of a containerPath volume.
    """
    volumes = [{"name": "a", "configMap": {}}, {"name": "b", "containerPath": {"path": "/b"}}, {"name": "c"}]
    domain = {"devices": {"filesystems": [{"name": name, "virtiofs": {}} for name in "ab"]}}

    found = [name for name in names(rendered(vmi(domain, volumes=volumes), around(version))) if "virtiofs" in name]
    assert len(found) == expected


def test_hook_sidecars_and_binding_plugins_have_containers() -> None:
    """
    A plugin with an image has one container for all its interfaces. Without dedicated CPUs, it has no resources.
    """
    hooks = json.dumps([{"image": "registry.example/hook", "pvc": {"name": "scripts"}}])
    binding = {"plug": {"sidecarImage": "registry.example/plug"}, "bare": {}}
    interfaces = [{"name": name, "binding": {"name": name[:4]}} for name in ("plug1", "plug2", "bare1")]
    of = vmi({"devices": {"interfaces": interfaces}}, annotations={"hooks.kubevirt.io/hookSidecars": hooks})
    pod = rendered(of, around(configuration={"network": {"binding": binding}}))

    assert names(pod)[-2:] == ["hook-sidecar-0", "hook-sidecar-1"]
    assert needs(pod.containers[-1]) == ({}, {})
    assert [volume.name for volume in pod.volumes] == ["scripts"]
