"""
Judges a changed object, compares it with the old object, and decides the action for each finding.

Admission calls one function of this module for each request. This module looks up no other object: the caller passes a
``Judge``, the labels of the namespace, and the role of the account.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.settings.hyper_converged import where_in_hyper_converged
from webhook.kubevirt.subject import subject_of
from webhook.kubevirt.volume_migration import restored_claims
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import (
    VirtualMachine,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
    VirtualMachineSpec,
)
from webhook.objects.vmi import VirtualMachineInstance
from webhook.policy.hotplug import at_request, is_about_made_permanent, is_about_plugged, with_requests
from webhook.policy.policy import Action, Decision, Lowered, Policy, PolicySubject, decide_all, strongest_action
from webhook.policy.ratchet import ratchet
from webhook.rules.storage.claim_not_shared import RULE as CLAIM_NOT_SHARED
from webhook.rules.storage.claim_not_shared import identity_of


class Judge(Protocol):
    """Applies the rules with the facts of this request."""

    def judge_object(self, judged: Kubernetes, /) -> Judgement:
        """The verdict and the findings of one object."""
        ...

    def judge_change(self, old: Kubernetes, new: Kubernetes, /) -> tuple[Finding, ...]:
        """Further findings about the difference between two versions of an object."""
        ...


class Change(msgspec.Struct, frozen=True):
    """A create or an update, with the properties of the request that the decision depends on."""

    new: Kubernetes
    old: Kubernetes | None
    """The old object; None for a create, or if the old object cannot be read."""
    subject: PolicySubject
    """The policy's view of the new object."""
    lowered_for: Lowered | None
    """Why all denials of this change become warnings, or None if they stay denials."""
    plugs_volumes: bool
    """Whether volumes that are added to the template of a VM are plugged into the running VM."""
    former_subjects: Mapping[str, str] | None
    """For a restore, a map from the new subject of each finding to its old subject; None for other changes."""
    same_as_unreadable: bool
    """Whether the old object cannot be read, but its judged part is known to be unchanged."""


class ChangeDecision(msgspec.Struct, frozen=True):
    """The decisions about a change."""

    decisions: tuple[Decision, ...] = ()
    judgement: Judgement | None = None
    strongest: Action = Action.OFF
    """The strongest action that a finding about this change can get."""
    is_final: bool = False
    """Whether the change is allowed regardless of all other objects."""


NOTHING_TO_JUDGE: Final = ChangeDecision()


def decide_change(change: Change, policy: Policy, judge: Judge, today: str) -> ChangeDecision:
    """The decisions about a new object, or about an update of its judged part."""
    new, old, subject = change.new, change.old, change.subject
    is_unchanged = old is not None and judged_part_of(new) == judged_part_of(old)
    if old is not None and old.meta.deletion_timestamp is not None and is_unchanged:
        return NOTHING_TO_JUDGE  # the update only removes a finalizer
    judgement = judge.judge_object(new)
    if old is not None:
        judgement = replace(judgement, findings=(*judgement.findings, *judge.judge_change(old, new)))
    decisions = decide_all(judgement, policy, subject, today)
    if old is not None:
        if change.plugs_volumes:
            decisions = tuple(_limit_plugged(decisions, new, old, policy, subject))
        if any(decision.action is Action.DENY for decision in decisions):
            decisions = _allow_old_findings(decisions, change, old, policy, judge, today)
    if change.same_as_unreadable:
        decisions = tuple(decision.at_most(Action.WARN) for decision in decisions)
    decisions = _lower(decisions, change)
    is_final = change.same_as_unreadable or is_unchanged or change.lowered_for is not None
    return _decision(decisions, judgement, strongest_action(policy, subject), is_final=is_final)


def decide_volume_requests(
    new: VirtualMachine, old: VirtualMachine, subject: PolicySubject, policy: Policy, judge: Judge, today: str
) -> ChangeDecision:
    """
    The decisions about volumes that users request for a running VM. The strongest action is the policy's ``hotplug``.

    virt-api writes the requests, so the account does not matter.
    """
    before, after = with_requests(old), with_requests(new)
    if new.meta.deletion_timestamp is not None or before == after:
        return NOTHING_TO_JUDGE
    judgement = _judge_added(before, after, judge)
    judgement = replace(judgement, findings=tuple(at_request(finding, new) for finding in judgement.findings))
    limit = policy.within(subject.namespace, subject.labels).hotplug
    decisions = decide_all(judgement, policy, subject, today)
    strongest = strongest_action(policy, subject, plugs=True)
    return _decision((decision.at_most(limit) for decision in decisions), judgement, strongest)


def decide_instance_update(
    new: VirtualMachineInstance,
    old: VirtualMachineInstance,
    subject: PolicySubject,
    policy: Policy,
    judge: Judge,
    today: str,
) -> ChangeDecision:
    """
    The decisions about findings that a plugged volume or a removed annotation adds to a VMI. Heartbeats pass.

    A VMI has no status subresource: a user with update rights can write its status. So the status of a VMI is ignored.
    """
    is_unchanged = new.spec.volumes == old.spec.volumes and _has_override(new) == _has_override(old)
    if is_unchanged or new.meta.deletion_timestamp is not None:
        return NOTHING_TO_JUDGE
    before, after = msgspec.structs.replace(old, status=None), msgspec.structs.replace(new, status=None)
    judgement = _judge_added(before, after, judge)
    decisions = decide_all(judgement, policy, subject, today)
    strongest = strongest_action(policy, subject)
    return _decision(_limit_plugged(decisions, after, before, policy, subject), judgement, strongest)


def judged_part_of(judged: Kubernetes) -> object:
    """The part of an object in which a change can be denied. The matchConditions of the webhooks compare the same fields."""
    if isinstance(judged, VirtualMachine):
        return _without_run_strategy(judged.spec)
    if isinstance(judged, VirtualMachineInstanceReplicaSet):
        return judged.spec.template
    if isinstance(judged, VirtualMachinePool):
        template = judged.spec.virtual_machine_template
        return _without_run_strategy(template.spec) if template is not None and template.spec is not None else None
    return getattr(judged, "spec", None)


def _without_run_strategy(spec: VirtualMachineSpec) -> VirtualMachineSpec:
    return msgspec.structs.replace(spec, running=None, run_strategy=None)


def _allow_old_findings(
    decisions: Sequence[Decision], change: Change, old: Kubernetes, policy: Policy, judge: Judge, today: str
) -> tuple[Decision, ...]:
    """
    Lowers denials for findings that the old object already has. Starting, stopping and metadata changes add no finding.

    The old object is judged with the new metadata. The webhook does not receive updates that change only metadata. The result
    must therefore be the same as if an earlier update had changed the metadata.
    """
    new = change.new
    if judged_part_of(new) == judged_part_of(old):
        return tuple(decision.at_most(Action.WARN) for decision in decisions)
    old_vmi = subject_of(old)
    strategy = old_vmi.spec.eviction_strategy if old_vmi is not None else None
    subject = replace(change.subject, eviction_strategy=strategy)
    known = decide_all(judge.judge_object(_with_metadata_of(new, old)), policy, subject, today)
    if change.former_subjects is not None:
        return ratchet(decisions, known, change.former_subjects)
    return ratchet(decisions, _without_made_permanent(known, new, old, subject, policy))


def _without_made_permanent(
    known: Sequence[Decision], new: Kubernetes, old: Kubernetes, subject: PolicySubject, policy: Policy
) -> Iterator[Decision]:
    """
    The old decisions, except decisions about volumes that become permanent while ``hotplug`` is weaker than deny. Otherwise a
    user could plug in a volume without a denial, and then make it permanent.
    """
    is_lowered = (
        isinstance(new, VirtualMachine) and policy.within(subject.namespace, subject.labels).hotplug is not Action.DENY
    )
    return (decision for decision in known if not (is_lowered and is_about_made_permanent(decision.finding, new, old)))


def _with_metadata_of(new: Kubernetes, old: Kubernetes) -> Kubernetes:
    """The old object with the metadata of the new object. For a pool, the metadata in the VM template is replaced, too."""
    if isinstance(new, VirtualMachinePool) and isinstance(old, VirtualMachinePool):
        source, template = new.spec.virtual_machine_template, old.spec.virtual_machine_template
        if source is not None and template is not None:
            spec = replace(old.spec, virtual_machine_template=replace(template, metadata=source.metadata))
            old = replace(old, spec=spec)
    return replace(old, metadata=new.metadata)


def _has_override(vmi: VirtualMachineInstance) -> bool:
    return BRIDGE_OVERRIDE in (vmi.meta.annotations or {})


def _judge_added(before: Kubernetes, after: Kubernetes, judge: Judge) -> Judgement:
    """The verdict for ``after``, and the findings that ``before`` does not have."""
    known = {finding.identity for finding in judge.judge_object(before).findings}
    judgement = judge.judge_object(after)
    return replace(
        judgement, findings=tuple(finding for finding in judgement.findings if finding.identity not in known)
    )


def _limit_plugged(
    decisions: Iterable[Decision], new: Kubernetes, old: Kubernetes, policy: Policy, subject: PolicySubject
) -> Iterator[Decision]:
    """The decisions, with the policy's ``hotplug`` as the strongest action for findings about plugged-in volumes."""
    limit = policy.within(subject.namespace, subject.labels).hotplug
    for decision in decisions:
        yield decision.at_most(limit) if is_about_plugged(decision.finding, new, old) else decision


def _lower(decisions: tuple[Decision, ...], change: Change) -> tuple[Decision, ...]:
    """
    Lowers denials to warnings if KubeVirt or an operator writes the change, or if the change cancels a volume migration.

    A user cancels a volume migration by naming the old PVCs again. Findings about the old PVCs are not denied. The new PVCs of
    the migration are judged like any other PVC.
    """
    if change.lowered_for is Lowered.HYPER_CONVERGED and isinstance(change.new, KubeVirt):
        return tuple(
            replace(lowered(decision, Lowered.HYPER_CONVERGED), place=where_in_hyper_converged(decision.finding.path))
            for decision in decisions
        )
    if change.lowered_for is not None:
        return tuple(lowered(decision, change.lowered_for) for decision in decisions)
    new, old = change.new, change.old
    if not isinstance(new, VirtualMachine) or not isinstance(old, VirtualMachine):
        return decisions
    restored = {identity_of(*volume_and_claim) for volume_and_claim in restored_claims(old, new)}
    return tuple(
        lowered(decision, Lowered.VOLUME_MIGRATION)
        if decision.finding.rule is CLAIM_NOT_SHARED and decision.finding.subject in restored
        else decision
        for decision in decisions
    )


def lowered(decision: Decision, reason: Lowered) -> Decision:
    """The decision, with a denial lowered to a warning."""
    if decision.action is Action.DENY:
        return replace(decision, action=Action.WARN, lowered=reason)
    return replace(decision, denied_when_enforced=False)


def _decision(
    decisions: Iterable[Decision], judgement: Judgement, strongest: Action, *, is_final: bool = False
) -> ChangeDecision:
    taken = tuple(decision for decision in decisions if decision.action is not Action.OFF)
    return ChangeDecision(taken, judgement, strongest, is_final)
