"""Rehearses the drain of nodes: from the objects of a cluster to a ``DrainReport``."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.drain.budget_answers import BudgetAnswers
from webhook.drain.causes import with_causes
from webhook.drain.evictions import Key, is_launcher
from webhook.drain.fleet_state import state_of
from webhook.drain.inputs import Inputs
from webhook.drain.moves import Decision, Room
from webhook.drain.outcome import Cluster, First, Outcomes
from webhook.drain.plan import Detail, DrainReport, Machine, NodePlan, Outcome, Seconds, worst
from webhook.drain.shared_budgets import with_shared_budgets
from webhook.drain.starvation import starved
from webhook.drain.steps import by_urgency, first_steps
from webhook.drain.targets import Targets
from webhook.drain.times import Times, time_of, with_shutdowns
from webhook.drain.upgrade import missing_of, readiness
from webhook.drain.waves import together
from webhook.errors import BadInput
from webhook.facts.fleet import Fleet
from webhook.kubevirt.releases import only
from webhook.kubevirt.settings.budget import link_of
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI

_FULL: Final = (
    "Other migrations take all {slots} slots of {name} now, so the time counts from the end of the first of them."
)


class Request(msgspec.Struct, frozen=True):
    """The nodes to drain, and the settings of the rehearsal."""

    nodes: tuple[str, ...] = ()
    """The names of the nodes. Empty means all nodes."""
    mode: str = "together"
    """As ``DrainReport.mode``."""
    max_unavailable: int = 1
    """The number of nodes that a rolling drain drains at the same time."""
    upgrade: bool = False
    """Whether to list the VMIs that the next upgrade leaves behind. Mode ``each`` lists those of the last upgrade."""
    release: str = ""
    """The patch release of KubeVirt. Empty means the release in the KubeVirt CR."""
    link: str = ""
    """The bandwidth of a node's migration link in bytes per second, as a quantity. Empty means unknown."""


def rehearse(fleet: Fleet, request: Request) -> DrainReport:
    """
    The outcome of the drain for each VMI of the nodes, and the time.

    Raises BadInput for an unknown node, an unsupported release and an invalid link.
    """
    inputs = Inputs(fleet, request.release)
    names = [] if request.mode == "upgrade" else _nodes(inputs, request.nodes)
    rehearsal = _Rehearsal(inputs, link_of(request.link))
    if request.mode == "together":
        plans = rehearsal.drain(names)
    elif request.mode == "each":
        plans = [plan for name in names for plan in rehearsal.drain([name])]
    else:
        steps = [names[at : at + request.max_unavailable] for at in range(0, len(names), request.max_unavailable)]
        plans = [plan for step in steps for plan in rehearsal.step(step)]
    return DrainReport(
        tuple(plans),
        request.mode,
        str(inputs.version),
        first_steps(plans),
        readiness(inputs, is_planned=request.upgrade) if request.upgrade or request.mode == "each" else (),
        tuple(inputs.assumptions),
        (*inputs.missing, *(missing_of(inputs) if request.upgrade else ())),
        inputs.missing_kinds,
    )


def drain_of(inputs: Inputs, node: str, link: str = "") -> NodePlan:
    """The drain of one node. ``link`` is as ``Request.link``. Raises BadInput for an invalid link."""
    return _Rehearsal(inputs, link_of(link)).drain([node])[0]


class _Rehearsal:
    """The state of a rehearsal: the cluster, and what was computed for VMIs so far."""

    def __init__(self, inputs: Inputs, link: int) -> None:
        self._inputs, self._link = inputs, link
        answers = BudgetAnswers(inputs.fleet)
        self._budgets = answers.budgets
        cluster = Cluster(
            inputs.vmis, inputs.pods, inputs.known_configuration, inputs.vms, inputs.replica_sets, answers
        )
        self._outcomes = Outcomes(cluster, inputs.version)
        self._state = state_of(inputs)
        self._room = Room(inputs, Targets(inputs))
        self._times: dict[Key, Times] = {}
        self._others = _other_pods(inputs)
        self._arrived: dict[str, list[First]] = {}
        self._left: set[Key] = set()
        """The VMIs that are no longer on their first node."""

    def drain(self, names: Sequence[str]) -> list[NodePlan]:
        """The drain of nodes at the same time. The state is as before afterwards."""
        with self._state.tentatively():
            self._cordon(names)
            return self._plans(names, self._decide(names, names_all=True))

    def step(self, names: Sequence[str]) -> list[NodePlan]:
        """A step of a rolling drain: the nodes are drained, and then uncordoned. The VMIs stay on their new nodes."""
        self._cordon(names)
        decided = self._decide(names, names_all=False)
        plans = self._plans(names, decided)
        for name in names:
            for entry in decided[name]:
                self._settle(name, entry)
        free = self._free(names)
        for name in names:
            if name in self._state.nodes and not self._was_cordoned(name):
                self._state.uncordon(name)
        return [replace(plan, left=free) for plan in plans]

    def _cordon(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self._state.nodes:
                self._state.cordon(name)

    def _was_cordoned(self, name: str) -> bool:
        spec = self._inputs.nodes[name].spec
        return bool(spec is not None and spec.unschedulable)

    def _decide(self, names: Sequence[str], *, names_all: bool) -> dict[str, list[Decision]]:
        firsts = {name: self._on(name) for name in names}
        decided = self._room.decide(self._state, firsts, names_all=names_all)
        return {
            name: self._with_shared_budgets([decided[name, first.key] for first in members])
            for name, members in firsts.items()
        }

    def _with_shared_budgets(self, decisions: Sequence[Decision]) -> list[Decision]:
        """The decisions for a node after all its evictions. A VM that a budget keeps has no new pod."""
        firsts = [replace(one.first, machine=one.machine) for one in decisions]
        checked = with_shared_budgets(firsts, self._budgets)
        return [
            one if first.machine is one.machine else Decision(one.first, first.machine)
            for one, first in zip(decisions, checked, strict=True)
        ]

    def _on(self, name: str) -> list[First]:
        """The VMIs that are on a node now."""
        first = [one for one in self._outcomes.of(name) if one.key not in self._left]
        return [*first, *self._arrived.get(name, ())]

    def _settle(self, name: str, decision: Decision) -> None:
        """Moves a VMI to its new node in the state."""
        first, node = decision.first, decision.node
        ends = decision.machine.outcome in {Outcome.MOVES, Outcome.STOPS}
        if not ends or (decision.machine.detail is Detail.WAITS_FOR_NODE):
            return
        self._left.add(first.key)
        self._arrived[name] = [one for one in self._arrived.get(name, ()) if one.key != first.key]
        if first.launcher is not None and self._state.node_of(first.launcher) is not None:
            self._state.remove(first.launcher)
        if node and decision.pod is not None:
            if node in self._state.nodes and self._state.node_of(decision.pod) is None:
                self._state.place(decision.pod, node)
            launcher = replace(decision.pod, spec=replace(decision.pod.spec, node_name=node))
            self._arrived.setdefault(node, []).append(replace(first, launcher=launcher))

    def _plans(self, names: Sequence[str], decided: Mapping[str, Sequence[Decision]]) -> list[NodePlan]:
        machines = self._starved({name: decided[name] for name in names})
        times = self._together(machines)
        stopped = {
            name: [one.first.launcher for one in decided[name] if one.machine.outcome is Outcome.STOPS]
            for name in names
        }
        return [self._plan(name, machines[name], with_shutdowns(times[name], stopped[name])) for name in names]

    def _starved(self, decided: Mapping[str, Sequence[Decision]]) -> dict[str, list[Machine]]:
        """The VMIs, of which those that move wait if VMIs without a node can hold all slots."""
        machines = {name: [self._timed(one) for one in members] for name, members in decided.items()}
        started = {one.first.key for members in decided.values() for one in members if one.is_started}
        slots = {name: self._slots(name) for name in machines}
        return starved(machines, slots, self._inputs.in_cluster - self._inputs.slots_taken[""], started)

    def _slots(self, name: str) -> int:
        """The number of migrations that can leave a node at the same time now."""
        inputs = self._inputs
        outbound = inputs.outbound - inputs.slots_taken.get(name, 0)
        return max(min(outbound, inputs.in_cluster - inputs.slots_taken[""]), 0)

    def _free(self, drained: Sequence[str]) -> tuple[str, ...]:
        """The CPU, memory and pods that are free on the schedulable nodes."""
        nodes = [node for node in self._state.nodes.values() if node.name not in drained and not node.is_unschedulable]
        cpu = sum(node.free.get("cpu", 0) for node in nodes) // 1000
        memory = sum(node.free.get("memory", 0) for node in nodes) // 2**30
        return (f"cpu: {cpu}", f"memory: {memory}Gi", f"pods: {sum(node.room for node in nodes)}")

    def _timed(self, decision: Decision) -> Machine:
        machine, vmi = decision.machine, decision.first.vmi
        if vmi is not None:
            machine = with_causes(machine, vmi, self._inputs.world, only(self._inputs.behaviour.release))
        if machine.outcome is not Outcome.MOVES or vmi is None:
            return machine
        times = self._time(decision.first)
        return replace(machine, seconds=times.seconds, policy=times.policy)

    def _time(self, first: First) -> Times:
        vmi = first.vmi
        if vmi is None:
            return Times(None)
        key = (vmi.namespace, vmi.name)
        known = self._times.get(key)
        if known is None:
            inputs = self._inputs
            known = self._times[key] = time_of(vmi, inputs.world, inputs.behaviour, self._link)
            for text in known.assumptions:
                inputs.assume(text)
        return known

    def _together(self, machines: Mapping[str, Sequence[Machine]]) -> dict[str, Seconds | None]:
        inputs = self._inputs
        moving = {
            name: [one.seconds for one in members if one.outcome is Outcome.MOVES] for name, members in machines.items()
        }
        known = {name: [one for one in times if one is not None] for name, times in moving.items()}
        taken = max((inputs.slots_taken.get(name, 0) for name in machines), default=0)
        free = inputs.in_cluster - inputs.slots_taken[""]
        ranges = together(known, max(inputs.outbound - taken, 1), max(free, 1))
        return {name: None if None in moving[name] else seconds for name, seconds in ranges.items()}

    def _plan(self, name: str, machines: Sequence[Machine], seconds: Seconds | None) -> NodePlan:
        ordered = by_urgency(machines)
        ends = all(one.outcome in {Outcome.MOVES, Outcome.STOPS} for one in machines)
        knows_vmis = ordered or RunningVMI in self._inputs.fleet.provided or Pod in self._inputs.fleet.provided
        slots, free = min(self._inputs.outbound, self._inputs.in_cluster), self._slots(name)
        is_full = slots > 0 and free == 0 and any(one.outcome is Outcome.MOVES for one in machines)
        return NodePlan(
            name,
            worst(ordered) if knows_vmis else Outcome.UNKNOWN,
            ordered,
            seconds if ends and knows_vmis else None,
            assumptions=(_FULL.format(name=name, slots=slots),) if is_full else (),
            slots=slots,
            slots_taken=slots - free,
            other_pods=self._others.get(name, 0),
            seconds_without=seconds if not ends and knows_vmis else None,
        )


def _nodes(inputs: Inputs, requested: Sequence[str]) -> list[str]:
    """The requested nodes, or all nodes, including those that only VMIs and launchers name."""
    launchers = {pod.spec.node_name for pod in inputs.pods if is_launcher(pod) and not pod.is_finished}
    known = (inputs.nodes.keys() | {vmi.node for vmi in inputs.vmis.values() if not vmi.is_final} | launchers) - {""}
    if not known:
        raise BadInput("the input has no node, and no VMI on a node", remedy="Provide nodes, pods and VMIs.")
    for name in requested:
        if name not in known:
            near = ", ".join(sorted(known)[:10]) or "none"
            raise BadInput(f"unknown node {name!r}", remedy=f"Known nodes: {near}.")
    return list(dict.fromkeys(requested)) or sorted(known)


def _other_pods(inputs: Inputs) -> dict[str, int]:
    counts: dict[str, int] = {}
    for pod in inputs.pods:
        if pod.spec.node_name and not pod.is_finished and not is_launcher(pod):
            counts[pod.spec.node_name] = counts.get(pod.spec.node_name, 0) + 1
    return counts
