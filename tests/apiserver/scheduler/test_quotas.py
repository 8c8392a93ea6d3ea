"""Quotas and limit ranges beside a real API server. `python -m tests.apiserver.scheduler.quotas` compares more pairs."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.apiserver.scheduler.quotas import Pair, kinds, quota_bench, run
from tests.conftest import FIGURE

pytestmark = pytest.mark.apiserver
PAIRS = 400


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    with quota_bench() as opened:
        return run(opened, PAIRS, 0)


def test_the_api_server_refuses_the_same_pods_and_claims_with_the_same_text(
    pairs: list[Pair], record_property: Callable[[str, object], None]
) -> None:
    """
    An accepted pod has the same requests, limits and priority class.
    """
    equal = [pair for pair in pairs if pair.is_equal]
    record_property(FIGURE, f"quota: {len(equal)} of {len(pairs)} pairs equal to the API server's answers")

    assert [pair for pair in pairs if not pair.is_equal] == []
    assert len(pairs) >= PAIRS
    assert set(kinds(pairs)) >= {"accepted", "exceeded quota:", "failed quota:", "maximum memory", "minimum cpu"}
    assert {pair.created["kind"] for pair in pairs} == {"Pod", "PersistentVolumeClaim"}


def test_another_answer_of_the_api_server_is_a_difference(pairs: list[Pair]) -> None:
    """
    One digit in a refusal is enough, and so is a refusal of what the rehearsal accepts.
    """
    exceeded = [pair for pair in pairs if pair.server.startswith("exceeded quota")]
    others = [replace(pair, server=pair.server.replace("limited: ", "limited: 1")) for pair in exceeded]
    others += [replace(pair, server=exceeded[0].server) for pair in pairs if pair.server == "accepted"]

    assert not any(pair.is_equal for pair in others)
