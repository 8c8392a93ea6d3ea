"""Which patches a clone or restore may carry: KubeVirt's own check compares their text without decoding it."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.surfaces.admission.reviews import Manifest, decided, refused, review, vm
from webhook.objects.review import StatusCause
from webhook.policy.policy import Account, Action, Policy
from webhook.surfaces.admission.clone_patches import NOT_A_PATCH, OUTSIDE, about_patches, patches_of
from webhook.surfaces.admission.requests import DecodedRequest, read_review

CARRIERS = [("clone", "VirtualMachineClone"), ("snapshot", "VirtualMachineRestore")]


def carrier(*patches: str, group: str = "snapshot", kind: str = "VirtualMachineRestore") -> Manifest:
    return {
        "apiVersion": f"{group}.kubevirt.io/v1beta1",
        "kind": kind,
        "metadata": {"name": "again", "namespace": "tenant"},
        "spec": {"patches": list(patches)},
    }


def operation(**fields: Any) -> str:
    return json.dumps({"op": "add", "path": "/spec/template", "value": {}} | fields)


INSIDE = {
    "spec": operation(),
    "labels": operation(path="/metadata/labels"),
    "a label": operation(path="/metadata/labels/example.org~1a"),
    "an annotation": operation(path="/metadata/annotations/a"),
    "escaped letters": operation().replace("path", "p\\u0061th").replace("spec", "sp\\u0065c"),
    "a copy": operation(op="copy", **{"from": "/spec/template/spec/domain"}),
    "a value that names another part": operation(value={"path": "/metadata/ownerReferences"}),
    "a value that is a list of objects": operation(value=[{"a": 1}, {"a": 2}]),
}


@pytest.mark.parametrize("patch", INSIDE.values(), ids=INSIDE)
def test_a_patch_of_the_spec_labels_or_annotations_is_never_denied(patch: str) -> None:
    """
    Whatever its value is and however its text is escaped.
    """
    outcome = decided(review("CREATE", carrier(patch)))

    assert (outcome.allowed, len(outcome.warnings)) == (True, 1)


NO_OPERATION = {
    "no JSON": "{",
    "no object": "[]",
    "a list of the key": '["path"]',
    "a list of operations": f"[{operation()}]",
    "two operations": f"{operation()}, {operation(path='/metadata/name')}",
    "half an operation": '{"op": "add", "path": "/spec/template", "value": {',
    "no path": '{"op": "add", "value": 1}',
    "duplicate path": '{"op": "add", "path": "/spec/template", "path": "/metadata/ownerReferences", "value": []}',
    "duplicate path, escaped": '{"p\\u0061th": "/metadata/ownerReferences", "path": "/spec/template", "value": []}',
    "too deep to parse": operation(value="DEEP").replace('"DEEP"', "[" * 100_000 + "]" * 100_000),
}


@pytest.mark.parametrize("patch", NO_OPERATION.values(), ids=NO_OPERATION)
def test_a_patch_that_is_not_one_operation_is_denied(patch: str) -> None:
    """
    KubeVirt joins the texts of all patches, so a text that is not one whole operation could hide another.
    """
    outcome = decided(review("CREATE", carrier(operation(), patch)))

    assert outcome.causes == (StatusCause("FieldValueInvalid", NOT_A_PATCH, "spec.patches[1]"),)


ELSEWHERE = {
    "owner references": "/metadata/ownerReferences",
    "name": "/metadata/name",
    "metadata": "/metadata",
    "metadata in capitals": "/Metadata/ownerReferences",
    "a key that begins like labels": "/metadata/labelsX",
    "a key that begins like spec": "/specification/x",
    "status": "/status/created",
    "labels of another part": "/status/labels",
    "the spec below a first element": "x/spec/template",
    "the whole VM": "",
    "a first element that is ignored": "x/metadata/ownerReferences",
    "a first element that looks allowed": "spec/metadata/ownerReferences",
    "an escaped slash": "/spec~1/x",
    "no slash at the start": "spec/template",
    "null": None,
    "a number": 1,
}


@pytest.mark.parametrize("pointer", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("key", ["path", "from"])
def test_a_patch_of_another_part_of_the_vm_is_denied(key: str, pointer: object) -> None:
    """
    An owner reference makes virt-controller's VM look like one of a pool. Both pointers of a copy or move count.
    """
    outcome = decided(review("CREATE", carrier(operation(op="move", **{key: pointer}))))

    assert [(cause.field, cause.message) for cause in outcome.causes] == [("spec.patches[0]", f"{key} is {OUTSIDE}")]


@pytest.mark.parametrize(("group", "kind"), CARRIERS)
def test_an_escaped_key_hides_no_path(group: str, kind: str) -> None:
    """
    KubeVirt's webhook looks for the text "path" only; its parser decodes the escape.
    """
    patch = operation(path="/metadata/ownerReferences").replace("path", "p\\u0061th")

    outcome = decided(review("CREATE", carrier(patch, group=group, kind=kind)))

    assert list(refused(outcome)) == ["spec.patches[0]"]


BRIDGED = operation(
    op="replace", path="/spec/template/spec/domain/devices/interfaces", value=[{"name": "default", "bridge": {}}]
)


@pytest.mark.parametrize(
    ("source", "patch", "fields"),
    [
        ("web", BRIDGED, ["spec.patches[0]"]),
        ("web", operation(path="/metadata/labels/a", value="b"), []),
        ("web", operation(op="test", path="/spec/runStrategy", value="Always"), []),
        ("another", BRIDGED, []),
    ],
    ids=["a bridge", "a label", "cannot be applied", "an unknown VM"],
)
def test_a_clone_of_a_known_vm_warns_of_the_violations_that_its_patches_add(
    source: str, patch: str, fields: list[str]
) -> None:
    """
    Beside the general warning. Nothing is denied, because the VM is judged again when virt-controller creates it.
    """
    clone = carrier(patch, group="clone", kind="VirtualMachineClone")
    clone["spec"]["source"] = {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": source}

    outcome = decided(review("CREATE", clone), vm("web"))

    assert outcome.allowed
    assert [line.rpartition("(")[2].rstrip(")") for line in outcome.warnings] == [*fields, "spec.patches"]


BACKUP = Account("velero", "restores", "backup team", "2999-12-31")


@pytest.mark.parametrize(
    ("policy", "user"),
    [
        (Policy(at_most=Action.WARN), "jane"),
        (Policy(accounts=[BACKUP]), "velero"),
        (Policy(), "system:serviceaccount:kubevirt:kubevirt-controller"),
    ],
    ids=["atMost: warn", "listed account", "virt-controller"],
)
def test_a_bad_patch_is_a_warning_where_nothing_is_denied(policy: Policy, user: str) -> None:
    """
    ``atMost``, a listed account and KubeVirt's own accounts lower this denial like any other.
    """
    outcome = decided(review("CREATE", carrier(operation(path="/metadata/name")), user=user), policy=policy)

    assert (outcome.allowed, [warning[-18:] for warning in outcome.warnings]) == (True, [" (spec.patches[0])"])


CLONE = ("clone.kubevirt.io/v1beta1", "VirtualMachineClone")
RESTORE = ("snapshot.kubevirt.io/v1beta1", "VirtualMachineRestore")
PATCHED = {"patches": ["{}"]}


@pytest.mark.parametrize(
    ("of", "spec", "operation", "sub_resource", "carries"),
    [
        (CLONE, PATCHED, "CREATE", "", True),
        (RESTORE, PATCHED, "CREATE", "", True),
        (CLONE, {"patches": []}, "CREATE", "", False),
        (CLONE, {}, "CREATE", "", False),
        (CLONE, {"patches": [7]}, "CREATE", "", False),
        (CLONE, PATCHED, "UPDATE", "", False),
        (CLONE, PATCHED, "CREATE", "status", False),
        (("kubevirt.io/v1", "VirtualMachineClone"), PATCHED, "CREATE", "", False),
    ],
    ids=["clone", "restore", "none", "absent", "wrong type", "update", "status", "another group"],
)
def test_only_a_new_clone_or_restore_carries_patches(
    of: tuple[str, str], spec: dict[str, Any], operation: str, sub_resource: str, carries: bool
) -> None:
    """
    Both kinds, when they are created, if their patches can be read.
    """
    made = {"apiVersion": of[0], "kind": of[1], "metadata": {"name": "a", "namespace": "tenant"}, "spec": spec}

    told = read_review(review(operation, made, made, sub_resource=sub_resource))

    assert isinstance(told, DecodedRequest)
    assert patches_of(told.request) == (spec.get("patches") if carries else [])


@pytest.mark.parametrize("text", [b"{", b'{"spec": {"patches": ["\xff"]}}'], ids=["no JSON", "no UTF-8"])
def test_a_carrier_that_cannot_be_read_carries_nothing(text: bytes) -> None:
    """
    A warning is not worth an error: the API server refuses such an object by itself.
    """
    made = {"apiVersion": CLONE[0], "kind": CLONE[1], "metadata": {"name": "a", "namespace": "tenant"}, "spec": PATCHED}
    told = read_review(review("CREATE", made))
    assert isinstance(told, DecodedRequest)

    assert patches_of(replace(told.request, object=msgspec.Raw(text))) == []


def test_the_warning_is_at_the_patches() -> None:
    """
    It says where a denial of the patched VM will appear.
    """
    assert about_patches() == StatusCause(
        "FieldValueInvalid",
        "the patched VM is judged when KubeVirt creates it; see the events of the VirtualMachineRestore",
        "spec.patches",
    )
