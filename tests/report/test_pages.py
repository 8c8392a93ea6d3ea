"""The generated pages, and the program that writes them."""

import re
from pathlib import Path

import pytest

from docs import generate, references
from tests.report.reports import rule
from tests.snapshots.snapshot import snapshot
from webhook.kubevirt.releases import TABLE, Reason
from webhook.report import pages, releases_page
from webhook.rules.register import RULES
from webhook.rules.rule import Example

GENERATED = generate.generated()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table after a heading. The first row is the header."""
    section = page[page.index(f"\n## {heading}") + 1 :].partition("\n## ")[0]
    head, _, *rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
    return [head, *rows]


def test_a_page_reads_as_recorded() -> None:
    """
    KubeVirt's behaviour, reason, fix, both profiles, examples, source.
    """
    shown = pages.page(
        rule(reason=Reason.DISKS, baseline=True, examples=(*rule().examples, Example("another", "{}", release="1.4")))
    )

    assert shown == snapshot("report/page.md", shown)


@pytest.mark.parametrize(
    "name", sorted({one_name for one_name in GENERATED if one_name.endswith(".md")} - set(generate.PARTLY))
)
def test_every_generated_page_says_so_on_line_1(name: str) -> None:
    """
    The first line says that the page is generated.
    """
    first, second = GENERATED[name].splitlines()[:2]

    assert first in (pages.GENERATED, references.GENERATED)
    assert second.startswith("# ")


def test_the_index_links_every_rule_and_nothing_else() -> None:
    """
    The index and the pages are the same set.
    """
    linked = re.findall(r"\]\((LM\d+)\.md\)", pages.index(RULES))

    assert linked == sorted(one_rule.id for one_rule in RULES)


def test_a_bar_does_not_break_a_table() -> None:
    """
    Text of rules stays in its cell.
    """
    assert pages.row("a | b", "c") == "| a &#124; b | c |"


def test_the_matrix_is_the_release_table() -> None:
    """
    Each cell is the position of the reason in the order of the release. It is empty if the release does not use the reason.
    """
    head, *rows = table(releases_page.page(RULES), "Reasons")

    assert head == ["reason", *(str(one_behaviour.release) for one_behaviour in TABLE[:-1]), "1.10 (preview)", "rules"]
    assert sorted(row[0].strip("`") for row in rows) == sorted(Reason)
    for number, behaviour in enumerate(TABLE, 1):
        places = {row[0].strip("`"): int(row[number]) for row in rows if row[number] != "·"}
        assert places == {reason: place for place, reason in enumerate(behaviour.order, 1)}


def test_the_matrix_of_rules_has_their_releases() -> None:
    """
    A cross is in exactly the releases that refuse the migration.
    """
    _, *rows = table(releases_page.page(RULES), "Rules by release")

    shown = {
        row[0].split("]")[0].strip("["): sum(1 << at for at in range(len(TABLE)) if row[at + 1] == "×") for row in rows
    }
    assert shown == {one_rule.id: one_rule.kubevirt for one_rule in RULES if one_rule.kubevirt or one_rule.baseline}


def test_generating_twice_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Written pages are up to date.
    """
    assert generate.main(["--folder", str(tmp_path)]) == 0
    capsys.readouterr()

    assert generate.main(["--folder", str(tmp_path)]) == 0
    assert generate.main(["--check", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_check_names_what_differs_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A changed, a missing and a left-over page fail the check by name.
    """
    generate.main(["--folder", str(tmp_path)])
    (tmp_path / "rules/LM201.md").write_text("edited")
    (tmp_path / "releases.md").unlink()
    (tmp_path / "rules/LM999.md").write_text(f"{pages.GENERATED}\n# LM999 gone\n")
    capsys.readouterr()

    assert generate.main(["--check", "--folder", str(tmp_path)]) == 1

    assert sorted(line.split()[0] for line in capsys.readouterr().out.splitlines()) == [
        "Run:",
        "releases.md",
        "rules/LM201.md",
        "rules/LM999.md",
    ]
    assert (tmp_path / "rules/LM201.md").read_text() == "edited"


def test_only_generated_pages_are_removed(tmp_path: Path) -> None:
    """
    The page of a removed rule is deleted. A page written by hand stays.
    """
    generate.main(["--folder", str(tmp_path)])
    (tmp_path / "rules/LM999.md").write_text(f"{pages.GENERATED}\n# LM999 gone\n")
    (tmp_path / "rules/notes.md").write_text("by hand")

    generate.main(["--folder", str(tmp_path)])

    assert not (tmp_path / "rules/LM999.md").exists()
    assert (tmp_path / "rules/notes.md").read_text() == "by hand"
