"""Metrics have labels from closed sets."""

import pytest
from prometheus_client import generate_latest

from webhook.rules.register import RULES
from webhook.serve.metrics import Metrics


def test_metrics_count_reviews_and_findings() -> None:
    """
    Reviews are counted by path, kind, operation and outcome, and findings by rule, kind and action.
    """
    metrics = Metrics()

    metrics.reviewed("validate", "VirtualMachine", "CREATE", "denied", 0.002)
    metrics.found("LM201", "VirtualMachine", "deny")
    metrics.would_deny("LM201")
    metrics.refused("admission", "deadline")

    text = generate_latest(metrics.registry).decode()
    labels = 'door="validate",kind="VirtualMachine",operation="CREATE",outcome="denied"'
    for line in (
        f"migratable_reviews_total{{{labels}}} 1.0",
        'migratable_findings_total{action="deny",kind="VirtualMachine",rule="LM201"} 1.0',
        'migratable_would_have_been_denied_total{rule="LM201"} 1.0',
        'migratable_connections_refused_total{listener="admission",reason="deadline"} 1.0',
        'migratable_review_seconds_bucket{door="validate",le="0.0025"} 1.0',
    ):
        assert line in text.splitlines()


def test_series_of_rare_events_start_at_zero() -> None:
    """
    Prometheus sees no increase in a series that begins at 1, so the series that alerts and graphs use exist at 0.
    """
    text = generate_latest(Metrics().registry).decode().splitlines()

    for kind, operation in (("VirtualMachine", "UPDATE"), ("VirtualMachinePool", "CREATE"), ("KubeVirt", "CREATE")):
        for outcome in ("denied", "internal"):
            labels = f'door="validate",kind="{kind}",operation="{operation}",outcome="{outcome}"'
            assert f"migratable_reviews_total{{{labels}}} 0.0" in text
    counted = {f'migratable_would_have_been_denied_total{{rule="{rule.id}"}} 0.0' for rule in RULES}
    assert counted <= {*text}


@pytest.mark.parametrize("operation", ["", "PATCH", "create", "x" * 1000])
def test_unknown_operations_share_one_label(operation: str) -> None:
    """
    A caller cannot create new series.
    """
    metrics = Metrics()

    metrics.reviewed("validate", "VirtualMachine", operation, "denied", 0.1)

    assert 'operation="other"' in generate_latest(metrics.registry).decode()
