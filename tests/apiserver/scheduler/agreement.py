"""The node fit of webhook/scheduling beside the answers of kube-scheduler."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from tests.apiserver.scheduler.clusters import Manifest, Probed
from tests.apiserver.scheduler.process import Status
from webhook.objects.csi import CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment
from webhook.objects.nad import Namespace, Node
from webhook.objects.pods import Pod
from webhook.objects.volumes import BindingClass, ClusterVolume, VolumeClaim
from webhook.scheduling.cluster_facts import ClusterFacts
from webhook.scheduling.pod_defaults import stored
from webhook.scheduling.state import ClusterState
from webhook.scheduling.verdicts import Fits, Refusal, Refused, Verdict

CLASSES: Final[Mapping[str, tuple[str, type]]] = {
    "Node": ("nodes", Node),
    "Pod": ("pods", Pod),
    "Namespace": ("namespaces", Namespace),
    "PersistentVolumeClaim": ("claims", VolumeClaim),
    "PersistentVolume": ("volumes", ClusterVolume),
    "StorageClass": ("storage_classes", BindingClass),
    "CSINode": ("csi_nodes", CSINode),
    "CSIDriver": ("csi_drivers", CSIDriver),
    "CSIStorageCapacity": ("storage_capacities", CSIStorageCapacity),
    "VolumeAttachment": ("attachments", VolumeAttachment),
}
NARROWED: Final = "node(s) didn't satisfy plugin(s) "
"""The reason of a node that PreFilter left out. The status names no plugin, but the reason does."""

Kind = Literal["equal", "wrong fit", "missed fit", "other reasons", "unknown"]


class Outcome(msgspec.Struct, frozen=True):
    """The answers for one node and one pod, in the words of kube-scheduler."""

    node: str
    scheduler: list[str]
    rehearsal: list[str]
    kind: Kind


class Pair(msgspec.Struct, frozen=True):
    """One pod on one cluster: the outcomes by node. ``error`` is the reason why kube-scheduler could not decide."""

    pod: Manifest
    outcomes: list[Outcome]
    error: str = ""

    @property
    def differences(self) -> list[Outcome]:
        """The nodes on which the answers differ. An unknown is not a difference."""
        return [outcome for outcome in self.outcomes if outcome.kind not in {"equal", "unknown"}]

    @property
    def is_unknown(self) -> bool:
        """Whether the rehearsal does not know whether the pod fits one of the nodes."""
        return any(outcome.kind == "unknown" for outcome in self.outcomes)


def state_of(objects: Sequence[Manifest]) -> ClusterState:
    """The cluster of these objects. Nothing else exists in it."""
    kinds: dict[str, list[Any]] = {field: [] for field, _ in CLASSES.values()}
    for item in objects:
        field, reads = CLASSES[item["kind"]]
        kinds[field].append(msgspec.convert(item, reads))
    return ClusterState(ClusterFacts(**kinds))


def compare(state: ClusterState, probed: Iterable[Probed]) -> list[Pair]:
    """The pods with both answers."""
    return [_pair(state, item) for item in probed]


def _pair(state: ClusterState, probed: Probed) -> Pair:
    """The answers for the pod as the API server stored it, or those for the written pod if only these differ."""
    pods = (msgspec.convert(probed.pod, Pod), stored(msgspec.convert(probed.written, Pod)))
    first, second = (_pair_of(state, probed, pod) for pod in pods)
    return second if second.differences and not first.differences else first


def _pair_of(state: ClusterState, probed: Probed, pod: Pod) -> Pair:
    verdicts = state.fit(pod).verdicts()
    if probed.report is None:  # no node, as kube-scheduler did not decide
        outcomes = [
            Outcome(node, [probed.error], _rehearsed(verdict), _without_answer(verdict))
            for node, verdict in verdicts.items()
        ]
        return Pair(probed.pod, outcomes, probed.error)
    statuses = probed.report.nodes
    return Pair(probed.pod, [_outcome(node, statuses[node], verdict) for node, verdict in verdicts.items()])


def _without_answer(verdict: Verdict) -> Kind:
    """kube-scheduler gave no answer, so the pod is on no node."""
    match verdict:
        case Fits():
            return "wrong fit"
        case Refused():
            return "equal"
    return "unknown"


def _outcome(node: str, status: Status, verdict: Verdict) -> Outcome:
    scheduled = [] if status.fits else [_shown(status.plugin, reason) for reason in status.reasons]
    return Outcome(node, scheduled, _rehearsed(verdict), _kind(scheduled, verdict))


def _kind(scheduled: list[str], verdict: Verdict) -> Kind:
    match verdict:
        case Fits():
            return "wrong fit" if scheduled else "equal"
        case Refused():
            if not scheduled:
                return "missed fit"
            return "equal" if Counter(scheduled) == Counter(_rehearsed(verdict)) else "other reasons"
    return "unknown"


def _rehearsed(verdict: Verdict) -> list[str]:
    match verdict:
        case Refused(refusals):
            return [_shown(refusal.plugin, refusal.kind) for refusal in refusals]
        case Fits():
            return []
    return [f"unknown: {verdict.reason}"]


def _shown(plugin: str, reason: str) -> str:
    if reason.startswith(NARROWED):
        plugin = reason.removeprefix(NARROWED).strip("[]")
    return f"{plugin}: {Refusal(plugin, reason).kind}"
