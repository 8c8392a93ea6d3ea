"""
Whether a pod that fits no node could fit after preemption.

kube-scheduler evicts pods of a lower priority if this makes room for a pending pod. It can evict launchers, too, and disruption
budgets do not prevent this. So the result is only that the pod may fit.

Source: ``pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go`` of Kubernetes v1.34.
"""

from collections.abc import Collection, Iterable
from typing import Final

from webhook.objects.pods import Pod
from webhook.objects.quotas import PriorityClass
from webhook.scheduling.state import ClusterState

_NEVER: Final = "Never"


def may_preempt(pod: Pod, classes: Iterable[PriorityClass], state: ClusterState, drained: Collection[str]) -> bool:
    """Whether the pod fits another node without all pods of a lower priority. The state is as before afterwards."""
    own = next((one for one in classes if one.name == pod.spec.priority_class_name), None)
    priority = own.value if own is not None else pod.spec.priority or 0
    if priority <= 0 or (own is not None and own.preemption_policy == _NEVER):
        return False
    with state.tentatively():
        others = [info.pod for name, node in state.nodes.items() if name not in drained for info in node.pods.values()]
        for other in others:
            if (other.spec.priority or 0) < priority:
                state.remove(other)
        fit = state.fit(pod)
        return fit.rejection is None and fit.first(sorted(state.nodes)) is not None
