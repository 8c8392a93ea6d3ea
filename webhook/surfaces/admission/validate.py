"""
Decides whether the validating webhooks allow an admission request.

This module filters requests and determines the role of the user. ``webhook.policy.update`` decides about the change. This
module never waits, because facts come from a ``World`` that is already filled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from webhook.cni.attachments import IN_USE, in_use_by
from webhook.facts.unknown import Unknown
from webhook.facts.world import World, labels_of_namespace
from webhook.judging.cluster import judge_change
from webhook.judging.finding import Finding, Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.feature_gates import hotplugs_from_template
from webhook.kubevirt.releases import Releases
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.review import AdmissionRequest, RawRequest, StatusCause
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance
from webhook.policy.policy import Account, Action, Decision, Lowered, Policy, PolicySubject, policy_subject
from webhook.policy.update import (
    Change,
    ChangeDecision,
    decide_change,
    decide_instance_update,
    decide_volume_requests,
)
from webhook.report.printable import printable
from webhook.surfaces.admission.clone_patches import about_patches, bad_patches, patches_of, problems_of
from webhook.surfaces.admission.kubevirt_accounts import (
    VIRT_API,
    WORKLOADS,
    account_of,
    is_hyper_converged,
    is_kubevirt_account,
    writes_for_itself,
)
from webhook.surfaces.admission.requests import DecodedRequest, is_never_judged
from webhook.surfaces.admission.responses import cause_of, warning_of
from webhook.surfaces.admission.restored_claims import former_subjects, is_restore


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision about a request, and the facts that led to it."""

    causes: tuple[StatusCause, ...]
    decisions: tuple[Decision, ...]
    judgement: Judgement | None = None
    warnings: tuple[str, ...] = ()
    """Warnings in addition to the warnings for decisions."""
    account: Account | None = None
    """The policy's entry for the account of the request."""
    foreign_world: World | None = field(default=None, compare=False, repr=False)
    """The world behind this outcome, if objects in other namespaces were looked up."""
    is_final: bool = False
    """Whether the request is allowed regardless of all other objects."""
    strongest: Action = Action.DENY
    """The strongest action that a finding about this request can get."""
    late: bool = False
    """Whether a referenced object could not be read in time."""

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return not self.causes


PASS: Final = Outcome((), (), strongest=Action.OFF)


class JudgingContext(msgspec.Struct, frozen=True):
    """The facts and the policy for one request."""

    world: World
    releases: Releases
    policy: Policy
    today: str
    install_namespace: str
    """
    The namespace of the KubeVirt CR; empty if there is no CR.

    Without a CR, no namespace and no account is trusted because of its usual name.
    """
    judge: Callable[[Kubernetes, World, Releases], Judgement] = judge

    def with_world(self, world: World) -> "JudgingContext":
        """The same policy with other facts."""
        return msgspec.structs.replace(self, world=world)

    def judge_object(self, judged: Kubernetes) -> Judgement:
        """The verdict and the findings of one object."""
        return self.judge(judged, self.world, self.releases)

    def judge_change(self, old: Kubernetes, new: Kubernetes) -> tuple[Finding, ...]:
        """The findings about the difference between two versions of an object."""
        return judge_change(old, new, self.world, self.releases)

    def labels_of(self, namespace: str) -> Mapping[str, str] | None:
        """The labels of a namespace; None if the policy does not need the labels, or if the labels are unknown."""
        return labels_of_namespace(namespace, self.world) if self.policy.reads_labels else None

    def limit_in(self, namespace: str) -> Action:
        """
        The policy's ``atMost`` in a namespace. It also applies to causes without a finding, such as an unreadable object.
        """
        return self.policy.within(namespace, self.labels_of(namespace)).at_most

    def account_in(self, request: AdmissionRequest) -> Account | None:
        """The policy's entry for the account of a request."""
        return self.policy.account_of(request.user_info.username, request.namespace, self.today)


def decide_request(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    """The outcome for one request."""
    outcome = _decide(decoded, context)
    account = context.account_in(decoded.request)
    return outcome if account is None else _lower_for_account(outcome, account)


def _lower_for_account(outcome: Outcome, account: Account) -> Outcome:
    """The outcome, with no stronger action than the ``atMost`` of ``account``."""
    if outcome.causes and not outcome.decisions:
        return outcome_of_causes(account.at_most, *outcome.causes)
    decisions = tuple(decision.for_account(account) for decision in outcome.decisions)
    warnings = outcome.warnings if account.at_most is Action.WARN else ()
    return Outcome((), decisions, outcome.judgement, warnings, account, is_final=True)


def _decide(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    request, new, old = decoded.request, decoded.object, decoded.old
    if request.operation == "DELETE":
        return _decide_delete(decoded, context)
    if isinstance(request, RawRequest) and (patches := patches_of(request)):
        return _decide_patches(request, patches, context)
    if new is None or request.operation not in ("CREATE", "UPDATE"):
        return PASS
    if request.sub_resource == "status" and isinstance(new, VirtualMachine) and isinstance(old, VirtualMachine):
        subject = subject_in(request, new, context)
        return _outcome(decide_volume_requests(new, old, subject, context.policy, context, context.today))
    if _is_in_install_namespace(request, context):
        return PASS
    if isinstance(new, VirtualMachineInstance) and isinstance(old, VirtualMachineInstance):
        if request.sub_resource or writes_for_itself(request, new, old, context.install_namespace):
            return PASS
        subject = subject_in(request, new, context)
        return _outcome(decide_instance_update(new, old, subject, context.policy, context, context.today))
    if is_never_judged(request):
        return PASS
    return _outcome(decide_change(_change(decoded, new, context), context.policy, context, context.today))


def _change(decoded: DecodedRequest, new: Kubernetes, context: JudgingContext) -> Change:
    """The change that a request makes, with the reason to lower its denials, if there is one."""
    request, old = decoded.request, decoded.old
    restored = old if old is not None and is_restore(request, new, old, context.install_namespace) else None
    return Change(
        new=new,
        old=old,
        subject=subject_in(request, new, context),
        lowered_for=_lowered_for(decoded, new, context),
        plugs_volumes=_plugs_volumes(request, new, old, context),
        former_subjects=former_subjects(new, restored) if restored is not None else None,
        same_as_unreadable=decoded.same_as_unreadable,
    )


def _lowered_for(decoded: DecodedRequest, new: Kubernetes, context: JudgingContext) -> Lowered | None:
    """
    The reason why denials of this request become warnings: the write is KubeVirt's own, or HyperConverged's operator makes it.
    KubeVirt must always be able to restart an admitted VM.
    """
    if writes_for_itself(decoded.request, new, decoded.old, context.install_namespace):
        return Lowered.KUBEVIRT
    return Lowered.HYPER_CONVERGED if is_hyper_converged(decoded.request, decoded.old or new) else None


def _plugs_volumes(request: AdmissionRequest, new: Kubernetes, old: Kubernetes | None, context: JudgingContext) -> bool:
    """
    Whether a hotpluggable volume that this update adds to a template is plugged into a running VM.

    virt-api writes templates only for ``addvolume``. A volume migration plugs in no volume (``pkg/storage/hotplug``).
    """
    if not isinstance(new, VirtualMachine) or not isinstance(old, VirtualMachine):
        return False
    if account_of(request.user_info.username, context.install_namespace) == VIRT_API:
        return True
    is_running = old.status is not None and old.status.created is True
    migrates_volumes = new.spec.update_volumes_strategy == "Migration"
    return (
        is_running
        and not migrates_volumes
        and hotplugs_from_template(cluster_of(context.world).configuration, context.releases)
    )


def _outcome(decided: ChangeDecision) -> Outcome:
    causes = tuple(cause_of(decision) for decision in decided.decisions if decision.action is Action.DENY)
    return Outcome(causes, decided.decisions, decided.judgement, is_final=decided.is_final, strongest=decided.strongest)


def _is_in_install_namespace(request: AdmissionRequest, context: JudgingContext) -> bool:
    """Whether a workload is in the namespace of the KubeVirt CR. No tenant can write there."""
    return request.kind.kind in WORKLOADS and request.namespace == context.install_namespace != ""


def subject_in(request: AdmissionRequest, judged: Kubernetes, context: JudgingContext) -> PolicySubject:
    """
    The properties of the object that the policy depends on.

    If the object has no name or namespace, the name or namespace in the request is used.
    """
    namespace, name = judged.namespace or request.namespace, judged.name or request.name
    return policy_subject(judged, request.kind.kind, namespace, name, context.labels_of(namespace))


def _decide_patches(request: RawRequest, patches: list[str], context: JudgingContext) -> Outcome:
    """
    A clone or restore with patches.

    The request is denied if a patch changes more than the VM's spec, labels and annotations. Otherwise it gets a warning.
    """
    limit = context.limit_in(request.namespace)
    if bad := bad_patches(patches):
        by_kubevirt = is_kubevirt_account(request.user_info.username, context.install_namespace)
        return outcome_of_causes(limit.at_most(Action.WARN) if by_kubevirt else limit, *bad)
    problems = problems_of(
        request, patches, context.world, lambda judged, world: context.judge(judged, world, context.releases)
    )
    return outcome_of_causes(limit.at_most(Action.WARN), *problems, about_patches())


def _decide_delete(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    """A deletion passes, except the deletion of the NetworkAttachmentDefinition for migrations."""
    request, old = decoded.request, decoded.old
    if not isinstance(old, NetworkAttachmentDefinition) or old.meta.deletion_timestamp is not None:
        return PASS
    if request.user_info.username.startswith("system:serviceaccount:kube-system:"):
        return PASS  # the garbage collector or the namespace controller
    known = context.world.every(KubeVirt)
    kubevirts: Sequence[KubeVirt] = () if isinstance(known, Unknown) else known
    name, namespace = old.name or request.name, old.namespace or request.namespace
    limit = context.limit_in(namespace)
    for kubevirt in kubevirts:
        if kubevirt.meta.deletion_timestamp is None and in_use_by(namespace, name, kubevirt):
            cause = StatusCause("FieldValueInvalid", f"{printable(name)!r} {IN_USE}", "metadata.name")
            return outcome_of_causes(limit, cause)
    return outcome_of_causes(limit)


def outcome_of_causes(limit: Action, *causes: StatusCause) -> Outcome:
    """The outcome of causes without a finding. The policy's ``atMost`` is the action for them."""
    if limit is Action.DENY:
        return Outcome(causes, ())
    warnings = tuple(map(warning_of, causes)) if limit is Action.WARN else ()
    return Outcome((), (), warnings=warnings, strongest=limit)
