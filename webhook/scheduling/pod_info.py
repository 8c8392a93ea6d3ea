"""The fields of a pod that filter plugins read, computed once per pod."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from webhook.objects.pods import Container, Pod, PodVolume
from webhook.scheduling.affinity_terms import Term, anti_affinity_terms
from webhook.scheduling.pod_requests import ALWAYS, HUGE_PAGES, pod_requests

if TYPE_CHECKING:
    from webhook.scheduling.storage import VolumeNames

PodKey: TypeAlias = tuple[str, str]
"""Namespace and name."""
HostPort: TypeAlias = tuple[str, int, str]
"""Protocol, port and address of the node."""
ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104  (kube-scheduler's name for all addresses of a node)
_ORDER: Final = {"cpu": 0, "memory": 1, "ephemeral-storage": 2}
_NO_LABELS: Final[Mapping[str, str]] = {}


class PodInfo:
    """A pod, and what it takes from a node. ``node`` is the name of its node, or empty."""

    __slots__ = (
        "anti_affinity",
        "claims",
        "is_terminating",
        "key",
        "labels",
        "node",
        "pod",
        "ports",
        "requests",
        "volume_count",
        "volumes",
    )

    def __init__(self, pod: Pod) -> None:
        meta = pod.meta
        self.pod = pod
        self.key: PodKey = (pod.namespace, pod.name)
        self.labels = meta.labels or _NO_LABELS
        self.node = ""
        self.is_terminating = meta.deletion_timestamp is not None
        self.requests = counted(pod)
        """The requests above 0, in millicores, bytes or pieces."""
        self.ports: tuple[HostPort, ...] = tuple(_host_ports(pod))
        self.claims = tuple(_claim_names(pod)) if pod.spec.volumes else ()
        """The names of the claims in the pod's namespace. Claims of generic ephemeral volumes are excluded."""
        self.volume_count = sum(map(can_be_csi, pod.spec.volumes)) if pod.spec.volumes else 0
        """The largest number of CSI volumes that the pod can have."""
        self.anti_affinity: tuple[Term, ...] = anti_affinity_terms(pod)
        self.volumes: VolumeNames | None = None
        """The CSI volumes of the pod, once they were looked up."""

    @property
    def namespace(self) -> str:
        """The namespace of the pod."""
        return self.key[0]


def takes_room(pod: Pod) -> bool:
    """Whether the pod is on a node and takes resources there."""
    return bool(pod.spec.node_name) and not pod.is_finished


def counted(pod: Pod) -> tuple[tuple[str, int], ...]:
    """The requests that kube-scheduler compares, in the order of its message."""
    requests = [(name, amount) for name, amount in pod_requests(pod).items() if amount > 0 and _is_compared(name)]
    requests.sort(key=lambda item: (_ORDER.get(item[0], 3), item[0]))
    return tuple(requests)


def _is_compared(resource: str) -> bool:
    """Source: ``IsScalarResourceName`` of ``pkg/scheduler/util/utils.go``, v1.34.2."""
    return resource in _ORDER or "/" in resource or resource.startswith((HUGE_PAGES, "attachable-volumes-"))


def _claim_names(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.volumes or ():
        if volume.persistent_volume_claim is not None:
            yield volume.persistent_volume_claim.claim_name


def claim_of(pod: Pod, volume: PodVolume) -> str | None:
    """The name of the claim of a volume, or None for a volume without a claim."""
    if volume.persistent_volume_claim is not None:
        return volume.persistent_volume_claim.claim_name
    return f"{pod.name}-{volume.name}" if volume.ephemeral is not None else None


def can_be_csi(volume: PodVolume) -> bool:
    """Whether a volume can count as a CSI volume of its node."""
    inline = volume.gce_persistent_disk or volume.aws_elastic_block_store
    return volume.persistent_volume_claim is not None or volume.ephemeral is not None or inline is not None


def _host_ports(pod: Pod) -> Iterator[HostPort]:
    """Source: ``GetHostPorts`` of ``pkg/scheduler/util/utils.go`` and ``defaultHostNetworkPorts``, v1.34.2."""
    for container in _long_running(pod):
        for port in container.ports or ():
            number = port.host_port or (port.container_port if pod.spec.host_network else 0)
            if number > 0:
                yield port.protocol or "TCP", number, port.host_ip or ANY_ADDRESS


def _long_running(pod: Pod) -> Iterator[Container]:
    for container in pod.spec.init_containers or ():
        if container.restart_policy == ALWAYS:
            yield container
    yield from pod.spec.containers or ()
