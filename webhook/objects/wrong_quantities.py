"""
Finds values that are not quantities in the resources of pods, nodes, quotas and LimitRanges.

API servers refuse such values, but a file can contain them. This module does no I/O.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from webhook.objects.meta import Kubernetes, Quantity
from webhook.objects.nad import Node
from webhook.objects.path import FieldPath
from webhook.objects.pods import Pod, ResourceNeeds
from webhook.objects.quantity import parse_quantity
from webhook.objects.quotas import LimitRange, ResourceQuota

Place = tuple[FieldPath, Mapping[str, Quantity] | None]
"""A resource list and its path."""


def wrong_quantity(read: Kubernetes) -> FieldPath | None:
    """The path of the first value that is not a quantity, or None."""
    for path, resources in _places(read):
        for name, written in (resources or {}).items():
            if not _is_quantity(written):
                return (*path, name)
    return None


@lru_cache(maxsize=4096)
def _is_quantity(written: Quantity) -> bool:
    return parse_quantity(written) is not None


def _places(read: Kubernetes) -> Iterator[Place]:
    match read:
        case Pod():
            yield from _of_pod(read)
        case Node() if read.status is not None:
            yield ("status", "allocatable"), read.status.allocatable
        case ResourceQuota():
            yield ("spec", "hard"), read.spec.hard
            if read.status is not None:
                yield ("status", "hard"), read.status.hard
                yield ("status", "used"), read.status.used
        case LimitRange():
            for index, item in enumerate(read.spec.limits or ()):
                yield ("spec", "limits", index, "max"), item.max
                yield ("spec", "limits", index, "min"), item.min
                yield ("spec", "limits", index, "default"), item.default
                yield ("spec", "limits", index, "defaultRequest"), item.default_request
                yield ("spec", "limits", index, "maxLimitRequestRatio"), item.max_limit_request_ratio


def _of_pod(pod: Pod) -> Iterator[Place]:
    spec = pod.spec
    yield ("spec", "overhead"), spec.overhead
    yield from _of_needs(("spec", "resources"), spec.resources)
    for index, container in enumerate(spec.containers or ()):
        yield from _of_needs(("spec", "containers", index, "resources"), container.resources)
    for index, container in enumerate(spec.init_containers or ()):
        yield from _of_needs(("spec", "initContainers", index, "resources"), container.resources)


def _of_needs(path: FieldPath, needs: ResourceNeeds | None) -> Iterator[Place]:
    if needs is not None:
        yield (*path, "requests"), needs.requests
        yield (*path, "limits"), needs.limits
