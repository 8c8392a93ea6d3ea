"""
Determines the value that Kubernetes reads from a YAML scalar.

kubectl and the API server resolve scalars with go-yaml v2 (``resolve.go``) and then encode the result as JSON
(``sigs.k8s.io/yaml``, ``convertToJSONableObject``). This module does both steps. ``tests/yaml/yaml_table.json`` contains the
results of the Go code. This module does no I/O.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_LONGEST_INT64: Final = 18  # any number with this many decimal digits fits into an int64
_INT64: Final = range(-(2**63), 2**63)
_UINT64: Final = range(2**64)
_EXACT_FLOAT: Final = 2.0**53  # below this limit, every integral float is exact

PREFIX: Final = "tag:yaml.org,2002:"
MERGE_TAG: Final = PREFIX + "merge"


class ScalarError(ValueError):
    """A scalar that Kubernetes rejects. The caller adds the position to the message."""


def _spellings(word: str) -> tuple[str, str, str]:
    """Other spellings, such as ``yEs``, are strings."""
    return word, word.title(), word.upper()


BOOLEANS: Final = {spelling: True for word in ("y", "yes", "true", "on") for spelling in _spellings(word)} | {
    spelling: False for word in ("n", "no", "false", "off") for spelling in _spellings(word)
}
"""The words that YAML 1.1 reads as booleans. Kubernetes (go-yaml v2, ``resolve.go``) reads YAML 1.1."""
NULLS: Final = frozenset(("~", *_spellings("null")))
_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    **dict.fromkeys(NULLS),
    **BOOLEANS,
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
"""The words that ``resolve.go`` reads as other values."""
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)").fullmatch
_LAST_OF_NUMBER: Final = frozenset("0123456789abcdefABCDEF._")
"""The last characters that a number can have. Most other texts, such as ``2Gi`` and MAC addresses, need no pattern then."""
# compiled at their first use, because most runs need none
_PREFIXED: Final = r"([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))"
_BINARY_SIGNED: Final = r"0b([-+][01]+)"  # the second attempt of go-yaml reads 0b-1 as -1
_FLOAT: Final = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_POINT: Final = r"\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?"
_BASE64: Final = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


def _word(text: str) -> Scalar:
    return _WORDS.get(text, text)


def _finite_or_text(text: str, number: str) -> Scalar:
    """
    Returns the number, or ``text`` if the number overflows. Go's ParseFloat rejects such a number, and go-yaml keeps the
    string.
    """
    value = float(number)
    return text if math.isinf(value) else value


def _point(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    return _finite_or_text(text, text) if re.fullmatch(_POINT, text) else text


def _number(text: str) -> Scalar:
    """
    Returns the number that Go reads, or ``text``. Go tries ParseInt and ParseUint with base 0, then ParseFloat
    (``resolve.go``).
    """
    if len(text) <= _LONGEST_INT64 and _DECIMAL(text):
        return int(text)
    if text in _WORDS:
        return _WORDS[text]
    if text[-1] not in _LAST_OF_NUMBER or ":" in text:
        return text
    digits = text.replace("_", "")
    value = _whole(digits)
    if value is not None and (value in _INT64 or (value in _UINT64 and digits[0] != "+")):
        return value
    if re.fullmatch(_FLOAT, digits):
        return _finite_or_text(text, digits)
    signed = re.fullmatch(_BINARY_SIGNED, digits)
    if signed and (value := int(signed[1], 2)) in _INT64:
        return value
    return text


def _whole(digits: str) -> int | None:
    """Returns the integer that Go reads with base 0, or None if the text is not an integer or is far beyond 64 bits."""
    if len(digits) > 70:  # without leading zeros, the longest integer that fits is 0b with 64 digits
        digits = re.sub(r"^([-+]?0[xXbBoO]?)0+(?=.)", r"\1", digits)
        if len(digits) > 70:
            return None
    if _DECIMAL(digits):
        return int(digits)
    match = re.fullmatch(_PREFIXED, digits)
    if match is None:
        return None
    sign, hexadecimal, binary, octal = match.groups()
    if hexadecimal:
        return int(sign + hexadecimal, 16)
    return int(sign + binary, 2) if binary else int(sign + octal, 8)


_BY_START: Final[dict[str, Callable[[str], Scalar]]] = {
    "": _word,
    ".": _point,
    **dict.fromkeys("+-0123456789", _number),
    **dict.fromkeys("yYnNtTfFoO~", _word),
}


def plain(text: str) -> Scalar:
    """
    Returns the value that go-yaml reads from an unquoted scalar without a tag. Numbers are ints up to 2**64-1, or floats, which
    can be infinite.
    """
    resolve = _BY_START.get(text[:1])
    return text if resolve is None else resolve(text)


def _binary(text: str) -> str:
    import base64  # noqa: PLC0415 - few texts have this tag

    packed = text.replace("\n", "").replace("\r", "")
    if not re.fullmatch(_BASE64, packed):
        raise ScalarError("value tagged !!binary is not base64")
    decoded = base64.b64decode(packed).decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", "\ufffd", decoded)  # Go's JSON encoder writes U+FFFD for each invalid byte


_TAGS: Final[dict[str, tuple[type, str]]] = {
    PREFIX + "null": (type(None), "null"),
    PREFIX + "bool": (bool, "a boolean"),
    PREFIX + "int": (int, "an integer"),
    PREFIX + "float": (float, "a number"),
}
"""The types of plain scalars with a tag."""


def tagged(tag: str, text: str) -> Scalar:
    """
    Returns the value of a scalar with a tag. Raises ``ScalarError`` if tag and text do not match, and ``KeyError`` for an
    unknown tag.
    """
    if tag in ("!", PREFIX + "str"):
        return text
    if tag == PREFIX + "binary":
        return _binary(text)
    (expected, name), value = _TAGS[tag], plain(text)
    if expected is float and value.__class__ is int and value in _INT64:
        return float(value)
    if value.__class__ is not expected:
        raise ScalarError(f"value tagged {tag.replace(PREFIX, '!!')} is not {name}")
    return value


def json_number(value: float) -> int | float:
    """
    Returns the number after Go has encoded it as JSON and the API server has read it. For example, 49152.0 becomes 49152.

    An integer beyond 64 bits becomes a float. Infinity and NaN raise ``ScalarError``.
    """
    if isinstance(value, int):
        return value if value in _INT64 else float(value)
    if not math.isfinite(value):
        raise ScalarError("infinity or NaN, which JSON does not allow")
    if not value.is_integer():
        return value
    # Go prints the shortest digits and pads with zeros, so 2**60 as a float becomes 1152921504606847000.
    whole = int(value) if abs(value) < _EXACT_FLOAT else int(Decimal(repr(value)))
    return whole if abs(value) < 1e21 and whole in _INT64 else value


def json_value(value: Scalar) -> Scalar:
    """Returns a scalar after Go has encoded it as JSON. Raises ``ScalarError`` as ``json_number`` does."""
    return value if value is None or isinstance(value, bool | str) else json_number(value)


def json_plain(text: str) -> Scalar:
    """Returns ``json_value(plain(text))``. Most texts are strings."""
    resolve = _BY_START.get(text[:1])
    return text if resolve is None else json_value(resolve(text))


def key(value: Scalar) -> str:
    """Returns a scalar as a mapping key in JSON (``convertToJSONableObject``). Raises ``ScalarError`` for null and for uint64."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ScalarError("null as a key")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_key(value)
    if value not in _INT64:
        raise ScalarError(f"integer key {value} is outside the int64 range")
    return str(value)


def _float_key(value: float) -> str:
    """
    Implements Go's ``FormatFloat(value, 'g', -1, 32)``, which returns the fewest digits that identify the single-precision
    number.
    """
    single = _single(value)
    if math.isnan(single):
        return ".nan"
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    for decimals in range(9):
        shortest = f"{single:.{decimals}e}"
        if _single(float(shortest)) == single:
            break
    exponent = int(shortest.partition("e")[2])
    return f"{single:.{max(decimals - exponent, 0)}f}" if -4 <= exponent < 6 else shortest


def _single(value: float) -> float:
    import struct  # noqa: PLC0415 - few keys are floats

    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)
