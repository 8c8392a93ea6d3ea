"""
The migrations of one node as a picture: slots as lanes over time, as inline SVG.

KubeVirt does not define the order of the migrations. So bars have no names, and the caption calls the order an example.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from webhook.drain.plan import Detail, NodePlan, Outcome, Seconds
from webhook.drain.waves import UNSCHEDULABLE
from webhook.report.drain.drain_words import duration, span, time_of
from webhook.report.phrases import plural

LANES: Final = 12
"""The maximum number of lanes."""
_STEPS: Final = (1, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
"""The distances of the marks of time, in seconds."""
BARS: Final = 200
"""The maximum number of bars. A picture with more would show lines only."""
DEFINITIONS: Final = (
    '<svg class="defs" aria-hidden="true"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="stripe" width="2" height="6"/></pattern>'
    '<linearGradient id="fade"><stop class="begin" offset="0"/><stop class="begin" offset="0.6"/>'
    '<stop class="end" offset="1"/></linearGradient></defs></svg>'
)
"""The fills that all pictures of a page use."""
_LANE, _GAP, _LEFT, _WIDTH, _AXIS = 16, 5, 46, 390, 24


class Bar(NamedTuple):
    """A migration in a lane. ``likely`` is the least time, ``length`` the most."""

    lane: int
    start: int
    likely: int
    length: int
    kind: str
    """``move``, ``open`` (the time has no limit), ``hold`` (a target pod without a node) or ``taken``."""


def picture(node: NodePlan) -> str:
    """The picture in a ``figure``, or an empty text if no migration has a known time."""
    times = [one.seconds for one in node.machines if one.outcome is Outcome.MOVES and one.seconds is not None]
    unknown = sum(one.outcome is Outcome.MOVES and one.seconds is None for one in node.machines)
    holding = sum(one.outcome is Outcome.WAITS and one.detail is Detail.NO_NODE for one in node.machines)
    if not node.slots or not times or len(times) > BARS:
        return ""
    bars = arranged(times, node.slots, min(node.slots_taken, node.slots), holding)
    end = max(bar.start + bar.length for bar in bars)
    lanes = min(node.slots, LANES)
    height = lanes * (_LANE + _GAP) + _AXIS
    drawn = [*_lanes(lanes), *_axis(end, height), *_bars(bars, end)]
    label = f"{plural(len(times), 'migration')}, at most {node.slots} at the same time. Time: {time_of(node)}."
    svg = f'<svg viewBox="0 0 {_LEFT + _WIDTH + 34} {height}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'
    return f"<figure>{svg}<figcaption>{_caption(node, bars, unknown)}</figcaption></figure>"


def arranged(times: Sequence[Seconds], slots: int, taken: int, holding: int) -> list[Bar]:
    """The migrations over the slots, longest first. Each starts when one of the slots is free."""
    lengths = [one.best if one.worst is None else one.worst for one in times]
    whole = max(sum(lengths) // slots, *lengths, UNSCHEDULABLE if holding else 1)
    free = [0] * slots
    bars: list[Bar] = []
    for lane in range(taken):
        free[lane] = max(whole // 8, 1)
        bars.append(Bar(lane, 0, 0, free[lane], "taken"))
    for at in range(min(holding, slots)):
        lane = slots - 1 - at
        bars.append(Bar(lane, free[lane], 0, UNSCHEDULABLE, "hold"))
        free[lane] += UNSCHEDULABLE
    for one in sorted(times, key=lambda one: (one.best if one.worst is None else one.worst, one.best), reverse=True):
        lane = min(range(slots), key=free.__getitem__)
        length = max(one.best if one.worst is None else one.worst, 1)
        bars.append(Bar(lane, free[lane], min(one.best, length), length, "open" if one.worst is None else "move"))
        free[lane] += length
    return bars


def _lanes(lanes: int) -> Iterator[str]:
    for lane in range(lanes):
        top = lane * (_LANE + _GAP)
        yield f'<text x="0" y="{top + 12}">slot {lane + 1}</text>'
        yield f'<rect class="lane" x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_LANE}"/>'


def _axis(end: int, height: int) -> Iterator[str]:
    """At most six marks of time below the lanes, at round figures."""
    step = next((step for step in _STEPS if step * 5 >= end), -(-end // 5))
    for time in range(0, end + 1, step):
        x = _LEFT + _WIDTH * time / end
        anchor = "start" if time == 0 else "middle"
        yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - _AXIS + 4}"/>'
        yield f'<text x="{x:.1f}" y="{height - 6}" text-anchor="{anchor}">{duration(time)}</text>'


def _bars(bars: Sequence[Bar], end: int) -> Iterator[str]:
    for bar in bars:
        if bar.lane >= LANES:
            continue
        x, y = _LEFT + _WIDTH * bar.start / end, bar.lane * (_LANE + _GAP)
        width = max(_WIDTH * bar.length / end - 1, 0.5)
        place = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_LANE}"'
        yield f'<rect class="{bar.kind}" {place}><title>{_title(bar)}</title></rect>'
        if bar.kind == "move" and bar.likely:
            solid = min(max(_WIDTH * bar.likely / end - 1, 0.5), width)
            yield f'<rect class="least" x="{x:.1f}" y="{y}" width="{solid:.1f}" height="{_LANE}"/>'


def _title(bar: Bar) -> str:
    if bar.kind == "taken":
        return "a migration that runs now"
    if bar.kind == "hold":
        return f"a target pod without a node, {duration(UNSCHEDULABLE)} at a time"
    return f"a migration, {span(Seconds(bar.likely, bar.length if bar.kind == 'move' else None))}"


def _caption(node: NodePlan, bars: Sequence[Bar], unknown: int) -> str:
    kinds = {bar.kind for bar in bars}
    parts = [
        (
            "An example: KubeVirt does not define the order of the migrations. Each bar is one migration: its strong part is the "
            "least time, its whole length the most."
        )
    ]
    if "open" in kinds:
        parts.append("A bar with an open end has no limit.")
    if "hold" in kinds:
        parts.append(
            "A hatched bar is a target pod without a node. It holds the slot again and again, until it has a node."
        )
    if "taken" in kinds:
        parts.append("A grey bar is a migration that runs now. Its length is not known.")
    if unknown:
        parts.append(f"The time of {plural(unknown, 'more migration')} is not known.")
    if node.slots > LANES:
        parts.append(f"{plural(node.slots - LANES, 'more slot')} are not shown.")
    return " ".join(parts)
