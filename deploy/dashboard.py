"""The Grafana dashboard, generated from a table of panels."""

import json
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

WIDTH: Final = 24
"""Columns of a Grafana dashboard."""
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph or number. Each query has a legend."""

    title: str
    description: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12
    height: int = 8


UP: Final = 'up{job="migratable-replicas"}'
SECONDS: Final = "rate(migratable_review_seconds_bucket[$__rate_interval])"

PANELS: Final = (
    Panel(
        "Replicas that respond",
        "At least two are recommended.",
        ((f"count({UP} == 1)", ""),),
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Certificate expires in",
        "Renewal is due when a third of the lifetime is left.",
        (("min(migratable_certificate_not_after_seconds) - time()", ""),),
        unit="s",
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Denied, last day",
        "Requests that were denied.",
        (('sum(increase(migratable_reviews_total{outcome="denied"}[1d]))', ""),),
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Not checked, last day",
        "Requests that API servers admitted without a response from Migratable.",
        (('sum(increase(apiserver_admission_webhook_fail_open_count{name=~".+[.]migratable"}[1d])) or vector(0)', ""),),
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Reviews by outcome",
        "Reviews per second.",
        (("sum by (door, outcome) (rate(migratable_reviews_total[$__rate_interval]))", "{{door}} {{outcome}}"),),
        unit="reqps",
    ),
    Panel(
        "Duration of reviews",
        "From the first byte of the request to the response.",
        tuple(
            (f"histogram_quantile({quantile}, sum by (le) ({SECONDS}))", f"p{quantile * 100:g}")
            for quantile in (0.5, 0.95, 0.99)
        ),
        unit="s",
    ),
    Panel(
        "Findings by rule and action",
        "In the last hour.",
        (("topk(15, sum by (rule, action) (increase(migratable_findings_total[1h])))", "{{rule}} {{action}}"),),
    ),
    Panel(
        "Would have been denied",
        "Admitted findings that the strict policy denies.",
        (("sum by (rule) (increase(migratable_would_have_been_denied_total[1h]))", "{{rule}}"),),
    ),
    Panel(
        "Reviews by kind and operation",
        "Reviews per second.",
        (("sum by (kind, operation) (rate(migratable_reviews_total[$__rate_interval]))", "{{operation}} {{kind}}"),),
        unit="reqps",
    ),
    Panel(
        "Age of the cache",
        "Time since the last list, event or bookmark of each kind. Normally at most 90 seconds.",
        (("max by (kind) (migratable_cluster_age_seconds)", "{{kind}}"),),
        unit="s",
    ),
    Panel(
        "Objects in the cache",
        "By kind, in one replica.",
        (("max by (kind) (migratable_cluster_objects)", "{{kind}}"),),
    ),
    Panel(
        "Duration of live reads",
        "95th percentile. A denial that depends on other objects is confirmed by a live read.",
        (
            (
                (
                    "histogram_quantile(0.95, sum by (le, ended) "
                    "(rate(migratable_live_read_seconds_bucket[$__rate_interval])))"
                ),
                "{{ended}}",
            ),
        ),
        unit="s",
    ),
    Panel(
        "Connections refused",
        "Closed or not accepted, by listener and reason.",
        (
            (
                "sum by (listener, reason) (rate(migratable_connections_refused_total[$__rate_interval]))",
                "{{listener}} {{reason}}",
            ),
        ),
        unit="cps",
    ),
)


def dashboard() -> str:
    """The dashboard as JSON for Grafana."""
    document = {
        "uid": "migratable",
        "title": "Migratable",
        "tags": ["kubevirt", "migratable"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": _placed(),
    }
    return json.dumps(document, indent=1) + "\n"


def _placed() -> list[Json]:
    """The panels in rows, from left to right."""
    placed: list[Json] = []
    x = y = tallest = 0
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append(_drawn(panel, number) | {"gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height}})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return placed


def _drawn(panel: Panel, number: int) -> Json:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": query, "legendFormat": legend or "__auto"}
        for index, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": targets,
    }
