"""The bounds of a range of ports that includes a reserved port (LM103)."""

from typing import Any

import pytest

from tests.kubevirt.building import vmi
from tests.surfaces.admission.reviews import decided, review
from webhook.rules.network.migration_ports_listed import RULE


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (49000, 49151, ""),
        (49000, 49152, "including 49152,"),
        (49152, 49152, "including 49152,"),
        (49000, 49153, "including 49152 and 49153,"),
        (49153, 49153, "including 49153,"),
        (49153, 50000, "including 49153,"),
        (49154, 50000, ""),
        (49153, 49152, ""),
    ],
)
def test_a_range_includes_its_first_and_last_port(start: int, end: int, expected: str) -> None:
    """
    A range that ends before it starts includes no port.
    """
    manifest: Any = vmi(
        f"{{interfaces: [{{name: a, masquerade: {{}}, portRanges: [{{start: {start}, end: {end}}}]}}]}}"
    )

    decisions = decided(review("CREATE", manifest)).decisions
    messages = [decision.finding.message for decision in decisions if decision.finding.rule is RULE]

    assert len(messages) == bool(expected)
    assert expected in "".join(messages)
