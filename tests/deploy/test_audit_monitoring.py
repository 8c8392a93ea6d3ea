"""Alerts and dashboard of the audit have results in a real Prometheus that scrapes the metrics of an audit."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from tests.apiserver.binaries import find_binary
from tests.audit.clusters import audit_of, claim, running, vm
from tests.deploy.manifests import KUSTOMIZE
from tests.deploy.prometheus import Prometheus, exposed, scraping
from tests.drain.fleets import as_fleet, kubevirt, node, owned, vmi
from tests.report.test_audit_metrics import SETTINGS
from webhook.drain.rehearsal import Request, rehearse
from webhook.report.audit_metrics import Counts, Progress, render_all, render_audit
from webhook.report.audited import Audit, Audited
from webhook.report.drain.drain_json import render as as_json
from webhook.report.drain_metrics import NodeDrains, families

pytestmark = pytest.mark.prometheus

MONITORING = KUSTOMIZE / "components" / "audit-monitoring"
DASHBOARD = json.loads((MONITORING / "migratable-audit.json").read_text())
RULES = yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"]["groups"]
(ENDPOINT,) = yaml.safe_load((MONITORING / "servicemonitor.yaml").read_text())["spec"]["endpoints"]
JOB = "migratable-audit-watch"
LATER = "compares with a value of the day before"
EMPTY = {
    "MigratableAuditDown": "the audit runs",
    "MigratableAuditStale": "the audit is current",
    "MigratableVMsNotMigratable": LATER,
}
"""The alerts that do not fire in the scraped cluster. promtool tests them."""


def bad_cluster() -> Audit:
    """VMs of each verdict, a condition that differs, and a claim that is missing."""
    bad, old = vm("bad", "rwo"), vm("old", "rwx", namespace="depot")
    return audit_of(
        [
            vm("good", "rwx"),
            claim("rwx"),
            claim("rwo", mode="ReadWriteOnce"),
            claim("rwx", namespace="depot"),
            vm("lost", "absent"),
            bad,
            running(bad, LiveMigratable="True"),
            old,
            running(old, LiveMigratable="True", StorageLiveMigratable="True"),
        ]
    )


def drains() -> NodeDrains:
    """A node that moves its VM, and a node whose VM blocks."""
    objects = [node("n1"), node("n2"), node("n3"), kubevirt()]
    report = rehearse(
        as_fleet([*objects, *owned(vmi("web", "n1"), vmi("db", "n2", migratable=False))]), Request(mode="each")
    )
    read = msgspec.json.decode(as_json(report), type=NodeDrains)
    return NodeDrains(read.nodes, ("Pod: reading pods is forbidden",), ("Pod",))


def metrics() -> str:
    """The metrics of a watch that has problems of each kind."""
    progress = Progress(1e9, 1.5, 1, 2, False, {"written": 2, "deleted": 1, "failed": 3}, 4)
    return render_all(Counts([*bad_cluster().objects, Audited(SETTINGS)]), progress, families(drains(), 1e9))


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    """A Prometheus that has scraped the metrics more than once, for rates."""
    with exposed(metrics()) as port, scraping(JOB, port, honor_labels=ENDPOINT["honorLabels"]) as running_one:
        running_one.wait_for(f'count_over_time(up{{job="{JOB}"}}[1m]) > 2')
        yield running_one


PANELS: list[tuple[str, str]] = [
    (f"{panel['title']} {target['refId']}", target["expr"])
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]
ALERTS = [rule for group in RULES for rule in group["rules"]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel[0])
def test_every_panel_shows_a_value(prometheus: Prometheus, panel: tuple[str, str]) -> None:
    """
    In a cluster with problems of each kind.
    """
    assert prometheus.query(panel[1].replace("$__rate_interval", "1m"))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_result_or_a_reason_for_none(prometheus: Prometheus, rule: dict[str, str]) -> None:
    """
    ``MigratableReportsNotWritten`` fires without a leader.
    """
    found = prometheus.query(rule["expr"])

    assert bool(found) is (rule["alert"] not in EMPTY)


def test_numbers_are_those_of_the_audit(prometheus: Prometheus) -> None:
    """
    The sums over namespaces.
    """
    by_verdict = prometheus.query("sum by (verdict) (migratable_vms)")
    blocked = prometheus.query('migratable_node_drain{outcome="blocks"} == 1')

    assert {labels["verdict"]: number for labels, number in by_verdict} == {
        "migratable": 2,
        "not-migratable": 1,
        "unproven": 1,
    }
    assert [labels["node"] for labels, _ in blocked] == ["n2"]


def test_the_namespace_of_a_vm_is_not_that_of_the_audit(prometheus: Prometheus) -> None:
    """
    The ServiceMonitor honours the labels of the metrics.
    """
    found = prometheus.query("migratable_vms")

    assert {labels["namespace"] for labels, _ in found} == {"shop", "depot"}
    assert not any("exported_namespace" in labels for labels, _ in found)


def test_a_finding_of_a_cluster_scoped_object_has_no_namespace(prometheus: Prometheus) -> None:
    """
    An empty label is no label.
    """
    found = prometheus.query('migratable_findings{rule="LM302"}')

    assert [labels.get("namespace") for labels, _ in found] == [None]


def test_the_types_are_those_that_prometheus_reads(prometheus: Prometheus) -> None:
    """
    Counts that fall are gauges.
    """
    types = {name: {entry["type"] for entry in entries} for name, entries in prometheus.metadata().items()}

    assert types["migratable_vms"] == {"gauge"}
    assert types["migratable_audit_report_writes_total"] == {"counter"}


def assert_promtool_accepts(*arguments: str, stdin: str = "", folder: Path | None = None) -> str:
    """Runs promtool, and returns its output. The test fails if promtool finds a fault."""
    done = subprocess.run(
        [str(find_binary("promtool")), *arguments], input=stdin, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_finds_no_fault_in_the_metrics() -> None:
    """
    Names, units, and texts, of a watch and of one audit.
    """
    assert not assert_promtool_accepts("check", "metrics", stdin=metrics())
    assert not assert_promtool_accepts("check", "metrics", stdin=render_audit(bad_cluster(), 1e9))


def test_promtool_finds_no_fault_in_the_rules(tmp_path: Path) -> None:
    """
    And no duplicate.
    """
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": RULES}))

    assert f"{len(ALERTS)} rules found" in assert_promtool_accepts(
        "check", "rules", "--lint-fatal", "rules.yaml", folder=tmp_path
    )


def series(name: str, values: str, /, **labels: str) -> dict[str, str]:
    said = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{name}{{{said}}}", "values": values}


def drain(outcome: str, values: str, **labels: str) -> dict[str, str]:
    return series("migratable_node_drain", values, node="n1", outcome=outcome, **labels)


def refused(values: str, namespace: str = "shop", reason: str = "DisksNotLiveMigratable") -> dict[str, str]:
    return series("migratable_vms", values, namespace=namespace, verdict="not-migratable", reason=reason)


DAYS = 2 * 144
"""Two days of ten minutes each. Alerts are evaluated at their end."""
UP = series("up", f"1x{DAYS}", job=JOB)
TIME = series("migratable_audit_timestamp_seconds", f"0+600x{DAYS}")
AGE = series("migratable_audit_age_seconds", f"1x{DAYS}")
LEADER = series("migratable_audit_leader", f"1x{DAYS}", pod="a")
STANDBY = series("migratable_audit_leader", f"0x{DAYS}", pod="b")
WELL = [
    UP,
    TIME,
    AGE,
    LEADER,
    STANDBY,
    drain("moves", f"1x{DAYS}"),
    drain("blocks", f"0x{DAYS}"),
    drain("waits", f"0x{DAYS}"),
    refused(f"3x{DAYS}"),
    series("migratable_verdict_disagreements", f"0x{DAYS}", condition="LiveMigratable"),
    series("migratable_audit_report_writes_total", f"0+9x{DAYS}", result="written"),
    series("migratable_audit_report_writes_total", f"0x{DAYS}", result="failed"),
    series("migratable_audit_unread_kinds", f"0x{DAYS}"),
    series("migratable_audit_unreadable_objects", f"0x{DAYS}"),
    series("migratable_node_drain_unread", f"0x{DAYS}", kind="Pod"),
]
RUNS = [UP, TIME, AGE, LEADER]


@pytest.mark.parametrize(
    ("input_series", "alerts"),
    [
        pytest.param(WELL, {}, id="well"),
        pytest.param([], {"MigratableAuditDown": 1}, id="no audit"),
        pytest.param([UP, LEADER], {"MigratableAuditStale": 1}, id="never complete"),
        pytest.param(
            [UP, TIME, LEADER, series("migratable_audit_age_seconds", f"0+600x{DAYS}")],
            {"MigratableAuditStale": 1},
            id="old",
        ),
        pytest.param(
            [*RUNS, series("migratable_audit_age_seconds", f"0+600x{DAYS}", pod="b")], {}, id="one replica is old"
        ),
        pytest.param(
            [*RUNS, drain("blocks", f"1x{DAYS}")], {"MigratableNodeNotDrainable": 1}, id="a node blocks for two days"
        ),
        pytest.param(
            [*RUNS, drain("blocks", "0x199 1x88"), drain("waits", "1x199 0x88")],
            {"MigratableNodeNotDrainable": 1},
            id="a node waits, and then blocks",
        ),
        pytest.param([*RUNS, drain("blocks", "0x150 1x137")], {}, id="a node blocks for 23 hours"),
        pytest.param(
            [*RUNS, drain("blocks", "1x200 _x1 1x86")],
            {"MigratableNodeNotDrainable": 1},
            id="the audit restarts while a node blocks",
        ),
        pytest.param([*RUNS, drain("blocks", "1x200 0x1 1x85")], {}, id="a node was drainable for some minutes"),
        pytest.param(
            [*RUNS, drain("blocks", f"1x{DAYS}", pod="a"), drain("blocks", f"1x{DAYS}", pod="b")],
            {"MigratableNodeNotDrainable": 1},
            id="two replicas see a node that blocks",
        ),
        pytest.param(
            [*RUNS, series("migratable_node_drain_unread", f"1x{DAYS}", kind="Pod")],
            {"MigratableNodeDrainUnknown": 1},
            id="pods cannot be read",
        ),
        pytest.param(
            [*RUNS, refused("2x200 5x87")], {"MigratableVMsNotMigratable": 1}, id="more VMs than the day before"
        ),
        pytest.param([*RUNS, refused("2x100 5x187")], {}, id="more VMs since two days"),
        pytest.param([*RUNS, refused("5x200 2x87")], {}, id="fewer VMs"),
        pytest.param(
            [*RUNS, refused("_x201 1x87"), refused("_x201 1x87", "depot")],
            {"MigratableVMsNotMigratable": 2},
            id="the first VMs of two namespaces",
        ),
        pytest.param(
            [*RUNS, refused("2x200 0x87"), refused("_x201 2x87", reason="HostDeviceNotLiveMigratable")],
            {},
            id="as many VMs with another reason",
        ),
        pytest.param(
            [UP, AGE, LEADER, series("migratable_audit_timestamp_seconds", "_x201 1x87"), refused("_x201 9x87")],
            {},
            id="there was no audit the day before",
        ),
        pytest.param(
            [*RUNS, series("migratable_verdict_disagreements", f"1x{DAYS}", condition="LiveMigratable")],
            {"MigratableVerdictDisagrees": 1},
            id="a condition differs",
        ),
        pytest.param(
            [*RUNS, series("migratable_audit_report_writes_total", f"0+1x{DAYS}", result="failed")],
            {"MigratableReportsNotWritten": 1},
            id="writes fail",
        ),
        pytest.param(
            [UP, TIME, AGE, series("migratable_audit_leader", f"0x{DAYS}", pod="a"), STANDBY],
            {"MigratableReportsNotWritten": 1},
            id="no leader",
        ),
        pytest.param(
            [*RUNS, series("migratable_audit_unread_kinds", f"1x{DAYS}")],
            {"MigratableAuditIncomplete": 1},
            id="a kind cannot be read",
        ),
        pytest.param(
            [*RUNS, series("migratable_audit_unreadable_objects", f"1x{DAYS}")],
            {"MigratableAuditIncomplete": 1},
            id="an object cannot be read",
        ),
    ],
)
def test_alerts_fire_when_they_should(
    tmp_path: Path, input_series: list[dict[str, str]], alerts: dict[str, int]
) -> None:
    """
    Each alert fires in one of these clusters, and none in a good one.
    """
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": RULES}))
    test = {
        "interval": "10m",
        "input_series": input_series,
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{DAYS * 10}m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": number} for name, number in sorted(alerts.items())
                ],
            }
        ],
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "10m", "tests": [test]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document))

    assert_promtool_accepts("test", "rules", "tests.yaml", folder=tmp_path)
