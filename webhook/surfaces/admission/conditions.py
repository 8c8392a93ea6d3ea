"""
CEL expressions that decide whether an API server calls a webhook. The API server evaluates all conditions of a webhook for each
request that the rules match. A call to the authorizer costs 350,000 of a cost budget of 2,500,000. So an expression with such a
call compares the account's name first.
"""

from dataclasses import dataclass
from typing import Final

from webhook.objects.kinds import POOL_GROUP


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression that must be true for the webhook to be called, and the reason for it."""

    name: str
    expression: str
    why: str = ""


def changed(*paths: str) -> str:
    """
    An expression that is true if one of these optional fields was added, removed or changed. The parents of the fields must
    be present.
    """
    return " || ".join(
        f"has({new}) != has({old}) || (has({new}) && {new} != {old})"
        for new, old in ((f"object.{path}", f"oldObject.{path}") for path in paths)
    )


def created_or(expression: str) -> str:
    """An expression that is true for a CREATE. For an UPDATE, it has the value of ``expression``."""
    return f"request.operation == 'CREATE' || {expression}"


def account(name: str) -> str:
    """
    Whether the user is a service account with this name (an RE2 pattern), in any namespace. Any tenant can create such an
    account.
    """
    return f"request.userInfo.username.matches('^system:serviceaccount:[^:]+:{name}$')"


def may_everywhere(verb: str, resource: str) -> str:
    """Whether the user has this right in every namespace. No tenant has such a right."""
    return f"authorizer.group('kubevirt.io').resource('{resource}').check('{verb}').allowed()"


def annotated(which: str, key: str) -> str:
    """Whether ``object`` or ``oldObject`` has an annotation."""
    return f"(has({which}.metadata.annotations) && '{key}' in {which}.metadata.annotations)"


BY_CONTROLLER: Final = account("kubevirt-controller")
"""virt-controller starts, restores and clones VMs, and fills pools."""
BY_VIRT_API: Final = account("kubevirt-apiserver")
"""virt-api writes the changes that users request through the subresource API, such as ``addvolume``."""
WRITES_VMS: Final = may_everywhere("update", "virtualmachines")
WRITES_VMIS: Final = may_everywhere("update", "virtualmachineinstances")
"""Both accounts have these rights in every release (``pkg/virt-operator/resource/generate/rbac``, v1.3.0 to v1.9.0)."""

RESTORED: Final = "restore.kubevirt.io/lastRestoreUID"
"""
virt-controller writes this annotation together with the restored spec (``pkg/storage/snapshot/restore.go``, v1.3.0 to v1.9.0).
"""

RECEIVER: Final = (
    "has(object.metadata.annotations) && 'kubevirt.io/create-migration-target' in object.metadata.annotations"
    " && object.metadata.annotations['kubevirt.io/create-migration-target'] == 'true'"
)
OWNED: Final = (
    "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner, owner.kind in"
    " ['VirtualMachine', 'VirtualMachineInstanceReplicaSet', 'VirtualMachinePool'])"
)
POOLED_BY: Final = (
    "(has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner,"
    f" owner.kind == 'VirtualMachinePool' && owner.apiVersion.startsWith('{POOL_GROUP}/')"
    f" && has(owner.controller) && owner.controller) && !{annotated('object', RESTORED)})"
)
"""
A VM with the restore annotation does not count as pooled, because a patch might add an owner. virt-controller writes the
annotation before it applies the patches.
"""
RESTORING: Final = (
    f"({annotated('object', RESTORED)} && (!{annotated('oldObject', RESTORED)}"
    f" || object.metadata.annotations['{RESTORED}'] != oldObject.metadata.annotations['{RESTORED}']))"
)


def _same_but(new: str, old: str, *left_out: str) -> str:
    """Whether two maps have the same keys and values, except for the keys in ``left_out``."""
    excepted = " || ".join(f"key == '{key}'" for key in left_out)
    return (
        f"{new}.all(key, {excepted} || (key in {old} && {new}[key] == {old}[key]))"
        f" && {old}.all(key, {excepted} || key in {new})"
    )


def _among(new: str, old: str) -> str:
    """Whether the old list contains each element of the new list. Either list may be missing."""
    return f"(!has({new}) || (has({old}) && {new}.size() < 200 && {new}.all(each, each in {old})))"


def only_removes_volumes(template: str) -> str:
    """
    Whether an update of a VM's template only removes volumes, with or without their disks.

    The first comparison is cheap and false for almost every update. Lists of 200 or more elements exceed the cost limit of
    a condition.
    """
    new, old = f"object.{template}", f"oldObject.{template}"
    volumes, disks = "spec.volumes", "spec.domain.devices.disks"
    same = (
        _same_but(new, old, "spec"),
        _same_but(f"{new}.spec", f"{old}.spec", "volumes", "domain"),
        _same_but(f"{new}.spec.domain", f"{old}.spec.domain", "devices"),
        f"has({new}.spec.domain.devices) && has({old}.spec.domain.devices)",
        _same_but(f"{new}.spec.domain.devices", f"{old}.spec.domain.devices", "disks"),
        _among(f"{new}.{volumes}", f"{old}.{volumes}"),
        _among(f"{new}.{disks}", f"{old}.{disks}"),
    )
    fewer = f"(!has({new}.{volumes}) || {new}.{volumes}.size() < {old}.{volumes}.size())"
    return " && ".join((f"has({old}.{volumes})", fewer, *same))
