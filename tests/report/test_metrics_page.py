"""docs/metrics.md names the metrics of an audit."""

import re
from pathlib import Path

from tests.report.test_audit_metrics import WEB, machine
from webhook.drain.plan import Outcome
from webhook.report.audit_metrics import MOST_NAMESPACES, Counts, Migratability, Progress, progress_families
from webhook.report.drain_metrics import DrainedNode, DrainedVM, NodeDrains, families

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text()
BEGIN, _, WATCHED = PAGE.partition("Only the watch")


def told(text: str) -> set[tuple[str, tuple[str, ...]]]:
    """The metrics in the first cells of a table, with their labels."""
    cells = re.findall(r"^\| `(migratable_\w+)(?:\{([^}]*)\})?` \|", text, re.MULTILINE)
    return {(name, tuple(filter(None, labels.split(", ")))) for name, labels in cells}


def test_the_page_names_every_metric_of_one_audit() -> None:
    """
    With its labels, in their order.
    """
    every = [*Counts([machine(WEB)]).families(), *progress_families(Progress(1, unreadable=0, unread_kinds=0))]

    assert told(BEGIN) == {(family.name, family.labels) for family in every}


def test_the_page_names_every_metric_of_a_watch() -> None:
    """
    In a table of its own.
    """
    node = DrainedNode("n1", Outcome.MOVES, (DrainedVM(Outcome.MOVES),))
    progress = Progress(age_seconds=1, is_leader=True, reports={"failed": 0}, pending_reports=0)
    every = [*progress_families(progress), *families(NodeDrains((node,)), 1)]

    assert told(WATCHED) == {(family.name, family.labels) for family in every}


def test_the_page_names_the_values_and_the_limit() -> None:
    """
    Verdicts, outcomes, and the number of namespaces.
    """
    assert all(f"`{value}`" in PAGE for value in (*Migratability, *Outcome))
    assert f"At most {MOST_NAMESPACES:,} namespaces" in PAGE
