"""
A pod as the API server stores it: with the defaults of the API and of its admission plugins.

Source: ``pkg/apis/core/v1/defaults.go`` (``SetDefaults_Pod``, ``SetDefaults_LimitRangeItem``),
``admission.go`` of ``limitranger``, ``priority`` and ``defaulttolerationseconds`` in ``plugin/pkg/admission``, Kubernetes
v1.34.2.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from webhook.objects.meta import Quantity
from webhook.objects.pods import Container, Pod, ResourceNeeds
from webhook.objects.quotas import LimitRange, LimitRangeItem, PriorityClass
from webhook.objects.scheduling import Toleration
from webhook.scheduling.amounts import is_pod_level, of_containers

Quantities = dict[str, Quantity]
_NO_NEEDS = ResourceNeeds()
_NOT_READY = Toleration("node.kubernetes.io/not-ready", "Exists", "", "NoExecute")
_UNREACHABLE = Toleration("node.kubernetes.io/unreachable", "Exists", "", "NoExecute")


def stored(pod: Pod, ranges: Iterable[LimitRange] = (), classes: Iterable[PriorityClass] = ()) -> Pod:
    """
    The pod after admission: ``with_api_defaults``, then ``with_range_defaults`` of the LimitRanges of its namespace, then the
    default PriorityClass and the tolerations that every pod has for 300 seconds. The overhead of a RuntimeClass is not added.

    The order matters: a limit that a LimitRange sets is not copied to the requests.
    """
    return _with_tolerations(_with_class(with_range_defaults(with_api_defaults(pod), ranges), classes))


def with_api_defaults(pod: Pod) -> Pod:
    """The pod in which limits are copied to requests that are absent, first of containers and then of the pod."""
    spec = pod.spec
    if not any(_lacks_requests(container) for container in (*(spec.containers or ()), *(spec.init_containers or ()))):
        return _with_pod_level(pod)
    containers = [_with_requests(container) for container in spec.containers or ()]
    init_containers = [_with_requests(container) for container in spec.init_containers or ()]
    return _with_pod_level(replace(pod, spec=replace(spec, containers=containers, init_containers=init_containers)))


def with_range_defaults(pod: Pod, ranges: Iterable[LimitRange]) -> Pod:
    """
    The pod with the ``default`` limits and the ``defaultRequest`` of LimitRanges (``MutateLimit``).

    LimitRanges of other namespaces are ignored. If several LimitRanges have a default for the same resource, the API server's
    choice is arbitrary, and this function uses the first.
    """
    for one in ranges:
        if one.namespace == pod.namespace:
            requests, limits = _defaults(one)
            if requests or limits:
                pod = _with_defaults(pod, requests, limits)
    return pod


def range_items(one: LimitRange) -> list[LimitRangeItem]:
    """The items of a LimitRange, with the defaults that the API server derives from ``max`` and ``min``."""
    return [_item_with_defaults(item) if item.type == "Container" else item for item in one.spec.limits or ()]


def _lacks_requests(container: Container) -> bool:
    needs = container.resources
    return needs is not None and bool(needs.limits) and not (needs.limits or {}).keys() <= (needs.requests or {}).keys()


def _with_requests(container: Container) -> Container:
    needs = container.resources
    if needs is None or not needs.limits:
        return container
    return replace(container, resources=replace(needs, requests={**needs.limits, **(needs.requests or {})}))


def _with_pod_level(pod: Pod) -> Pod:
    """The pod with defaults in its own ``resources`` (``defaultHugePagePodLimits`` and ``defaultPodRequests``)."""
    needs = pod.spec.resources
    if needs is None or not (needs.requests or needs.limits):
        return pod
    limits: Quantities = dict(needs.limits or {})
    for name, limit in of_containers(pod, "limits").items():
        if name.startswith("hugepages-") and name not in (needs.requests or {}):
            limits.setdefault(name, str(limit))
    requests: Quantities = dict(needs.requests or {})
    if limits:
        for name, request in of_containers(pod, "requests").items():
            if name in {"cpu", "memory"}:
                requests.setdefault(name, str(request))
        for name, given in limits.items():
            if is_pod_level(name):
                requests.setdefault(name, given)
    return replace(pod, spec=replace(pod.spec, resources=replace(needs, requests=requests, limits=limits)))


def _defaults(one: LimitRange) -> tuple[Quantities, Quantities]:
    """The default requests and default limits of a LimitRange for containers."""
    requests: Quantities = {}
    limits: Quantities = {}
    for item in range_items(one):
        if item.type == "Container":
            requests.update(item.default_request or {})
            limits.update(item.default or {})
    return requests, limits


def _item_with_defaults(item: LimitRangeItem) -> LimitRangeItem:
    default = {**(item.max or {}), **(item.default or {})}
    request = {**(item.min or {}), **default, **(item.default_request or {})}
    return replace(item, default=default, default_request=request)


def _with_defaults(pod: Pod, requests: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> Pod:
    def filled(container: Container) -> Container:
        needs = container.resources or _NO_NEEDS
        return replace(
            container,
            resources=replace(
                needs, requests={**requests, **(needs.requests or {})}, limits={**limits, **(needs.limits or {})}
            ),
        )

    spec = pod.spec
    return replace(
        pod,
        spec=replace(
            spec,
            containers=[filled(container) for container in spec.containers or ()],
            init_containers=[filled(container) for container in spec.init_containers or ()],
        ),
    )


def _with_class(pod: Pod, classes: Iterable[PriorityClass]) -> Pod:
    """
    The pod with its priority. Of several default classes, the class with the lowest value applies
    (``getDefaultPriorityClass``).
    """
    if pod.spec.priority_class_name:
        return pod
    defaults = [one for one in classes if one.global_default]
    if not defaults:
        return pod
    chosen = min(defaults, key=lambda one: one.value)
    spec = replace(pod.spec, priority_class_name=chosen.name, priority=chosen.value)
    return replace(pod, spec=spec)


def _with_tolerations(pod: Pod) -> Pod:
    """The pod that tolerates nodes that are not ready or unreachable for a while (DefaultTolerationSeconds)."""
    written = pod.spec.tolerations or []
    missing = [
        added
        for added in (_NOT_READY, _UNREACHABLE)
        if not any(one.key in {"", added.key} and one.effect in {"", added.effect} for one in written)
    ]
    return replace(pod, spec=replace(pod.spec, tolerations=[*written, *missing])) if missing else pod
