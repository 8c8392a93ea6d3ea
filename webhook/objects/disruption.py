"""The kind PodDisruptionBudget."""

import msgspec

from webhook.objects.meta import Json, Kubernetes, Read
from webhook.objects.scheduling import LabelSelector


class DisruptionBudgetSpec(Read, frozen=True):
    """``PodDisruptionBudget.spec``. Both limits are numbers or percentages."""

    selector: LabelSelector | None = None
    min_available: Json = None
    max_unavailable: Json = None


class PodDisruptionBudget(Kubernetes, frozen=True):
    """policy PodDisruptionBudget."""

    spec: DisruptionBudgetSpec = msgspec.field(default_factory=DisruptionBudgetSpec)
