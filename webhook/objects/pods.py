"""
Pods, with the fields that scheduling, quota and disruption budgets read.

Source: ``k8s.io/api/core/v1/types.go``, v0.34. Pods are read only for the rehearsal of a drain, never at admission.
"""

import msgspec

from webhook.objects.meta import Empty, Json, Kubernetes, Quantity, Read
from webhook.objects.scheduling import (
    LabelSelector,
    NodeAffinity,
    PodTerm,
    Toleration,
)

RESIZE_PENDING = "PodResizePending"
"""The type of a condition: the node has not granted new resources of the pod."""


class ContainerPort(Read, frozen=True):
    """An entry of ``ports`` of a container. Only ports with a ``hostPort`` matter to scheduling."""

    host_port: int = 0
    host_ip: str = msgspec.field(default="", name="hostIP")
    protocol: str = "TCP"
    container_port: int = 0


class ResourceNeeds(Read, frozen=True):
    """``resources`` of a container or of a pod. Quantities are as written."""

    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None
    claims: Json = None


class Container(Read, frozen=True):
    """A container or init container. An init container with ``restartPolicy: Always`` is a sidecar."""

    name: str = ""
    resources: ResourceNeeds | None = None
    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class PodClaim(Read, frozen=True):
    """The ``persistentVolumeClaim`` field of a pod's volume."""

    claim_name: str = ""
    read_only: bool | None = None


class InlineCSI(Read, frozen=True):
    """The ``csi`` field of a pod's volume."""

    driver: str = ""


class InlineDisk(Read, frozen=True):
    """A disk that a pod names without a claim. kube-scheduler keeps pods that share such a disk on different nodes."""

    pd_name: str = ""
    volume_id: str = msgspec.field(default="", name="volumeID")
    iqn: str = ""
    monitors: list[str] | None = None
    pool: str = "rbd"
    image: str = ""
    read_only: bool | None = None


class PodVolume(Read, frozen=True):
    """An entry of ``spec.volumes``. ``ephemeral`` creates the claim ``<pod>-<volume>``."""

    name: str = ""
    persistent_volume_claim: PodClaim | None = None
    ephemeral: Empty | None = None
    csi: InlineCSI | None = None
    gce_persistent_disk: InlineDisk | None = None
    aws_elastic_block_store: InlineDisk | None = None
    iscsi: InlineDisk | None = None
    rbd: InlineDisk | None = None


class WeightedPodTerm(Read, frozen=True):
    """A preferred term. It excludes no node, but it can be in the quota scope ``CrossNamespacePodAffinity``."""

    term: PodTerm = msgspec.field(default_factory=PodTerm, name="podAffinityTerm")


class PodAffinity(Read, frozen=True):
    """``affinity.podAffinity`` or ``affinity.podAntiAffinity``."""

    required: list[PodTerm] | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: list[WeightedPodTerm] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class PodPlacement(Read, frozen=True):
    """``spec.affinity`` of a pod."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class SpreadConstraint(Read, frozen=True):
    """An entry of ``topologySpreadConstraints``. Only ``whenUnsatisfiable: DoNotSchedule`` excludes nodes."""

    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: list[str] | None = None


class NamedGate(Read, frozen=True):
    """An entry of ``schedulingGates``."""

    name: str = ""


class PodSpec(Read, frozen=True):
    """``Pod.spec``."""

    node_name: str = ""
    node_selector: dict[str, str] | None = None
    affinity: PodPlacement | None = None
    tolerations: list[Toleration] | None = None
    topology_spread_constraints: list[SpreadConstraint] | None = None
    scheduler_name: str = ""
    priority_class_name: str = ""
    priority: int | None = None
    runtime_class_name: str | None = None
    overhead: dict[str, Quantity] | None = None
    resources: ResourceNeeds | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    volumes: list[PodVolume] | None = None
    scheduling_gates: list[NamedGate] | None = None
    resource_claims: Json = None
    host_network: bool | None = None
    active_deadline_seconds: int | None = None
    """A pod with this field is in the quota scope ``Terminating``."""
    termination_grace_period_seconds: int | None = None
    """The most seconds between the eviction of the pod and its end. API servers set 30 if the field is absent."""


class PodCondition(Read, frozen=True):
    """An entry of ``status.conditions``."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class HeldResources(Read, frozen=True):
    """``resources`` of a container status."""

    requests: dict[str, Quantity] | None = None


class ContainerStatus(Read, frozen=True):
    """
    An entry of ``containerStatuses`` or ``initContainerStatuses``.

    ``resources`` and ``allocatedResources`` are what the container holds. They are None if the container is not being resized
    (``Pod.__post_init__``).
    """

    name: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    resources: HeldResources | None = None
    allocated_resources: dict[str, Quantity] | None = None


class PodStatus(Read, frozen=True):
    """``Pod.status``."""

    phase: str = ""
    nominated_node_name: str = ""
    """The node on which the scheduler makes room for the pod."""
    conditions: list[PodCondition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(Kubernetes, frozen=True):
    """A pod."""

    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    def __post_init__(self) -> None:
        """Drops the resources in the status of containers that hold what they request. 20,000 pods would keep 30 MiB of them."""
        statuses = (*(self.status.container_statuses or ()), *(self.status.init_container_statuses or ()))
        if not statuses or any(condition.type == RESIZE_PENDING for condition in self.status.conditions or ()):
            return
        containers = (*(self.spec.containers or ()), *(self.spec.init_containers or ()))
        needs = {container.name: container.resources for container in containers}
        for status in statuses:
            own = needs.get(status.name)
            if _holds(status, (own.requests if own is not None else None) or {}):
                msgspec.structs.force_setattr(status, "resources", None)
                msgspec.structs.force_setattr(status, "allocated_resources", None)

    @property
    def is_finished(self) -> bool:
        """Whether all containers have ended. A finished pod takes no room on its node."""
        return self.status.phase in {"Succeeded", "Failed"}


def _holds(status: ContainerStatus, requests: dict[str, Quantity]) -> bool:
    """Whether a container holds only what its spec requests."""
    held = status.resources.requests if status.resources is not None else None
    return all(part is None or part.items() <= requests.items() for part in (held, status.allocated_resources))
