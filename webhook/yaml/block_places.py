"""
Finds positions in block YAML from the lines that ``block_reader`` reads, without PyYAML. The docstring of ``places`` explains why
this module exists.

For other YAML it raises ``UnclearError``, and ``composed_places`` finds the positions. This module does no I/O.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, cast

from webhook.yaml.block_reader import Collection, Lines, is_odd, read_block
from webhook.yaml.line_forms import BLOCK_SCALAR, FLOW, cached_form
from webhook.yaml.text import JsonValue, Place, Places, Step
from webhook.yaml.texts import UnclearError, end_of_value

__all__ = ["BlockPlaces", "UnclearError"]


class Flow(NamedTuple):
    """The first and last offset of a value in brackets or braces. ``composed_places`` finds the positions inside the value."""

    start: int
    end: int


class _Members(Mapping[Step, Place]):
    """The places of the members of a mapping or list. Each place is found when it is looked up."""

    def __init__(
        self,
        owner: Collection,
        lines: Sequence[tuple[int, int]],
        find: Callable[[JsonValue, int, int], Place],
    ) -> None:
        self._owner = dict(enumerate(owner)) if isinstance(owner, list) else owner
        self._lines = lines
        self._find = find

    def __getitem__(self, step: Step) -> Place:
        value = self._owner[step]  # type: ignore[index]
        number = step if isinstance(step, int) else next(at for at, name in enumerate(self._owner) if name == step)
        return self._find(value, *self._lines[number])

    def __iter__(self) -> Iterator[Step]:
        return iter(self._owner) if self._lines else iter(())

    def __len__(self) -> int:
        return len(self._lines)


class BlockPlaces:
    """Finds the positions in one document of block YAML. Raises UnclearError for other YAML."""

    def __init__(self, text: str, base: int, start: int, end: int) -> None:
        if is_odd(text[base:end]):
            raise UnclearError
        self._text = text
        self._lines = text[base:end].split("\n")
        self._offsets = [*accumulate((len(line) + 1 for line in self._lines), initial=base)]
        self._members: Lines = {}
        self._composed: dict[Flow, Places] = {}
        value = read_block(self._lines, self._members)
        self._value = value  # keeps the objects whose ids are in _members
        self.root = Place(start, self._end(value, 0, 1), value)

    def within(self, place: Place) -> Mapping[Step, Place]:
        """Returns the children of a mapping or list."""
        inside = place.inside
        if isinstance(inside, Flow):
            if inside not in self._composed:
                from webhook.yaml.composed_places import composed_places  # noqa: PLC0415 - imports PyYAML

                self._composed[inside] = composed_places(self._text, inside.start, inside.start, inside.end)
            return self._composed[inside].within(self._composed[inside].root)
        if isinstance(inside, dict | list):
            return _Members(inside, self._members.get(id(inside), ()), self._place)
        return next(
            (places.within(place) for flow, places in self._composed.items() if flow.start <= place.start < flow.end),
            {},
        )

    def _place(self, value: JsonValue, first: int, after: int) -> Place:
        form, offset = cached_form(self._lines[first]), self._offsets[first]
        start, end = offset + form.column + form.dash, self._end(value, first, after)
        is_flow = form.kind == FLOW and id(value) not in self._members and isinstance(value, dict | list)
        return Place(start, end, Flow(offset + form.start, end) if is_flow else value)

    def _end(self, value: JsonValue, first: int, after: int) -> int:
        """Returns the offset after a value. Its own text ends before line ``after``, and its last member can be below."""
        while id(value) in self._members:
            first, after = self._members[id(value)][-1]
            value = value[next(reversed(value))] if isinstance(value, dict) else cast("list[JsonValue]", value)[-1]
        last = after - 1
        while not self._lines[last].strip():
            last -= 1
        line = self._lines[last]
        if cached_form(self._lines[first]).kind != BLOCK_SCALAR:
            line = line[: end_of_value(self._lines, first, last)]
        return self._offsets[last] + len(line.rstrip())
