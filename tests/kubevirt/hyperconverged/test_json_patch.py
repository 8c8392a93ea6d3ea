"""The JSON Patch in an annotation of the HyperConverged CR (RFC 6902)."""

import re
from typing import Any

import pytest

from webhook.kubevirt.hyperconverged.json_patch import CannotApply, apply

CR = {"spec": {"configuration": {"migrations": {"network": "a"}, "gates": ["x", "y"]}}}
MIGRATIONS = "/spec/configuration/migrations"


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (f'[{{"op":"add","path":"{MIGRATIONS}/disableTLS","value":true}}]', {"network": "a", "disableTLS": True}),
        (f'[{{"op":"add","path":"{MIGRATIONS}","value":{{}}}}]', {}),
        (f'[{{"op":"replace","path":"{MIGRATIONS}/network","value":"b"}}]', {"network": "b"}),
        (f'[{{"op":"remove","path":"{MIGRATIONS}/network"}}]', {}),
        ("[]", {"network": "a"}),
    ],
)
def test_operations_change_a_copy(patch: str, expected: Any) -> None:
    """
    The original stays unchanged.
    """
    patched, paths = apply(patch, CR)

    assert patched["spec"]["configuration"]["migrations"] == expected
    assert CR["spec"]["configuration"]["migrations"] == {"network": "a"}
    assert len(paths) == (patch != "[]")


@pytest.mark.parametrize(("step", "expected"), [("-", ["x", "y", "z"]), ("0", ["z", "x", "y"]), ("2", ["x", "y", "z"])])
def test_an_entry_is_added_to_a_list(step: str, expected: list[str]) -> None:
    """
    The path in the result has the index of the entry.
    """
    patch = f'[{{"op":"add","path":"/spec/configuration/gates/{step}","value":"z"}}]'

    patched, paths = apply(patch, CR)

    assert patched["spec"]["configuration"]["gates"] == expected
    assert paths == (("spec", "configuration", "gates", expected.index("z")),)


def test_a_name_in_a_path_can_have_a_slash() -> None:
    """
    ``~1`` is a slash and ``~0`` is a tilde.
    """
    patched, paths = apply('[{"op":"add","path":"/spec/configuration/a~1b~0c","value":1}]', CR)

    assert patched["spec"]["configuration"]["a/b~c"] == 1
    assert paths == (("spec", "configuration", "a/b~c"),)


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("{", "it is not JSON"),
        ("{}", "it is not a list of operations"),
        ("[1]", "operation 0 is 1, not an object"),
        ('[{"op":"add","path":"/metadata/labels","value":1}]', "operation 0 has path '/metadata/labels', which is"),
        ('[{"op":"add","path":"/spec/infra/replicas","value":1}]', "the parent of this path is not known"),
        ('[{"op":"add","path":"/spec/x"}]', "operation 0 has no value"),
        ('[{"op":"replace","path":"/spec/x","value":1}]', "operation 0 replaces /spec/x, which is not known"),
        ('[{"op":"remove","path":"/spec/configuration/gates/2"}]', "operation 0 removes"),
        ('[{"op":"add","path":"/spec/configuration/gates/9","value":1}]', "which is not known"),
        ('[{"op":"add","path":"/spec/configuration/gates/a","value":1}]', "which is not known"),
        (f'[{{"op":"add","path":"/spec/configuration/gates/{"9" * 5000}","value":1}}]', "which is not known"),
        ('[{"op":"test","path":"/spec/x","value":1}]', "operation 0 is test /spec/x, whose result depends"),
        ('[{"op":"put","path":"/spec/x","value":1}]', "operation 0 has the unknown op 'put'"),
    ],
)
def test_a_patch_that_cannot_be_applied_says_why(patch: str, why: str) -> None:
    """
    The reason names the operation by its index.
    """
    with pytest.raises(CannotApply, match=re.escape(why)):
        apply(patch, CR)
