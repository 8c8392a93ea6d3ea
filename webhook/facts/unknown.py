"""A fact without a value: unknown, or known to be absent."""

from typing import Final, TypeAlias, TypeVar

import msgspec


class Unknown(msgspec.Struct, frozen=True):
    """A fact that is not known. ``why`` is the reason and ``settle`` is the remedy, both for the user."""

    why: str
    settle: str = ""
    unreadable: bool = False
    """Whether the object exists but has a field of the wrong type (policy key ``unreadable``)."""

    @property
    def may_exist(self) -> bool:
        """Whether the object might exist. Rules must not treat such an object as absent."""
        return self.unreadable

    def within(self, why: str, settle: str | None = None) -> "Unknown":
        """Returns an Unknown with another reason that was caused by this Unknown."""
        return Unknown(why, self.settle if settle is None else settle, self.unreadable)


class Unread(Unknown, frozen=True):
    """The object could not be read, so it is not known whether the object exists."""

    @property
    def may_exist(self) -> bool:
        """Always true."""
        return True


class NotGiven(Unknown, frozen=True):
    """The input does not contain the object."""


class Ambiguous(Unread, frozen=True):
    """Files that are equally near to the reference contain different objects with this name."""


class Differing(Unknown, frozen=True):
    """The fact differs between the nodes that can run the VM."""


class Late(Unread, frozen=True):
    """The API server did not respond in time."""


class Absent:
    """The object is known not to exist."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"  # the constant stays the same object if another process unpickles it


ABSENT: Final = Absent()

T = TypeVar("T")
Fact: TypeAlias = T | Unknown
Found: TypeAlias = T | Absent | Unknown
