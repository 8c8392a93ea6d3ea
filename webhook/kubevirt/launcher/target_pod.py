"""
The target pod of a live migration.

Source: ``createTargetPod`` and ``prepareNodeSelectorForHostCpuModel`` of
``pkg/virt-controller/watch/migration/migration.go`` (1.3: ``pkg/virt-controller/watch/migration.go``), v1.3.1 to v1.9.0. This
module does no I/O.
"""

import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.launcher.containers import container_disks
from webhook.kubevirt.launcher.host_model import MIGRATION_LABEL
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod
from webhook.kubevirt.launcher.node_selector import CPU_VENDOR_LABEL
from webhook.kubevirt.launcher.placement import keep_off_source
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings, reached
from webhook.kubevirt.releases import Version
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.nad import CPU_FEATURE_LABEL, HOST_MODEL_FEATURE_LABEL, HOST_MODEL_LABEL
from webhook.objects.pods import ContainerStatus


class Source(msgspec.Struct, frozen=True):
    """The node and the pod in which a VMI runs."""

    node_labels: Fact[Mapping[str, str]]
    pod_node_selector: Fact[Mapping[str, str]]
    statuses: Sequence[ContainerStatus] = ()
    """The statuses of the pod's containers and init containers, as far as they are known."""


def target_pod(
    vmi: LauncherVMI, around: Surroundings, source: Source, added_node_selector: Mapping[str, str] | None = None
) -> Rendered | NoPod | Unknown:
    """
    The target pod of a migration of a running VMI, without the label of the migration.

    ``added_node_selector`` is the field of the migration.
    """
    pod = _without_digest(vmi, around, source) or launcher_pod(vmi, around, is_target=True)
    if isinstance(pod, NoPod | Unknown):
        return pod
    affinity = deepcopy(pod.affinity)
    keep_off_source(affinity, vmi)
    selector = for_target(pod.node_selector, vmi, around.version, source, added_node_selector or {})
    if isinstance(selector, NoPod | Unknown):
        return selector
    return _selinux_error(vmi, around) or msgspec.structs.replace(pod, node_selector=selector, affinity=affinity)


def _without_digest(vmi: LauncherVMI, around: Surroundings, source: Source) -> NoPod | None:
    """The error for a container disk whose digest is not in the status (``ExtractImageIDsFromSourcePod``), from 1.6 on."""
    if around.version[:2] < (1, 6):
        return None
    images = {f"volume{name}": image for name, image in container_disks(vmi)}
    for status in source.statuses:
        if status.name in images and not re.search("sha256:[a-zA-Z0-9]", status.image_id):
            name, image_id = json.dumps(images[status.name]), json.dumps(status.image_id)
            return NoPod(
                "failed to render launch manifest: can not proceed with the migration when no reproducible image digest "
                f"can be detected: failed to identify image digest for container {name} with id {image_id}"
            )
    return None


def for_target(
    rendered: Mapping[str, str], vmi: LauncherVMI, version: Version, source: Source, added: Mapping[str, str]
) -> dict[str, str] | NoPod | Unknown:
    """The node selector of the target pod, from that of the launcher pod and ``addedNodeSelector`` of the migration."""
    selector = {**(added if version[:2] >= (1, 6) else {}), **rendered}
    with_model = _with_host_model(selector, vmi, version, source)
    if isinstance(with_model, NoPod | Unknown):
        return with_model
    return _with_vendor(with_model, version, source)


def _with_host_model(
    selector: dict[str, str], vmi: LauncherVMI, version: Version, source: Source
) -> dict[str, str] | NoPod | Unknown:
    """Adds the CPU model of the source node, or the selectors that the source pod already has."""
    cpu = vmi.spec.domain.cpu
    if cpu is None or cpu.model != "host-model":
        return selector
    if isinstance(source.pod_node_selector, Unknown):
        return source.pod_node_selector.within("the node selector of the source pod is unknown")
    earlier = {
        key: value
        for key, value in source.pod_node_selector.items()
        if CPU_FEATURE_LABEL in key or MIGRATION_LABEL in key
    }
    if earlier:
        return selector | earlier
    if isinstance(source.node_labels, Unknown):
        return source.node_labels.within("the CPU model of the source node is unknown")
    model = host_model_selector(source.node_labels)
    if model is None and version[:2] < (1, 6):
        return NoPod(f'node does not contain labal "{HOST_MODEL_LABEL}" with information about host cpu model')
    return selector | (model or {})  # from 1.6 on, virt-controller loses this error


def host_model_selector(node_labels: Mapping[str, str]) -> dict[str, str] | None:
    """The selectors for the CPU model of a node and its required features, or None if the node reports no model."""
    model: tuple[str, str] | None = None
    selector: dict[str, str] = {}
    for key, value in node_labels.items():
        if key.startswith(HOST_MODEL_LABEL):
            model = MIGRATION_LABEL + key[len(HOST_MODEL_LABEL) :], value
        elif key.startswith(HOST_MODEL_FEATURE_LABEL):
            selector[CPU_FEATURE_LABEL + key[len(HOST_MODEL_FEATURE_LABEL) :]] = value
    if model is None or model[0] == MIGRATION_LABEL:
        return None
    return selector | {model[0]: model[1]}


def _with_vendor(selector: dict[str, str], version: Version, source: Source) -> dict[str, str] | Unknown:
    """Adds the CPU vendor of the source node if the pod selects no vendor, from 1.6.4, 1.7.1 and 1.8.0 on."""
    if not reached(version, (1, 6, 4), (1, 7, 1)) or any(key.startswith(CPU_VENDOR_LABEL) for key in selector):
        return selector
    if isinstance(source.node_labels, Unknown):
        return source.node_labels.within("the CPU vendor of the source node is unknown")
    vendor = next((key for key in sorted(source.node_labels) if key.startswith(CPU_VENDOR_LABEL)), None)
    return selector if vendor is None else selector | {vendor: "true"}


def _selinux_error(vmi: LauncherVMI, around: Surroundings) -> NoPod | None:
    """The error for a VMI without a valid SELinux context (``setTargetPodSELinuxLevel``)."""
    migrations = around.configuration.migrations
    if migrations is not None and migrations.match_selinux_level is False:
        return None
    context = vmi.status.selinux_context
    if not context:
        return NoPod("SELinux context not set on VMI status")
    return None if context == "none" or context.count(":") >= 2 else NoPod("invalid Label")
