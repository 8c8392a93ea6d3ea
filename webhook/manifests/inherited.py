"""Values of folders that depend on the values of their parents, such as the configuration that applies to a folder."""

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")

MOST_FOLDERS = 100
"""
Number of folders whose values are kept. A search reaches the folders one after another, and a check can have 100,000. It needs
those of the folders above.
"""


class Inherited(Generic[V]):
    """The values of absolute folders."""

    def __init__(self, root: V) -> None:
        """``root`` is the value of ``/``."""
        self._root = root
        self._values: dict[str, V] = {"/": root}

    def of(self, folder: str, derive: Callable[[str, V], V]) -> V:
        """
        The value of a folder. ``derive`` returns it, given the path and the value of the parent. It can be called several times
        for the same folder. A path can have more parts than Python calls can nest.
        """
        below: list[str] = []
        while folder not in self._values:
            below.append(folder)
            folder = parent_of(folder)
        value = self._values[folder]
        if below and len(self._values) > MOST_FOLDERS:
            self._values = {"/": self._root}
        while below:
            folder = below.pop()
            value = self._values[folder] = derive(folder, value)
        return value


def parent_of(folder: str) -> str:
    """The folder that contains an absolute folder, and ``/`` for ``/``."""
    return folder.rpartition("/")[0] or "/"
