"""
The pod that attaches hotplugged volumes to a launcher pod. It runs on the node of the launcher pod.

A migration is not ready before such a pod runs on the target node.

Source: ``RenderHotplugAttachmentPodTemplate`` of ``pkg/virt-controller/services/template.go``, v1.3.1 to v1.9.0. This module does
no I/O.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from webhook.kubevirt.launcher.containers import attachment_resources
from webhook.kubevirt.launcher.surroundings import Surroundings
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import ObjectMeta
from webhook.objects.pods import Container, Pod, PodClaim, PodPlacement, PodSpec, PodVolume
from webhook.objects.scheduling import HOSTNAME, NodeAffinity, NodeRequirement, NodeTerm, NodeTerms, Toleration

_NAME: Final = "hotplug-disk"
_TOLERATED: Final = ("unschedulable", "network-unavailable", "disk-pressure", "memory-pressure", "pid-pressure")


def attachment_pod(
    vmi: LauncherVMI, around: Surroundings, hostname: str, tolerations: Iterable[Toleration]
) -> Pod | None:
    """
    The pod for the hotplugged volumes of a VMI, or None if there are none.

    ``hostname`` is the name of the launcher pod's node, which KubeVirt compares with the label ``kubernetes.io/hostname``.
    ``tolerations`` are those of the launcher pod.
    """
    volumes = list(_hotplugged(vmi))
    if not volumes:
        return None
    term = NodeTerm([NodeRequirement(HOSTNAME, "In", [hostname])])
    return Pod(
        "v1",
        "Pod",
        ObjectMeta(generate_name="hp-volume-", namespace=vmi.namespace, labels={"kubevirt.io": _NAME}),
        PodSpec(
            affinity=PodPlacement(NodeAffinity(NodeTerms([term]))),
            tolerations=[*_own_tolerations(around), *tolerations],
            containers=[Container(_NAME, attachment_resources(around))],
            volumes=volumes,
        ),
    )


def _own_tolerations(around: Surroundings) -> Iterator[Toleration]:
    if around.version[:2] >= (1, 8):
        yield from (Toleration(f"node.kubernetes.io/{name}", "Exists", "", "NoSchedule") for name in _TOLERATED)


def _hotplugged(vmi: LauncherVMI) -> Iterator[PodVolume]:
    plugged = {status.name for status in vmi.status.volume_status or () if status.hotplug_volume is not None}
    for volume in vmi.spec.volumes or ():
        sources = (volume.persistent_volume_claim, volume.data_volume, volume.memory_dump)
        is_plugged = any(source is not None and source.hotpluggable for source in sources)
        if volume.claim and (volume.name in plugged or is_plugged):
            yield PodVolume(volume.name, PodClaim(volume.claim))
