"""Explains one VM of a cluster, with the same values as the rehearsal of a drain."""

from collections.abc import Iterator, Sequence
from typing import Final

from webhook.drain.destinations import DestinationSearch
from webhook.drain.evictions import Key
from webhook.drain.evictions import Strategy as Strategies
from webhook.drain.inputs import Inputs, by_name
from webhook.drain.plan import DrainReport, Machine
from webhook.drain.rehearsal import drain_of
from webhook.drain.times import time_of
from webhook.drain.vm_explanation import (
    Destinations,
    Policy,
    Reason,
    Setting,
    Storage,
    Strategy,
    Verdict,
    VMExplanation,
)
from webhook.errors import BadInput
from webhook.facts.fleet import Fleet
from webhook.judging.finding import Finding, Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.owners import HYPER_CONVERGED, owner_of
from webhook.kubevirt.releases import only
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.setting_origins import setting_origins
from webhook.kubevirt.settings.budget import link_of
from webhook.kubevirt.settings.explain import Case, explain_vm
from webhook.kubevirt.subject import subject_of
from webhook.objects.hyper_converged import HyperConverged, WrittenConfiguration
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.path import dotted
from webhook.objects.running import RunningVMI
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance
from webhook.rules.rule import Basis

_CONDITION: Final = "condition"
_RULES: Final = "rules"
_MOST_NAMES: Final = 10


def explain(fleet: Fleet, name: str, namespace: str = "", release: str = "", link: str = "") -> VMExplanation:
    """
    The explanation of a VM or VMI. An empty ``namespace`` means the only namespace with such a VM. ``release`` and ``link``
    are as in ``Request``.

    Raises BadInput for an unknown VM, a name in several namespaces, an unsupported release and an invalid link.
    """
    return Explainer(fleet, release, link).explain(name, namespace)


class Explainer:
    """
    Explains VMs of one fleet. Parts that all explanations share are computed once.

    Only one thread at a time may use an explainer.
    """

    def __init__(self, fleet: Fleet, release: str = "", link: str = "", rehearsed: DrainReport | None = None) -> None:
        """
        ``rehearsed`` is the rehearsal of the drain of each node alone, with the same release and link. Without it, each
        explanation rehearses the drain of its node. Raises BadInput for an unsupported release.
        """
        self._inputs = Inputs(fleet, release)
        self._link = link
        self._search = DestinationSearch(self._inputs)
        self._assumptions = tuple(self._inputs.assumptions)
        """The assumptions that each explanation has."""
        self._vms = by_name(fleet.given(VirtualMachine))
        self._names = self._vms.keys() | self._inputs.vmis.keys()
        nodes = rehearsed.nodes if rehearsed is not None else None
        self._drained = (
            None if nodes is None else {(node.name, _name_of(one)): one for node in nodes for one in node.machines}
        )

    def explain(self, name: str, namespace: str = "") -> VMExplanation:
        """As ``explain``."""
        key = (namespace, name) if (namespace, name) in self._names else _key(sorted(self._names), name, namespace)
        inputs = self._inputs
        inputs.assumptions[:] = self._assumptions
        vmi, vm = inputs.vmis.get(key), self._vms.get(key)
        if vmi is not None and vmi.is_final and vm is not None:
            vmi = None
        node = vmi.node if vmi is not None and not vmi.is_final else ""
        drain = self._drain(key, node)
        judged: RunningVMI | VirtualMachine = vmi if vmi is not None else vm if vm is not None else RunningVMI()
        where = self._search.destinations(judged, node)
        return _explained(inputs, vmi, vm, node, drain, where, self._link)

    def _drain(self, key: Key, node: str) -> Machine | None:
        """The effect of a drain of the node on the VM."""
        if not node:
            return None
        if self._drained is not None:
            return self._drained.get((node, key))
        machines = drain_of(self._inputs.with_own_assumptions(), node, self._link).machines
        return next((one for one in machines if _name_of(one) == key), None)


def _name_of(machine: Machine) -> Key:
    return machine.namespace, machine.name


def _explained(
    inputs: Inputs,
    vmi: RunningVMI | None,
    vm: VirtualMachine | None,
    node: str,
    drain: Machine | None,
    where: Destinations,
    link: str,
) -> VMExplanation:
    """The explanation. At least one of ``vmi`` and ``vm`` is not None."""
    judged: RunningVMI | VirtualMachine = vmi if vmi is not None else vm if vm is not None else RunningVMI()
    release = only(inputs.behaviour.release)
    judgement = judge(judged, inputs.world, release)
    by_rules = _by_rules(judgement)
    reported = _reported(vmi)
    verdict = by_rules if reported is None else reported
    of_vm = judge(vm, inputs.world, release) if vm is not None else Judgement(())
    after = _by_rules(of_vm) if vmi is not None and vm is not None else None
    times = time_of(judged, inputs.world, inputs.behaviour, link_of(link))
    inputs_assumed = (*inputs.assumptions, *times.assumptions)
    assumed = judgement.verdict.assumptions if judgement.verdict is not None else ()
    return VMExplanation(
        "VirtualMachineInstance" if isinstance(judged, RunningVMI) else "VirtualMachine",
        judged.namespace,
        judged.name,
        vmi.phase if vmi is not None else "",
        node,
        str(inputs.version),
        verdict,
        by_rules,
        after if after is not None and after.live_migratable not in (None, by_rules.live_migratable) else None,
        tuple(_reasons(judgement, of_vm)),
        _storage(judgement),
        _strategy(inputs, judged, vm),
        tuple(_policies(inputs, judged, link_of(link))),
        where,
        times.seconds,
        drain,
        tuple(dict.fromkeys((*inputs_assumed, *map(_sentence, assumed)))),
        inputs.missing,
    )


def _key(known: Sequence[Key], name: str, namespace: str) -> Key:
    """The namespace and name of a VM. Raises BadInput if there is not exactly one such VM."""
    matches = [key for key in known if key[1] == name and namespace in ("", key[0])]
    if len(matches) == 1:
        return matches[0]
    if matches:
        spaces = ", ".join(space for space, _ in matches[:_MOST_NAMES])
        raise BadInput(
            f"VM {name!r} exists in several namespaces: {spaces}",
            remedy=f"Write vm/NAMESPACE/{name}, or add -n NAMESPACE.",
        )
    wanted = f"{namespace}/{name}" if namespace else name
    names = {(f"{key[0]}/{key[1]}" if namespace else key[1]): "/".join(key) for key in known}
    near = close_matches(wanted, names)
    hint = f" (did you mean {names[near[0]]}?)" if near else ""
    listed = ", ".join("/".join(key) for key in known[:_MOST_NAMES]) or "none"
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    raise BadInput(f"unknown VM {wanted!r}{hint}", remedy=f"Known VMs: {listed}{more}.")


def _reported(vmi: RunningVMI | None) -> Verdict | None:
    """The condition LiveMigratable of a VMI, or None without the condition."""
    condition = vmi.live_migratable if vmi is not None else None
    if condition is None:
        return None
    known = {"True": True, "False": False}.get(condition.status)
    return Verdict(known, _CONDITION, condition.reason, condition.message)


def _by_rules(judgement: Judgement) -> Verdict:
    verdict = judgement.verdict
    if verdict is None:
        return Verdict(None, _RULES)
    return Verdict(verdict.live_migratable, _RULES, "" if verdict.reason is None else verdict.reason.value)


def _decides(finding: Finding) -> bool:
    return finding.basis is Basis.KUBEVIRT


def _rank(finding: Finding) -> tuple[bool, bool, str]:
    return not _decides(finding), finding.undetermined, finding.rule.id


def _reasons(judgement: Judgement, of_vm: Judgement) -> Iterator[Reason]:
    """The findings. The place is that in the VirtualMachine if it has the same finding, because users edit this object."""
    places = {finding.identity: finding for finding in of_vm.findings}
    for finding in sorted(judgement.findings, key=_rank):
        same = places.get(finding.identity)
        yield Reason(
            finding.rule.id,
            finding.rule.name,
            "VirtualMachineInstance" if same is None else "VirtualMachine",
            dotted((finding if same is None else same).path),
            finding.message,
            finding.remedy,
            _decides(finding),
            finding.undetermined,
        )


def _storage(judgement: Judgement) -> Storage | None:
    storage = judgement.verdict.storage if judgement.verdict is not None else None
    if storage is None:
        return None
    reasons, possible = ([reason.value for reason in group] for group in (storage.reasons, storage.possible))
    return Storage(storage.live_migratable, tuple(reasons), tuple(possible))


def _strategy(inputs: Inputs, judged: RunningVMI | VirtualMachine, vm: VirtualMachine | None) -> Strategy:
    """The strategy in force: that of the VMI, else that of the KubeVirt CR, else None."""
    subject = subject_of(judged)
    own = subject.spec.eviction_strategy if subject is not None else None
    if own is not None:
        template = vm.spec.template if vm is not None else None
        from_vm = template is not None and template.spec is not None and template.spec.eviction_strategy == own
        place = (
            "spec.template.spec.evictionStrategy of the VirtualMachine"
            if from_vm
            else "spec.evictionStrategy of the VMI"
        )
        return Strategy(own, place)
    configuration = inputs.configuration
    if configuration.eviction_strategy is None:
        if isinstance(configuration, WrittenConfiguration):
            return Strategy("", "HyperConverged chooses the evictionStrategy by the number of worker nodes")
        return Strategy(Strategies.NONE, "KubeVirt's default: neither the VM nor the KubeVirt CR sets evictionStrategy")
    return Strategy(configuration.eviction_strategy, _place_in_cr(inputs))


def _place_in_cr(inputs: Inputs) -> str:
    kubevirts = inputs.fleet.given(KubeVirt)
    if not kubevirts:
        owners = inputs.fleet.given(HyperConverged)
        return f"HyperConverged {owners[0].name}" if owners else "the KubeVirt CR"
    owner = owner_of(kubevirts[0])
    written = f", which {HYPER_CONVERGED} writes" if owner is not None and owner.name == HYPER_CONVERGED else ""
    return f"spec.configuration.evictionStrategy of the KubeVirt CR{written}"


def _policies(inputs: Inputs, judged: VirtualMachineInstance | VirtualMachine, link: int) -> Iterator[Policy]:
    """The cases of the settings, as ``explain-settings`` shows them."""
    subject, behaviour = subject_of(judged), inputs.behaviour
    if subject is None:
        return
    facts = [*expand(subject, inputs.world, only(behaviour.release))][-1]
    origins = setting_origins(inputs.world, behaviour.release)
    for case in explain_vm(facts, inputs.world, behaviour, link, origins).cases:
        yield Policy(case.policy, case.because, tuple(_settings(case)), case.ending.value if case.is_valid else "")


def _settings(case: Case) -> Iterator[Setting]:
    for one in case.settings:
        value = one.value if isinstance(one.value, str | int | float | bool | None) else str(one.value)
        yield Setting(one.name, value, one.origin)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
