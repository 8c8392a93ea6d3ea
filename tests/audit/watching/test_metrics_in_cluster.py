"""Prometheus scrapes a watch of a real cluster."""

from collections.abc import Iterator

import pytest

from tests.apiserver import crds
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape
from tests.apiserver.controlplane import ControlPlane
from tests.audit.watching.processes import Watching, watching
from tests.deploy.prometheus import Prometheus, scraping
from tests.deploy.test_audit_monitoring import ALERTS, JOB, PANELS, assert_promtool_accepts
from tests.deploy.test_monitoring import EXPRESSIONS
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.prometheus]

SHAPE = Shape(60, namespaces=6)
NOT_REPORTED = "the process has no --reports, so it writes none"
EMPTY_PANELS = {"Writes of reports A": NOT_REPORTED}
QUIET = {
    "MigratableAuditDown": "the audit runs",
    "MigratableAuditStale": "the audit is current",
    "MigratableVerdictDisagrees": "KubeVirt's conditions and the verdicts are equal",
    "MigratableVMsNotMigratable": "compares with a value of the day before",
    "MigratableNodeDrainUnknown": "the account may read everything",
    "MigratableReportsNotWritten": NOT_REPORTED,
    "MigratableAuditIncomplete": "the account may read everything",
}


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A cluster with VMs that cannot be live-migrated, on nodes. Its VMIs have no launchers."""
    with ControlPlane(crds=crds.OWN) as running:
        load(running, SHAPE)
        yield running


@pytest.fixture(scope="module")
def watch(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """A process that watches the cluster, and has rehearsed the drain of its nodes."""
    folder = tmp_path_factory.mktemp("metrics")
    with watching(plane.client.kubeconfig(), folder, "--drain-minutes=60") as process:
        process.wait_ready()
        rehearsed = "migratable_node_drain_timestamp_seconds"
        wait_until(lambda: process.metric(rehearsed) > 0, PATIENCE_SECONDS, "the first rehearsal")
        yield process


@pytest.fixture(scope="module")
def prometheus(watch: Watching) -> Iterator[Prometheus]:
    with scraping(JOB, watch.port, honor_labels=True) as running:
        running.wait_for(f'count_over_time(up{{job="{JOB}"}}[1m]) > 2')
        yield running


def test_the_vms_are_counted(prometheus: Prometheus) -> None:
    """
    As many VMs as there are, and those that violate a check cannot be live-migrated.
    """
    counts = {labels["verdict"]: number for labels, number in prometheus.query("sum by (verdict) (migratable_vms)")}

    assert sum(counts.values()) == SHAPE.vms
    assert counts["not-migratable"] > 0


def test_the_nodes_with_these_vms_cannot_be_drained(prometheus: Prometheus) -> None:
    """
    As ``migratable drain --all`` says.
    """
    assert prometheus.query('migratable_node_drain{outcome="blocks"} == 1')


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel[0])
def test_every_panel_shows_a_value(prometheus: Prometheus, panel: tuple[str, str]) -> None:
    """
    Or a reason for none.
    """
    title, expression = panel
    found = prometheus.query(expression.replace("$__rate_interval", "1m"))

    assert bool(found) is (title not in EMPTY_PANELS)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_result_or_a_reason_for_none(prometheus: Prometheus, rule: dict[str, str]) -> None:
    """
    A node that blocks, and conditions that differ.
    """
    assert bool(prometheus.query(rule["expr"])) is (rule["alert"] not in QUIET)


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS)
def test_no_alert_or_panel_of_the_webhook_shows_the_audit(prometheus: Prometheus, name: str, expression: str) -> None:
    """
    Both are scraped into one Prometheus. An absent webhook is down.
    """
    found = prometheus.query(expression.replace("$__rate_interval", "1m"))

    is_zero = [number for _, number in found] == [0] and "vector(0)" in expression
    assert not found or is_zero or name == "MigratableDown"


def test_promtool_finds_no_fault_in_the_metrics(watch: Watching) -> None:
    """
    Of the whole process.
    """
    assert not assert_promtool_accepts("check", "metrics", stdin=watch.get("/metrics")[1])


def test_no_name_of_a_vm_is_in_the_metrics(watch: Watching) -> None:
    """
    Labels name namespaces and nodes.
    """
    assert "vm-0" not in watch.get("/metrics")[1]
