"""Three things that a fact can be beside its value: unknown, known to be absent, and None."""

from typing import Final, TypeAlias, TypeVar

import msgspec


class Unknown(msgspec.Struct, frozen=True):
    """What could not be found out. ``why`` says so, ``settle`` says what would settle it; both are for the user."""

    why: str
    settle: str = ""
    unreadable: bool = False
    """Whether the object exists and its fields have other types than its kind has: policy key ``unreadable``."""

    def within(self, why: str, settle: str | None = None) -> "Unknown":
        """The same, as the cause of something else that is not known for it."""
        return Unknown(why, self.settle if settle is None else settle, self.unreadable)


class Absent:
    """It is known that there is no such object."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()

T = TypeVar("T")
Fact: TypeAlias = T | Unknown
Found: TypeAlias = T | Absent | Unknown
