"""`make test-fast` runs few examples of each property."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import conftest


def property_with(examples: int) -> Any:
    """A property that asks for some examples."""

    @settings(max_examples=examples)
    @given(st.none())
    def holds(_: None) -> None:
        """Always."""

    return holds


@pytest.mark.parametrize(("limit", "own", "expected"), [(10, 2000, 10), (10, 5, 5), (0, 2000, 2000)])
def test_the_limit_lowers_the_number_of_examples(
    monkeypatch: pytest.MonkeyPatch, limit: int, own: int, expected: int
) -> None:
    """
    A property with fewer examples keeps its number, and so does every property in `make test`.
    """
    monkeypatch.setattr(conftest, "MAX_EXAMPLES", limit)
    test = property_with(own)

    conftest.pytest_collection_modifyitems([SimpleNamespace(obj=test), SimpleNamespace(obj=print)])  # type: ignore[list-item]

    assert test._hypothesis_internal_use_settings.max_examples == expected
