"""Decides for the VMIs of a drain that move or restart whether a quota, a limit range or the nodes have room for them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.drain.aftermath import aftermath, remedy_of
from webhook.drain.evictions import Key
from webhook.drain.hindrances import hindrance
from webhook.drain.inputs import Inputs
from webhook.drain.node_remedies import remedy_for, remedy_for_unknown
from webhook.drain.orders import Move, most_room
from webhook.drain.outcome import First
from webhook.drain.placement import Fit, Placed, place_all, why_not
from webhook.drain.plan import MOST_NODES, Detail, Machine, Outcome
from webhook.drain.preemption import may_preempt
from webhook.drain.target_needs import Beside
from webhook.drain.targets import Targets
from webhook.drain.under_way import UnderWay
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.launcher.surroundings import NoPod
from webhook.objects.pods import Pod
from webhook.objects.quotas import LimitRange, PriorityClass, ResourceQuota
from webhook.scheduling.limit_ranges import refusals
from webhook.scheduling.quota import Quotas
from webhook.scheduling.state import ClusterState

_DELAY: Final = "The pod stays pending and holds a slot for 300 seconds at a time, which delays other migrations."

_NOTHING: Final = Beside()


class Decision(msgspec.Struct, frozen=True):
    """The outcome for one VMI, and the pod that replaces its launcher."""

    first: First
    machine: Machine
    pod: Pod | None = None
    """The target pod, or the launcher of the restart."""
    node: str = ""
    """The node on which a rehearsal places the pod."""

    @property
    def is_started(self) -> bool:
        """Whether the target pod runs already."""
        return self.pod is not None and bool(self.pod.spec.node_name)


class Room:
    """Whether there is room for the pods of a drain."""

    def __init__(self, inputs: Inputs, targets: Targets) -> None:
        fleet = inputs.fleet
        self._inputs, self._targets, self._under_way = inputs, targets, UnderWay(inputs)
        pods = fleet.every(Pod)
        quotas = None if ResourceQuota in fleet.unread else fleet.given(ResourceQuota)
        self._quotas = Quotas(quotas, None if isinstance(pods, Unknown) else pods)
        self._ranges, self._classes = fleet.given(LimitRange), fleet.given(PriorityClass)
        self._unread_ranges = fleet.unread.get(LimitRange)

    def decide(
        self, state: ClusterState, firsts: Mapping[str, Sequence[First]], *, names_all: bool
    ) -> dict[tuple[str, Key], Decision]:
        """
        The decision for each VMI of the nodes that are drained together, by node and VMI.

        The nodes must be cordoned in ``state``. With ``names_all`` False, not all nodes that fit are found.
        """
        decided: dict[tuple[str, Key], Decision] = {}
        moves: list[tuple[str, Move, First]] = []
        restarts: list[tuple[str, First]] = []
        for node, members in firsts.items():
            for first in members:
                machine = first.machine
                decided[node, first.key] = Decision(first, machine)
                if machine.outcome is Outcome.STOPS and machine.detail is Detail.RESTARTS:
                    restarts.append((node, first))
                elif machine.outcome is Outcome.MOVES and machine.detail is None:
                    if (current := self._under_way.target(first.key, node, firsts)) is not None:
                        decided[node, first.key] = _already_moving(first, current)
                        continue
                    target = self._targets.target(first.key, first.launcher, node)
                    beside = self._targets.beside(first.key, first.launcher)
                    refused = self.refused(machine, target, beside)
                    if refused is not None:
                        decided[node, first.key] = Decision(first, refused)
                    elif isinstance(target, Pod):
                        moves.append((node, Move(first.key, beside.with_attachment(target), first.launcher), first))
        places = place_all(state, [move for _, move, _ in moves], firsts, names_all=names_all)
        for node, move, first in moves:
            place = places[move.key]
            decided[node, move.key] = Decision(
                first, self._moved(state, move, first.machine, place, firsts), move.target, place.node
            )
        with state.tentatively():
            for node, move, _ in moves:
                if target_node := decided[node, move.key].node:
                    state.place(move.target, target_node)
            for node, first in restarts:
                decided[node, first.key] = self._restarted(state, first, firsts)
        return decided

    def refused(self, machine: Machine, target: Pod | NoPod | Unknown, beside: Beside = _NOTHING) -> Machine | None:
        """The outcome if the target pod or an object ``beside`` it cannot be created, or None if all of them can."""
        if isinstance(target, Unknown):
            return _unknown(machine, f"The target pod of its migration is unknown: {target.why}.", remedy_of(target))
        if isinstance(target, NoPod):
            message = f"virt-controller cannot create the target pod of its migration: {target.message}."
            return replace(
                machine,
                outcome=Outcome.WAITS,
                detail=Detail.MIGRATION_FAILS,
                message=message,
                remedy="Correct the cause, then rehearse the drain again.",
            )
        found = hindrance(self._inputs, target)
        if found is not None:
            waits, detail = Outcome.WAITS, Detail.MIGRATION_FAILS
            return replace(machine, outcome=waits, detail=detail, message=found.message, remedy=found.remedy)
        if self._unread_ranges is not None:
            why = f"It is unknown whether a LimitRange refuses the target pod: {self._unread_ranges}."
            return _unknown(machine, why, "Grant the rights get and list on limitranges.")
        for refusal in refusals(target, self._ranges):
            message = f"The API server refuses the target pod: {refusal.text}."
            remedy = (
                f"Change LimitRange {refusal.limit_range} in namespace {machine.namespace}, or the resources of the VM."
            )
            return replace(machine, outcome=Outcome.WAITS, detail=Detail.LIMIT_RANGE, message=message, remedy=remedy)
        return self._over_quota(machine, target, beside)

    def _over_quota(self, machine: Machine, target: Pod, beside: Beside) -> Machine | None:
        """The outcome if a quota refuses one of the objects, which KubeVirt creates one after the other."""
        missing: list[str] = []
        quotas = self._quotas.copy() if beside.attachment is not None else self._quotas
        for name, need, created in beside.in_order(target):
            answer = quotas.claim(created) if not isinstance(created, Pod) else quotas.pod(created)
            if answer.refusals:
                refused = answer.refusals[0]
                message = (
                    f"The API server refuses the {name}: {refused.text}. The migration waits for room in the quota."
                )
                remedy = f"Raise ResourceQuota {refused.quota} in namespace {machine.namespace} by {need}."
                return replace(machine, outcome=Outcome.WAITS, detail=Detail.QUOTA, message=message, remedy=remedy)
            missing.extend(one for one in answer.missing if one not in missing)
            if created is target and quotas is not self._quotas:
                quotas.charge(target)
        if missing:
            listed = " and ".join(missing)
            return _unknown(machine, f"It is unknown whether a quota has room: {listed}.", f"Provide {listed}.")
        return None

    def _moved(
        self, state: ClusterState, move: Move, machine: Machine, place: Placed, drained: Collection[str]
    ) -> Machine:
        """The outcome for a VMI whose target pod can be created."""
        found = replace(machine, nodes=place.nodes[:MOST_NODES], node_count=len(place.nodes))
        if place.fit is Fit.ALWAYS:
            return found
        reasons = "; ".join(place.reasons)
        if place.fit is Fit.UNKNOWN:
            message = f"It is unknown whether another node fits its target pod: {reasons}."
            return _unknown(machine, message, remedy_for_unknown(place.reasons))
        if place.fit is Fit.SOMETIMES:
            message = f"Its target pod fits in one order of the migrations and not in another: {reasons}."
            remedy = "Free resources on the other nodes, or migrate this VM first."
            return replace(found, outcome=Outcome.UNKNOWN, detail=Detail.MAY_NOT_FIT, message=message, remedy=remedy)
        if may_preempt(move.target, self._classes, state, drained):
            message = f"Its target pod fits only if kube-scheduler evicts pods of a lower priority: {reasons}."
            remedy = "Free resources on the other nodes, or migrate this VM before the drain."
            return replace(found, outcome=Outcome.UNKNOWN, detail=Detail.MAY_NOT_FIT, message=message, remedy=remedy)
        return replace(
            found,
            outcome=Outcome.WAITS,
            detail=Detail.NO_NODE,
            message=f"No other node fits its target pod: {reasons}. {_DELAY}",
            remedy=remedy_for(move.target, state, drained, place.reasons),
            reasons=place.reasons,
        )

    def _restarted(self, state: ClusterState, first: First, drained: Collection[str]) -> Decision:
        """
        The decision for a VM that starts again on another node, if one fits. Its new pod is placed in ``state``, without the
        launcher, which ends before.
        """
        pod = self._targets.restarted(first.key)
        if not isinstance(pod, Pod):
            why = pod.why if isinstance(pod, Unknown) else pod.message
            return Decision(first, _stopped(first, Unknown(f"its new launcher is unknown: {why}", "")))
        if first.launcher is not None and state.node_of(first.launcher) is not None:
            state.remove(first.launcher)
        fit = state.fit(pod)
        node = fit.first(sorted(state.nodes, key=most_room(state)))
        if node is not None:
            state.place(pod, node)
            return Decision(first, _stopped(first, fits=True), pod, node)
        unknowns = fit.unknowns() if fit.rejection is None else {}
        if unknowns:
            return Decision(first, _stopped(first, Unknown(next(iter(unknowns)), "")))
        machine, reasons = _stopped(first, fits=False), why_not(fit, drained)
        remedy = machine.remedy
        if machine.detail is Detail.WAITS_FOR_NODE:
            remedy = remedy_for(pod, state, drained, reasons)
        return Decision(first, replace(machine, reasons=(*machine.reasons, *reasons), remedy=remedy))


def _already_moving(first: First, target: Pod) -> Decision:
    node = target.spec.node_name
    message = f"The VMI is already being migrated to {node}."
    return Decision(first, replace(first.machine, message=message, nodes=(node,), node_count=1), target, node)


def _stopped(first: First, fits: Fact[bool]) -> Machine:
    """The outcome of a stop, of which the first sentence of the message gives the reason."""
    machine, after = first.machine, aftermath(first.owner, fits)
    if after.detail is machine.detail:
        return machine
    why, _, _ = machine.message.partition(". ")
    outcome = Outcome.UNKNOWN if after.detail is Detail.MISSING_FACT else Outcome.STOPS
    remedy = machine.remedy or after.remedy
    return replace(machine, outcome=outcome, detail=after.detail, message=f"{why}. {after.message}", remedy=remedy)


def _unknown(machine: Machine, message: str, remedy: str) -> Machine:
    return replace(machine, outcome=Outcome.UNKNOWN, detail=Detail.MISSING_FACT, message=message, remedy=remedy)
