"""Quantities are read as Kubernetes reads them; the table comes from its own code (k8s.io/apimachinery v0.34.2)."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.kubevirt.settings.budget import mebibytes_per_second
from webhook.objects.quantity import MAX_LENGTH, NANO, Quantity, accepts, parse_quantity

TABLE: list[list[Any]] = json.loads((Path(__file__).parents[1] / "data" / "quantities.json").read_text())
"""Text; the amount, or null where ``ParseQuantity`` refuses it; ``Value()``; ``ScaledValue(Giga)``; MiB/s as KubeVirt's
``QuantityToMebiByte`` counts it after the quantity went through JSON once, null where that is an error."""
REFUSED = [row[0] for row in TABLE if row[1] is None]
TAKEN = [row for row in TABLE if row[1] is not None]


def read(text: object) -> Quantity:
    quantity = parse_quantity(text)
    assert quantity is not None
    return quantity


@pytest.mark.parametrize("row", TAKEN, ids=lambda row: repr(row[0]))
def test_an_amount_is_read_as_kubernetes_reads_it(row: list[Any]) -> None:
    """
    The amount to a billionth, whole units, whole GB, and KubeVirt's MiB per second.
    """
    text, amount, value, gigabytes, mebibytes = row

    quantity = read(text)

    assert Fraction(quantity.nano, NANO) == Fraction(amount)
    if 0 <= quantity.nano < 2**62 * NANO:  # beyond, Go's own conversions wrap around
        assert (quantity.value, quantity.scaled(10**9)) == (value, gigabytes)
        assert mebibytes is None or mebibytes_per_second(quantity) == mebibytes


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_text_that_kubernetes_refuses_is_not_a_quantity(text: str) -> None:
    """
    Spaces, capitals, underscores, digits of other scripts, words, and common but invalid suffixes.
    """
    assert parse_quantity(text) is None


def test_the_table_has_quantities_that_the_python_client_misreads() -> None:
    """
    The differences between the Python client's reader and Kubernetes are among the rows.
    """
    accepted_by_the_client = {"1K", "1e3Ki", " 1", "1 ", "1_000", "NaN", "Infinity", "\uff11"}

    assert accepted_by_the_client <= set(REFUSED)
    assert {"64MB", "64 Mi", "64MiB", "64Mi/s", ""} <= set(REFUSED)
    assert read("Mi").nano == 0
    assert read("0.1n").nano == 1


@pytest.mark.parametrize(("number", "text"), [(64, "64"), (0, "0"), (-5, "-5"), (1.5, "1.5"), (1e21, "1e+21")])
def test_a_json_number_is_its_text(number: float, text: str) -> None:
    """
    The API server reads a number in a quantity's place by its digits.
    """
    assert parse_quantity(number) == parse_quantity(text)


class Five:
    """No JSON value."""

    def __repr__(self) -> str:
        return "5"


@pytest.mark.parametrize(
    "value", [None, True, False, [], {}, Five(), "1" * (MAX_LENGTH + 1), float("nan"), float("inf")]
)
def test_only_text_and_numbers_are_quantities(value: object) -> None:
    """
    true is not 1, and an amount of hundreds of digits is no quantity.
    """
    assert parse_quantity(value) is None


SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@given(st.integers(0, 10**6), st.sampled_from(sorted(SUFFIXES)), st.sampled_from(("", "+", "-")), st.integers(0, 5))
def test_a_whole_number_is_scaled_by_its_suffix(number: int, suffix: str, sign: str, zeros: int) -> None:
    """
    Signs and leading zeros change nothing else, and the suffix is kept for messages.
    """
    quantity = read(f"{sign}{'0' * zeros}{number}{suffix}")

    assert quantity.nano == (-1 if sign == "-" else 1) * number * SUFFIXES[suffix] * NANO
    assert quantity.suffix == suffix


@given(st.integers(0, 10**9), st.integers(0, 9), st.sampled_from(sorted(SUFFIXES)))
def test_rounding_goes_up_by_less_than_one(number: int, decimals: int, suffix: str) -> None:
    """
    Whole units and whole GB are the smallest ones that hold the amount; the floor is the largest below it.
    """
    digits = str(number).zfill(decimals + 1)
    text = f"{digits[: len(digits) - decimals]}.{digits[len(digits) - decimals :]}{suffix}"
    quantity = read(text)
    amount = Fraction(quantity.nano, NANO)

    assert quantity.value - 1 < amount <= quantity.value
    assert quantity.floor <= amount < quantity.floor + 1
    assert (quantity.scaled(10**9) - 1) * 10**9 < amount <= quantity.scaled(10**9) * 10**9


@given(st.text(alphabet="0123456789.+-eEinumkKMGTP \u0661", max_size=12))
def test_no_text_raises(text: str) -> None:
    """
    Every text is a quantity or none; a plus in front of a quantity changes nothing.
    """
    quantity = parse_quantity(text)

    if quantity is not None and not text.startswith(("+", "-")):
        assert parse_quantity(f"+{text}") == quantity


@pytest.mark.parametrize("row", TABLE, ids=lambda row: repr(row[0]))
def test_a_field_takes_no_text_that_kubernetes_does_not_read(row: list[Any]) -> None:
    """
    It accepts all text that Kubernetes reads and that has a digit, as the pattern of the CRDs requires.
    """
    text = row[0]

    assert accepts(text) is (row[1] is not None and any(character.isdigit() for character in text))


@pytest.mark.parametrize(
    "value", [0, -1, 2**63 - 1, -(2**63), -(2.0**63), 2.0, 2e3, "${MEMORY}", "{{ memory }}", "1" * 300, None, True]
)
def test_a_field_accepts_whole_numbers_and_placeholders(value: object) -> None:
    """
    Other types and very long values are not judged.
    """
    assert accepts(value)


@pytest.mark.parametrize(
    "value", [0.5, 2**63, -(2**63) - 1, 2.0**63, -1e19, 1e19, "", "2GB", "2 Gi", "1e3.5", "\u0662Gi", "2Gi\n", "Gi"]
)
def test_a_field_takes_no_other_numbers_and_texts(value: object) -> None:
    """
    Fractions as numbers, more than 64 bits, and text that is nearly a quantity.
    """
    assert not accepts(value)


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("1e4294967297", 10 * NANO),
        ("1e-4294967297", NANO // 10),
        ("1e2147483647", 10**400 * NANO),
        ("1e2147483648", 1),
        ("1e9223372036854775807", NANO // 10),
        ("1e-9223372036854775808", NANO),
        ("1e9223372036854775808", None),
        ("1e-9223372036854775809", None),
        ("1e400", 10**400 * NANO),
        ("1e401", 10**400 * NANO),
        ("1e399", 10**399 * NANO),
        ("3e-400", 1),
        ("0e400", 0),
    ],
)
def test_an_exponent_has_64_bits_of_which_32_count(text: str, nano: int | None) -> None:
    """
    ParseQuantity reads the exponent as int64 and keeps the lower 32 bits; beyond 400 all amounts are alike here.
    """
    quantity = parse_quantity(text)

    assert (None if quantity is None else quantity.nano) == nano


@pytest.mark.parametrize(
    ("text", "value", "floor"),
    [("-1.5", -2, -1), ("-1", -1, -1), ("-1n", -1, 0), ("0", 0, 0), ("1n", 1, 0), ("1.5", 2, 1)],
)
def test_a_negative_amount_is_rounded_as_a_positive_one(text: str, value: int, floor: int) -> None:
    """
    Value rounds away from zero, the floor towards zero, on either side of it.
    """
    quantity = read(text)

    assert (quantity.value, quantity.floor) == (value, floor)


@pytest.mark.parametrize(
    ("text", "is_read"),
    [("Ti", True), ("Pi", False), ("Ei", False), (".Mi", True), ("e-9", True), ("e-10", False), ("e5", True)],
)
def test_a_suffix_alone_is_zero_on_gos_fast_path(text: str, is_read: bool) -> None:
    """
    Without a digit the amount is 0 while the suffix leaves the fast path enough precision, else it is refused.
    """
    assert (parse_quantity(text) is not None) is is_read


@pytest.mark.parametrize("text", ["8Ei", "9223372036854775808", "10E"])
def test_a_binary_amount_stops_at_the_largest_of_64_bits(text: str) -> None:
    """
    A power of two is capped at the largest int64, a decimal amount is not.
    """
    largest = 2**63 - 1

    assert (read(text).value == largest) is text.endswith("i")


@pytest.mark.parametrize(("length", "is_read"), [(MAX_LENGTH, True), (MAX_LENGTH + 1, False)])
def test_a_text_is_read_up_to_its_longest(length: int, is_read: bool) -> None:
    """
    256 characters are read, one more is not.
    """
    assert (parse_quantity("0" * (length - 1) + "1") is not None) is is_read


@pytest.mark.parametrize(("length", "is_taken"), [(MAX_LENGTH, False), (MAX_LENGTH + 1, True)])
def test_a_field_accepts_text_that_is_too_long_to_parse(length: int, is_taken: bool) -> None:
    """
    An exponent of more than 64 bits is refused while the text is short enough to be read.
    """
    assert accepts("1e" + "9" * (length - 2)) is is_taken


@pytest.mark.parametrize(("text", "value"), [("1e-9", 1), ("1.5", 2), ("15e-10", 1), ("0.0000000001", 1)])
def test_billionths_are_kept_and_less_is_rounded_up(text: str, value: int) -> None:
    """
    Whole units are rounded up, too.
    """
    assert read(text).value == value
