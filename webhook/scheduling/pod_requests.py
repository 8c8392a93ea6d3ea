"""
The resources that a pod takes on its node, as kube-scheduler counts them.

Source: ``PodRequests`` of ``k8s.io/component-helpers/resource/helpers.go`` and ``SetDefaults_Pod`` of
``pkg/apis/core/v1/defaults.go``, Kubernetes v1.34.2. This module does no I/O.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from webhook.objects.meta import Quantity
from webhook.objects.pods import RESIZE_PENDING, Container, Pod, PodSpec, ResourceNeeds
from webhook.objects.quantity import NANO, parse_quantity

CPU: Final = "cpu"
MEMORY: Final = "memory"
EPHEMERAL_STORAGE: Final = "ephemeral-storage"
HUGE_PAGES: Final = "hugepages-"
ALWAYS: Final = "Always"
"""The ``restartPolicy`` of a sidecar, which is an init container that runs as long as the pod."""
_MILLI: Final = NANO // 1000

Amounts = dict[str, int]
"""Amounts in billionths, by resource."""


def pod_requests(pod: Pod) -> dict[str, int]:
    """
    The requests of a pod: ``cpu`` in millicores, all other resources in bytes or pieces, rounded up.

    A resource that has a limit and no request counts with its limit, as in the pod that the API server stores. A container that
    is being resized counts with what it holds, if that is more.
    """
    spec = pod.spec
    total = _sum(spec, Held(pod))
    if spec.resources is not None:
        total.update(_pod_level(spec.resources, total))
    if spec.overhead:
        _add(total, amounts(spec.overhead))
    return {name: -(-nano // (_MILLI if name == CPU else NANO)) for name, nano in total.items()}


def requests_of(needs: ResourceNeeds | None) -> Amounts:
    """The requests of a container, with its limits as the default."""
    if needs is None:
        return {}
    return amounts(needs.limits or {}) | amounts(needs.requests or {})


def amounts(written: Mapping[str, Quantity]) -> Amounts:
    """The amounts of a list of resources. A quantity that Kubernetes cannot read counts as 0."""
    return {name: nano(quantity) for name, quantity in written.items()}


@lru_cache(maxsize=4096)
def nano(written: Quantity) -> int:
    """
    A quantity in billionths, rounded up to thousandths.

    The API server rounds the quantities of each container (``SetDefaults_ResourceList`` of ``pkg/apis/core/v1/defaults.go``).
    """
    quantity = parse_quantity(written)
    return -(-quantity.nano // _MILLI) * _MILLI if quantity is not None else 0


class Held:
    """The resources that the containers of a pod hold while the pod is resized (``determineContainerReqs``)."""

    def __init__(self, pod: Pod) -> None:
        statuses = (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ()))
        self._statuses = {status.name: status for status in statuses if status.resources is not None}
        pending = (one for one in pod.status.conditions or () if one.type == RESIZE_PENDING)
        self._is_infeasible = bool(self._statuses) and next((one.reason == "Infeasible" for one in pending), False)

    def requests_of(self, container: Container) -> Amounts:
        """The requests of a container. A resize that is infeasible does not count."""
        own = requests_of(container.resources)
        status = self._statuses.get(container.name)
        if status is None or status.resources is None:
            return own
        total: Amounts = {} if self._is_infeasible else own
        _raise(total, amounts(status.resources.requests or {}))
        _raise(total, amounts(status.allocated_resources or {}))
        return total


def _sum(spec: PodSpec, held: Held) -> Amounts:
    """
    The sum over all containers that run together. An init container runs alone or beside the sidecars that start before it,
    so it counts only where it needs more than the sum.
    """
    total: Amounts = {}
    for container in spec.containers or ():
        _add(total, held.requests_of(container))
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in spec.init_containers or ():
        own = held.requests_of(container) if container.restart_policy == ALWAYS else requests_of(container.resources)
        if container.restart_policy == ALWAYS:
            _add(total, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        _raise(start, own)
    _raise(total, start)
    return total


def _pod_level(needs: ResourceNeeds, total: Amounts) -> Amounts:
    """The resources of the pod as a whole, which replace the sum over the containers (Kubernetes 1.34)."""
    requests, limits = amounts(needs.requests or {}), amounts(needs.limits or {})
    for name, limit in limits.items():
        if name not in requests and (name not in total or name.startswith(HUGE_PAGES)):
            requests[name] = limit
    return {name: amount for name, amount in requests.items() if name in {CPU, MEMORY} or name.startswith(HUGE_PAGES)}


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: Amounts, least: Amounts) -> None:
    for name, amount in least.items():
        if amount > total.get(name, -1):
            total[name] = amount
