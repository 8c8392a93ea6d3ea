"""No input crashes a target, gets a 5xx response or a refusal without code, reason and path, or takes long."""

import os
from collections.abc import Iterator

import pytest

from tests.fuzz.doors import SHARES, Corpus, Doors

TOTAL = int(os.environ.get("MIGRATABLE_FUZZ", "20000"))


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    """All doors, on what the generators give."""
    with Doors(Corpus.gathered()) as opened:
        yield opened


@pytest.mark.parametrize("kind", SHARES)
def test_every_input_gets_a_correct_response(doors: Doors, kind: str) -> None:
    """
    20,000 inputs in all (MIGRATABLE_FUZZ says how many); `python -m tests.fuzz --only KIND SEED` repeats one.
    """
    wrong = {seed: said for seed in range(round(TOTAL * SHARES[kind])) if (said := doors.try_one(kind, seed))}

    assert wrong == {}
