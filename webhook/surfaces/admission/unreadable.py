"""
Decides about a request whose new object cannot be read.

An unreadable object counts as a violation. As for other denials, ``atMost`` or an account in the policy can lower the denial,
and HyperConverged's operator gets only a warning. Only the metadata of such an object is known.
"""

from webhook.objects.vm import VirtualMachine
from webhook.policy.policy import Action
from webhook.surfaces.admission.kubevirt_accounts import (
    WORKLOADS,
    is_hyper_converged,
    writes_for_itself,
)
from webhook.surfaces.admission.requests import UnreadableRequest
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome, outcome_of_causes


def decide_unreadable(read: UnreadableRequest, context: JudgingContext) -> Outcome:
    """The outcome for a request with an unreadable object."""
    request = read.request
    if read.passes or (request.kind.kind in WORKLOADS and request.namespace == context.install_namespace != ""):
        return PASS
    limit = context.limit_in(request.namespace)
    account = context.account_in(request)
    if account is not None:
        limit = limit.at_most(account.at_most)
    if is_hyper_converged(request, read.old or read.object) or _by_kubevirt(read, context.install_namespace):
        limit = limit.at_most(Action.WARN)
    return outcome_of_causes(limit, *read.causes)


def _by_kubevirt(read: UnreadableRequest, install_namespace: str) -> bool:
    """
    Whether the write is KubeVirt's own. The result is False for a new VM, because its template can differ from the template in
    the pool.
    """
    new = read.object
    if new is None or (isinstance(new, VirtualMachine) and read.request.operation == "CREATE"):
        return False
    return writes_for_itself(read.request, new, read.old, install_namespace)
