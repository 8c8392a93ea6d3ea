"""
The VMIs that an upgrade of KubeVirt leaves behind: in an outdated launcher, or with node selectors that no node satisfies.

After an upgrade, the labels of the nodes describe new versions of libvirt and QEMU. A running VMI keeps the CPU features and the
machine type with which it was started, so its target pod can demand labels that have gone. Source: ``webhook.drain.targets``;
``webhook.drain.workload_updates``; kubevirt/kubevirt#16386.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from webhook.drain.evictions import Key, domain_of, is_launcher, strategy_of
from webhook.drain.inputs import Inputs
from webhook.drain.labelled_nodes import LabelledNodes, Pair
from webhook.drain.plan import Readiness
from webhook.drain.targets import Targets
from webhook.drain.workload_updates import MIGRATES, why_not_updated
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.launcher.launcher_image import is_outdated, launcher_image
from webhook.kubevirt.launcher.selectors import MACHINE_TYPE_LABEL
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.launcher_configuration import DeploymentStatus, LauncherKubeVirt
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI

STALE: Final = "staleSelector"
OUTDATED: Final = "outdated"
RARE: Final = "rareMachineType"
LEFT_BEHIND: Final = "leftBehind"
_ORDER: Final = (STALE, OUTDATED, RARE, LEFT_BEHIND)
_FEW: Final = 2
"""The number of other nodes up to which a machine type is rare, in any cluster that has more."""
_SHARE: Final = 10
"""A machine type is also rare if at most one in this number of nodes supports it."""
_NAMED: Final = 3
_METHODS: Final = "spec.workloadUpdateStrategy.workloadUpdateMethods of the KubeVirt CR"


def readiness(inputs: Inputs, *, is_planned: bool) -> tuple[Readiness, ...]:
    """
    The problems of all running VMIs, the most urgent first. ``is_planned`` also lists the VMIs whose launcher is up to date, but
    that the next upgrade leaves behind.
    """
    checks = _Checks(inputs)
    found = [
        one
        for vmi in inputs.vmis.values()
        if vmi.node and not vmi.is_final and vmi.meta.deletion_timestamp is None
        for one in checks.of(vmi, is_planned=is_planned)
    ]
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.problem), one.namespace, one.name)))


def methods_of(inputs: Inputs) -> Fact[tuple[str, ...]]:
    """The ``workloadUpdateMethods`` of the KubeVirt CR."""
    known = inputs.world.every(KubeVirt)
    if isinstance(known, Unknown) or not known:
        return Unknown("no KubeVirt was provided", "provide the KubeVirt CR")
    strategy = known[0].spec.workload_update_strategy
    return tuple((strategy.workload_update_methods if strategy is not None else None) or ())


def missing_of(inputs: Inputs) -> tuple[str, ...]:
    """The kinds that were not provided, but are needed to know which launchers are replaced, each with the reason."""
    methods = methods_of(inputs)
    return (f"KubeVirt: {methods.why}",) if isinstance(methods, Unknown) else ()


class _Checks:
    """The facts of a cluster that all VMIs share."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._targets = Targets(inputs)
        self._nodes = LabelledNodes(inputs.nodes.values())
        self._methods = methods_of(inputs)
        crs = inputs.fleet.given(LauncherKubeVirt)
        self._status = (crs[0].status if crs else None) or DeploymentStatus()
        self._launchers: dict[tuple[Key, str], Pod] = {
            ((pod.namespace, domain_of(pod) or ""), pod.spec.node_name): pod
            for pod in inputs.pods
            if is_launcher(pod) and not pod.is_finished
        }

    def of(self, vmi: RunningVMI, *, is_planned: bool) -> Iterator[Readiness]:
        """The problems of a VMI."""
        if vmi.is_migratable:
            yield from self._selectors(vmi)
        if not isinstance(self._methods, Unknown):
            yield from self._update(vmi, self._methods, is_planned=is_planned)

    def _selectors(self, vmi: RunningVMI) -> Iterator[Readiness]:
        launcher = self._launchers.get(((vmi.namespace, vmi.name), vmi.node))
        if launcher is None:
            return
        key = vmi.namespace, vmi.name
        selector = self._targets.selector(key, launcher, vmi.node)
        if not isinstance(selector, dict):
            return
        wanted = self._nodes.reported(selector)
        is_cured = bool(self._nodes.having_all(self._nodes.reported(self._targets.selector_after_restart(key))))
        others = self._nodes.names - {vmi.node}
        stale = [pair for pair in wanted if not self._nodes.having(pair) & others] if others else []
        if stale:
            yield self._stale(vmi, stale, is_cured=is_cured)
        elif others and not self._nodes.having_all(wanted) & others:
            yield self._apart(vmi, wanted, is_cured=is_cured)
        else:
            yield from self._machine_type(vmi, wanted, others)

    def _stale(self, vmi: RunningVMI, stale: Sequence[Pair], *, is_cured: bool) -> Readiness:
        which = "other schedulable" if any(self._nodes.having(pair) for pair in stale) else "schedulable"
        plural = "s" if len(stale) > 1 else ""
        message = f"Its target pod requires the label{plural} {_listed(stale)}, which no {which} node has."
        return _found(vmi, STALE, message, _cure(is_cured=is_cured), is_cured=is_cured)

    def _apart(self, vmi: RunningVMI, wanted: Sequence[Pair], *, is_cured: bool) -> Readiness:
        message = f"No other schedulable node has all labels that its target pod requires: {_listed(wanted)}."
        return _found(vmi, STALE, message, _cure(is_cured=is_cured), is_cured=is_cured)

    def _machine_type(self, vmi: RunningVMI, wanted: Sequence[Pair], others: set[str]) -> Iterator[Readiness]:
        for pair in wanted:
            if not pair[0].startswith(MACHINE_TYPE_LABEL):
                continue
            having = self._nodes.having(pair) & others
            if len(having) < len(others) and len(having) <= max(_FEW, len(others) // _SHARE):
                machine = pair[0].removeprefix(MACHINE_TYPE_LABEL)
                count = f"{len(having)} of {len(others)} other schedulable nodes"
                after = self._targets.selector_after_restart((vmi.namespace, vmi.name))
                is_cured = pair[0] not in after
                remedy = (
                    "Restart the VM" if is_cured else "Set spec.domain.machine.type to a type that all nodes support"
                )
                yield _found(
                    vmi,
                    RARE,
                    f"It has machine type {machine}, which only {count} support{'s' if len(having) == 1 else ''}.",
                    f"{remedy}.",
                    is_cured=is_cured,
                )

    def _update(self, vmi: RunningVMI, methods: Sequence[str], *, is_planned: bool) -> Iterator[Readiness]:
        image = vmi.status.launcher_container_image_version if vmi.status is not None else ""
        is_old = is_outdated(vmi, image, self._status)
        if not is_old and not is_planned:
            return
        why = why_not_updated(vmi, methods, strategy_of(vmi, self._inputs.configuration))
        if not why:
            return
        effect = f"no workload update method replaces its launcher: {why}."
        remedy = _remedy(vmi, methods, "" if is_old else " after the upgrade")
        if is_old:
            current = launcher_image(self._status)
            differs = f", but new launchers have {current}" if current else ", which is outdated"
            message = f"Its launcher has the image {image}{differs}, and {effect}"
            yield _found(vmi, OUTDATED, message, remedy, is_cured=True)
        else:
            yield _found(vmi, LEFT_BEHIND, f"After an upgrade, {effect}", remedy, is_cured=True)


def _remedy(vmi: RunningVMI, methods: Sequence[str], when: str) -> str:
    if vmi.is_migratable and MIGRATES not in methods:
        return f"Add {MIGRATES} to {_METHODS}. Or migrate or restart the VM{when}."
    return f"Restart the VM{when}."


def _cure(*, is_cured: bool) -> str:
    if is_cured:
        return "Restart the VM."
    return "Change the CPU model, CPU features or machine type of the VM to one that a node supports, then restart it."


def _listed(pairs: Sequence[Pair]) -> str:
    names = [key if value == "true" else f"{key}={value}" for key, value in pairs]
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _found(vmi: RunningVMI, problem: str, message: str, remedy: str, *, is_cured: bool) -> Readiness:
    return Readiness(vmi.namespace, vmi.name, vmi.node, problem, message, remedy, is_cured)
