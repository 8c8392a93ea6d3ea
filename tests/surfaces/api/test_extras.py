"""Parts of a report that only the dry-run API adds, on request."""

from typing import Any

import pytest

from tests.surfaces.api.api import JSON, YAML, post
from tests.surfaces.manifests import BAD, GOOD, UNPROVEN
from webhook.report.model import ReleaseVerdictReport
from webhook.surfaces.api.judge.extras import MOST_COMPARED, MOST_READ, summary_of

COMMENTED = BAD.replace("        bridge: {}", "        bridge: {}  # the old way").replace("\nspec:", "\n# mine\nspec:")
VIRTIOFS = GOOD.replace("      interfaces:", "      filesystems: [{name: data, virtiofs: {}}]\n      interfaces:") + (
    "  volumes: [{name: data, configMap: {name: data}}]\n"
)


def fixes_of(body: str, kind: str = YAML, query: str = "edits=true") -> list[dict[str, Any]]:
    report = post(body, kind, query).json
    return [fix for judged in report["objects"] for finding in judged["findings"] for fix in finding["fixes"]]


def edited(text: str, edit: dict[str, Any]) -> str:
    """The text after the edit, as a client applies it."""
    lines = text.splitlines(keepends=True)
    start, end = (
        sum(map(len, lines[: edit[line] - 1])) + edit[column] - 1
        for line, column in (("line", "column"), ("endLine", "endColumn"))
    )
    return text[:start] + edit["text"] + text[end:]


def test_an_edit_makes_the_change_of_its_fix_and_keeps_comments() -> None:
    """
    The object is no longer refused for this reason, and the rest of the text is the same.
    """
    fix = fixes_of(COMMENTED)[0]

    after = edited(COMMENTED, fix["edit"])

    assert after == COMMENTED.replace("bridge: {}", "masquerade: {}")
    assert "LM101" not in {finding["rule"] for finding in post(after).json["objects"][0]["findings"]}


def test_columns_count_code_points() -> None:
    """
    A character outside the basic plane counts once.
    """
    text = BAD.replace("      - name: default\n        bridge: {}\n", "      - {name: '🖥🖥', bridge: {}}\n")
    text = text.replace("{name: default, pod", "{name: '🖥🖥', pod")

    assert edited(text, fixes_of(text)[0]["edit"]) == text.replace("bridge: {}", "masquerade: {}")


def test_json_has_edits_too() -> None:
    """
    Manifests in JSON keep their layout.
    """
    text = (
        '{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": "x"},\n'
        ' "spec": {"domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}},\n'
        '  "networks": [{"name": "default", "pod": {}}]}}\n'
    )

    assert edited(text, fixes_of(text, JSON)[0]["edit"]) == text.replace('"bridge"', '"masquerade"')


def test_a_change_that_reaches_other_fields_has_no_edit() -> None:
    """
    An anchor is used twice, so the value is null and the patch remains.
    """
    text = BAD.replace("      - name: default\n        bridge: {}\n", "      - &card {name: default, bridge: {}}\n")
    text = text.replace("metadata: {name: bad", "metadata: {annotations: {a: x}, name: bad") + "  other: *card\n"

    fix = fixes_of(text)[0]

    assert fix["edit"] is None
    assert fix["patch"]


def test_large_manifests_have_edits_up_to_a_limit() -> None:
    """
    Each edit reads the text again, so further fixes have none.
    """
    text = BAD + "# " + "x" * (MOST_READ // 3) + "\n"

    edits = [fix["edit"] is not None for fix in fixes_of("---\n".join([text, BAD.replace("name: bad", "name: b2")]))]

    assert edits == [True, True, False, False]


def test_edits_and_verdicts_of_releases_are_only_added_on_request() -> None:
    """
    So a report of the API and of the command line have the same fields otherwise.
    """
    report = post(BAD).json

    assert "comparison" not in report["objects"][0]
    assert "edit" not in fixes_of(BAD, query="")[0]


def test_verdicts_are_compared_across_releases() -> None:
    """
    Each published release has its own verdict and reason, independent of the chosen release.
    """
    for query in ("compare=true", "compare=true&release=1.4"):
        comparison = post(VIRTIOFS, query=query).json["objects"][0]["comparison"]

        assert comparison["summary"] == "KubeVirt can live-migrate it from 1.5 on"
        assert [(one["release"], one["liveMigratable"], one["reason"]) for one in comparison["verdicts"]][3:7] == [
            ("1.3", False, "VirtIOFSNotLiveMigratable"),
            ("1.4", False, "VirtIOFSNotLiveMigratable"),
            ("1.5", True, None),
            ("1.6", True, None),
        ]


def test_an_unproven_verdict_is_compared_as_unproven() -> None:
    """
    Neither yes nor no.
    """
    assert (
        post(UNPROVEN, query="compare=true").json["objects"][0]["comparison"]["summary"] == "Unproven in every release"
    )


def test_large_manifests_are_not_compared() -> None:
    """
    Each release takes as long as the check itself.
    """
    large = f"{BAD}# {'x' * MOST_COMPARED}\n"

    assert "comparison" not in post(large, query="compare=true").json["objects"][0]


@pytest.mark.parametrize(
    ("answers", "summary"),
    [
        ({}, "KubeVirt can live-migrate it in every release"),
        ({"1.0": False, "1.1": None}, "KubeVirt can live-migrate it from 1.2 on, unproven in 1.1"),
        ({f"1.{minor}": False for minor in range(10)}, "KubeVirt can live-migrate it in no release"),
        (
            {f"1.{minor}": None if minor else False for minor in range(10)},
            "KubeVirt cannot live-migrate it in 1.0, unproven from 1.1 on",
        ),
    ],
)
def test_the_verdicts_are_summarised_in_one_sentence(answers: dict[str, bool | None], summary: str) -> None:
    """
    By ranges of releases.
    """
    verdicts = [
        ReleaseVerdictReport(release, answers.get(release, True), None)
        for release in (f"1.{minor}" for minor in range(10))
    ]

    assert summary_of(verdicts) == summary


@pytest.mark.parametrize("body", ["a: [", "a: 1\na: 2\n", "hello", "a: &a [*a]", "[" * 5000])
def test_an_unreadable_body_can_be_a_report_with_its_problems(body: str) -> None:
    """
    A page that checks while a user types gets an answer, not an error. The problem is the same.
    """
    error, report = post(body), post(body, query="unreadable=true&edits=true&compare=true")

    assert (error.status, report.status) == (400, 200)
    (problem,) = report.json["problems"]
    assert (problem["message"], problem["line"]) == (error.json["title"], error.json["line"])
    assert report.json["objects"] == []


CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: os}\nspec:\n  accessModes:\n  - ReadWriteOnce  # local\n"
ON_CLAIM = (
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\nmetadata: {name: web}\nspec:\n  domain: {devices: {}}\n"
    "  volumes:\n  - name: os\n    persistentVolumeClaim: {claimName: os}\n"
)


def fixes_of_claim(body: str, query: str = "edits=true") -> list[dict[str, Any]]:
    (judged,) = post(body, query=query).json["objects"]
    (finding,) = [finding for finding in judged["findings"] if finding["rule"] == "LM201"]
    fixes: list[dict[str, Any]] = finding["fixes"]
    return fixes


def test_the_edits_have_the_fix_of_a_claim_in_the_same_manifests() -> None:
    """
    The fix names the claim, because its patch is not for the VM, and the VM can then be live-migrated.
    """
    body = f"{ON_CLAIM}---\n{CLAIM}"

    (fix,) = fixes_of_claim(body)
    after = edited(body, fix["edit"])

    assert fix["object"] == {"kind": "PersistentVolumeClaim", "namespace": "", "name": "os"}
    assert after == body.replace("- ReadWriteOnce", "- ReadWriteMany")
    assert post(after).json["objects"][0]["verdict"]["reason"] != "DisksNotLiveMigratable"
    assert fixes_of_claim(body, query="") == []


@pytest.mark.parametrize(
    "claim",
    [
        CLAIM.replace("{name: os}", "{name: os, uid: 6a5f}"),
        CLAIM.replace("{name: os}", "{name: os, namespace: other}"),
        CLAIM.replace("\n  - ReadWriteOnce  # local", " []"),
        f"{CLAIM}---\n{CLAIM}",
    ],
    ids=["read from a cluster", "another namespace", "no access modes", "twice"],
)
def test_no_other_claim_has_a_fix(claim: str) -> None:
    """
    The access modes of an existing claim cannot be changed.
    """
    assert fixes_of_claim(f"{ON_CLAIM}---\n{claim}") == []
