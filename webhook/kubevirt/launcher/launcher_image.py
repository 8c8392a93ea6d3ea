"""
The image of the launchers that virt-controller starts, and whether a VMI runs in an older one.

Source: ``isOutdated`` of ``pkg/virt-controller/watch/workload-updater/workload-updater.go``; ``setLauncherContainerInfo`` of
``pkg/virt-controller/watch/vmi/lifecycle.go``; ``NewControllerDeployment`` of
``pkg/virt-operator/resource/generate/components/deployments.go``; ``GetLauncherVersion`` of ``pkg/virt-operator/util/config.go``,
v1.3.1 to v1.9.0. This module does no I/O.
"""

from typing import Final

import msgspec

from webhook.objects.json_depth import decode
from webhook.objects.launcher_configuration import DeploymentStatus
from webhook.objects.meta import Kubernetes, Read

OUTDATED: Final = "kubevirt.io/outdatedLauncherImage"
"""The label that virt-controller sets on a VMI whose launcher has another image than new launchers."""


class _Deployment(Read, frozen=True):
    """``status.observedDeploymentConfig`` of the KubeVirt CR (``KubeVirtDeploymentConfig``)."""

    registry: str = ""
    image_prefix: str = ""
    kube_virt_version: str = ""
    virt_launcher_image: str = ""


_deployment_decoder = msgspec.json.Decoder(_Deployment)


def launcher_image(status: DeploymentStatus) -> str:
    """The image of new launchers, or an empty string if the status does not give it."""
    try:
        deployed = decode(_deployment_decoder, status.observed_deployment_config.encode())
    except msgspec.DecodeError:
        return ""
    if deployed.virt_launcher_image:
        return deployed.virt_launcher_image
    if not deployed.registry or not deployed.kube_virt_version:
        return ""
    version = deployed.kube_virt_version
    separator = "@" if version.startswith("sha256:") else ":"
    return f"{deployed.registry}/{deployed.image_prefix}virt-launcher{separator}{version}"


def is_outdated(vmi: Kubernetes, image: str, status: DeploymentStatus) -> bool:
    """
    Whether the launcher with ``image`` is older than new launchers. ``image`` is ``status.launcherContainerImageVersion`` of the
    VMI. Without an image, KubeVirt does not call a VMI outdated.

    If the status of the KubeVirt CR does not give the image of new launchers, the label decides, and then the tag of the image.
    """
    if not image:
        return False
    current = launcher_image(status)
    if current:
        return image != current
    if OUTDATED in (vmi.meta.labels or {}):
        return True
    tag, released = _tag(image), status.observed_kube_virt_version
    return bool(tag) and tag.startswith("v") and bool(released) and tag != released


def _tag(image: str) -> str:
    """The tag of an image, or an empty string if it has none or a digest."""
    name = image.rpartition("/")[2]
    return "" if "@" in name else name.partition(":")[2]
