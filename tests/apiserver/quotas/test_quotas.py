"""Quotas and limit ranges are enforced as the API server enforces them."""

import json

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.quotas.comparison import compare


@pytest.mark.apiserver
def test_quotas_and_limit_ranges_answer_in_the_words_of_the_api_server(control_plane: ControlPlane) -> None:
    """
    Pods and claims are created with a dry run in namespaces with generated quotas.
    """
    comparison = compare(control_plane.client, pairs=300, seed=16)

    assert json.dumps(comparison.differences) == "[]"
    assert {outcome.partition(": ")[2] for outcome in comparison.equal} >= {
        "admitted",
        "exceeded quota",
        "failed quota",
    }
