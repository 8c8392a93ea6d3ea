"""Comments, exemptions and a baseline. All exempted findings are listed and counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.surfaces.manifests import BAD, GOOD, UNPROVEN
from tests.surfaces.running import Ran, migratable
from webhook.check.check import Settings
from webhook.check.check import check as check_manifests
from webhook.manifests.objects import read_manifests
from webhook.report.exemptions import comments_in, exempt_by_comments

COMMENT = "# migratable: allow bridge-on-pod-network: the appliance needs the node's address"


def answer(folder: Path, *flags: str) -> Any:
    return json.loads(migratable("check", ".", "-o", "json", *flags, cwd=folder).out)


def findings(folder: Path, *flags: str) -> dict[str, Any]:
    return {finding["rule"]: finding for judged in answer(folder, *flags)["objects"] for finding in judged["findings"]}


def placed(where: str) -> str:
    """BAD with the comment on, above or elsewhere than the finding, or above the object."""
    interface = "      - name: default\n"
    return {
        "beside": BAD.replace(interface, f"      - name: default  {COMMENT}\n"),
        "above": BAD.replace(interface, f"      {COMMENT}\n{interface}"),
        "two above": BAD.replace(interface, f"      {COMMENT}\n      # and another remark\n{interface}"),
        "object": f"# a file\n{COMMENT}\n\n{BAD}",
        "second object": f"{GOOD}---\n{COMMENT}\n{BAD}",
        "below": BAD.replace("        bridge: {}\n", f"        bridge: {{}}  {COMMENT}\n"),
        "above a line": BAD.replace("        bridge: {}\n", f"        {COMMENT}\n        bridge: {{}}\n"),
        "behind": BAD.replace("        bridge: {}\n", f"        bridge: {{}}\n      {COMMENT}\n"),
        "other object": f"{COMMENT}\n{GOOD}---\n{BAD}",
    }[where]


@pytest.mark.parametrize("where", ["beside", "above", "two above", "below", "above a line", "object", "second object"])
def test_a_comment_exempts_findings_around_it_on_its_line_or_the_next(tmp_path: Path, where: str) -> None:
    """
    Above an object, it exempts findings of the whole object.
    """
    (tmp_path / "vm.yaml").write_text(placed(where))

    by_rule = findings(tmp_path)

    assert by_rule["LM101"]["action"] == "audit"
    assert by_rule["LM101"]["exemption"]["kind"] == "comment"
    assert by_rule["LM101"]["exemption"]["reason"] == "the appliance needs the node's address"
    assert by_rule["LM302"]["action"] == "deny"
    assert answer(tmp_path)["notes"] == []


@pytest.mark.parametrize("where", ["behind", "other object"])
def test_a_comment_elsewhere_exempts_nothing_and_gives_a_note(tmp_path: Path, where: str) -> None:
    """
    A comment without a finding of its rule changes no result.
    """
    (tmp_path / "vm.yaml").write_text(placed(where))

    report = answer(tmp_path)

    assert report["summary"]["exempted"] == 0
    assert [note.split(": ", 1)[1] for note in report["notes"]] == [
        "this comment exempts nothing: there is no finding of LM101 here"
    ]


def test_a_comment_exempts_the_smallest_finding_around_it() -> None:
    """
    A larger finding of the same rule stays, and so does its neighbour.
    """
    lines = placed("below").splitlines()
    report = check_manifests([read_manifests(BAD.encode(), "vm.yaml")], Settings())
    judged = report.objects[0]
    inner = next(finding for finding in judged.findings if finding.rule == "LM101")
    assert inner.line
    assert inner.end_line
    outer = replace(inner, line=inner.line - 1, path="outer")
    after = replace(inner, line=inner.end_line + 1, end_line=inner.end_line + 2, path="after")
    comments = {"vm.yaml": comments_in(lines, "vm.yaml", "2026-01-01")}

    exempted = exempt_by_comments(
        replace(report, objects=[replace(judged, findings=[outer, inner, inner, after])]), comments
    )

    assert [finding.exemption is not None for finding in exempted.objects[0].findings] == [False, True, True, False]
    assert exempted.notes == []


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# migratable: allow LM101", "the reason is missing"),
        ("# migratable: allow LM101:  ", "the reason is missing"),
        ("# migratable: allow LM1O1: because", "unknown rule 'LM1O1' (did you mean LM101?)"),
        ("# migratable: allow LM101 until 2020-02-30: because", "invalid date '2020-02-30'"),
        ("# migratable: allow LM101 until 2020-02-01: because", "it expired on 2020-02-01"),
        ("# migratable: ignore", "invalid form; write # migratable: allow RULE"),
    ],
)
def test_an_invalid_comment_exempts_nothing_and_gives_a_note(tmp_path: Path, comment: str, message: str) -> None:
    """
    The note names a missing reason, an unknown rule, an invalid date, or the expiry.
    """
    (tmp_path / "vm.yaml").write_text(f"{comment}\n{BAD}")

    ran = migratable("check", ".", "-o", "sarif", cwd=tmp_path)

    assert ran.status == 1
    assert f"note: vm.yaml:1: this comment exempts nothing: {message}" in ran.err


def test_several_rules_and_a_last_day_fit_in_one_comment(tmp_path: Path) -> None:
    """
    ``allow A, B until DAY: REASON`` exempts both until then; SARIF shows them as suppressed in the source.
    """
    (tmp_path / "vm.yaml").write_text(f"# migratable: allow LM101, gpu until 2999-12-31: a render node\n{BAD}")

    ran = migratable("check", ".", "-o", "text", "-o", "sarif=out.sarif", cwd=tmp_path)

    assert ran.status == 0
    assert "exempted until 2999-12-31 by vm.yaml:1: a render node" in " ".join(ran.out.split())
    assert "3 exempted in 1 object" in ran.out
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert [result["suppressions"][0]["kind"] for result in results] == ["inSource"] * 3


def test_expired_exemptions_of_the_configuration_give_a_note(tmp_path: Path) -> None:
    """
    An expired exemption exempts nothing. A note names expired ones, and those that expire soon.
    """
    lapsed = "{rule: gpu, reason: a render node, owner: me, until: '2020-01-31', name: bad}"
    elsewhere = "{rule: gpu, reason: a render node, owner: me, until: '2020-01-31', name: other}"
    (tmp_path / "vm.yaml").write_text(BAD)
    (tmp_path / "migratable.yaml").write_text(f"exemptions: [{lapsed}, {elsewhere}]\nrelease: any\n")

    report = answer(tmp_path)

    assert report["summary"]["exempted"] == 0
    assert report["notes"] == [
        (
            "the exemption of LM302 for VirtualMachineInstance tenant/bad and 1 more expired on 2020-01-31 "
            "(owner: me, reason: a render node)"
        )
    ]


@pytest.fixture
def known(tmp_path: Path) -> Path:
    (tmp_path / "vm.yaml").write_text(BAD)
    (tmp_path / "open.yaml").write_text(UNPROVEN)
    (tmp_path / "migratable.yaml").write_text("baseline: known.yaml\nstrict: true\nfailOn: warn\n")
    return tmp_path


def write(folder: Path) -> Ran:
    return migratable("check", "vm.yaml", "open.yaml", "--write-baseline", cwd=folder)


def check(folder: Path, *flags: str) -> Ran:
    return migratable("check", "vm.yaml", "open.yaml", *flags, cwd=folder)


def test_a_baseline_makes_the_check_green_and_lists_what_it_hides(known: Path) -> None:
    """
    After ``--write-baseline`` nothing fails, also under ``--strict``; every known finding is listed and counted.
    """
    (known / "known.yaml").write_text("findings: []\n")
    before = check(known).status

    wrote = write(known)
    after = check(known)

    assert (before, wrote.status, after.status) == (1, 0, 0)
    assert "In the baseline, so the check does not fail: 4 findings" in after.out
    assert "LM101 bridge-on-pod-network  vm.yaml:8:9  VirtualMachineInstance tenant/bad" in after.out
    assert "4 exempted in 2 objects" in after.out


def test_writing_a_baseline_says_how_many_entries_are_removed(known: Path) -> None:
    """
    A check of fewer files removes the entries of the others. The next check of all files would fail.
    """
    first = write(known)

    again = migratable("check", "open.yaml", "--write-baseline", cwd=known)

    assert "removed" not in first.err
    assert "note: wrote 4 findings to known.yaml\n" in first.err
    assert "note: wrote 1 finding to known.yaml\n" in again.err
    assert "note: 3 entries of the old file are removed, because this check has no such finding\n" in again.err


def test_new_findings_fail_despite_a_baseline(known: Path) -> None:
    """
    Moved lines, a renamed file and new fields change nothing. A new finding fails.
    """
    write(known)
    moved = "# a remark\n\n" + BAD.replace("spec:", "spec:\n  hostname: a\n", 1)
    (known / "vm.yaml").write_text(moved)
    same = check(known)
    (known / "vm.yaml").write_text(
        moved.replace("nvidia.com/A10}", "nvidia.com/A10}\n      - {name: two, deviceName: nvidia.com/A10}")
    )
    more = check(known)

    assert (same.status, more.status) == (0, 1)
    assert "GPU 'two'" in more.out
    assert "GPU 'card'" not in more.out


def test_fixed_entries_give_a_note_and_are_removed_when_written_again(known: Path) -> None:
    """
    An entry is fixed if its object was judged and the finding is gone. Other files are left alone.
    """
    write(known)
    (known / "vm.yaml").write_text(BAD.replace("bridge: {}", "masquerade: {}"))

    ran = check(known, "-o", "sarif")
    partly = migratable("check", "open.yaml", "-o", "sarif", cwd=known)
    write(known)

    assert "1 baseline entry is fixed: LM101 of VirtualMachineInstance tenant/bad (vm.yaml)" in ran.err
    assert "fixed" not in partly.err
    assert "LM101" not in (known / "known.yaml").read_text()
    assert "LM302" in (known / "known.yaml").read_text()


def test_the_same_findings_write_the_same_baseline(known: Path) -> None:
    """
    The text does not depend on the order of files, so that it can be reviewed as a diff.
    """
    write(known)
    first = (known / "known.yaml").read_text()
    migratable("check", "open.yaml", "vm.yaml", "--write-baseline", cwd=known)

    assert (known / "known.yaml").read_text() == first
    assert first.startswith("# Known findings.")


def test_a_comment_comes_before_the_baseline(known: Path) -> None:
    """
    What a comment exempts needs no entry in the baseline.
    """
    (known / "vm.yaml").write_text(f"{COMMENT}\n{BAD}")
    write(known)

    assert "LM101" not in (known / "known.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "findings: [{fingerprint: 1}]\n",
            "baseline known.yaml:1: findings[0].fingerprint: expected a string, got an integer",
        ),
        ("finding: []\n", "baseline known.yaml:1: finding: unknown key"),
        ("a: [\n", "baseline known.yaml:2"),
        (None, "baseline known.yaml cannot be read: No such file or directory"),
    ],
)
def test_a_baseline_that_cannot_be_read_is_an_error(known: Path, text: str | None, message: str) -> None:
    """
    A broken or missing baseline gives status 2.
    """
    if text is not None:
        (known / "known.yaml").write_text(text)

    ran = check(known)

    assert (ran.status, message in ran.err) == (2, True)


def test_unreadable_input_is_never_hidden_by_a_baseline(known: Path) -> None:
    """
    ``--write-baseline`` still gives status 2 if a file is unreadable.
    """
    (known / "open.yaml").write_text("a: [\n")

    assert write(known).status == 2
    assert check(known).status == 2
