"""
The kinds ResourceQuota, LimitRange and PriorityClass, which decide whether a namespace may have one more pod.

Source: ``k8s.io/api/core/v1/types.go`` and ``k8s.io/api/scheduling/v1/types.go``, v0.34.
"""

import msgspec

from webhook.objects.meta import Kubernetes, Quantity, Read


class ScopeRequirement(Read, frozen=True):
    """An entry of ``spec.scopeSelector.matchExpressions`` of a ResourceQuota."""

    scope_name: str = ""
    operator: str = ""
    values: list[str] | None = None


class ScopeSelector(Read, frozen=True):
    """``spec.scopeSelector`` of a ResourceQuota."""

    match_expressions: list[ScopeRequirement] | None = None


class ResourceQuotaSpec(Read, frozen=True):
    """``ResourceQuota.spec``."""

    hard: dict[str, Quantity] | None = None
    scopes: list[str] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuotaStatus(Read, frozen=True):
    """``ResourceQuota.status``. The API server enforces these values, not those of ``spec``."""

    hard: dict[str, Quantity] | None = None
    used: dict[str, Quantity] | None = None


class ResourceQuota(Kubernetes, frozen=True):
    """A ResourceQuota."""

    spec: ResourceQuotaSpec = msgspec.field(default_factory=ResourceQuotaSpec)
    status: ResourceQuotaStatus | None = None


class LimitRangeItem(Read, frozen=True):
    """An entry of ``spec.limits`` of a LimitRange, for the type Container, Pod or PersistentVolumeClaim."""

    type: str = ""
    max: dict[str, Quantity] | None = None
    min: dict[str, Quantity] | None = None
    default: dict[str, Quantity] | None = None
    default_request: dict[str, Quantity] | None = None
    max_limit_request_ratio: dict[str, Quantity] | None = None


class LimitRangeSpec(Read, frozen=True):
    """``LimitRange.spec``."""

    limits: list[LimitRangeItem] | None = None


class LimitRange(Kubernetes, frozen=True):
    """A LimitRange."""

    spec: LimitRangeSpec = msgspec.field(default_factory=LimitRangeSpec)


class PriorityClass(Kubernetes, frozen=True):
    """A PriorityClass, which is cluster-scoped. A pod without a class has the class with ``globalDefault``, if there is one."""

    value: int = 0
    global_default: bool = False
    preemption_policy: str | None = None
