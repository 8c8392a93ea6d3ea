"""The Grafana dashboard, as data: what a page of graphs needs beyond its queries is the same for each of them."""

import json
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

WIDTH: Final = 24
"""Columns of a dashboard."""
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph or number: queries with the legend of their lines."""

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
    Panel("Replicas that answer", "Two are the least.", ((f"count({UP} == 1)", ""),), kind="stat", width=6, height=4),
    Panel(
        "Certificate ends in",
        "Renewed when a third of its life is left.",
        (("min(migratable_certificate_not_after_seconds) - time()", ""),),
        unit="s",
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Refused, last day",
        "Requests that were denied.",
        (('sum(increase(migratable_reviews_total{outcome="denied"}[1d]))', ""),),
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Past us, last day",
        "Requests that the API server let through without an answer of ours.",
        (('sum(increase(apiserver_admission_webhook_fail_open_count{name=~".+[.]migratable"}[1d])) or vector(0)', ""),),
        kind="stat",
        width=6,
        height=4,
    ),
    Panel(
        "Reviews by outcome",
        "Reviews a second.",
        (("sum by (door, outcome) (rate(migratable_reviews_total[$__rate_interval]))", "{{door}} {{outcome}}"),),
        unit="reqps",
    ),
    Panel(
        "Time of a review",
        "From its first byte to its answer.",
        tuple(
            (f"histogram_quantile({each}, sum by (le) ({SECONDS}))", f"p{each * 100:g}") for each in (0.5, 0.95, 0.99)
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
        "Findings that passed, and that the strict policy denies: what `enforce` would refuse.",
        (("sum by (rule) (increase(migratable_would_have_been_denied_total[1h]))", "{{rule}}"),),
    ),
    Panel(
        "Reviews by kind and operation",
        "Reviews a second.",
        (("sum by (kind, operation) (rate(migratable_reviews_total[$__rate_interval]))", "{{operation}} {{kind}}"),),
        unit="reqps",
    ),
    Panel(
        "Age of what is known",
        "Since the last list, event or bookmark of each kind; a minute and a half at most.",
        (("max by (kind) (migratable_cluster_age_seconds)", "{{kind}}"),),
        unit="s",
    ),
    Panel(
        "Objects that are known",
        "By kind, of one replica.",
        (("max by (kind) (migratable_cluster_objects)", "{{kind}}"),),
    ),
    Panel(
        "Time of live reads",
        "Before a denial that rests on other objects; 95 of 100 take no longer.",
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
        "Cut or not taken up, by listener and reason.",
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
    """The dashboard as Grafana imports it."""
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
    found: list[Json] = []
    x = y = tallest = 0
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        found.append(_drawn(panel, number) | {"gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height}})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return found


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
