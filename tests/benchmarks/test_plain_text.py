"""The parts of text output and of admission responses are compared apart from their sentences."""

import base64
import json
from typing import Any

import pytest

from benchmarks.agreement.kinds import Difference, differences
from benchmarks.agreement.plain_text import answer, patches, review

TEXT = """\
a.yaml:2 VirtualMachine tenant/web: cannot be live-migrated (InterfaceNotLiveMigratable, KubeVirt 1.9)

  deny LM101 bridge-on-pod-network  a.yaml:17:13  spec.interfaces[0]
       interface 'default' is bound as a bridge
       to the pod network
       17 |           - name: default
          |             ^^^^^^^^^^^^^
       fix: Write `masquerade: {}`.

1 denied in 1 object
"""


def kinds(old: Any, new: Any) -> list[str]:
    return [difference.kind for difference in differences(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("is bound as a bridge\n       to", "has a bridge to", ["wording"]),
        ("as a bridge\n       to", "as a\n       bridge to", []),
        ("deny LM101", "warn LM101", ["action"]),
        ("17:13", "18:13", ["place"]),
        ("spec.interfaces[0]", "spec.interfaces[1]", ["place"]),
        ("17 |", "18 |", ["place"]),
        ("KubeVirt 1.9", "KubeVirt 1.8", ["wording", "release set"]),
        ("InterfaceNot", "HostDeviceNot", ["wording", "verdict"]),
        ("1 denied", "2 denied", ["wording", "verdict"]),
        ("1 denied in", "1 refused in", ["wording"]),
        ("deny LM101", "deny LM102", ["rule id"]),
    ],
)
def test_structure_and_sentences_of_text_are_compared_apart(old: str, new: str, expected: list[str]) -> None:
    """
    In the text output, action, rule, place and numbers have their own kinds, and line breaks are no difference.
    """
    assert old in TEXT

    assert kinds(answer(TEXT), answer(TEXT.replace(old, new))) == expected


def test_an_object_without_a_verdict_has_its_own_findings() -> None:
    """
    The line of an object that has findings and no verdict ends with its name; its findings are its own.
    """
    text = TEXT + "\na.yaml:9 KubeVirt kubevirt/kubevirt\n\n  warn LM601 range  a.yaml:12:1  spec.a\n       too small\n"

    made = answer(text)

    assert [(item["name"], len(item["findings"])) for item in made["objects"]] == [
        ("tenant/web", 1),
        ("kubevirt/kubevirt", 1),
    ]
    assert made["objects"][1]["findings"][0]["prose"].strip() == "too small"
    assert made["prose"].strip() == "1 denied in 1 object"


def test_lines_of_a_diff_are_patches() -> None:
    """
    In a diff, only the sentences between the patches are wording.
    """
    diff = "option 1: remove it\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"

    assert kinds(patches(diff), patches(diff.replace("+b", "+c"))) == ["patch"]
    assert kinds(patches(diff), patches(diff.replace("remove", "delete"))) == ["wording"]


def admission(**response: Any) -> dict[str, Any]:
    return review(200, json.dumps({"response": {"allowed": True, **response}}).encode())


def causes(text: str, field: str = "spec") -> dict[str, Any]:
    return admission(status={"code": 422, "details": {"causes": [{"field": field, "message": text}]}})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (admission(), admission(allowed=False), ["verdict"]),
        (admission(), admission(warnings=["[LM201] spec: x"]), ["shape"]),
        (admission(warnings=["[LM201] spec: x"]), admission(warnings=["[LM201] spec: y"]), ["wording"]),
        (admission(warnings=["[LM201] spec: x"]), admission(warnings=["[LM202] spec: x"]), ["rule id"]),
        (admission(warnings=["[LM201] spec: x"]), admission(warnings=["[LM201] spec.a: x"]), ["place"]),
        (causes("x [LM201 a]"), causes("y [LM201 a]"), ["wording"]),
        (causes("x [LM201 a]"), causes("x [LM202 a]"), ["rule id"]),
        (causes("x [LM201 a]"), causes("x [LM201 a]", "spec.a"), ["place"]),
        (causes("and 2 more"), causes("and 3 more"), ["wording", "rule id"]),
        (review(200, b"{}"), review(503, b"{}"), ["exit status"]),
        (review(413, b"too large"), review(413, b"too long"), ["wording"]),
    ],
)
def test_answers_of_admission_are_compared_by_their_parts(
    old: dict[str, Any], new: dict[str, Any], expected: list[str]
) -> None:
    """
    Rule and field of a cause or warning are compared apart from its sentence.
    """
    assert kinds(old, new) == expected


def test_a_patch_of_admission_is_compared_decoded() -> None:
    """
    A difference in the patch of the mutating webhook names the operation.
    """
    first, second = (
        admission(patch=base64.b64encode(json.dumps([{"op": "add", "value": value}]).encode()).decode())
        for value in ("LiveMigrate", "None")
    )

    assert list(differences(first, second)) == [
        Difference("patch", "review.response.patch[0].value", "LiveMigrate", "None")
    ]
