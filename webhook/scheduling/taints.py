"""
Whether a pod tolerates the taints of a node.

Source: ``k8s.io/component-helpers/scheduling/corev1/helpers.go`` and ``k8s.io/api/core/v1/toleration.go``, v0.34.
"""

from collections.abc import Iterable
from typing import Final

from webhook.objects.scheduling import Taint, Toleration

UNSCHEDULABLE: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
"""The taint of a cordoned node."""
EXCLUDING: Final = frozenset(("NoSchedule", "NoExecute"))
"""The effects for which kube-scheduler excludes a node. ``PreferNoSchedule`` only lowers the node's score."""


def untolerated(taints: Iterable[Taint], tolerations: Iterable[Toleration]) -> Taint | None:
    """The first taint that excludes a pod with these tolerations, or None."""
    listed = tuple(tolerations)
    return next(
        (
            taint
            for taint in taints
            if taint.effect in EXCLUDING and not any(tolerates(toleration, taint) for toleration in listed)
        ),
        None,
    )


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether a toleration applies to a taint. An empty key matches every key, and an empty effect every effect."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator in {"", "Equal"}:
        return toleration.value == taint.value
    return toleration.operator == "Exists"
