"""A fact without a value: unknown, or known to be absent."""

from typing import Final, TypeAlias, TypeVar

import msgspec


class Unknown(msgspec.Struct, frozen=True):
    """A fact that is not known. ``why`` is the reason and ``settle`` the remedy, both for the user."""

    why: str
    settle: str = ""
    unreadable: bool = False
    """Whether the object exists but has a field of the wrong type (policy key ``unreadable``)."""

    @property
    def may_exist(self) -> bool:
        """Whether the object might exist. Rules then must not treat it as absent."""
        return self.unreadable

    def within(self, why: str, settle: str | None = None) -> "Unknown":
        """An Unknown that has this one as its cause."""
        return Unknown(why, self.settle if settle is None else settle, self.unreadable)


class Unread(Unknown, frozen=True):
    """The object could not be read. It may or may not exist."""

    @property
    def may_exist(self) -> bool:
        """Always true."""
        return True


class Ambiguous(Unread, frozen=True):
    """Different objects have the name, in files that are equally near to the reference."""


class Late(Unread, frozen=True):
    """The cluster did not answer in time."""


class Absent:
    """The object is known not to exist."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"  # unpickled in another process, it is still the constant ``ABSENT``


ABSENT: Final = Absent()

T = TypeVar("T")
Fact: TypeAlias = T | Unknown
Found: TypeAlias = T | Absent | Unknown
