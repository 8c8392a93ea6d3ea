"""The rehearsal of a drain as Markdown."""

import itertools

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from tests.report.drains import EXAMPLES, FLEET, REPORTS
from tests.snapshots.snapshot import snapshot
from webhook.drain.plan import DrainReport
from webhook.report.drain import drain_markdown
from webhook.report.drain.drain_words import located, needs_action
from webhook.report.printable import escaped

READER = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def cells(text: str) -> list[str]:
    """The text of each cell of each table, as a reader of Markdown shows it."""
    tokens = READER.parse(text)
    return [
        "".join(child.content for child in token.children or ())
        for before, token in itertools.pairwise(tokens)
        if before.type == "td_open"
    ]


@given(REPORTS)
def test_the_markdown_of_a_drain_names_each_vmi_that_needs_an_action(report: DrainReport) -> None:
    """
    Each VMI that needs an action has a row, and its name is shown as it is.
    """
    shown = cells(drain_markdown.render(report))

    acting = [escaped(one.name).strip() for one in located(report) if needs_action(one.machine)]
    assert [name for name in acting if name not in shown] == []


@given(REPORTS)
def test_the_markdown_of_a_drain_has_no_markup_of_names(report: DrainReport) -> None:
    """
    Names and messages are text: no HTML, link, image or control character results from them.
    """
    text = drain_markdown.render(report)

    assert text.replace("\n", "").isprintable()
    kinds = {child.type for token in READER.parse(text) for child in token.children or ()}
    assert kinds <= {"text", "text_special", "softbreak"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_markdown_of_a_drain_is_as_recorded(name: str) -> None:
    """
    The section for one node, several nodes, a rolling drain and a node without problems.
    """
    text = drain_markdown.render(EXAMPLES[name])

    assert text == snapshot(f"report/drain-{name}.md", text)


def test_the_first_steps_of_the_markdown_are_a_list_to_tick_off() -> None:
    """
    A change request shows at most three steps with check boxes.
    """
    lines = drain_markdown.render(FLEET).splitlines()

    assert sum(line.startswith("- [ ] ") for line in lines) == 3
