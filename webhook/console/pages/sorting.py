"""Sorts rows by a column. A ``-`` before the name of the column reverses the order. This module renders nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from webhook.console.pages.query import Check, one_of

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

T = TypeVar("T")
Key: TypeAlias = "Callable[[T], SupportsRichComparison]"
"""The value of a row by which it is sorted. Quote it in annotations: the type exists for type checkers only."""


def one_of_columns(columns: Iterable[str]) -> Check:
    """Accepts the name of a column, in both directions."""
    names = list(columns)
    return one_of([*names, *(f"-{name}" for name in names)])


def sort_rows(rows: list[T], keys: Mapping[str, "Key[T]"], column: str) -> None:
    """Sorts in place, unless ``column`` is empty. Rows with equal keys keep their order."""
    if column:
        rows.sort(key=keys[column.removeprefix("-")], reverse=column.startswith("-"))
