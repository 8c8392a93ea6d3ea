"""
The usage that one pod or claim adds to a ResourceQuota, and the scopes of a quota that it is in.

Source: ``pkg/quota/v1/evaluator/core/pods.go`` and ``persistent_volume_claims.go``, ``pkg/apis/core/v1/helper/qos/qos.go`` of
Kubernetes v1.34.2.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from webhook.objects.pods import Container, Pod
from webhook.objects.quantity import NANO
from webhook.objects.quotas import ResourceQuota, ScopeRequirement
from webhook.objects.scheduling import PodTerm
from webhook.objects.storage import PersistentVolumeClaim
from webhook.objects.volumes import VolumeClaim
from webhook.scheduling.amounts import (
    ONE,
    Amount,
    ResourceList,
    amounts,
    is_native,
    is_pod_level,
    needs_of,
    of_pod,
    resources_of,
)

Claim = PersistentVolumeClaim | VolumeClaim

_POD_RESOURCES: Final = frozenset(
    (
        *("count/pods", "pods"),
        *("cpu", "memory", "ephemeral-storage"),
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage"),
        *("limits.cpu", "limits.memory", "limits.ephemeral-storage"),
    )
)
_MUST_SPECIFY: Final = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))
"""The resources that every container must request if a quota limits them (``validationSet``)."""
_CLASS: Final = ".storageclass.storage.k8s.io/"
_BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
_CLAIM_RESOURCES: Final = ("persistentvolumeclaims", "requests.storage")


def limits_pods(resource: str) -> bool:
    """Whether a resource of a quota counts pods or their resources (``MatchingResources``)."""
    return (
        resource in _POD_RESOURCES
        or resource.startswith(("hugepages-", "requests.hugepages-"))
        or (resource.startswith("requests.") and not is_native(resource))
    )


def limits_claims(resource: str) -> bool:
    """Whether a resource of a quota counts PersistentVolumeClaims or their storage."""
    return (
        resource == "count/persistentvolumeclaims"
        or resource in _CLAIM_RESOURCES
        or resource.endswith(tuple(_CLASS + name for name in _CLAIM_RESOURCES))
    )


def pod_usage(pod: Pod) -> ResourceList:
    """The usage of a pod (``PodUsageFunc``). A finished pod counts only in ``count/pods``."""
    used: ResourceList = {"count/pods": ONE}
    if not pod.is_finished:
        used.update(_compute_usage(of_pod(pod, "requests"), of_pod(pod, "limits")))
    return used


def claim_usage(claim: Claim) -> ResourceList:
    """The usage of a claim. Storage counts in whole bytes, rounded up."""
    used: ResourceList = {"persistentvolumeclaims": ONE, "count/persistentvolumeclaims": ONE}
    annotations = claim.meta.annotations or {}
    storage_class = annotations.get(_BETA_CLASS) or claim.spec.storage_class_name or ""
    if storage_class:
        used[f"{storage_class}{_CLASS}persistentvolumeclaims"] = ONE
    resources = claim.spec.resources
    storage = amounts(resources.requests if resources is not None else None).get("storage")
    if storage is not None:
        whole = Amount(storage.value * NANO, storage.format)
        used["requests.storage"] = whole
        if storage_class:
            used[f"{storage_class}{_CLASS}requests.storage"] = whole
    return used


def _compute_usage(requests: Mapping[str, Amount], limits: Mapping[str, Amount]) -> ResourceList:
    """The usage by the names that quotas use (``podComputeUsageHelper``)."""
    used: ResourceList = {"pods": ONE}
    for name in ("cpu", "memory", "ephemeral-storage"):
        if name in requests:
            used[name] = used[f"requests.{name}"] = requests[name]
        if name in limits:
            used[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith("hugepages-"):
            used[name] = used[f"requests.{name}"] = amount
        elif not is_native(name) and not name.startswith("requests."):
            used[f"requests.{name}"] = amount
    return used


def unspecified(pod: Pod, resources: Iterable[str]) -> str:
    """
    The message about containers that request nothing of a limited resource, or an empty string (``Constraints``).

    For example, ``must specify limits.cpu for: compute; limits.memory for: compute,sidecar``.
    """
    required = sorted(_MUST_SPECIFY.intersection(resources))
    if not required or _has_pod_level(pod):
        return ""
    missing: dict[str, set[str]] = {}
    for container in _containers(pod):
        used = _compute_usage(resources_of(container, "requests"), resources_of(container, "limits"))
        for name in required:
            if name not in used:
                missing.setdefault(name, set()).add(container.name)
    texts = [f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing)]
    return f"must specify {'; '.join(texts)}" if texts else ""


def pod_is_in(pod: Pod, quota: ResourceQuota) -> bool:
    """Whether a pod is in all scopes of a quota."""
    return all(_pod_is_in(pod, scope) for scope in scopes_of(quota))


def claim_is_in(claim: Claim, quota: ResourceQuota) -> bool:
    """Whether a new claim is in all scopes of a quota. Only VolumeAttributesClass is a scope of claims."""
    name = (claim.spec.volume_attributes_class_name or "") if isinstance(claim, VolumeClaim) else ""
    return all(scope.scope_name == "VolumeAttributesClass" and _has_class(name, scope) for scope in scopes_of(quota))


def scopes_of(quota: ResourceQuota) -> Iterator[ScopeRequirement]:
    """The scopes of a quota. An entry of ``scopes`` has the operator Exists."""
    for name in quota.spec.scopes or ():
        yield ScopeRequirement(name, "Exists")
    if quota.spec.scope_selector is not None:
        yield from quota.spec.scope_selector.match_expressions or ()


def _pod_is_in(pod: Pod, scope: ScopeRequirement) -> bool:
    match scope.scope_name:
        case "Terminating":
            return _is_terminating(pod)
        case "NotTerminating":
            return not _is_terminating(pod)
        case "BestEffort":
            return is_best_effort(pod)
        case "NotBestEffort":
            return not is_best_effort(pod)
        case "PriorityClass":
            return _has_class(pod.spec.priority_class_name, scope)
        case "CrossNamespacePodAffinity":
            return any(term.namespaces or term.namespace_selector is not None for term in _pod_terms(pod))
    return False


def _is_terminating(pod: Pod) -> bool:
    deadline = pod.spec.active_deadline_seconds
    return deadline is not None and deadline >= 0


def _has_class(name: str, scope: ScopeRequirement) -> bool:
    """Whether a scope selects a class. An object without a class is in the scope with NotIn or DoesNotExist."""
    values = scope.values or ()
    match scope.operator:
        case "Exists":
            return bool(name)
        case "DoesNotExist":
            return not name
        case "In":
            return bool(name) and name in values
        case "NotIn":
            return not name or name not in values
    return False


def is_best_effort(pod: Pod) -> bool:
    """Whether the QoS class of a pod is BestEffort: no CPU or memory is requested or limited (``ComputePodQOS``)."""
    if pod.spec.resources is not None:
        lists = [needs_of(pod.spec.resources, "requests"), needs_of(pod.spec.resources, "limits")]
    else:
        lists = [
            given
            for container in _containers(pod)
            for given in (resources_of(container, "requests"), resources_of(container, "limits"))
        ]
    return not any(name in given and given[name].nano > 0 for given in lists for name in ("cpu", "memory"))


def _pod_terms(pod: Pod) -> Iterator[PodTerm]:
    affinity = pod.spec.affinity
    if affinity is None:
        return
    for part in (affinity.pod_affinity, affinity.pod_anti_affinity):
        if part is not None:
            yield from part.required or ()
            yield from (weighted.term for weighted in part.preferred or ())


def _containers(pod: Pod) -> Iterator[Container]:
    yield from pod.spec.containers or ()
    yield from pod.spec.init_containers or ()


def _has_pod_level(pod: Pod) -> bool:
    needs = pod.spec.resources
    return needs is not None and any(is_pod_level(name) for name in (*(needs.requests or ()), *(needs.limits or ())))
