"""The report as text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.report.reports import (
    DRAIN,
    EXEMPTED,
    FILE,
    FIXED_LIST,
    NOT_SHARED,
    NOT_SHOWN,
    PROBLEMS,
    SMALL,
    SOURCES,
    UP_TO_1_4,
    as_text,
    report,
    verdict,
    vm,
)
from tests.snapshots.snapshot import snapshot
from webhook.kubevirt.releases import KNOWN, release_names, releases_named
from webhook.report import text
from webhook.report.model import FindingReport

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def heading(*findings: FindingReport, migratable: bool | None, release: str = "any") -> str:
    reason = "DisksNotLiveMigratable" if migratable is False else None
    return as_text(
        report(vm("web", verdict(migratable, reason), *findings), release=release), verbose=True
    ).splitlines()[0]


def refused_in(*releases: str) -> FindingReport:
    return replace(NOT_SHARED, release_list=releases)


def frame(line: str, column: int, end_column: int, width: int = 100) -> list[str]:
    finding = replace(NOT_SHARED, line=1, column=column, end_line=1, end_column=end_column, message="", remedy="")
    shown = as_text(report(vm("web", None, finding)), sources={FILE: [line]}, width=width)
    return [one_line.partition("| ")[2] for one_line in shown.splitlines() if "| " in one_line]


@pytest.mark.parametrize(("name", "verbose"), [("text.txt", False), ("text-verbose.txt", True)])
def test_the_whole_report_reads_as_recorded(name: str, verbose: bool) -> None:
    """
    Each object with its verdict; each finding with place, message, excerpt, remedy and notes; one line of counts.
    """
    shown = as_text(SMALL, sources=SOURCES, verbose=verbose)

    assert shown == snapshot(f"report/{name}", shown)


def test_colour_adds_nothing_but_colour() -> None:
    """
    Without its ANSI codes, the coloured text equals the plain text.
    """
    coloured = as_text(SMALL, sources=SOURCES, colour=True)

    assert coloured != ANSI.sub("", coloured)
    assert ANSI.sub("", coloured) == as_text(SMALL, sources=SOURCES)


@given(st.integers(50, 160))
def test_prose_keeps_within_the_width(width: int) -> None:
    """
    Messages, remedies and excerpts keep within the width. Headings and places are never broken.
    """
    shown = as_text(SMALL, sources=SOURCES, width=width)

    prose = [line for line in shown.splitlines() if line.startswith("     ")]
    assert max(map(len, prose)) <= width


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        ((), "nothing found in 1 object"),
        ((NOT_SHARED, NOT_SHARED), "2 denied in 1 object"),
        ((DRAIN,), "1 warning in 1 object"),
        ((NOT_SHOWN,), "1 unproven in 1 object"),
        ((replace(NOT_SHOWN, action="deny"),), "1 denied in 1 object"),
        ((replace(DRAIN, action="audit"), EXEMPTED), "1 noted, 1 exempted in 1 object"),
        ((NOT_SHARED, DRAIN, DRAIN, NOT_SHOWN), "1 denied, 2 warnings, 1 unproven in 1 object"),
    ],
)
def test_the_last_line_counts_each_finding_once(findings: tuple[FindingReport, ...], line: str) -> None:
    """
    It counts denied, warned, unproven, noted and exempted findings, and objects.
    """
    shown = as_text(report(vm("web", None, *findings)))

    assert shown.splitlines()[-1] == line


def test_an_exempted_finding_has_its_reason_instead_of_a_fix() -> None:
    """
    Its fix asks for the exemption. ``verbose`` shows the fix, too.
    """
    answer = report(vm("web", None, EXEMPTED))

    shown, all_of_it = as_text(answer), as_text(answer, verbose=True)

    assert "  exempted LM302 gpu" in shown
    assert "note: exempted until 2027-01-31 by platform team: the renderer needs a card" in shown
    assert "fix: " not in shown
    assert "fix: Remove the entry from devices.gpus." in all_of_it


def test_the_last_line_counts_unreadable_input() -> None:
    """
    A report without findings still shows that some input is unreadable.
    """
    assert text.summary(report(problems=PROBLEMS)) == "nothing found in 0 objects; 2 more could not be read"


@pytest.mark.parametrize(
    ("findings", "migratable", "expected"),
    [
        ((), True, "can be live-migrated (KubeVirt 1.9)"),
        ((NOT_SHARED,), False, "cannot be live-migrated (DisksNotLiveMigratable, KubeVirt 1.9)"),
        ((NOT_SHOWN,), None, "cannot tell yet whether it can be live-migrated (KubeVirt 1.9)"),
        ((FIXED_LIST,), True, "can be live-migrated (KubeVirt 1.9)"),
        ((UP_TO_1_4,), True, "cannot be live-migrated by KubeVirt up to 1.4, but can be live-migrated from 1.5 on"),
        (
            (refused_in("1.8", "1.9"),),
            False,
            "cannot be live-migrated by KubeVirt from 1.8 on (DisksNotLiveMigratable), but can be live-migrated up to 1.7",
        ),
        (
            (UP_TO_1_4, refused_in("1.6", "1.9")),
            False,
            (
                "cannot be live-migrated by KubeVirt up to 1.4 and in 1.6 and from 1.9 on (DisksNotLiveMigratable), "
                "but can be live-migrated in 1.5 and from 1.7 to 1.8"
            ),
        ),
    ],
)
def test_the_heading_has_the_verdict(
    findings: tuple[FindingReport, ...], migratable: bool | None, expected: str
) -> None:
    """
    The heading says whether the object can be live-migrated, and in which releases if they differ.
    """
    assert heading(*findings, migratable=migratable) == f"{FILE}:1 VirtualMachine tenant/web: {expected}"


def test_a_pinned_release_is_not_compared_with_others() -> None:
    """
    With one release, the text does not mention others.
    """
    shown = as_text(report(vm("web", verdict(False, "VirtIOFS"), UP_TO_1_4), release="1.4"))

    assert shown.splitlines()[0].endswith("cannot be live-migrated (VirtIOFS, KubeVirt 1.9)")
    assert "accepts" not in shown


@pytest.mark.parametrize(
    ("releases", "expected"),
    [
        (("1.3", "1.4"), "note: KubeVirt refuses such a VM up to 1.4 and accepts it from 1.5 on."),
        (("1.5", "1.6", "1.7", "1.8", "1.9"), "note: KubeVirt refuses such a VM from 1.5 on and accepts it up to 1.4."),
        (("1.3",), "note: KubeVirt refuses such a VM in 1.3 and accepts it from 1.4 on."),
        (
            ("1.6", "1.7", "1.8"),
            "note: KubeVirt refuses such a VM from 1.6 to 1.8 and accepts it up to 1.5 and from 1.9 on.",
        ),
    ],
)
def test_a_finding_names_the_releases_that_refuse(releases: tuple[str, ...], expected: str) -> None:
    """
    Without a pinned release, a finding names the releases that refuse and those that accept.
    """
    shown = as_text(report(vm("web", verdict(False, "HostDeviceNotLiveMigratable"), refused_in(*releases))), width=200)

    assert expected in [line.strip() for line in shown.splitlines()]


def test_an_unproven_earlier_reason_is_named_in_the_verdict() -> None:
    """KubeVirt sets the first reason in its order, and an earlier reason can apply."""
    open_reason = replace(verdict(False), possible_reasons=["InterfaceNotLiveMigratable", "SEVNotLiveMigratable"])

    shown = as_text(report(vm("web", open_reason, refused_in("1.9"))), width=200)

    assert "(SEVNotLiveMigratable or an earlier reason)" in shown


@given(st.integers(0, KNOWN))
def test_a_list_of_release_names_gives_the_same_releases(releases: int) -> None:
    """
    ``release_names`` and ``releases_named`` are inverse.
    """
    assert releases_named(release_names(releases)) == releases


def test_carets_mark_the_value_at_fault() -> None:
    """
    The carets are below the value.
    """
    assert frame("  gpus: [{name: card}]", 10, 22) == ["  gpus: [{name: card}]", "         ^^^^^^^^^^^^"]


@given(st.text(alphabet="ab cd:{}", min_size=3, max_size=300), st.data())
def test_carets_are_below_the_value_in_any_line(line: str, data: st.DataObject) -> None:
    """
    In a line of any length, the carets start below the value, and the excerpt keeps within the width.
    """
    line = f"x{line}x"
    start = data.draw(st.integers(1, len(line) - 1).filter(lambda column: line[column - 1] != " "))
    end = data.draw(st.integers(start + 1, len(line)))

    shown, caret = frame(line, start, end, width=60)

    at = len(caret) - len(caret.lstrip())
    length = min(len(caret) - at, len(shown) - at)
    assert shown[at : at + length].rstrip() == line[start - 1 : start - 1 + length].rstrip()
    assert 1 <= len(caret) - at <= end - start
    assert len(shown) <= 60


@pytest.mark.parametrize("line", ["userData: hunter2", "- {token: hunter2}", '"networkDataBase64": "hunter2"'])
def test_the_excerpt_never_shows_a_possible_secret(line: str) -> None:
    """
    From a line that mentions user data, passwords, tokens or keys, the excerpt shows no more lines.
    """
    finding = replace(NOT_SHARED, line=1, column=1, end_line=3, end_column=5)

    shown = as_text(report(vm("web", None, finding)), sources={FILE: ["- name: os", line, "hunter3"]})

    assert "- name: os" in shown
    assert "hunter" not in shown


def test_the_excerpt_shows_no_neighbouring_lines() -> None:
    """
    Lines before and after the value can hold secrets.
    """
    finding = replace(NOT_SHARED, line=2, column=1, end_line=3, end_column=1)

    shown = as_text(report(vm("web", None, finding)), sources={FILE: ["before", "part", "behind"]})

    assert "part" in shown
    assert "before" not in shown
    assert "behind" not in shown


def test_the_excerpt_is_safe_for_terminals() -> None:
    """
    Control and bidirectional characters are replaced.
    """
    shown, _ = frame("a\x1b[31m\u202eb\tc", 1, 11)

    assert shown == "a\ufffd[31m\ufffdb c"


@pytest.mark.parametrize(
    ("line", "start", "end", "expected"),
    [
        ("{a: hunter2, gpus: [x], b: hunter3}", 14, 23, ["gpus: [x]", "^^^^^^^^^"]),
        ("gpus: [{name: x}, {b: hunter2}]", 8, 17, ["gpus: [{name: x}", "       ^^^^^^^^^"]),
        ("  spec: {domain: {gpus: [x]}}", 19, 28, ["  spec: {domain: {gpus: [x]}}", "                  ^^^^^^^^^"]),
    ],
)
def test_other_values_of_the_line_are_not_shown(line: str, start: int, end: int, expected: list[str]) -> None:
    """
    Only keys and brackets of the same line are shown.
    """
    assert frame(line, start, end) == expected


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("  userDatta: hunter2", 3, ["  userDatta:", "  ^^^^^^^^^^"]),
        ('{"note": "hunter2"}', 2, ['{"note":', " ^^^^^^^"]),
    ],
)
def test_the_value_of_an_unknown_field_is_not_shown(line: str, column: int, expected: list[str]) -> None:
    """
    A misspelt field can hold a secret, so only its name is shown.
    """
    finding = replace(NOT_SHARED, rule="LM803", line=1, column=column, end_line=2, end_column=5)

    shown = as_text(report(vm("web", None, finding)), sources={FILE: [line, "hunter3"]})

    assert "hunter" not in shown
    assert [row.partition("| ")[2] for row in shown.splitlines() if "| " in row] == expected


def test_a_place_beyond_the_text_has_no_excerpt() -> None:
    """
    The finding is shown without an excerpt.
    """
    assert frame("one line", 1, 2) != []
    shown = as_text(report(vm("web", None, NOT_SHARED)), sources={FILE: ["one line"]})
    assert "|" not in shown
