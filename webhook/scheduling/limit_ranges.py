"""
Whether LimitRanges refuse the creation of a pod or a claim, in the words of the API server.

The pod must have its defaults: ``stored`` of ``webhook.scheduling.pod_defaults`` adds them. The API server checks a new pod in
this order: ``contradictions`` (``Pod "x" is invalid: ``), then the limits (``pods "x" is forbidden: ``), then the quotas.
``refusals`` does the first two.

Source: ``plugin/pkg/admission/limitranger/admission.go`` of Kubernetes v1.34.2.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from webhook.objects.meta import Quantity
from webhook.objects.pods import Container, Pod
from webhook.objects.quotas import LimitRange, LimitRangeItem
from webhook.objects.storage import PersistentVolumeClaim
from webhook.scheduling.amounts import (
    ZERO,
    Amount,
    Kind,
    ResourceList,
    amounts,
    is_native,
    needs_of,
    of_containers,
    resources_of,
)
from webhook.scheduling.pod_defaults import range_items

_MOST_MILLI: Final = (2**63 - 1) // 1000
"""The largest amount that is compared in thousandths (``resource.MaxMilliValue``)."""


class RangeRefusal(msgspec.Struct, frozen=True):
    """A LimitRange that refuses a pod or a claim."""

    limit_range: str
    texts: tuple[str, ...]
    """The problems without duplicates. The API server lists them in this order, except for resources of one constraint."""

    @property
    def text(self) -> str:
        """The message of the API server after ``is forbidden: `` or ``is invalid: ``."""
        return joined(self.texts)


def joined(texts: tuple[str, ...]) -> str:
    """Several errors as Kubernetes joins them, such as ``[first, second]``."""
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def refusals(pod: Pod, ranges: Iterable[LimitRange]) -> tuple[RangeRefusal, ...]:
    """
    The LimitRanges of the pod's namespace that refuse the pod, or whose defaults make it invalid. The API server reports one of
    them.
    """
    own = [one for one in ranges if one.namespace == pod.namespace]
    invalid = contradictions(pod) if own else ()
    if invalid:
        return (RangeRefusal(_with_defaults(own).name, invalid),)
    return tuple(_refusals(pod.namespace, own, lambda item: _pod_problems(pod, item)))


def _with_defaults(ranges: Sequence[LimitRange]) -> LimitRange:
    """The first LimitRange that writes defaults into containers, or the first one."""
    return next(
        (one for one in ranges if any(item.default or item.default_request for item in range_items(one))), ranges[0]
    )


def claim_refusals(claim: PersistentVolumeClaim, ranges: Iterable[LimitRange]) -> tuple[RangeRefusal, ...]:
    """The LimitRanges of the claim's namespace that refuse the claim."""
    resources = claim.spec.resources
    requests = amounts(resources.requests if resources is not None else None)
    return tuple(_refusals(claim.namespace, ranges, lambda item: _claim_problems(requests, item)))


def contradictions(pod: Pod) -> tuple[str, ...]:
    """
    The validation errors about requests that do not suit the limits (``validateResourceRequirements``).

    Defaults of a LimitRange can cause these errors, for example a default request above the limit of a container.
    """
    found: list[str] = []
    for field, containers in (("containers", pod.spec.containers), ("initContainers", pod.spec.init_containers)):
        for index, container in enumerate(containers or ()):
            path = f"spec.{field}[{index}].resources"
            found += _contradictions(path, resources_of(container, "requests"), resources_of(container, "limits"))
    if pod.spec.resources is not None:
        found += _pod_contradictions(pod)
    return tuple(found)


def _pod_contradictions(pod: Pod) -> Iterator[str]:
    """The containers together need more than the pod as a whole (``validatePodResourceConsistency``)."""
    requests, limits = needs_of(pod.spec.resources, "requests"), needs_of(pod.spec.resources, "limits")
    for name, total in sorted(of_containers(pod, "requests").items()):
        if name in requests and total.nano > requests[name].nano:
            value = f'spec.resources.requests[{name}]: Invalid value: "{requests[name]}"'
            yield f"{value}: must be greater than or equal to aggregate container requests of {total}"
    for name, total in sorted(of_containers(pod, "limits").items()):
        if name.startswith("hugepages-") and name in limits and total.nano > limits[name].nano:
            value = f'spec.resources.limits[{name}]: Invalid value: "{limits[name]}"'
            yield f"{value}: must be greater than or equal to aggregate container limits of {total}"
    for index, container in enumerate(pod.spec.containers or ()):
        for name, limit in sorted(resources_of(container, "limits").items()):
            if name in limits and limit.nano > limits[name].nano:
                value = f'spec.resources.containers[{index}][{name}].limits: Invalid value: "{limit}"'
                yield f"{value}: must be less than or equal to pod limits of {limits[name]}"


def _refusals(
    namespace: str, ranges: Iterable[LimitRange], check: Callable[[LimitRangeItem], Iterable[str]]
) -> Iterator[RangeRefusal]:
    for one in ranges:
        if one.namespace == namespace:
            problems = tuple(dict.fromkeys(text for item in range_items(one) for text in check(item)))
            if problems:
                yield RangeRefusal(one.name, problems)


def _pod_problems(pod: Pod, item: LimitRangeItem) -> Iterator[str]:
    """The problems of all containers, or of the pod (``PodValidateLimitFunc``). Overhead does not count."""
    if item.type == "Container":
        for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ())):
            yield from _problems(item, *_both(container))
    elif item.type == "Pod":
        yield from _problems(item, _of_pod(pod, "requests"), _of_pod(pod, "limits"))


def _both(container: Container) -> tuple[ResourceList, ResourceList]:
    return resources_of(container, "requests"), resources_of(container, "limits")


def _of_pod(pod: Pod, kind: Kind) -> ResourceList:
    """The resources of a pod. Pod-level huge pages are not read (``isSupportedPodLevelResource`` of the plugin)."""
    total = of_containers(pod, kind)
    given = needs_of(pod.spec.resources, kind)
    total.update({name: given[name] for name in ("cpu", "memory") if name in given})
    return total


def _problems(item: LimitRangeItem, requests: ResourceList, limits: ResourceList) -> Iterator[str]:
    for name, least in _sorted(item.min):
        if problem := _min_problem(item.type, name, least, requests.get(name), limits.get(name)):
            yield problem
    for name, most in _sorted(item.max):
        if problem := _max_problem(item.type, name, most, requests.get(name), limits.get(name)):
            yield problem
    for name, ratio in _sorted(item.max_limit_request_ratio):
        if problem := _ratio_problem(item.type, name, ratio, requests.get(name), limits.get(name)):
            yield problem


def _claim_problems(requests: ResourceList, item: LimitRangeItem) -> Iterator[str]:
    if item.type != "PersistentVolumeClaim":
        return
    for name, least in _sorted(item.min):
        if problem := _min_problem(item.type, name, least, requests.get(name), None):
            yield problem
    for name, most in _sorted(item.max):
        request, rule = requests.get(name), f"maximum {name} usage per {item.type} is {most}"
        if request is None:
            yield f"{rule}.  No request is specified"
        elif _exceeds(request, most):
            yield f"{rule}, but request is {request}"


def _min_problem(kind: str, name: str, least: Amount, request: Amount | None, limit: Amount | None) -> str:
    rule = f"minimum {name} usage per {kind} is {least}"
    if request is None:
        return f"{rule}.  No request is specified"
    given, limited, enforced = _comparable(request, limit, least)
    if given < enforced:
        return f"{rule}, but request is {request}"
    return f"{rule}, but limit is {limit}" if limit is not None and limited < enforced else ""


def _max_problem(kind: str, name: str, most: Amount, request: Amount | None, limit: Amount | None) -> str:
    rule = f"maximum {name} usage per {kind} is {most}"
    if limit is None:
        return f"{rule}.  No limit is specified"
    given, limited, enforced = _comparable(request, limit, most)
    if limited > enforced:
        return f"{rule}, but limit is {limit}"
    return f"{rule}, but request is {request}" if request is not None and given > enforced else ""


def _ratio_problem(kind: str, name: str, most: Amount, request: Amount | None, limit: Amount | None) -> str:
    rule = f"{name} max limit to request ratio per {kind} is {most}"
    given, limited, _ = _comparable(request, limit, most)
    if request is None or not given:
        return f"{rule}, but no request is specified or request is 0"
    if limit is None or not limited:
        return f"{rule}, but no limit is specified or limit is 0"
    ratio = limited / given
    is_precise = most.value <= _MOST_MILLI
    if (ratio * 1000 if is_precise else ratio) > float(most.milli if is_precise else most.value):
        return f"{rule}, but provided ratio is {ratio:f}"
    return ""


def _exceeds(request: Amount, most: Amount) -> bool:
    given, _, enforced = _comparable(request, None, most)
    return given > enforced


def _comparable(request: Amount | None, limit: Amount | None, enforced: Amount) -> tuple[int, int, int]:
    """The amounts in thousandths, or in whole units if one of them is too large (``requestLimitEnforcedValues``)."""
    given = (request or ZERO, limit or ZERO, enforced)
    if all(amount.value <= _MOST_MILLI for amount in given):
        return given[0].milli, given[1].milli, given[2].milli
    return given[0].value, given[1].value, given[2].value


def _sorted(written: Mapping[str, Quantity] | None) -> list[tuple[str, Amount]]:
    return sorted(amounts(written).items())


def _contradictions(path: str, requests: ResourceList, limits: ResourceList) -> Iterator[str]:
    for name, request in sorted(requests.items()):
        limit, may_differ = limits.get(name), is_native(name) and not name.startswith("hugepages-")
        if limit is None:
            if not may_differ:
                yield f"{path}.limits: Required value: Limit must be set for non overcommitable resources"
        elif not may_differ and request.nano != limit.nano:
            yield f'{path}.requests: Invalid value: "{request}": must be equal to {name} limit of {limit}'
        elif request.nano > limit.nano:
            yield f'{path}.requests: Invalid value: "{request}": must be less than or equal to {name} limit of {limit}'
    names = requests.keys() | limits.keys()
    if names.isdisjoint(("cpu", "memory")) and any(name.startswith("hugepages-") for name in names):
        yield f"{path}: Forbidden: HugePages require cpu or memory"
