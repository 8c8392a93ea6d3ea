"""
Kubernetes quantities, exactly as the API server reads them.

Source: ``ParseQuantity`` of k8s.io/apimachinery v0.34.2, ``pkg/api/resource/quantity.go``. An amount is a whole number of
billionths, never a floating-point number.
"""

import re
from functools import lru_cache

import msgspec

NANO = 10**9
"""Kubernetes rounds amounts smaller than a billionth away from zero."""
MAX_LENGTH = 256
"""The maximum length of a quantity. This module refuses longer texts, although Go has no such limit."""

_FORM = (
    r"(?P<value>(?P<sign>[+-]?)0*+(?P<whole>[0-9]*+)(?P<point>\.(?P<part>[0-9]*+))?+)"
    r"(?P<suffix>[eEinumkKMGTP]*+[-+]?+[0-9]*+)"
)
_POWERS_OF_TEN = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_POWERS_OF_TWO = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_EXPONENT = r"[eE]([-+]?[0-9]+)"
_SLOW = 50
"""The smallest exponent in ``_POWERS_OF_TWO`` with a suffix that Go's fast path does not read."""
_INT64 = 2**63
_FAR = 400
"""The largest exponent that this module computes. Larger amounts count as 10^400, and tiny amounts as one billionth."""


_PATTERN = (
    r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
    r"([KMGTPE]i|[numkMGTPE]|[eE][+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))?"
)
"""The pattern of quantities in KubeVirt's CRDs (``validations_generated.go``, v1.3.1 to v1.9.0)."""
_USUAL = r"[0-9]++([KMGTPE]i|[numkMGTPE])?+"
"""The form of most quantities. A quantity of this form needs no further check."""
_PLACEHOLDERS = ("$", "{{")


class Quantity(msgspec.Struct, frozen=True, order=True):
    """An amount in billionths, and its suffix."""

    nano: int
    suffix: str

    @property
    def value(self) -> int:
        """The amount in whole units, rounded away from zero as ``Quantity.Value()`` does for amounts of 0 or more."""
        return self.scaled(1)

    def scaled(self, unit: int) -> int:
        """The amount divided by ``unit``, rounded away from zero like ``Quantity.ScaledValue()``."""
        return max(self._around(unit), key=abs)

    @property
    def floor(self) -> int:
        """The amount in whole units, rounded towards zero."""
        return min(self._around(1), key=abs)

    def _around(self, unit: int) -> tuple[int, int]:
        """The amount divided by ``unit``, once rounded down and once rounded up."""
        return self.nano // (NANO * unit), -(-self.nano // (NANO * unit))


def parse_quantity(written: object) -> Quantity | None:
    """The quantity in a JSON value, or None if the API server refuses the value. A number is parsed in its text form."""
    if not isinstance(written, str | int | float):
        return None
    text = written if isinstance(written, str) else repr(written)
    if not text or len(text) > MAX_LENGTH or (match := re.fullmatch(_FORM, text)) is None:
        return None
    suffix = match["suffix"]
    whole, part = match["whole"], match["part"] or ""
    power = _power(suffix)
    if power is None:
        return None
    is_binary, exponent = power
    if not re.search("[0-9]", match["value"]) and _needs_digits(exponent, is_binary=is_binary):
        return None
    digits = int(whole + part or "0")
    nano = _nano(digits, exponent, len(part), is_binary=is_binary)
    return Quantity(-nano if match["sign"] == "-" else nano, suffix)


def accepts(value: object) -> bool:
    """
    Whether a quantity field of KubeVirt's API accepts this value. Values that are neither text nor numbers count as accepted.

    The API server matches text against ``_PATTERN``. The API server accepts a number only if it is a 64-bit integer
    (``x-kubernetes-int-or-string``). KubeVirt's webhooks then parse the text. Text with a placeholder such as ``${MEMORY}`` is
    accepted.
    """
    if isinstance(value, str):
        return _accepts_text(value)
    if isinstance(value, float):
        return value.is_integer() and -_INT64 <= value < _INT64
    return not isinstance(value, int) or -_INT64 <= value < _INT64


@lru_cache(maxsize=256)  # most VMs have one of a few sizes
def _accepts_text(text: str) -> bool:
    """Whether a quantity field accepts this text (see ``accepts``)."""
    if re.fullmatch(_USUAL, text) is not None:
        return True
    if any(sign in text for sign in _PLACEHOLDERS):
        return True
    return re.fullmatch(_PATTERN, text) is not None and (len(text) > MAX_LENGTH or parse_quantity(text) is not None)


def _power(suffix: str) -> tuple[bool, int] | None:
    """Whether the base of a suffix is 2 (not 10), and the exponent of the base. The result is None for an invalid suffix."""
    if suffix in _POWERS_OF_TEN:
        return False, _POWERS_OF_TEN[suffix]
    if suffix in _POWERS_OF_TWO:
        return True, _POWERS_OF_TWO[suffix]
    written = re.fullmatch(_EXPONENT, suffix)
    if written is None:
        return None
    exponent = int(written[1])
    if not -_INT64 <= exponent < _INT64:
        return None
    return False, (exponent + 2**31) % 2**32 - 2**31  # Go keeps the lower 32 bits of it


def _needs_digits(exponent: int, *, is_binary: bool) -> bool:
    """
    Whether Go refuses a quantity that has this suffix and no digit. For example, Go reads ``Mi`` and ``.`` as 0, and refuses
    ``Ei``.

    Go's fast path reads missing digits as 0, and its slow path refuses missing digits. The suffix decides which path Go takes.
    For a power of two, Go computes the precision ``15 - 1 - exponent * 3 / 10 - 1``. Go takes the slow path if the precision is
    negative.
    """
    return exponent >= _SLOW if is_binary else exponent < -9


def _nano(digits: int, exponent: int, decimals: int, *, is_binary: bool) -> int:
    """
    The amount in billionths, rounded up. The amount is ``digits`` / 10^``decimals`` times a power, which is 2^``exponent`` if
    ``is_binary`` and otherwise 10^``exponent``. A binary amount is limited to the largest int64.
    """
    if is_binary:
        divisor: int = 10**decimals
        nano = -(-(digits * NANO << exponent) // divisor)
        return min(nano, (_INT64 - 1) * NANO)
    shift = max(-_FAR, min(_FAR, exponent)) + 9 - decimals
    times: int = 10 ** max(shift, 0)
    parts: int = 10 ** max(-shift, 0)
    return -(-digits * times // parts)
