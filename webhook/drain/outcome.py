"""
The first outcome of a drain for each VMI of a node, before placement.

The eviction webhook decides which VMIs move, block or stop. Disruption budgets are checked only for evictions that the webhook
lets pass, so a budget that blocks nothing is never named.

Source: ``webhook.drain.evictions``; ``pkg/drain/drain.go`` of kubectl v1.34; ``pkg/registry/core/pod/storage/eviction.go`` of
Kubernetes v1.34.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Protocol

import msgspec

from webhook.drain.aftermath import Aftermath, Owner, aftermath, owner_of, remedy_of
from webhook.drain.evictions import (
    Answer,
    Key,
    Strategy,
    Why,
    answer_for_attachment,
    answer_for_launcher,
    domain_of,
    is_attachment,
    is_launcher,
    owner_of_attachment,
    protects_attachments,
    strategy_of,
)
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.releases import Version
from webhook.kubevirt.run_strategy import run_strategy
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.kubevirt import Configuration
from webhook.objects.pods import Pod
from webhook.objects.running import LIVE_MIGRATABLE, RunningVMI
from webhook.objects.shown import shown
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet

CLUSTER_API: Final = "capk.cluster.x-k8s.io/"
_SECOND_BUDGET_FAILS_BEFORE: Final = Version(1, 5, 0)
_CANCELS_EVACUATION: Final = Version(1, 7, 0)
_RESTARTABLE: Final = frozenset(("Always", "Manual", "RerunOnFailure"))
"""Run strategies that virtctl restart supports (``RestartVMRequestHandler`` of ``pkg/virt-api/rest/lifecycle.go``, v1.9.0)."""
_RUNNING: Final = "Running"
_VMI: Final = "VirtualMachineInstance"


class Budgets(Protocol):
    """The PodDisruptionBudgets of the cluster."""

    def selecting(self, pod: Pod) -> Fact[Sequence[PodDisruptionBudget]]:
        """The budgets that select the pod."""

    def refusal(self, pod: Pod) -> Fact[str]:
        """The reason why a budget refuses the eviction of the pod now, or an empty text."""


class First(msgspec.Struct, frozen=True):
    """The first outcome for one VMI, with the objects that placement needs."""

    machine: Machine
    vmi: RunningVMI | None = None
    launcher: Pod | None = None
    """The launcher on the node. None if it was not given."""
    owner: Fact[Owner] = None

    @property
    def key(self) -> Key:
        """The namespace and name of the VMI."""
        return self.machine.namespace, self.machine.name


class Cluster(msgspec.Struct, frozen=True):
    """The facts on which the outcomes depend."""

    vmis: Mapping[Key, RunningVMI]
    pods: Iterable[Pod]
    configuration: Fact[Configuration]
    vms: Fact[Mapping[Key, VirtualMachine]]
    replica_sets: Fact[Mapping[Key, VirtualMachineInstanceReplicaSet]]
    budgets: Budgets


class Outcomes:
    """The first outcomes of a drain, for any node of a cluster."""

    def __init__(self, cluster: Cluster, version: Version) -> None:
        self._cluster, self._version = cluster, version
        self._launchers: dict[str, dict[Key, Pod]] = {}
        self._attachments: dict[str, list[Pod]] = {}
        self._vmis: dict[str, list[RunningVMI]] = {}
        for pod in cluster.pods:
            if pod.is_finished:
                continue
            if is_launcher(pod):
                self._launchers.setdefault(pod.spec.node_name, {})[pod.namespace, pod.name] = pod
            elif is_attachment(pod):
                self._attachments.setdefault(pod.spec.node_name, []).append(pod)
        for vmi in cluster.vmis.values():
            self._vmis.setdefault(vmi.node, []).append(vmi)

    def of(self, node: str) -> list[First]:
        """
        The outcome for each VMI with a launcher on ``node``, for each other VMI that runs there, and for each attachment pod that
        does not leave with a launcher.
        """
        outcomes = [*self._with_launcher(node)]
        seen = {(first.machine.namespace, first.machine.name) for first in outcomes}
        outcomes.extend(
            self._outcome(vmi, None, node)
            for vmi in self._vmis.get(node, ())
            if (vmi.namespace, vmi.name) not in seen and not vmi.is_final
        )
        outcomes.extend(self._attached(node))
        return outcomes

    def _attached(self, node: str) -> Iterator[First]:
        """The attachment pods whose launcher is on another node."""
        if not protects_attachments(self._version):
            return
        launchers = self._launchers.get(node, {})
        for pod in self._attachments.get(node, ()):
            if owner_of_attachment(pod) not in launchers:
                refusal = answer_for_attachment(pod, self._everywhere, self._cluster.vmis).message
                if refusal:
                    yield First(_attachment(pod, refusal))

    @cached_property
    def _everywhere(self) -> dict[Key, Pod]:
        return {key: pod for launchers in self._launchers.values() for key, pod in launchers.items()}

    def _with_launcher(self, node: str) -> Iterator[First]:
        seen: set[Key] = set()
        # a launcher that ends can run beside its successor
        for launcher in sorted(self._launchers.get(node, {}).values(), key=_is_ending):
            name = domain_of(launcher)
            if name is not None and (launcher.namespace, name) in seen:
                continue
            seen.add((launcher.namespace, name or ""))
            vmi = self._cluster.vmis.get((launcher.namespace, name)) if name is not None else None
            if vmi is None:
                yield First(_without_vmi(launcher, name), launcher=launcher)
            elif not vmi.is_final and not _has_left(vmi, node):
                yield self._outcome(vmi, launcher, node)

    def _outcome(self, vmi: RunningVMI, launcher: Pod | None, node: str) -> First:
        owner = owner_of(vmi, self._cluster.vms, self._cluster.replica_sets)
        machine = self._machine(vmi, launcher, owner, node)
        return First(machine, vmi, launcher, owner)

    def _machine(self, vmi: RunningVMI, launcher: Pod | None, owner: Fact[Owner], node: str) -> Machine:
        if vmi.meta.deletion_timestamp is not None:
            return _stops(vmi, "", "The VMI is already being deleted.", aftermath(owner, fits=True))
        strategy = self._strategy(vmi)
        if isinstance(strategy, Unknown):
            return _unknown(vmi, f"The eviction strategy is unknown: {strategy.why}.", strategy)
        given = answer_for_launcher(node, vmi, strategy, self._version)
        if given.why is Why.STOPS:
            return self._passes(vmi, launcher, owner, strategy, node)
        if given.why is Why.NOT_MIGRATABLE:
            return _not_migratable(vmi, strategy, owner)
        second = self._second_budget(vmi, launcher, strategy)
        if second is not None:
            return second
        if _is_target(vmi, node):
            return _target(vmi, strategy)
        if strategy == Strategy.EXTERNAL:
            return _external(vmi, strategy)
        if not vmi.node:
            return _starting(vmi, strategy, "its status does not name its node")
        if vmi.mark not in {"", vmi.node}:
            return _marked_elsewhere(vmi, strategy, self._version)
        return self._moves(vmi, launcher, strategy, given)

    def _strategy(self, vmi: RunningVMI) -> Fact[str]:
        configuration = self._cluster.configuration
        if isinstance(configuration, Unknown):
            return configuration if vmi.spec.eviction_strategy is None else vmi.spec.eviction_strategy
        return strategy_of(vmi, configuration)

    def _moves(self, vmi: RunningVMI, launcher: Pod | None, strategy: str, given: Answer) -> Machine:
        sentences = ["The VMI is already marked for evacuation."] if given.why is Why.IN_PROGRESS else []
        if launcher is not None and not protects_attachments(self._version):
            sentences.extend(
                f"KubeVirt {self._version} does not protect the attachment pod {pod.name}, so its eviction can detach a volume "
                "during the migration."
                for pod in self._attachments.get(launcher.spec.node_name, ())
                if owner_of_attachment(pod) == (launcher.namespace, launcher.name)
            )
        return Machine(vmi.namespace, vmi.name, Outcome.MOVES, message=" ".join(sentences), strategy=strategy)

    def _passes(self, vmi: RunningVMI, launcher: Pod | None, owner: Fact[Owner], strategy: str, node: str) -> Machine:
        """The outcome for a launcher whose eviction the webhook lets pass, so that budgets are checked."""
        refusal = self._cluster.budgets.refusal(launcher) if launcher is not None else ""
        if isinstance(refusal, Unknown):
            return _unknown(
                vmi, f"It is unknown whether a budget refuses the eviction: {refusal.why}.", refusal, strategy
            )
        if refusal:
            return Machine(
                vmi.namespace,
                vmi.name,
                Outcome.BLOCKS,
                Detail.BUDGET,
                f"{refusal} {_why_it_stops(vmi, strategy)}",
                f"Change the budget, or {_stop(vmi, owner)}.",
                strategy=strategy,
            )
        if _is_target(vmi, node):
            message = f"The drain deletes the target pod of a migration, which then fails. The VM continues to run on {vmi.node}."
            return Machine(vmi.namespace, vmi.name, Outcome.MOVES, Detail.TARGET, message, strategy=strategy)
        return _stops(vmi, strategy, _why_it_stops(vmi, strategy), aftermath(owner, fits=True))

    def _second_budget(self, vmi: RunningVMI, launcher: Pod | None, strategy: str) -> Machine | None:
        """
        The outcome if a later request fails with status 500. Up to 1.4, later requests pass the webhook, and the budget of
        KubeVirt is the first budget of the launcher.
        """
        if self._version >= _SECOND_BUDGET_FAILS_BEFORE or launcher is None:
            return None
        budgets = self._cluster.budgets.selecting(launcher)
        if isinstance(budgets, Unknown):
            return None
        names = sorted(budget.name for budget in budgets if not _is_of_kubevirt(budget))
        if not names:
            return None
        return Machine(
            vmi.namespace,
            vmi.name,
            Outcome.BLOCKS,
            Detail.BUDGET,
            f"PodDisruptionBudget {', '.join(names)} is a second budget for the launcher beside the budget of KubeVirt "
            f"{self._version}, so kubectl drain fails with status 500 while the VMI is being migrated.",
            f"Delete PodDisruptionBudget {', '.join(names)} before the drain, or run kubectl drain again after the migration.",
            strategy=strategy,
        )


def _without_vmi(launcher: Pod, name: str | None) -> Machine:
    """The outcome for a launcher without a VMI."""
    if name is None:
        message = "The launcher names no VMI, so KubeVirt does not protect it and the drain deletes it."
        return Machine(launcher.namespace, launcher.name, Outcome.STOPS, Detail.GONE, message)
    vmi = f"VirtualMachineInstance {launcher.namespace}/{name}"
    return Machine(
        launcher.namespace,
        name,
        Outcome.UNKNOWN,
        Detail.MISSING_FACT,
        f"{vmi} of launcher {launcher.name} is not in the input.",
        f"Add {vmi} to the input.",
    )


def _attachment(pod: Pod, refusal: str) -> Machine:
    return Machine(
        pod.namespace,
        pod.name,
        Outcome.BLOCKS,
        Detail.HOTPLUG,
        f"KubeVirt refuses the eviction of this attachment pod: {refusal}.",
        f"Unplug the volume, or run kubectl delete pod {pod.name} -n {pod.namespace} if no VM uses the volume on this node.",
    )


def _unknown(vmi: RunningVMI, message: str, fact: Unknown, strategy: str = "") -> Machine:
    remedy = remedy_of(fact)
    return Machine(vmi.namespace, vmi.name, Outcome.UNKNOWN, Detail.MISSING_FACT, message, remedy, strategy=strategy)


def _stops(vmi: RunningVMI, strategy: str, message: str, after: Aftermath) -> Machine:
    remedy = after.remedy
    if vmi.is_migratable and vmi.meta.deletion_timestamp is None:
        migrate = f"Run virtctl migrate {vmi.name} -n {vmi.namespace} before the drain"
        remedy = f"{migrate}, or write evictionStrategy: LiveMigrate in the VM."
    outcome = Outcome.UNKNOWN if after.detail is Detail.MISSING_FACT else Outcome.STOPS
    text = f"{message} {after.message}"
    return Machine(
        vmi.namespace, vmi.name, outcome, after.detail, text, remedy, strategy=strategy, reasons=_reasons(vmi)
    )


def _why_it_stops(vmi: RunningVMI, strategy: str) -> str:
    cannot = " and the VMI cannot be live-migrated" if strategy == Strategy.IF_POSSIBLE else ""
    return f"evictionStrategy is {strategy or shown(strategy)}{cannot}, so the drain shuts the VM down."


def _not_migratable(vmi: RunningVMI, strategy: str, owner: Fact[Owner]) -> Machine:
    if vmi.live_migratable is None and vmi.phase != _RUNNING:
        return _starting(vmi, strategy, f"virt-handler has not set its condition {LIVE_MIGRATABLE}")
    return Machine(
        vmi.namespace,
        vmi.name,
        Outcome.BLOCKS,
        Detail.NOT_MIGRATABLE,
        f"evictionStrategy is {strategy}, but the VMI cannot be live-migrated, so KubeVirt refuses the eviction.",
        f"Correct what prevents the live migration, or {_stop(vmi, owner)}.",
        strategy=strategy,
        reasons=_reasons(vmi),
    )


def _starting(vmi: RunningVMI, strategy: str, missing: str) -> Machine:
    message = f"The VMI is in phase {vmi.phase or 'Pending'}, and {missing} yet."
    return _unknown(vmi, message, Unknown(message, "rehearse the drain again when the VMI runs"), strategy)


def _target(vmi: RunningVMI, strategy: str) -> Machine:
    return Machine(
        vmi.namespace,
        vmi.name,
        Outcome.BLOCKS,
        Detail.TARGET,
        f"The VMI is being migrated from {vmi.node} to this node. The drain waits until the migration has ended.",
        f"Wait until the migration has ended, or run virtctl migrate-cancel {vmi.name} -n {vmi.namespace}.",
        strategy=strategy,
    )


def _external(vmi: RunningVMI, strategy: str) -> Machine:
    is_of_cluster_api = any(label.startswith(CLUSTER_API) for label in vmi.meta.labels or ())
    controller = "Cluster API" if is_of_cluster_api else "another controller"
    return Machine(
        vmi.namespace,
        vmi.name,
        Outcome.BLOCKS,
        Detail.EXTERNAL,
        f"evictionStrategy is External, so KubeVirt refuses the eviction until {controller} removes the VMI.",
        f"Make sure that {controller} acts on status.evacuationNodeName of the VMI.",
        strategy=strategy,
    )


def _marked_elsewhere(vmi: RunningVMI, strategy: str, version: Version) -> Machine:
    migrate = f"Run virtctl migrate {vmi.name} -n {vmi.namespace}, which clears the mark"
    cancel = f", or virtctl evacuate-cancel vmi {vmi.name} -n {vmi.namespace}" if version >= _CANCELS_EVACUATION else ""
    return Machine(
        vmi.namespace,
        vmi.name,
        Outcome.BLOCKS,
        Detail.MARKED,
        f"The VMI is marked for the evacuation of {vmi.mark}, which is not its node. KubeVirt refuses the "
        "eviction, and it does not migrate the VMI.",
        f"{migrate}{cancel}.",
        strategy=strategy,
    )


def _stop(vmi: RunningVMI, owner: Fact[Owner]) -> str:
    """The command that takes the VM off a cordoned node, as the end of a sentence."""
    if isinstance(owner, VirtualMachine) and run_strategy(owner.spec) in _RESTARTABLE:
        return f"cordon the node and run virtctl restart {vmi.name} -n {vmi.namespace}"
    return f"cordon the node and run kubectl delete vmi {vmi.name} -n {vmi.namespace}"


def _reasons(vmi: RunningVMI) -> tuple[str, ...]:
    """Why the VMI cannot be live-migrated, from its condition."""
    condition = vmi.live_migratable
    if condition is None:
        return (f"The VMI has no condition {LIVE_MIGRATABLE}.",)
    if condition.status == "True":
        return ()
    return (
        ": ".join(text for text in (condition.reason, condition.message) if text)
        or f"{LIVE_MIGRATABLE} is {condition.status}",
    )


def _is_ending(pod: Pod) -> bool:
    return pod.meta.deletion_timestamp is not None


def _is_target(vmi: RunningVMI, node: str) -> bool:
    """Whether the launcher on ``node`` is the target pod of a migration. A VMI that has not started has no node."""
    return vmi.node not in {"", node}


def _has_left(vmi: RunningVMI, node: str) -> bool:
    """Whether the launcher on ``node`` is the source of a migration that has ended, so that it ends too."""
    state = vmi.status.migration_state if vmi.status is not None else None
    return vmi.node not in {"", node} and state is not None and state.source_node == node and state.completed


def _is_of_kubevirt(budget: PodDisruptionBudget) -> bool:
    """Whether KubeVirt has created the budget for a VMI (up to 1.5)."""
    return any(owner.kind == _VMI for owner in budget.meta.owner_references or ())
