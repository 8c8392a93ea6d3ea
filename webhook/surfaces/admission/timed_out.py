"""
Decides about reviews that were not judged in time, for webhooks whose failurePolicy is always ``Ignore``.

A 503 response would admit such a request. So this module denies the request if the policy can deny it (decision 19). This
module never judges an object, so it takes little time.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from webhook.facts.world import World
from webhook.judging.finding import Judgement
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes
from webhook.objects.review import StatusCause
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance, Volume
from webhook.policy.hotplug import plugged_into, with_requests
from webhook.policy.policy import Action, strongest_action
from webhook.surfaces.admission.kubevirt_accounts import VIRT_API, account_of
from webhook.surfaces.admission.requests import DecodedRequest, UnreadableRequest
from webhook.surfaces.admission.unreadable import decide_unreadable
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome, decide_request, subject_in

LATE: Final = StatusCause("FieldValueInvalid", "Migratable could not confirm this request in time. Try again.", "")


def decide_timed_out(read: DecodedRequest | UnreadableRequest, context: JudgingContext) -> Outcome:
    """Denies the request if judging it could have led to a denial. Otherwise allows it."""
    if isinstance(read, UnreadableRequest):
        return decide_unreadable(read, context)
    if read.request.operation == "DELETE":
        return PASS
    outcome = decide_request(read, msgspec.structs.replace(context, judge=_without_findings))
    if not outcome.allowed or outcome.is_final or outcome.strongest is not Action.DENY:
        return outcome
    return replace(outcome, causes=(LATE,)) if _may_deny_change(read, context) else PASS


def _without_findings(_object: Kubernetes, _world: World, _releases: Releases) -> Judgement:
    return Judgement(())


def _may_deny_change(read: DecodedRequest, context: JudgingContext) -> bool:
    """
    Whether an update can be denied. An update that only removes volumes cannot be denied. An update that only adds volumes can
    be denied only if ``hotplug`` is deny.
    """
    new, old, request = read.object, read.old, read.request
    if new is None or old is None:
        return True
    if isinstance(new, VirtualMachineInstance) and isinstance(old, VirtualMachineInstance):
        if _has_override(old) and not _has_override(new):
            return True
    elif request.sub_resource == "status" and isinstance(new, VirtualMachine) and isinstance(old, VirtualMachine):
        return _requests_volumes(new, old)
    elif account_of(request.user_info.username, context.install_namespace) != VIRT_API:
        return True
    after, before = subject_of(new), subject_of(old)
    plugs = after is not None and before is not None and any(plugged_into(after, before))
    return plugs and _may_deny_plugged(read, new, context)


def _has_override(vmi: VirtualMachineInstance) -> bool:
    return BRIDGE_OVERRIDE in (vmi.meta.annotations or {})


def _requests_volumes(new: VirtualMachine, old: VirtualMachine) -> bool:
    known = {volume.name: volume for volume in _volumes(with_requests(old))}
    return any(known.get(volume.name) != volume for volume in _volumes(with_requests(new)))


def _volumes(vm: VirtualMachine) -> Sequence[Volume]:
    subject = subject_of(vm)
    return (subject.spec.volumes or ()) if subject is not None else ()


def _may_deny_plugged(read: DecodedRequest, new: Kubernetes, context: JudgingContext) -> bool:
    return strongest_action(context.policy, subject_in(read.request, new, context), plugs=True) is Action.DENY
