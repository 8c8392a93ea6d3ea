"""Builders for VMIs and their surroundings. Each test shows the fields that matter."""

from typing import Any

import msgspec

from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod
from webhook.kubevirt.launcher.surroundings import Surroundings
from webhook.kubevirt.launcher.target_pod import Source, target_pod
from webhook.kubevirt.releases import Version, parse_version
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.pods import Container
from webhook.objects.storage import PersistentVolumeClaim

NODE = {"host-model-cpu.node.kubevirt.io/Haswell": "true", "cpu-vendor.node.kubevirt.io/Intel": "true"}


def release(text: str) -> Version:
    """A patch release."""
    version = parse_version(text)
    assert version is not None
    return version


def vmi(domain: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: Any) -> LauncherVMI:
    """A VMI ``tenant/vm``. ``labels`` and ``annotations`` are metadata."""
    metadata: dict[str, Any] = {key: spec.pop(key) for key in ("labels", "annotations", "name") if key in spec}
    return msgspec.convert(
        {
            "metadata": {"name": "vm", "namespace": "tenant", "uid": "uid", **metadata},
            "spec": {"domain": domain or {}, **spec},
            "status": {"selinuxContext": "none", **(status or {})},
        },
        LauncherVMI,
    )


def around(version: str = "v1.9.0", configuration: dict[str, Any] | None = None, **more: Any) -> Surroundings:
    """The surroundings in a release, with empty collections."""
    collections: dict[str, Any] = {"namespace_labels": {}, "quota_resources": frozenset(), "claims": {}, "networks": {}}
    return Surroundings(
        release(version), msgspec.convert(configuration or {}, LauncherConfiguration), **(collections | more)
    )


def claim(name: str, *modes: str, **metadata: Any) -> dict[str, PersistentVolumeClaim]:
    """A claim of the namespace, by name."""
    value = {"metadata": {"name": name, "namespace": "tenant", **metadata}, "spec": {"accessModes": list(modes)}}
    return {name: msgspec.convert(value, PersistentVolumeClaim)}


def rendered(of: LauncherVMI, where: Surroundings | None = None, **options: Any) -> Rendered:
    """The launcher pod, which must exist."""
    pod = launcher_pod(of, where or around(), **options)
    assert isinstance(pod, Rendered), pod
    return pod


def target(
    of: LauncherVMI,
    where: Surroundings | None = None,
    node: dict[str, str] | None = None,
    pod: dict[str, str] | None = None,
    added: dict[str, str] | None = None,
) -> Rendered:
    """The target pod, which must exist."""
    result = target_pod(of, where or around(), Source(NODE if node is None else node, pod or {}), added)
    assert isinstance(result, Rendered), result
    return result


def compute(pod: Rendered) -> tuple[dict[str, Any], dict[str, Any]]:
    """The requests and limits of ``compute``."""
    return needs(pod.containers[0])


def needs(container: Container) -> tuple[dict[str, Any], dict[str, Any]]:
    """The requests and limits of a container."""
    assert container.resources is not None
    return container.resources.requests or {}, container.resources.limits or {}
