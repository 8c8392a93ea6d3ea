"""One second of stress for each target. `python -m tests.races` runs for ten minutes."""

from collections.abc import Callable

import pytest

from tests.conftest import FIGURE
from tests.races import STRESSES

SECONDS, SEED = 1.0, 30


@pytest.mark.parametrize("what", STRESSES)
def test_invariants_hold_under_stress(what: str, record_property: Callable[[str, object], None]) -> None:
    """
    R30: frequent thread switches, faulty servers and impatient callers violate no invariant.
    """
    run = STRESSES[what](SECONDS, SEED)

    record_property(FIGURE, f"R30: {what}: {sum(run.rounds.values()):,} rounds, {len(run.problems)} violations")
    assert run.problems == []
    assert sum(run.rounds.values()) > 0
