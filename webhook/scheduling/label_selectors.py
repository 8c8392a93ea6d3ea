"""
Whether labels meet a label selector.

Source: ``k8s.io/apimachinery/pkg/apis/meta/v1`` LabelSelectorAsSelector and ``pkg/labels``, v0.34.
"""

from collections.abc import Iterable, Mapping, Sequence

from webhook.objects.scheduling import LabelRequirement, LabelSelector


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector. An absent selector selects nothing, and an empty selector selects everything."""
    if selector is None:
        return False
    return _meet(labels, (selector.match_labels or {}).items(), selector.match_expressions or ())


class Selector:
    """A label selector that is applied to many objects."""

    __slots__ = ("_equal", "_others", "anchor", "is_empty", "selects_nothing")

    def __init__(self, selector: LabelSelector | None, also: Iterable[LabelRequirement] = ()) -> None:
        """``also`` are further requirements. They do not change an absent selector, which selects nothing."""
        self.selects_nothing = selector is None
        expressions = (*((selector.match_expressions if selector is not None else None) or ()), *also)
        self._equal = tuple(((selector.match_labels if selector is not None else None) or {}).items())
        self._others = expressions
        self.is_empty = not self.selects_nothing and not self._equal and not expressions
        """Whether the selector selects everything because it has no requirement."""
        self.anchor: tuple[str, Sequence[str]] | None = _anchor(self._equal, expressions)
        """A label, and the values of which selected objects have one. None if no requirement lists values."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet the selector."""
        return not self.selects_nothing and _meet(labels, self._equal, self._others)

    @property
    def identity(self) -> tuple[object, ...]:
        """A value that is equal for selectors with the same requirements in the same order."""
        others = tuple((each.key, each.operator, *(each.values or ())) for each in self._others)
        return self.selects_nothing, self._equal, others


def _meet(labels: Mapping[str, str], equal: Iterable[tuple[str, str]], expressions: Iterable[LabelRequirement]) -> bool:
    for key, value in equal:  # ``all`` of a generator takes several times as long, and most labels fail here
        if labels.get(key) != value:
            return False
    return all(_holds(requirement, labels) for requirement in expressions)


def _anchor(
    equal: Sequence[tuple[str, str]], expressions: Iterable[LabelRequirement]
) -> tuple[str, Sequence[str]] | None:
    for key, value in equal:
        return key, (value,)
    for requirement in expressions:
        if requirement.operator == "In":
            return requirement.key, requirement.values or ()
    return None


def _holds(requirement: LabelRequirement, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(requirement.key), requirement.values or ()
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
