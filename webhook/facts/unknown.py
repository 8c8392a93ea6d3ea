"""Three things that a fact can be beside its value: unknown, known to be absent, and None."""

from typing import Final, TypeAlias, TypeVar

import msgspec


class Unknown(msgspec.Struct, frozen=True):
    """Nobody could find out. ``why`` says so, ``settle`` says what would settle it; both are for the user."""

    why: str
    settle: str = ""


class Absent:
    """It is known that there is no such object."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()

T = TypeVar("T")
Fact: TypeAlias = T | Unknown
Found: TypeAlias = T | Absent | Unknown
