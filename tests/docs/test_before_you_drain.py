"""The page "Before you drain a node" has each outcome of a rehearsal."""

import re
from pathlib import Path

from tests.drain.example_fleet import FOLDER
from webhook.drain.plan import Detail, Outcome

PAGE = (Path(__file__).parents[2] / "docs" / "before-you-drain.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \w+ \| (`\w+`)? *\|", line)
]


def test_each_detail_has_a_row_with_an_action() -> None:
    """
    A user finds each word of the JSON output on the page.
    """
    rows = {row[1].strip("`"): row for row in ROWS}

    assert rows.keys() == {detail.value for detail in Detail} | {""}
    assert {row[0] for row in ROWS} == {outcome.value for outcome in Outcome}
    assert all(row[2] and row[3] for row in ROWS)


def test_the_page_shows_the_example_fleet() -> None:
    """
    ``make docs`` writes the output below each command.
    """
    shown = re.findall(r"^\$ migratable drain .*--facts (\S+)", PAGE, re.MULTILINE)

    assert len(shown) == 3
    assert {(FOLDER.parents[1] / path).resolve() for path in shown} == {FOLDER}
