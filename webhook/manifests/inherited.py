"""Values of folders that depend on the values of their parents, such as the configuration that applies to a folder."""

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")

MOST_FOLDERS = 1_000
"""Number of folders whose values are kept. A search reaches the folders one after another, and a check can have 100,000."""


class Inherited(Generic[V]):
    """
    The values of absolute folders. ``derive`` returns the value of a folder, given its path and the value of its parent. It can
    be called several times for the same folder.
    """

    def __init__(self, root: V, derive: Callable[[str, V], V]) -> None:
        """``root`` is the value of ``/``."""
        self._root = root
        self._derive = derive
        self._values: dict[str, V] = {"/": root}

    def __getitem__(self, folder: str) -> V:
        """The value of a folder. Its path can have more parts than Python calls can nest."""
        below: list[str] = []
        while folder not in self._values:
            below.append(folder)
            folder = parent_of(folder)
        value = self._values[folder]
        if len(self._values) > MOST_FOLDERS:
            self._values = {"/": self._root}
        while below:
            folder = below.pop()
            value = self._values[folder] = self._derive(folder, value)
        return value


def parent_of(folder: str) -> str:
    """The folder that contains an absolute folder, and ``/`` for ``/``."""
    return folder.rpartition("/")[0] or "/"
