"""The annotations with which a pod selects networks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.cni.network_selection import Selection, selections


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lan", (Selection("", "lan"),)),
        ("tenant/lan@net1, b", (Selection("tenant", "lan"), Selection("", "b"))),
        ("", ()),
        (" , ", ()),
        ('[{"name": "lan"}]', (Selection("", "lan"),)),
        (
            '[{"name": "lan", "namespace": "tenant", "ips": ["10.9.0.5/24", 3], "ipam-claim-reference": "c"}]',
            (Selection("tenant", "lan", ("10.9.0.5/24",), "c"),),
        ),
        ('[{"name": 5, "ips": "10.9.0.5"}, 7]', (Selection("", ""),)),
        ('{"name": "lan"}', ()),
        ('[{"name": "lan"', ()),
        ('"lan"', ()),
    ],
)
def test_a_selection_is_a_list_in_json_or_names_with_commas(text: str, expected: tuple[Selection, ...]) -> None:
    """
    Multus decides by the characters of JSON. It cannot read an object, or a JSON text that ends early.
    """
    assert selections(text) == expected


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    """
    Tenants write the annotation.
    """
    assert all(isinstance(selected, Selection) for selected in selections(text))
    selections("[" * 2000 + text)
