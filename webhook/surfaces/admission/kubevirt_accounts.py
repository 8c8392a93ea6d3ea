"""
Distinguishes KubeVirt's own writes from writes that KubeVirt's service accounts make on behalf of a user.

KubeVirt's own writes are never denied, so that an admitted VM can always be restarted. Writes on behalf of a user are judged
like any other request. A write counts as KubeVirt's own only if this module lists it.
"""

from typing import Final

from webhook.kubevirt.owners import HYPER_CONVERGED, owner_of
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kinds import POOL_GROUP, group_of
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.review import AdmissionRequest
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance
from webhook.surfaces.admission.conditions import RESTORED

CONTROLLER: Final = "kubevirt-controller"
VIRT_API: Final = "kubevirt-apiserver"
HYPER_CONVERGED_OPERATOR: Final = "hyperconverged-cluster-operator"
"""The service account of HyperConverged's operator (``deploy/service_account.yaml``, v1.18.1)."""
_OTHERS: Final = ("handler", "operator", "exportproxy", "synchronization-controller")
ACCOUNTS: Final = frozenset((CONTROLLER, VIRT_API, *(f"kubevirt-{part}" for part in _OTHERS)))
"""KubeVirt's service accounts, in its install namespace (``pkg/virt-api/webhooks/serviceaccounts.go``, v1.9.0)."""
OWNERS: Final = frozenset(("VirtualMachine", "VirtualMachineInstanceReplicaSet", "VirtualMachinePool"))
"""Kinds whose VMIs virt-controller creates."""
WORKLOADS: Final = frozenset((*OWNERS, "VirtualMachineInstance"))


def is_kubevirt_account(username: str, install_namespace: str) -> bool:
    """Whether ``username`` is a service account of KubeVirt. The result is False while KubeVirt's namespace is unknown."""
    return account_of(username, install_namespace) in ACCOUNTS


def account_of(username: str, install_namespace: str) -> str:
    """The name of a service account in this namespace; empty for any other user."""
    prefix = f"system:serviceaccount:{install_namespace}:"
    return username.removeprefix(prefix) if install_namespace and username.startswith(prefix) else ""


def writes_for_itself(
    request: AdmissionRequest, new: Kubernetes, old: Kubernetes | None, install_namespace: str
) -> bool:
    """Whether a service account of KubeVirt writes the object without a request from a user."""
    name = account_of(request.user_info.username, install_namespace)
    if name not in ACCOUNTS:
        return False
    if request.kind.kind not in WORKLOADS:
        return True  # virt-operator writes the KubeVirt CR
    if request.operation == "CREATE":
        return name == CONTROLLER and _is_made_for_an_owner(new)
    return name != VIRT_API and not restores(new, old)


def _is_made_for_an_owner(new: Kubernetes) -> bool:
    """
    Whether a VMI belongs to the object that contains its template, or a VM belongs to a pool.

    A VM with the restore annotation does not count, because a patch might add an owner. virt-controller writes the annotation
    before it applies the patches (``patchVM``).
    """
    owners = new.meta.owner_references or ()
    if isinstance(new, VirtualMachineInstance):
        return any(owner.kind in OWNERS for owner in owners)
    return RESTORED not in (new.meta.annotations or {}) and any(
        owner.kind == "VirtualMachinePool" and owner.controller and group_of(owner.api_version) == POOL_GROUP
        for owner in owners
    )


def restores(new: Kubernetes, old: Kubernetes | None) -> bool:
    """
    Whether a restore replaces the VM's spec. In this case, virt-controller writes the UID of the restore into an
    annotation.
    """
    if not isinstance(new, VirtualMachine) or old is None:
        return False
    mark = (new.meta.annotations or {}).get(RESTORED)
    return mark is not None and mark != (old.meta.annotations or {}).get(RESTORED)


def is_hyper_converged(request: AdmissionRequest, stored: Kubernetes | None) -> bool:
    """
    Whether HyperConverged's operator writes its HyperConverged CR, or the KubeVirt CR that belongs to it.

    Only the API server sets the username. The operator's service account is in the namespace of the KubeVirt CR
    (hyperconverged-cluster-operator v1.18.1 ``deploy/service_account.yaml``, and ``NewKubeVirtWithNameOnly`` in
    ``controllers/handlers/kubevirt.go``). A tenant can have an account with that name in another namespace. ``stored`` is the
    old object if there is one, because a new object could name any owner.
    """
    if isinstance(stored, HyperConverged):
        owned = True
    elif isinstance(stored, KubeVirt):
        owner = owner_of(stored)
        owned = owner is not None and owner.name == HYPER_CONVERGED
    else:
        return False
    return owned and account_of(request.user_info.username, request.namespace) == HYPER_CONVERGED_OPERATOR
