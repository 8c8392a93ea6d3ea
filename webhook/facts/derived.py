"""Values that are made from lists of a world, such as an index. A world returns the same list again until an object changes."""

from collections.abc import Callable
from operator import is_
from typing import Generic, TypeVar

T = TypeVar("T")


class Derived(Generic[T]):
    """
    The value that ``make`` returns for the latest lists. The value is made again if one of the lists is another object.

    Only one value is kept, so that lists of earlier worlds can be freed.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._latest: tuple[tuple[object, ...], T] | None = None

    def of(self, *lists: object) -> T:
        """Returns the value for the lists."""
        latest = self._latest
        if latest is not None and len(latest[0]) == len(lists) and all(map(is_, latest[0], lists)):
            return latest[1]
        made = self._make(*lists)
        self._latest = lists, made  # replaced as a whole, because several threads can judge
        return made
