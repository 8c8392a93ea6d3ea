"""The JSON Patch operations of fixes."""

from typing import Any

import jsonpatch
import pytest

from webhook.fixes.fix import Operation, find, put, remove, rename, replace
from webhook.objects.path import FieldPath

OBJECT: Any = {"spec": {"cache": "none", "disks": [{"name": "a"}, {"name": "b"}], "features": {"acpi": {}}}}


def applied(patch: tuple[Operation, ...]) -> Any:
    return jsonpatch.apply_patch(OBJECT, list(patch))["spec"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "cache"), "none"),
        (("spec", "disks", 1, "name"), "b"),
        (("spec", "disks", 2), None),
        (("spec", "disks", "name"), None),
        (("spec", "cache", "mode"), None),
        (("spec", 0), None),
        (("status",), None),
    ],
)
def test_a_path_finds_its_value_or_none(path: FieldPath, value: Any) -> None:
    """
    An index applies to a list only, and a key to an object only.
    """
    assert find(OBJECT, path) == value


def test_replace_sets_a_present_field() -> None:
    """
    The other fields stay.
    """
    assert applied(replace(OBJECT, ("spec", "cache"), "writeback")) == {**OBJECT["spec"], "cache": "writeback"}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        (("spec", "cache"), {"cache": True}),
        (("spec", "shared"), {"shared": True}),
        (("spec", "domain", "cpu", "model"), {"domain": {"cpu": {"model": True}}}),
    ],
)
def test_put_sets_a_field_and_adds_its_absent_parents(path: FieldPath, changes: dict[str, Any]) -> None:
    """
    A present field gets the new value.
    """
    assert applied(put(OBJECT, path, True)) == {**OBJECT["spec"], **changes}


def test_put_without_an_object_has_no_operation() -> None:
    """
    Text has no fields to set.
    """
    assert put("text", ("spec",), True) == ()


@pytest.mark.parametrize(
    ("path", "spec"),
    [
        (("spec", "cache"), {key: value for key, value in OBJECT["spec"].items() if key != "cache"}),
        (("spec", "disks", 0), {**OBJECT["spec"], "disks": [{"name": "b"}]}),
        (("spec", "features", "acpi"), {key: value for key, value in OBJECT["spec"].items() if key != "features"}),
    ],
)
def test_remove_deletes_a_field_and_the_parent_that_becomes_empty(path: FieldPath, spec: dict[str, Any]) -> None:
    """
    An empty object or list would be left behind otherwise.
    """
    assert applied(remove(OBJECT, path)) == spec


def test_remove_keeps_a_list_item_that_becomes_empty() -> None:
    """
    The other items keep their indices.
    """
    assert applied(remove(OBJECT, ("spec", "disks", 0, "name")))["disks"] == [{}, {"name": "b"}]


def test_rename_keeps_the_value() -> None:
    """
    The key changes, and nothing else.
    """
    assert applied(rename(OBJECT, ("spec", "features"), "feature"))["feature"] == {"acpi": {}}


@pytest.mark.parametrize("path", [("spec", "absent"), ("spec", "features"), ("spec", "disks", 0), ("status", "cache")])
def test_rename_has_no_operation_without_the_old_key_or_with_the_new_one(path: FieldPath) -> None:
    """
    A rename never overwrites a value.
    """
    assert rename(OBJECT, path, "cache") == ()


@pytest.mark.parametrize(
    "patch",
    [
        replace(OBJECT, ("spec", "cache"), "writeback"),
        put(OBJECT, ("spec", "cache"), "writeback"),
        remove(OBJECT, ("spec", "cache")),
        rename(OBJECT, ("spec", "cache"), "cacheMode"),
    ],
)
def test_a_patch_fails_on_an_object_with_another_value(patch: tuple[Operation, ...]) -> None:
    """
    A stale fix does not change an object that was edited in the meantime.
    """
    edited = {"spec": {**OBJECT["spec"], "cache": "writethrough"}}

    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch(edited, list(patch))
