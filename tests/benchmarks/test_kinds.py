"""Differences between answers of two versions have kinds, and only a changed text is wording."""

import copy
from typing import Any

import pytest

from benchmarks.agreement.kinds import Difference, differences

REPORT: dict[str, Any] = {
    "exit": 1,
    "crash": "",
    "stderr": "error: a.yaml:3:1: duplicate key 'a'",
    "report": {
        "objects": [
            {
                "source": {"file": "a.yaml", "document": 0, "line": 2},
                "verdict": {"liveMigratable": False, "reason": "DisksNotLiveMigratable", "unproven": ["LM101"]},
                "findings": [
                    {
                        "rule": "LM201",
                        "outcome": "violation",
                        "action": "deny",
                        "path": "spec.volumes[0]",
                        "line": 27,
                        "releases": "all",
                        "message": "claim 'web' is ReadWriteOnce",
                        "fixes": [{"title": "remove it", "patch": [{"op": "remove", "value": {"name": "text"}}]}],
                    },
                    {"rule": "LM202", "action": "warn", "path": "spec.volumes[1]", "message": "a disk. See LM201."},
                ],
            }
        ],
        "notes": ["an exemption expires"],
        "summary": {"deny": 1},
    },
    "sarif": {
        "results": [
            {
                "ruleId": "LM201",
                "level": "error",
                "partialFingerprints": {"migratable/v1": "0f"},
                "locations": [{"region": {"startLine": 3}}],
                "fixes": [{"artifactChanges": [{"insertedContent": {"text": "masquerade: {}"}}]}],
            }
        ]
    },
}
OBJECT = ("report", "objects", 0)
FINDING = (*OBJECT, "findings", 0)
RESULT = ("sarif", "results", 0)


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A copy of the report with another value at a path."""
    made = copy.deepcopy(REPORT)
    holder: Any = made
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return made


def kinds(old: Any, new: Any) -> list[str]:
    return [difference.kind for difference in differences(old, new)]


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        (("exit",), 0, "exit status"),
        (("crash",), "KeyError: 'a'", "crash"),
        ((*OBJECT, "verdict", "liveMigratable"), None, "verdict"),
        ((*OBJECT, "verdict", "reason"), "HostDeviceNotLiveMigratable", "verdict"),
        ((*OBJECT, "verdict", "unproven"), [], "shape"),
        ((*OBJECT, "verdict", "unproven"), ["LM101: another reason"], "wording"),
        ((*OBJECT, "verdict"), None, "verdict"),
        ((*OBJECT, "source", "line"), 3, "place"),
        ((*FINDING, "outcome"), "undetermined", "verdict"),
        ((*FINDING, "rule"), "LM203", "rule id"),
        ((*FINDING, "path"), "spec.volumes[7]", "place"),
        ((*FINDING, "line"), None, "place"),
        ((*FINDING, "action"), "warn", "action"),
        ((*FINDING, "releases"), "1.5 and later", "release set"),
        ((*FINDING, "message"), "PVC 'web' is ReadWriteOnce", "wording"),
        ((*FINDING, "message"), "", "shape"),
        ((*FINDING, "message"), None, "shape"),
        ((*FINDING, "fixes", 0, "title"), "delete it", "wording"),
        ((*FINDING, "fixes", 0, "patch", 0, "value", "name"), "message", "patch"),
        ((*FINDING, "fixes", 0, "patch", 0, "op"), "test", "patch"),
        ((*FINDING, "fixes"), [], "patch"),
        ((*FINDING, "weight"), 1, "shape"),
        ((*OBJECT, "findings"), REPORT["report"]["objects"][0]["findings"][:1], "rule id"),
        ((*OBJECT, "findings"), REPORT["report"]["objects"][0]["findings"][::-1], "order"),
        (("report", "objects"), [], "verdict"),
        (("report", "notes"), [], "shape"),
        (("report", "notes"), ["an exemption expires", "another"], "shape"),
        (("report", "summary", "deny"), 2, "verdict"),
        (("report", "summary", "deny"), True, "shape"),
        (("report", "summary"), {}, "shape"),
        (("report",), None, "value"),
        (("stderr",), "error: a.yaml:3:1: key 'a' is given twice", "wording"),
        ((*RESULT, "level"), "note", "action"),
        ((*RESULT, "partialFingerprints", "migratable/v1"), "1f", "fingerprint"),
        ((*RESULT, "fixes", 0, "artifactChanges", 0, "insertedContent", "text"), "bridge: {}", "patch"),
    ],
    ids=str,
)
def test_one_change_is_one_difference_of_its_kind(path: tuple[str | int, ...], value: object, kind: str) -> None:
    """
    A difference has the kind of the field in which it is; a field that is not known to be text is never wording.
    """
    assert kinds(REPORT, changed(path, value)) == [kind]


def test_equal_answers_have_no_differences() -> None:
    """
    The same answer twice is no difference.
    """
    assert kinds(REPORT, copy.deepcopy(REPORT)) == []


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ((*OBJECT, "findings", 1, "message"), "a disk. See LM203.", "rule id"),
        (("stderr",), "error: a.yaml:4:1: duplicate key 'a'", "place"),
    ],
)
def test_a_rule_or_place_that_a_text_names_is_not_wording(path: tuple[str | int, ...], text: str, kind: str) -> None:
    """
    A text that names another rule, or another line of a file, is a difference of that kind, and of wording as well.
    """
    assert kinds(REPORT, changed(path, text)) == [kind, "wording"]


def test_an_unknown_field_is_not_wording() -> None:
    """
    A text under a key without a kind is a difference of kind `value`.
    """
    assert kinds({"hint": "a"}, {"hint": "b"}) == ["value"]


def test_a_missing_finding_does_not_move_the_others() -> None:
    """
    Findings are compared by rule and path, so one finding less is one difference.
    """
    first, second = REPORT["report"]["objects"][0]["findings"]

    listed = list(differences({"findings": [first, second]}, {"findings": [second]}))

    assert listed == [Difference("rule id", "findings[0]", first, "(no item)")]


def test_of_two_findings_of_a_rule_the_one_that_moved_is_reported() -> None:
    """
    A finding at another path is a difference of place, and the other finding of the rule keeps its counterpart.
    """
    both = [{"rule": "LM201", "path": "a", "message": "x"}, {"rule": "LM201", "path": "b", "message": "y"}]

    listed = list(differences({"findings": both}, {"findings": [both[1], {**both[0], "path": "c"}]}))

    assert [
        (difference.kind, difference.old, difference.new) for difference in listed if difference.kind != "order"
    ] == [("place", "a", "c")]
