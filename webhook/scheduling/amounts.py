"""
Amounts of resources with the format in which Kubernetes writes them, and the resources of a whole pod.

``webhook.scheduling.pod_requests`` has the rounded numbers that kube-scheduler compares. Quotas and limit ranges compare exact
amounts and show them, so this module keeps both the exact amount and its format.

Source: ``pkg/api/resource/quantity.go`` of k8s.io/apimachinery v0.34.2, ``resource/helpers.go`` of k8s.io/component-helpers
v0.34.2.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import msgspec

from webhook.objects.meta import Quantity as Written
from webhook.objects.pods import Container, Pod, ResourceNeeds
from webhook.objects.quantity import NANO, parse_quantity

Format: TypeAlias = Literal["DecimalSI", "BinarySI", "DecimalExponent"]


class Amount(msgspec.Struct, frozen=True):
    """An amount in billionths, and the format in which Kubernetes writes it."""

    nano: int
    format: Format = "DecimalSI"

    def __str__(self) -> str:
        return _canonical(self.nano, self.format)

    @property
    def value(self) -> int:
        """The amount in whole units, rounded up."""
        return -(-self.nano // NANO)

    @property
    def milli(self) -> int:
        """The amount in thousandths, rounded up."""
        return -(-self.nano // _MILLI)

    def plus(self, other: "Amount") -> "Amount":
        """The sum. Its format is the format of this amount, or of ``other`` if this amount is zero."""
        return Amount(self.nano + other.nano, self.format if self.nano else other.format)


ResourceList: TypeAlias = dict[str, Amount]
"""Amounts by the name of the resource, such as ``cpu`` or ``requests.memory``."""
_MILLI: Final = NANO // 1000
ONE: Final = Amount(NANO)
ZERO: Final = Amount(0)


def amounts(written: Mapping[str, Written] | None) -> ResourceList:
    """The amounts of a resource list. Raises ValueError for a value that is not a quantity."""
    return {name: amount(value) for name, value in written.items()} if written else {}


@lru_cache(maxsize=4096)  # the pods of a cluster have few different quantities
def amount(written: Written) -> Amount:
    """
    The amount of a quantity in a resource list. Raises ValueError for a value that is not a quantity.

    The API server stores amounts in thousandths, rounded up (``SetDefaults_ResourceList`` in ``pkg/apis/core/v1/defaults.go``).
    """
    quantity = parse_quantity(written)
    if quantity is None:
        message = f"{written!r} is not a quantity"
        raise ValueError(message)
    return Amount(-(-quantity.nano // _MILLI) * _MILLI, _format_of(quantity.suffix))


def _format_of(suffix: str) -> Format:
    if suffix.endswith("i"):
        return "BinarySI"
    return "DecimalExponent" if re.fullmatch(r"[eE][-+]?[0-9]+", suffix) else "DecimalSI"


def add(total: ResourceList, more: Mapping[str, Amount]) -> None:
    """Adds amounts to ``total``."""
    for name, added in more.items():
        total[name] = total[name].plus(added) if name in total else added


def raise_to(total: ResourceList, least: Mapping[str, Amount]) -> None:
    """Raises the amounts in ``total`` to at least the amounts in ``least``."""
    for name, other in least.items():
        if name not in total or other.nano > total[name].nano:
            total[name] = other


def shown(resources: Mapping[str, Amount]) -> str:
    """The resources as error messages of the API server list them, such as ``cpu=500m,memory=1Gi``."""
    return ",".join(f"{name}={resources[name]}" for name in sorted(resources))


Kind: TypeAlias = Literal["requests", "limits"]


def resources_of(container: Container, kind: Kind) -> ResourceList:
    """The requests or the limits of a container."""
    return needs_of(container.resources, kind)


def needs_of(needs: ResourceNeeds | None, kind: Kind) -> ResourceList:
    """The requests or the limits in a ``resources`` field."""
    return {} if needs is None else amounts(needs.requests if kind == "requests" else needs.limits)


def of_containers(pod: Pod, kind: Kind) -> ResourceList:
    """
    The requests or limits of all containers together.

    Containers and sidecars run at the same time. An init container runs with the sidecars that precede it.
    (``AggregateContainerRequests`` and ``AggregateContainerLimits``)
    """
    total: ResourceList = {}
    for container in pod.spec.containers or ():
        add(total, resources_of(container, kind))
    sidecars: ResourceList = {}
    most: ResourceList = {}
    for container in pod.spec.init_containers or ():
        own = resources_of(container, kind)
        if container.restart_policy == "Always":
            add(total, own)
            add(sidecars, own)
            raise_to(most, sidecars)
        else:
            add(own, sidecars)
            raise_to(most, own)
    raise_to(total, most)
    return total


def of_pod(pod: Pod, kind: Kind) -> ResourceList:
    """
    The requests or limits of a pod, with its pod-level resources and its overhead (``PodRequests`` and ``PodLimits``).

    Overhead adds to a limit only if the limit is not zero.
    """
    total = of_containers(pod, kind)
    total.update(pod_level(pod, kind))
    if pod.spec.overhead:
        overhead = amounts(pod.spec.overhead)
        if kind == "limits":
            overhead = {name: more for name, more in overhead.items() if name in total and total[name].nano}
        add(total, overhead)
    return total


def pod_level(pod: Pod, kind: Kind) -> ResourceList:
    """The requests or limits in ``spec.resources`` that replace those of the containers: CPU, memory and huge pages."""
    return {name: given for name, given in needs_of(pod.spec.resources, kind).items() if is_pod_level(name)}


def is_pod_level(name: str) -> bool:
    """Whether a pod can request the resource for all its containers together (``IsSupportedPodLevelResource``)."""
    return name in {"cpu", "memory"} or name.startswith("hugepages-")


def is_native(name: str) -> bool:
    """Whether a resource belongs to Kubernetes itself, and is no extended resource (``IsNativeResource``)."""
    return "/" not in name or "kubernetes.io/" in name


_DECIMAL: Final = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@lru_cache(maxsize=4096)
def _canonical(nano: int, format_: Format) -> str:
    """The canonical form of a quantity (``CanonicalizeBytes``)."""
    if nano == 0:
        return "0"
    if format_ == "BinarySI" and nano % NANO == 0 and abs(nano) >= 1024 * NANO:
        return _binary(nano // NANO)
    digits, exponent = nano, -9
    while digits % 10 == 0:
        digits, exponent = digits // 10, exponent + 1
    digits, exponent = digits * 10 ** (exponent % 3), exponent - exponent % 3
    if format_ == "DecimalExponent" or exponent not in _DECIMAL:
        return f"{digits}e{exponent}" if exponent else str(digits)
    return f"{digits}{_DECIMAL[exponent]}"


def _binary(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < len(_BINARY) - 1:
        value, power = value // 1024, power + 1
    return f"{value}{_BINARY[power]}"


def total_of(lists: Iterable[Mapping[str, Amount]]) -> ResourceList:
    """The sum of resource lists."""
    total: ResourceList = {}
    for more in lists:
        add(total, more)
    return total
