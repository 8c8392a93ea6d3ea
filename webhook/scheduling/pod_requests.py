"""
The resources that a pod takes on its node, as kube-scheduler counts them.

Source: ``PodRequests`` of ``k8s.io/component-helpers/resource/helpers.go`` and ``SetDefaults_Pod`` of
``pkg/apis/core/v1/defaults.go``, Kubernetes v1.34.2. This module does no I/O.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from webhook.objects.meta import Quantity
from webhook.objects.pods import Pod, PodSpec, ResourceNeeds
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

    A resource that has a limit and no request counts with its limit, as in the pod that the API server stores.
    """
    spec = pod.spec
    total = _sum(spec)
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


def _sum(spec: PodSpec) -> Amounts:
    """
    The sum over all containers that run together. An init container runs alone or beside the sidecars that start before it,
    so it counts only where it needs more than the sum.
    """
    total: Amounts = {}
    for container in spec.containers or ():
        _add(total, requests_of(container.resources))
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in spec.init_containers or ():
        own = requests_of(container.resources)
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
