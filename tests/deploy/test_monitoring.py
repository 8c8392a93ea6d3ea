"""Alerts and dashboard use metrics and labels that exist."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from tests.apiserver.binaries import find_binary
from tests.deploy.manifests import KUSTOMIZE
from webhook.serve.cache_metrics import CacheCollector
from webhook.serve.metrics import Metrics

MONITORING = KUSTOMIZE / "components" / "monitoring"
DASHBOARD = json.loads((MONITORING / "migratable.json").read_text())
RULES = yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"]["groups"][0]["rules"]
MONITOR = yaml.safe_load((MONITORING / "servicemonitor.yaml").read_text())["spec"]
SERVICE = "migratable-replicas"

# of Prometheus itself, of API servers (staging/src/k8s.io/apiserver/pkg/admission/metrics, Kubernetes v1.34), and of
# kube-state-metrics (docs/metrics/policy/validatingwebhookconfiguration-metrics.md, v2.12)
ANYWHERE = {"job", "instance"}
OTHERS = {
    "up": ANYWHERE,
    "apiserver_admission_webhook_fail_open_count": ANYWHERE | {"name", "type"},
    "apiserver_admission_webhook_rejection_count": ANYWHERE
    | {"name", "type", "operation", "error_type", "rejection_code"},
    "kube_validatingwebhookconfiguration_info": ANYWHERE | {"validatingwebhookconfiguration"},
    "kube_validatingwebhookconfiguration_metadata_resource_version": ANYWHERE | {"validatingwebhookconfiguration"},
}
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
WORDS = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
AGGREGATIONS = {"sum", "count", "min", "max", "topk"}
OPERATORS = {"le", "or", "and", "unless", "without", "offset"}


def metrics() -> dict[str, set[str]]:
    """The metrics of a server by their Prometheus name, with their labels."""
    labels_of = {name: set(labels) for name, labels in OTHERS.items()}
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            for suffix in SUFFIXES[metric._type]:
                labels_of[metric._name + suffix] = {*metric._labelnames, *ANYWHERE}
    for family in CacheCollector(list).collect():
        labels_of[family.name + SUFFIXES[family.type][0]] = {"kind", *ANYWHERE}
    return labels_of


def _expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


EXPRESSIONS = list(_expressions())


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS)
def test_expressions_use_metrics_and_labels_that_exist(name: str, expression: str) -> None:
    """
    A metric that was renamed would make a graph empty, and an alert silent.
    """
    known = metrics()
    selected = dict(re.findall(r"([a-z_]+)\{([^}]*)\}", expression))
    bare = re.sub(r"\[[^]]*\]|\{[^}]*\}|\b(?:by|on) \([^)]*\)|\b\d\w*|\w+\(", " ", expression)
    asked = (set(WORDS.findall(bare)) | selected.keys()) - AGGREGATIONS - OPERATORS
    grouped = {
        label for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in WORDS.findall(labels)
    }

    assert asked, name
    assert asked <= known.keys()
    for metric, selectors in selected.items():
        assert {selector.partition("=")[0].rstrip("!") for selector in selectors.split(",")} <= known[metric]
    assert grouped - {"le"} <= {label for metric in asked for label in known[metric]}


def test_each_replica_is_scraped_by_the_job_in_the_alerts() -> None:
    """
    Prometheus names a job after the Service.
    """
    services = yaml.safe_load_all((KUSTOMIZE / "base" / "server" / "services.yaml").read_text())
    (endpoint,) = MONITOR["endpoints"]

    with_port = [
        service["metadata"]["name"]
        for service in services
        if endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    ]

    jobs = {job for _, expression in EXPRESSIONS for job in re.findall(r'job="([^"]*)"', expression)}
    assert with_port == [SERVICE]
    assert jobs == {SERVICE}


def test_alerts_have_a_severity_a_summary_and_a_description() -> None:
    """
    Each has a severity, a summary and a description.
    """
    said = [(set(rule["annotations"]), rule["labels"]["severity"]) for rule in RULES]

    assert {frozenset(annotations) for annotations, _ in said} == {frozenset({"summary", "description"})}
    assert {severity for _, severity in said} == {"critical", "warning", "info"}


def test_panels_do_not_cover_each_other() -> None:
    """
    Each has its own place in the grid.
    """
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def series(name: str, values: str, /, **labels: str) -> dict[str, str]:
    said = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{name}{{{said}}}", "values": values}


def certificate(seconds_left: int, life: int) -> list[dict[str, str]]:
    """One that ends so long after the 80th minute, at which alerts are looked at."""
    end = 80 * 60 + seconds_left
    return [
        series("migratable_certificate_not_after_seconds", f"{end}x90", instance="a"),
        series("migratable_certificate_not_before_seconds", f"{end - life}x90", instance="a"),
    ]


DAY = 86400
UP = "up"
API_SERVER = {"job": "apiserver", "instance": "c"}
FAILED_OPEN, REFUSED = "apiserver_admission_webhook_fail_open_count", "apiserver_admission_webhook_rejection_count"
INFO = "kube_validatingwebhookconfiguration_info"
VERSION = "kube_validatingwebhookconfiguration_metadata_resource_version"
OURS = {"name": "kubevirt.validate.migratable"} | API_SERVER
FIRST = "_x75 3x15"
"""A series that is not there before the 76th minute, and begins at 3."""
WELL = [
    series(UP, "1x90", job=SERVICE, instance="a"),
    series(UP, "1x90", job=SERVICE, instance="b"),
    series(UP, "1x90", **API_SERVER),
    series(INFO, "1x90", validatingwebhookconfiguration="migratable-validate"),
    series(VERSION, "4711x90", validatingwebhookconfiguration="migratable-validate"),
    *certificate(7 * DAY, 7 * DAY),
]
BOTH = WELL[:2]


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("input_series", "alerts"),
    [
        (WELL, set()),
        ([], {"MigratableDown"}),
        ([series(UP, "0x90", job=SERVICE, instance="a"), *WELL[2:]], {"MigratableDown"}),
        (WELL[:1] + WELL[2:], {"MigratableOneReplica"}),
        ([*BOTH, *certificate(50 * 3600, 7 * DAY)], set()),
        ([*BOTH, *certificate(47 * 3600, 7 * DAY)], {"MigratableCertificateEnding"}),
        ([*BOTH, *certificate(17 * 3600, 2 * DAY)], set()),
        ([*BOTH, *certificate(13 * 3600, 2 * DAY)], {"MigratableCertificateEnding"}),
        ([*WELL, series(FAILED_OPEN, "0+5x90", **OURS)], {"MigratableBypassed"}),
        ([*WELL, series(FAILED_OPEN, FIRST, **OURS)], {"MigratableBypassed"}),
        ([*WELL, series(FAILED_OPEN, "3x90", **OURS)], set()),
        (
            [*BOTH, *(series(name, "_x75 3x15", **labels) for name, labels in ((UP, API_SERVER), (FAILED_OPEN, OURS)))],
            set(),
        ),
        ([*WELL, series(FAILED_OPEN, "0+5x90", **OURS | {"name": "other.example"})], set()),
        ([*WELL, series(REFUSED, FIRST, error_type="calling_webhook_error", **OURS)], {"MigratableUnanswered"}),
        ([*WELL, series(REFUSED, "0+5x90", error_type="calling_webhook_error", **OURS)], {"MigratableUnanswered"}),
        ([*WELL, series(REFUSED, "0+5x90", error_type="no_error", **OURS)], set()),
        (
            [*BOTH, series(INFO, "1x90", validatingwebhookconfiguration="virt-api-validator")],
            {"MigratableSwitchedOff"},
        ),
        (
            [*BOTH, series(VERSION, "4711x75 4712x15", validatingwebhookconfiguration="migratable-validate")],
            {"MigratableConfigurationChanged"},
        ),
        ([*WELL, series("migratable_certificate_stale", "0x60 1x30")], {"MigratableCertificateStale"}),
        ([*WELL, series("migratable_policy_reload_failures_total", "0+1x90")], {"MigratablePolicyRefused"}),
        (
            [*WELL, series("migratable_reviews_total", "0+1x90", door="validate", outcome="internal")],
            {"MigratableInternalError"},
        ),
        ([*WELL, series("migratable_exemptions", "1x90", state="lapsing")], {"MigratableExemptionLapses"}),
        ([*WELL, series("migratable_certificate_stale", "1x90", instance="a")], {"MigratableCertificateStale"}),
        ([*WELL, series("migratable_cluster_failing", "1x90", kind="Node")], {"MigratableFactsFailing"}),
        ([*WELL, series("migratable_cluster_age_seconds", "0+60x90", kind="Node")], {"MigratableFactsOld"}),
        (
            [
                *WELL,
                series("migratable_review_seconds_bucket", "0+60x90", le="1"),
                series("migratable_review_seconds_bucket", "0+70x90", le="2.5"),
                series("migratable_review_seconds_bucket", "0+70x90", le="+Inf"),
            ],
            {"MigratableSlow"},
        ),
    ],
)
def test_alerts_fire_when_they_should(tmp_path: Path, input_series: list[dict[str, str]], alerts: set[str]) -> None:
    """
    Prometheus itself says so: of each alert there is a cluster in which it fires, and one in which none does.
    """
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "migratable", "rules": RULES}]}))
    tests: list[dict[str, Any]] = [
        {
            "interval": "1m",
            "input_series": input_series,
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "80m",
                    "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(alerts)],
                }
            ],
        }
    ]
    (tmp_path / "tests.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests})
    )

    promtool = str(find_binary("promtool"))
    done = subprocess.run(
        [promtool, "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
