"""The building blocks of matchConditions, as text; tests/apiserver lets a real API server evaluate them."""

from webhook.surfaces.admission.conditions import (
    BY_CONTROLLER,
    BY_VIRT_API,
    OWNED,
    POOLED_BY,
    RECEIVER,
    RESTORED,
    RESTORING,
    WRITES_VMIS,
    WRITES_VMS,
    Condition,
    account,
    annotated,
    changed,
    created_or,
    may_everywhere,
    only_removes_volumes,
)
from webhook.surfaces.admission.hooks import MUTATING_HOOKS, VALIDATING_HOOKS


def test_an_optional_field_changes_when_it_is_added_removed_or_replaced() -> None:
    """
    Each field is compared by presence first, because CEL fails where an absent one is read; several are joined by or.
    """
    a, b = (
        f"has(object.{name}) != has(oldObject.{name}) || (has(object.{name}) && object.{name} != oldObject.{name})"
        for name in ("spec.a", "spec.b")
    )

    assert changed("spec.a", "spec.b") == f"{a} || {b}"
    assert created_or("x") == "request.operation == 'CREATE' || x"


def test_an_account_is_known_by_its_name_and_by_a_right_that_no_tenant_has() -> None:
    """
    The name is anchored on both sides; the right is that for all namespaces.
    """
    assert account("a") == "request.userInfo.username.matches('^system:serviceaccount:[^:]+:a$')"
    assert (account("kubevirt-controller"), account("kubevirt-apiserver")) == (BY_CONTROLLER, BY_VIRT_API)
    assert may_everywhere("get", "x") == "authorizer.group('kubevirt.io').resource('x').check('get').allowed()"
    assert may_everywhere("update", "virtualmachines") == WRITES_VMS
    assert may_everywhere("update", "virtualmachineinstances") == WRITES_VMIS


def test_annotations_are_those_that_kubevirt_reads() -> None:
    """
    The mark of a restore counts when it is new or another one.
    """
    assert RESTORED == "restore.kubevirt.io/lastRestoreUID"
    assert annotated("object", "k") == "(has(object.metadata.annotations) && 'k' in object.metadata.annotations)"
    assert (
        f"({annotated('object', RESTORED)} && (!{annotated('oldObject', RESTORED)}"
        f" || object.metadata.annotations['{RESTORED}'] != oldObject.metadata.annotations['{RESTORED}']))"
    ) == RESTORING


def test_owners_are_read_only_where_there_are_some() -> None:
    """
    A VMI of any owner that carries its template, a VM of a pool that controls it and was not restored, and the receiver of a
    migration.
    """
    owners = "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner,"
    key, annotations = "kubevirt.io/create-migration-target", "object.metadata.annotations"

    assert (
        f"{owners} owner.kind in ['VirtualMachine', 'VirtualMachineInstanceReplicaSet', 'VirtualMachinePool'])"
    ) == OWNED
    assert (
        f"({owners} owner.kind == 'VirtualMachinePool' && owner.apiVersion.startsWith('pool.kubevirt.io/')"
        " && has(owner.controller) && owner.controller)"
        f" && !(has({annotations}) && 'restore.kubevirt.io/lastRestoreUID' in {annotations}))"
    ) == POOLED_BY
    assert f"has({annotations}) && '{key}' in {annotations} && {annotations}['{key}'] == 'true'" == RECEIVER


def test_removing_volumes_leaves_everything_else_as_it_was() -> None:
    """
    Fewer volumes, each of them an old one, each disk an old one, and every other field compared at each level.
    """

    def same(path: str, *left_out: str) -> str:
        new, old = f"object.t{path}", f"oldObject.t{path}"
        excepted = " || ".join(f"key == '{name}'" for name in left_out)
        return (
            f"{new}.all(key, {excepted} || (key in {old} && {new}[key] == {old}[key]))"
            f" && {old}.all(key, {excepted} || key in {new})"
        )

    def among(path: str) -> str:
        new, old = f"object.t.spec.{path}", f"oldObject.t.spec.{path}"
        return f"(!has({new}) || (has({old}) && {new}.size() < 200 && {new}.all(each, each in {old})))"

    assert only_removes_volumes("t") == " && ".join(
        (
            "has(oldObject.t.spec.volumes)",
            "(!has(object.t.spec.volumes) || object.t.spec.volumes.size() < oldObject.t.spec.volumes.size())",
            same("", "spec"),
            same(".spec", "volumes", "domain"),
            same(".spec.domain", "devices"),
            "has(object.t.spec.domain.devices) && has(oldObject.t.spec.domain.devices)",
            same(".spec.domain.devices", "disks"),
            among("volumes"),
            among("domain.devices.disks"),
        )
    )


def test_a_condition_needs_no_reason() -> None:
    """
    A condition is a name and an expression; most say by their names why they are there.
    """
    assert Condition("a", "true") == Condition("a", "true", "")


def test_the_reason_of_a_condition_consists_of_sentences() -> None:
    """
    It comes before the condition in the manifests. A condition whose name says everything has none.
    """
    comments = [condition.why for hook in (*VALIDATING_HOOKS, *MUTATING_HOOKS) for condition in hook.conditions]

    assert "" in comments
    assert all(comment.endswith(".") for comment in comments if comment)
