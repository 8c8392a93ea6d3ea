"""Three things that a fact can be beside its value: unknown, known to be absent, and None."""

from typing import Final, TypeAlias, TypeVar

import msgspec


class Unknown(msgspec.Struct, frozen=True):
    """What could not be found out. ``why`` says so, ``settle`` says what would settle it; both are for the user."""

    why: str
    settle: str = ""
    unreadable: bool = False
    """Whether the object exists and its fields have other types than its kind has: policy key ``unreadable``."""

    @property
    def may_exist(self) -> bool:
        """Whether there may be such an object, so that nothing follows from not having it."""
        return self.unreadable

    def within(self, why: str, settle: str | None = None) -> "Unknown":
        """The same, as the cause of something else that is not known for it."""
        return Unknown(why, self.settle if settle is None else settle, self.unreadable)


class Unread(Unknown, frozen=True):
    """The object could not be read, so nothing follows: not even that it does not exist."""

    @property
    def may_exist(self) -> bool:
        """Always."""
        return True


class Late(Unread, frozen=True):
    """The cluster did not answer in time."""


class Absent:
    """It is known that there is no such object."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"  # a copy in another process is the one of this module, too


ABSENT: Final = Absent()

T = TypeVar("T")
Fact: TypeAlias = T | Unknown
Found: TypeAlias = T | Absent | Unknown
