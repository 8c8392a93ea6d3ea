"""Random choices, and the labels that all generated objects share."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final, TypeVar

T = TypeVar("T")
Manifest = dict[str, Any]

ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
HOSTNAME: Final = "kubernetes.io/hostname"
DOMAINS: Final = (ZONE, ZONE, HOSTNAME, "rack", REGION, "absent")
"""The topology keys of constraints. Some nodes have no rack or zone, and no node has the last one."""

POD_LABELS: Final[Mapping[str, Sequence[str]]] = {
    "app": ("web", "web", "db", "cache"),
    "tier": ("front", "back"),
    "pod-template-hash": ("1", "2"),
}
TEAMS: Final = ("red", "blue")
NAMESPACES: Final = ("red", "blue", "green")


class Draw(Random):
    """A random generator with a few more choices."""

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def some(self, population: Sequence[T], low: int = 0, high: int = 2) -> list[T]:
        """Between LOW and HIGH different elements."""
        return self.sample(population, min(len(population), self.randint(low, high)))

    def many(self, population: Sequence[T], low: int = 0, high: int = 2) -> list[T]:
        """Between LOW and HIGH elements, some of them twice."""
        return self.choices(population, k=self.randint(low, high))

    def labels(self, values: Mapping[str, Sequence[str]], probability: float = 0.7) -> dict[str, str]:
        """A label with this probability for each key."""
        return {key: self.choice(choice) for key, choice in values.items() if self.chance(probability)}


def label_selector(draw: Draw, values: Mapping[str, Sequence[str]]) -> Manifest:
    """A label selector, sometimes empty."""
    selector: Manifest = {}
    if draw.chance(0.6):
        key = draw.choice(list(values))
        selector["matchLabels"] = {key: draw.choice(values[key])}
    if draw.chance(0.4):
        selector["matchExpressions"] = [_expression(draw, values) for _ in range(draw.randint(1, 2))]
    return selector


def _expression(draw: Draw, values: Mapping[str, Sequence[str]]) -> Manifest:
    key = draw.choice([*values, "none"])
    operator = draw.choice(("In", "In", "NotIn", "Exists", "DoesNotExist"))
    expression: Manifest = {"key": key, "operator": operator}
    if operator in {"In", "NotIn"}:
        expression["values"] = draw.some(values.get(key, ("a",)), 1, 2)
    return expression
