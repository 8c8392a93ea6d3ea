"""
The kind PodDisruptionBudget.

Source: ``k8s.io/api/policy/v1/types.go``, v0.34.
"""

import msgspec

from webhook.objects.meta import Json, Kubernetes, Read
from webhook.objects.scheduling import LabelSelector


class DisruptionBudgetSpec(Read, frozen=True):
    """``PodDisruptionBudget.spec``. Both limits are numbers or percentages."""

    selector: LabelSelector | None = None
    min_available: Json = None
    max_unavailable: Json = None
    unhealthy_pod_eviction_policy: str | None = None
    """``AlwaysAllow`` lets pods that are not ready be evicted. The default is ``IfHealthyBudget``."""


class DisruptionBudgetStatus(Read, frozen=True):
    """``PodDisruptionBudget.status``. Only a rehearsal of a drain reads it."""

    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    disrupted_pods: dict[str, str | None] | None = None
    """The pods that were evicted and are not deleted yet, each with the time of its eviction."""


class PodDisruptionBudget(Kubernetes, frozen=True):
    """policy PodDisruptionBudget."""

    spec: DisruptionBudgetSpec = msgspec.field(default_factory=DisruptionBudgetSpec)
    status: DisruptionBudgetStatus | None = None
