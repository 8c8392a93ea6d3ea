"""Where a range of ports begins to hold a reserved one (LM103), at each of its edges."""

from typing import Any

import pytest

from tests.kubevirt.building import vmi
from tests.surfaces.admission.reviews import decided, review
from webhook.rules.network.migration_ports_listed import RULE


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (49000, 49151, ""),
        (49000, 49152, "which hold 49152,"),
        (49152, 49152, "which hold 49152,"),
        (49000, 49153, "which hold 49152 and 49153,"),
        (49153, 49153, "which hold 49153,"),
        (49153, 50000, "which hold 49153,"),
        (49154, 50000, ""),
        (49153, 49152, ""),
    ],
)
def test_a_range_holds_both_of_its_ends(start: int, end: int, expected: str) -> None:
    """
    The first and the last port of a range belong to it; a range that ends before it begins holds none.
    """
    listed: Any = vmi(f"{{interfaces: [{{name: a, masquerade: {{}}, portRanges: [{{start: {start}, end: {end}}}]}}]}}")

    said = [each.finding.message for each in decided(review("CREATE", listed)).decisions if each.finding.rule is RULE]

    assert len(said) == bool(expected)
    assert expected in "".join(said)
