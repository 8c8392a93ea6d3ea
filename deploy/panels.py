"""Renders a Grafana dashboard from a table of panels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

WIDTH: Final = 24
"""Columns of a Grafana dashboard."""
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph, number or table. Each query has a legend."""

    title: str
    description: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12
    height: int = 8


def number(title: str, description: str, query: str, *, width: int, unit: str = "short") -> Panel:
    """One number, in a row above the graphs."""
    return Panel(title, description, ((query, ""),), unit, kind="stat", width=width, height=4)


def graph(title: str, description: str, query: str, legend: str, *, unit: str = "short") -> Panel:
    """A graph of one query over time."""
    return Panel(title, description, ((query, legend),), unit)


def rendered(uid: str, title: str, panels: Sequence[Panel]) -> str:
    """The dashboard as JSON for Grafana."""
    document = {
        "uid": uid,
        "title": title,
        "tags": ["kubevirt", "migratable"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": _placed(panels),
    }
    return json.dumps(document, indent=1) + "\n"


def _placed(panels: Sequence[Panel]) -> list[Json]:
    """The panels in rows, from left to right."""
    placed: list[Json] = []
    x = y = tallest = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append(_drawn(panel, number) | {"gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height}})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return placed


def _drawn(panel: Panel, number: int) -> Json:
    extra = {"format": "table", "instant": True} if panel.kind == "table" else {}
    targets = [
        {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": query, "legendFormat": legend or "__auto"}
        | extra
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
