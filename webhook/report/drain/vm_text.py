"""The explanation of one VM as text for a terminal."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from webhook.drain.vm_explanation import Destinations, Policy, Reason, VMExplanation
from webhook.report.drain.drain_words import span
from webhook.report.drain.vm_words import (
    drain_of,
    drain_remedy,
    ending_of,
    fitting,
    groups_of,
    headline,
    place,
    policy_of,
    rule_of,
    settings_of,
    storage_of,
    strategy_of,
    verdicts,
)
from webhook.report.printable import escaped

WIDTH: Final = 100
"""The maximum number of columns, unless a single word is longer."""
_LABEL: Final = 10


def render(explanation: VMExplanation) -> str:
    """The text with a final newline."""
    return "\n".join(_lines(_safe(explanation))) + "\n"


def _lines(one: VMExplanation) -> Iterator[str]:
    name = "/".join(filter(None, (one.namespace, one.name)))
    yield from _wrap(f"{one.judged} {name}: {headline(one.verdict)}")
    yield ""
    yield from _row("runs", place(one))
    yield from _rows("verdict", verdicts(one))
    for reason in one.reasons:
        if reason.decides:
            yield from _reason(reason, "unproven" if reason.unproven else "reason")
    yield from _row("volumes", storage_of(one))
    yield from _row("eviction", strategy_of(one))
    for policy in one.policies:
        yield from _policy(policy)
    yield from _destinations(one.destinations)
    yield from _row("time", f"{span(one.seconds)} for one live migration" if one.seconds is not None else "unknown")
    yield from _row("drain", drain_of(one))
    if one.drain is not None:
        yield from _row("", one.drain.message)
        yield from _fix(drain_remedy(one))
    yield from _closing(one)


def _reason(reason: Reason, label: str) -> Iterator[str]:
    yield from _row(label, f"{rule_of(reason)}: {reason.message}")
    yield from _row("", f"fix: {reason.remedy}")


def _policy(policy: Policy) -> Iterator[str]:
    yield from _row("policy", policy_of(policy))
    for setting, value, origin in settings_of(policy):
        yield from _row("", f"{setting.name}: {value} ({origin})")
    if policy.on_timeout:
        yield from _row("", f"on timeout: {ending_of(policy)}")


def _destinations(where: Destinations) -> Iterator[str]:
    yield from _row("nodes", fitting(where))
    yield from _row("" if where.nodes or where.excluded else "nodes", where.message)
    yield from _rows("", groups_of(where))
    yield from _fix(where.remedy)


def _fix(remedy: str) -> list[str]:
    return _row("", f"fix: {remedy}") if remedy else []


def _closing(one: VMExplanation) -> Iterator[str]:
    advice = [reason for reason in one.reasons if not reason.decides]
    if advice:
        yield ""
    for reason in advice:
        yield from _reason(reason, "advice")
    if one.assumptions or one.missing:
        yield ""
    for text in one.assumptions:
        yield from _wrap(text, "assumed: ")
    if one.missing:
        yield from _wrap(f"{', '.join(one.missing)}.", "not provided: ")


def _rows(label: str, texts: Iterable[str]) -> Iterator[str]:
    """Rows of which only the first has the label."""
    for text in texts:
        yield from _row(label, text)
        label = ""


def _row(label: str, text: str) -> list[str]:
    return _wrap(text, f"{label:<{_LABEL}}") if text else []


def _wrap(text: str, label: str = "") -> list[str]:
    """``text`` after ``label``. Further lines begin below the text."""
    return textwrap.wrap(
        label + text,
        WIDTH,
        subsequent_indent=" " * min(len(label), 14),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _safe(explanation: VMExplanation) -> VMExplanation:
    """The explanation with all unprintable characters escaped."""
    return msgspec.convert(_escaped(msgspec.to_builtins(explanation)), VMExplanation)


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value
