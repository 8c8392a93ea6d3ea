"""
What an admission request is answered: judge, decide, ratchet, never block.

Nothing here waits: facts come from a ``World`` that is already there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from webhook.cni.attachments import IN_USE, in_use_by
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.judging.cluster import judge_change
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.feature_gates import hotplugs_from_template
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.settings.hyper_converged import where_in_hyper_converged
from webhook.kubevirt.volume_migration import restored_claims
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.review import StatusCause
from webhook.objects.vm import (
    VirtualMachine,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
    VirtualMachineSpec,
)
from webhook.objects.vmi import VirtualMachineInstance
from webhook.policy.policy import (
    Account,
    Action,
    Decision,
    Judged,
    Lowered,
    Policy,
    decide_all,
    judged,
    most_in,
    ratchet,
    strongest_action,
)
from webhook.report.printable import printable
from webhook.rules.storage.claim_not_shared import RULE as CLAIM_NOT_SHARED
from webhook.rules.storage.claim_not_shared import identity_of
from webhook.surfaces.admission.clone_patches import about_patches, bad_patches, patches_of
from webhook.surfaces.admission.hotplug import at_request, is_about_made_permanent, is_about_plugged, with_requests
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
    """What to answer, and what was decided on the way."""

    causes: tuple[StatusCause, ...]
    decisions: tuple[Decision, ...]
    judgement: Judgement | None = None
    warnings: tuple[str, ...] = ()
    """Lines beside those for decisions."""
    account: Account | None = None
    """The entry of the policy file that holds for the caller."""
    elsewhere: World | None = field(default=None, compare=False, repr=False)
    """The world that the outcome rests on, if that was asked about objects of other namespaces."""
    settled: bool = False
    """Whether this is an allow that no other object can turn into a denial."""
    most: Action = Action.DENY
    """The strongest action that a finding about this request can get."""
    late: bool = False
    """Whether an object that was looked up could not be read in time."""

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""
        return not self.causes


PASS = Outcome((), (), most=Action.OFF)


@dataclass(frozen=True, slots=True)
class JudgingContext:
    """What is needed to decide a request."""

    world: World
    releases: Releases
    policy: Policy
    today: str
    install_namespace: str
    """Of the KubeVirt CR; empty while there is none, so that no namespace and no account is trusted for its usual name."""
    judge: Callable[[Kubernetes, World, Releases], Judgement] = judge


def decide_request(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    """The outcome for one request; the never-blocked operations pass whatever else holds."""
    request = decoded.request
    account = context.policy.account_of(request.user_info.username, request.namespace, context.today)
    outcome = _decided(decoded, context)
    return outcome if account is None else _for_account(outcome, account)


def _for_account(outcome: Outcome, account: Account) -> Outcome:
    """The outcome, with nothing stronger than the policy file allows for the account."""
    decisions = tuple(
        replace(each, action=each.action.at_most(account.at_most), lowered=each.lowered or _by_account(each))
        for each in outcome.decisions
    )
    if outcome.causes and not decisions:
        return caused(account.at_most, *outcome.causes)
    warnings = outcome.warnings if account.at_most is Action.WARN else ()
    return Outcome((), decisions, outcome.judgement, warnings, account, settled=True)


def _by_account(decision: Decision) -> Lowered | None:
    return Lowered.ACCOUNT if decision.action is Action.DENY else None


def _decided(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    request = decoded.request
    if request.operation == "DELETE":
        return _delete(decoded, context)
    if patches := patches_of(request):
        return _patched(decoded, patches, context)
    new, old = decoded.object, decoded.old
    if new is None or request.operation not in ("CREATE", "UPDATE"):
        return PASS
    if request.sub_resource == "status" and isinstance(new, VirtualMachine) and isinstance(old, VirtualMachine):
        return _hotplug(decoded, new, old, context)
    if isinstance(new, VirtualMachineInstance) and isinstance(old, VirtualMachineInstance):
        return _changed_instance(decoded, new, old, context)
    if is_never_judged(request) or _leaves_as_it_is(new, old) or _is_kubevirts_own(decoded, context):
        return PASS
    judgement = context.judge(new, context.world, context.releases)
    if old is not None:
        changes = judge_change(old, new, context.world, context.releases)
        judgement = replace(judgement, findings=(*judgement.findings, *changes)) if changes else judgement
    subject = judged_in(decoded, new, context)
    decisions = decide_all(judgement, context.policy, subject, context.today)
    if old is not None and _plugs_volumes(decoded, new, old, context):
        decisions = tuple(_hotplug_at_most(decisions, new, old, subject, context))
    if old is not None and any(each.action is Action.DENY for each in decisions):
        decisions = _without_old_harm(decisions, new, old, decoded, context)
    if decoded.same_as_unreadable:
        decisions = tuple(each.at_most(Action.WARN) for each in decisions)
    decisions = _lowered(decisions, decoded, context)
    if _is_hyper_converged(decoded):
        decisions = tuple(replace(each, place=where_in_hyper_converged(each.finding.path)) for each in decisions)
    strongest = strongest_action(context.policy, subject)
    return _outcome(decisions, judgement, strongest, settled=_is_settled(decoded, context))


def _patched(decoded: DecodedRequest, patches: list[str], context: JudgingContext) -> Outcome:
    """A clone or restore: denied for patches of other parts of the VM, else a warning that says where it is judged."""
    request = decoded.request
    most = most_in(request.namespace, context.policy, context.world)
    by_kubevirt = is_kubevirt_account(request.user_info.username, context.install_namespace)
    if bad := bad_patches(patches):
        return caused(most.at_most(Action.WARN) if by_kubevirt else most, *bad)
    return caused(most.at_most(Action.WARN), about_patches())


def _is_settled(decoded: DecodedRequest, context: JudgingContext) -> bool:
    """Whether the request is a never-blocked one, which must not wait for live reads."""
    new, old = decoded.object, decoded.old
    return (
        decoded.same_as_unreadable
        or (new is not None and old is not None and _judged_part(new) == _judged_part(old))
        or _by_kubevirt(decoded, context)
        or _is_hyper_converged(decoded)
    )


def _without_old_harm(
    decisions: Sequence[Decision], new: Kubernetes, old: Kubernetes, decoded: DecodedRequest, context: JudgingContext
) -> tuple[Decision, ...]:
    """
    Lowers denials of what was there before; metadata, starting and stopping are no harm.

    The old object is judged with the new metadata. Metadata changes without a request to the webhook, so a finding about it
    must not depend on whether it changed in this update or in an earlier one.
    """
    if _judged_part(new) == _judged_part(old):
        return tuple(each.at_most(Action.WARN) for each in decisions)
    before = context.judge(_with_metadata_of(new, old), context.world, context.releases)
    subject = judged_in(decoded, old, context)
    known = decide_all(before, context.policy, subject, context.today)
    if is_restore(decoded.request, new, old, context.install_namespace):
        return ratchet(decisions, known, former_subjects(new, old))
    return ratchet(decisions, _admitted_as_permanent(known, new, old, subject, context.policy))


def _admitted_as_permanent(
    known: Sequence[Decision], new: Kubernetes, old: Kubernetes, subject: Judged, policy: Policy
) -> Iterator[Decision]:
    """The old decisions but those that the policy's ``hotplug`` lowered, about volumes that are no longer hotpluggable."""
    lowered = (
        isinstance(new, VirtualMachine) and policy.within(subject.namespace, subject.labels).hotplug is not Action.DENY
    )
    return (each for each in known if not (lowered and is_about_made_permanent(each.finding, new, old)))


def _with_metadata_of(new: Kubernetes, old: Kubernetes) -> Kubernetes:
    """The old object with the metadata of the new one, and so the VMs of a pool."""
    if isinstance(new, VirtualMachinePool) and isinstance(old, VirtualMachinePool):
        source, template = new.spec.virtual_machine_template, old.spec.virtual_machine_template
        if source is not None and template is not None:
            spec = replace(old.spec, virtual_machine_template=replace(template, metadata=source.metadata))
            old = replace(old, spec=spec)
    return replace(old, metadata=new.metadata)


def _judged_part(found: Kubernetes) -> object:
    """What of an object must change before anything about it can be refused, as the webhooks' matchConditions have it."""
    if isinstance(found, VirtualMachine):
        return _stopped(found.spec)
    if isinstance(found, VirtualMachineInstanceReplicaSet):
        return found.spec.template
    if isinstance(found, VirtualMachinePool):
        template = found.spec.virtual_machine_template
        return _stopped(template.spec) if template is not None and template.spec is not None else None
    return getattr(found, "spec", None)


def _stopped(spec: VirtualMachineSpec) -> VirtualMachineSpec:
    return msgspec.structs.replace(spec, running=None, run_strategy=None)


def _hotplug(decoded: DecodedRequest, new: VirtualMachine, old: VirtualMachine, context: JudgingContext) -> Outcome:
    """
    What a requested volume adds to the findings of a running VM; denied only if the policy's ``hotplug`` says so.

    virt-api writes this for its users, so the account says nothing about whose wish it is.
    """
    before, after = with_requests(old), with_requests(new)
    if new.meta.deletion_timestamp is not None or before == after:
        return PASS
    judgement = _added(before, after, context)
    judgement = replace(judgement, findings=tuple(at_request(each, new) for each in judgement.findings))
    subject = judged_in(decoded, new, context)
    most = context.policy.within(subject.namespace, subject.labels).hotplug
    decisions = decide_all(judgement, context.policy, subject, context.today)
    strongest = strongest_action(context.policy, subject, plugs=True)
    return _outcome((each.at_most(most) for each in decisions), judgement, strongest)


def _changed_instance(
    decoded: DecodedRequest, new: VirtualMachineInstance, old: VirtualMachineInstance, context: JudgingContext
) -> Outcome:
    """
    What a plugged volume, or an annotation that is removed, adds to the findings of a VMI; heartbeats pass.

    A VMI has no status subresource: a user who may update the VMI can write its status. So the status is ignored.
    """
    unchanged = new.spec.volumes == old.spec.volumes and _overrides(new) == _overrides(old)
    if decoded.request.sub_resource or unchanged or new.meta.deletion_timestamp is not None:
        return PASS
    if _is_kubevirts_own(decoded, context) or _by_kubevirt(decoded, context):
        return PASS
    before, after = msgspec.structs.replace(old, status=None), msgspec.structs.replace(new, status=None)
    judgement = _added(before, after, context)
    subject = judged_in(decoded, new, context)
    decisions = decide_all(judgement, context.policy, subject, context.today)
    strongest = strongest_action(context.policy, subject)
    return _outcome(_hotplug_at_most(decisions, after, before, subject, context), judgement, strongest)


def _overrides(vmi: VirtualMachineInstance) -> bool:
    return BRIDGE_OVERRIDE in (vmi.meta.annotations or {})


def _added(before: Kubernetes, after: Kubernetes, context: JudgingContext) -> Judgement:
    """The verdict of ``after``, and its findings that ``before`` does not have."""
    known = {each.identity for each in context.judge(before, context.world, context.releases).findings}
    judgement = context.judge(after, context.world, context.releases)
    return replace(judgement, findings=tuple(each for each in judgement.findings if each.identity not in known))


def _plugs_volumes(decoded: DecodedRequest, new: Kubernetes, old: Kubernetes, context: JudgingContext) -> bool:
    """
    Whether a hotpluggable volume that this update adds to a template is plugged into a running VM.

    virt-api writes templates only for ``addvolume``. A change that migrates volumes plugs none (``pkg/storage/hotplug``).
    """
    if not isinstance(new, VirtualMachine) or not isinstance(old, VirtualMachine):
        return False
    if account_of(decoded.request.user_info.username, context.install_namespace) == VIRT_API:
        return True
    runs = old.status is not None and old.status.created is True
    moves = new.spec.update_volumes_strategy == "Migration"
    return runs and not moves and hotplugs_from_template(cluster_of(context.world).configuration, context.releases)


def _hotplug_at_most(
    decisions: Iterable[Decision], new: Kubernetes, old: Kubernetes, subject: Judged, context: JudgingContext
) -> Iterator[Decision]:
    """The decisions, of which those about plugged volumes are no stronger than the policy's ``hotplug``."""
    most = context.policy.within(subject.namespace, subject.labels).hotplug
    for each in decisions:
        yield each.at_most(most) if is_about_plugged(each.finding, new, old) else each


def _outcome(decisions: Iterable[Decision], judgement: Judgement, most: Action, *, settled: bool = False) -> Outcome:
    made = tuple(each for each in decisions if each.action is not Action.OFF)
    causes = tuple(cause_of(each) for each in made if each.action is Action.DENY)
    return Outcome(causes, made, judgement, settled=settled, most=most)


def _is_kubevirts_own(decoded: DecodedRequest, context: JudgingContext) -> bool:
    """Whether a workload is in the namespace of the KubeVirt CR, which no tenant can write to."""
    request = decoded.request
    return request.kind.kind in WORKLOADS and request.namespace == context.install_namespace != ""


def _by_kubevirt(decoded: DecodedRequest, context: JudgingContext) -> bool:
    new = decoded.object
    return new is not None and writes_for_itself(decoded.request, new, decoded.old, context.install_namespace)


def judged_in(decoded: DecodedRequest, new: Kubernetes, context: JudgingContext) -> Judged:
    """The object of a request, for the policy; where it has no name or namespace of its own, by those of the request."""
    request = decoded.request
    namespace, name = new.namespace or request.namespace, new.name or request.name
    return judged(new, context.policy, context.world, request.kind.kind, namespace, name)


def _leaves_as_it_is(new: Kubernetes, old: Kubernetes | None) -> bool:
    """Whether the object is being deleted and its judged part stays the same: a finalizer is removed."""
    return old is not None and old.meta.deletion_timestamp is not None and _judged_part(new) == _judged_part(old)


def _lowered(decisions: tuple[Decision, ...], decoded: DecodedRequest, context: JudgingContext) -> tuple[Decision, ...]:
    """
    The decisions, of which some denials are warnings: what KubeVirt writes itself is judged and reported, never denied.

    A VMI that a controller creates for a VM that was admitted earlier must always start again. A volume migration can be
    cancelled: the claims that it replaces may come back. The claims to which it leads are judged like any other.
    """
    if _by_kubevirt(decoded, context):
        return tuple(_lowered_for(Lowered.KUBEVIRT, each) for each in decisions)
    if _is_hyper_converged(decoded):
        return tuple(_lowered_for(Lowered.HYPER_CONVERGED, each) for each in decisions)
    new, old = decoded.object, decoded.old
    if not isinstance(new, VirtualMachine) or not isinstance(old, VirtualMachine):
        return decisions
    restored = {identity_of(*each) for each in restored_claims(old, new)}
    return tuple(
        _lowered_for(Lowered.VOLUME_MIGRATION, each)
        if each.finding.rule is CLAIM_NOT_SHARED and each.finding.subject in restored
        else each
        for each in decisions
    )


def _is_hyper_converged(decoded: DecodedRequest) -> bool:
    return is_hyper_converged(decoded.request, decoded.old or decoded.object)


def _lowered_for(why: Lowered, decision: Decision) -> Decision:
    return replace(decision, action=Action.WARN, lowered=why) if decision.action is Action.DENY else decision


def _delete(decoded: DecodedRequest, context: JudgingContext) -> Outcome:
    """Deleting is never judged, but for the NetworkAttachmentDefinition that carries migrations."""
    old = decoded.old
    if not isinstance(old, NetworkAttachmentDefinition) or old.meta.deletion_timestamp is not None:
        return PASS
    if decoded.request.user_info.username.startswith("system:serviceaccount:kube-system:"):
        return PASS  # garbage collector and namespace controller
    found = context.world.every(KubeVirt)
    kubevirts: Sequence[KubeVirt] = () if isinstance(found, Unknown) else found
    name, space = old.name or decoded.request.name, old.namespace or decoded.request.namespace
    most = most_in(space, context.policy, context.world)
    for kubevirt in kubevirts:
        leaving = kubevirt.meta.deletion_timestamp is not None
        if not leaving and in_use_by(space, name, kubevirt):
            cause = StatusCause("FieldValueInvalid", f"{printable(name)!r} {IN_USE}", "metadata.name")
            return caused(most, cause)
    return caused(most)


def caused(most: Action, *causes: StatusCause) -> Outcome:
    """Causes that are no findings: refused, warned of or passed over, as the policy's ``atMost`` has it."""
    if most is Action.DENY:
        return Outcome(causes, ())
    return Outcome((), (), warnings=tuple(map(warning_of, causes)) if most is Action.WARN else (), most=most)
