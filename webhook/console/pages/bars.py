"""Numbers as bars: inline SVG, because the content security policy forbids inline styles. The numbers are text beside them."""

from collections.abc import Iterable, Sequence
from typing import Final

from webhook.surfaces.api.page.markup import Child, Html, element

_WIDTH: Final = 1000


def stacked(parts: Sequence[tuple[str, int]]) -> Html | None:
    """Parts of a whole side by side, each in the colour of its state. Nothing if all parts are empty."""
    total = sum(count for _, count in parts)
    if not total:
        return None
    drawn, start = [], 0
    for state, count in parts:
        end = start + count
        left, right = _WIDTH * start // total, _WIDTH * end // total
        if count:
            drawn.append(element("rect", class_=state, x=left, width=max(right - left, 4), height=10))
        start = end
    return _drawing(drawn, "share")


def bar(count: int, most: int, state: str) -> Html:
    """One number, compared with the largest of its column."""
    width = max(_WIDTH * count // max(most, 1), 4) if count else 0
    return _drawing([element("rect", class_=state, width=width, height=10)], "bar")


def _drawing(drawn: Child, kind: str) -> Html:
    return element(
        "svg", drawn, class_=kind, viewBox=f"0 0 {_WIDTH} 10", preserveAspectRatio="none", aria_hidden="true"
    )


def tiles(numbers: Iterable[Html]) -> Html:
    """Numbers of the same kind in a row."""
    return element("ul", (element("li", one) for one in numbers), class_="tiles")
