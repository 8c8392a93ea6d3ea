"""The nodes to which one VM could move, and the first reason that excludes each of the others."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from msgspec.structs import replace

from webhook.drain.aftermath import remedy_of
from webhook.drain.evictions import domain_of, is_launcher
from webhook.drain.fleet_state import state_of
from webhook.drain.inputs import Inputs
from webhook.drain.moves import Room
from webhook.drain.node_remedies import remedy_for
from webhook.drain.placement import why_not
from webhook.drain.plan import MOST_NODES, Machine, Outcome
from webhook.drain.target_needs import Beside
from webhook.drain.targets import Targets
from webhook.drain.vm_explanation import Destinations, Excluded
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.surroundings import NoPod
from webhook.objects.nad import Node
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI
from webhook.objects.vm import VirtualMachine
from webhook.scheduling import verdicts
from webhook.scheduling.state import ClusterState

TARGET: Final = "target"
LAUNCHER: Final = "launcher"


class DestinationSearch:
    """Searches the nodes to which VMs of one cluster could move. Parts that all searches share are computed once."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._state = state_of(inputs)
        self._targets = Targets(inputs)
        self._room = Room(inputs, self._targets)

    def destinations(self, judged: RunningVMI | VirtualMachine, node: str) -> Destinations:
        """The nodes that fit the target pod of a VMI on ``node``, or the launcher of a VM that does not run (no node)."""
        inputs, targets, key = self._inputs, self._targets, (judged.namespace, judged.name)
        launcher = self._launchers.get((*key, node)) if node else None
        if isinstance(judged, VirtualMachine) or not judged.phase:  # without a phase, KubeVirt has not stored the VMI
            pod = targets.started(judged)
        else:
            pod = targets.target(key, launcher, node) if node else targets.restarted(key)
        empty = Destinations(TARGET if node else LAUNCHER, len(inputs.nodes.keys() - {node}))
        nodes = inputs.fleet.every(Node)
        if isinstance(nodes, Unknown):
            return replace(empty, message=f"The nodes are unknown: {nodes.why}.", remedy=remedy_of(nodes))
        beside = targets.beside(key, launcher) if node else Beside()
        refused = self._room.refused(Machine(*key, Outcome.MOVES), pod, beside)
        if isinstance(pod, Unknown | NoPod):
            return replace(empty, message=_why(pod), remedy=remedy_of(pod) if isinstance(pod, Unknown) else "")
        found = _fitting(empty, beside.with_attachment(pod), self._state, node)
        return found if refused is None else replace(found, message=refused.message, remedy=refused.remedy)

    @cached_property
    def _launchers(self) -> Mapping[tuple[str, str, str], Pod]:
        """The pods in which VMIs run, by namespace, name and node of the VMI."""
        found: dict[tuple[str, str, str], Pod] = {}
        for pod in self._inputs.pods:
            if is_launcher(pod) and not pod.is_finished:
                found.setdefault((pod.namespace, domain_of(pod) or "", pod.spec.node_name), pod)
        return found


def _why(pod: Unknown | NoPod) -> str:
    if isinstance(pod, NoPod):
        return f"virt-controller cannot create the pod: {pod.message}."
    return f"The pod is unknown: {pod.why}."


def _fitting(empty: Destinations, pod: Pod, state: ClusterState, node: str) -> Destinations:
    fit = state.fit(pod)
    others = {name: verdict for name, verdict in fit.verdicts().items() if name != node}
    nodes = sorted(name for name, verdict in others.items() if isinstance(verdict, verdicts.Fits))
    unknown = {name: one.reason for name, one in others.items() if isinstance(one, verdicts.Unknown)}
    remedy = "" if nodes or unknown or not others else remedy_for(pod, state, {node}, why_not(fit, {node}))
    return replace(
        empty,
        node_count=len(nodes),
        nodes=tuple(nodes[:MOST_NODES]),
        excluded=_groups(
            {name: one.refusals[0].reason for name, one in others.items() if isinstance(one, verdicts.Refused)}
        ),
        unknown=_groups(unknown),
        remedy=remedy,
    )


def _groups(reasons: Mapping[str, str]) -> tuple[Excluded, ...]:
    """The nodes by reason. The largest group is first."""
    groups: dict[str, list[str]] = {}
    for node, reason in sorted(reasons.items()):
        groups.setdefault(reason, []).append(node)
    largest_first = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(Excluded(reason, len(nodes), tuple(nodes[:MOST_NODES])) for reason, nodes in largest_first)
