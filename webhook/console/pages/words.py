"""The words and marks of states that several pages share. ``docs/page.md`` has the list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from webhook.drain.plan import Outcome
from webhook.policy.policy import Action
from webhook.report.audit_metrics import Migratability
from webhook.report.audited import UnreadReport
from webhook.report.drain.drain_words import NODE_VERDICTS
from webhook.surfaces.api.page.layout import badge
from webhook.surfaces.api.page.markup import Html, element

VERDICTS: Final = {
    Migratability.NOT_MIGRATABLE: ("deny", "cannot be live-migrated"),
    Migratability.UNPROVEN: ("open", "unproven"),
    Migratability.MIGRATABLE: ("good", "can be live-migrated"),
}
"""State and words of each verdict, the most severe first."""
OUTCOMES: Final = {
    Outcome.BLOCKS: ("deny", "blocks"),
    Outcome.WAITS: ("hold", "waits"),
    Outcome.UNKNOWN: ("open", "unknown"),
    Outcome.STOPS: ("warn", "stops"),
    Outcome.MOVES: ("good", "moves"),
}
"""State and words of the effect of a drain, the most severe first."""
DRAINS: Final = {outcome: (state, NODE_VERDICTS[outcome]) for outcome, (state, _) in OUTCOMES.items()}
"""State and words of the drain of a node."""
ACTIONS: Final = {
    Action.DENY: ("deny", "would be refused"),
    Action.WARN: ("warn", "would get a warning"),
    Action.AUDIT: ("note", "would be recorded"),
}
"""State and words of a finding's action, the most severe first."""
UNPROVEN: Final = ("open", "unproven")
VM_KINDS: Final = ("VirtualMachine", "VirtualMachineInstance")
"""The kinds of the rows of the list of VMs."""


def verdict_badge(verdict: Migratability) -> Html:
    """Whether KubeVirt can live-migrate a VM."""
    return badge(*VERDICTS[verdict])


def outcome_badge(outcome: Outcome, words: str = "") -> Html:
    """The effect of a drain on a VM or on a node."""
    state, word = OUTCOMES[outcome]
    return badge(state, words or word)


def moment(seconds: float) -> Html:
    """A time in UTC, to the second. The script may show it as a distance from now."""
    time = datetime.fromtimestamp(seconds, UTC)
    return element("time", f"{time:%Y-%m-%d %H:%M:%S} UTC", datetime=f"{time:%Y-%m-%dT%H:%M:%SZ}")


def number(count: int) -> str:
    """A number with thin groups of three digits, such as ``10,000``."""
    return f"{count:,}"


def none_of(noun: str, unread: Sequence[UnreadReport], *kinds: str) -> Html:
    """The sentence in place of an empty list of objects of ``kinds``. It never says that there are none if some were not read."""
    reasons = dict.fromkeys(f"{one.kind} was not read ({one.reason})" for one in unread if one.kind in kinds)
    if not reasons:
        return element("p", f"There are no {noun}.")
    return element("p", f"No {noun} can be shown: {', '.join(reasons)}.")
