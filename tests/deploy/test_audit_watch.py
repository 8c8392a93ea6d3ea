"""``audit --watch``, as the chart installs it. test_parity compares it with kustomize."""

from typing import Any

import pytest

from tests.deploy.charts import refusal, template
from tests.deploy.granted import rights_of_account
from tests.deploy.manifests import Manifest, find, of_kind
from webhook.objects.fleet_kinds import DRAIN_KINDS
from webhook.objects.kinds import KINDS

pytestmark = pytest.mark.helm

WATCH = "migratable-audit-watch"
FACTS = {f"{verb} {kind.group}/{kind.plural}" for verb in ("list", "watch") for kind in KINDS}
NODES = {f"list {kind.group}/{kind.plural}" for kind in DRAIN_KINDS} - FACTS
REPORTS = {
    f"{verb} {resource}"
    for verb in ("list", "create", "patch", "delete")
    for resource in (
        "openreports.io/reports",
        "openreports.io/clusterreports",
        "wgpolicyk8s.io/policyreports",
        "wgpolicyk8s.io/clusterpolicyreports",
    )
}
LEASE = {f"{verb} coordination.k8s.io/leases/{WATCH}" for verb in ("get", "update")}


def installed(watch: dict[str, Any] | None = None, **audit: Any) -> tuple[Manifest, ...]:
    """The objects of the chart with the watch enabled."""
    return template({"audit": {"watch": {"enabled": True} | (watch or {}), **audit}})


def pod_of(objects: tuple[Manifest, ...]) -> Manifest:
    pod: Manifest = find(objects, "Deployment", WATCH)["spec"]["template"]["spec"]
    return pod


def args_of(objects: tuple[Manifest, ...]) -> list[str]:
    args: list[str] = pod_of(objects)["containers"][0]["args"]
    return args


def test_the_account_follows_what_the_audit_reads_and_writes_reports_and_one_lease() -> None:
    """
    No Secret and no ConfigMap. Pods can be read, because the drain of each node is rehearsed.
    """
    granted = rights_of_account(installed(), WATCH)

    assert granted == {"": FACTS | NODES | REPORTS, "migratable": LEASE}
    assert "list /pods" in granted[""]
    assert [right for rights in granted.values() for right in rights if "secret" in right or "configmap" in right] == []


def test_without_reports_the_account_has_no_right_to_write() -> None:
    """
    There is no Lease either, because no replica writes.
    """
    objects = installed(reports="none")

    assert rights_of_account(objects, WATCH) == {"": FACTS | NODES}
    assert [lease["metadata"]["name"] for lease in of_kind(objects, "Lease")] == ["migratable-rotator"]
    assert [arg for arg in args_of(objects) if arg.startswith("--lease")] == []


def test_without_node_rehearsals_the_account_cannot_read_pods() -> None:
    """
    Nor the other kinds that only a drain depends on.
    """
    objects = installed({"drainMinutes": 0})

    granted = set().union(*rights_of_account(objects, WATCH).values())
    assert granted & NODES == set()
    assert "--drain-minutes=0" in args_of(objects)


def test_the_watch_of_some_namespaces_is_refused() -> None:
    """
    A watch in each namespace would multiply the load on the API server.
    """
    said = refusal({"audit": {"namespaces": ["team-a"], "watch": {"enabled": True}}})

    assert "audit.namespaces is set, and audit.watch.enabled is true. The watch needs rights in all namespaces." in said
    assert "use the CronJob (audit.enabled)" in said


def test_only_the_watch_writes_if_both_are_installed() -> None:
    """
    The CronJob gets no right to write.
    """
    objects = template({"audit": {"enabled": True, "watch": {"enabled": True}}})

    job = find(objects, "CronJob", "migratable-audit")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    verbs = {right.partition(" ")[0] for right in rights_of_account(objects, "migratable-audit")[""]}
    assert verbs == {"list"}
    assert "--reports=none" in job["containers"][0]["args"]
    assert "--reports=auto" in args_of(objects)


def test_the_server_gets_no_right() -> None:
    """
    Each Deployment has an account of its own.
    """
    objects = installed()

    accounts = {
        deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"]["serviceAccountName"]
        for deployment in of_kind(objects, "Deployment")
    }
    assert rights_of_account(objects, "migratable") == rights_of_account(template({}), "migratable")
    assert accounts == {name: name for name in ("migratable", "migratable-rotator", WATCH)}


def test_pods_of_the_watch_have_restricted_rights() -> None:
    """
    The same as those of the server.
    """
    pod, objects = pod_of(installed()), template({})
    server = find(objects, "Deployment", "migratable")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"] == server["securityContext"]
    assert container["securityContext"] == server["containers"][0]["securityContext"]
    assert list(container["resources"]["limits"]) == ["memory"]
    assert pod["automountServiceAccountToken"] is False
    assert {volume["name"] for volume in pod["volumes"]} == {"policy", "token", "tmp"}


def test_metrics_are_the_only_way_in() -> None:
    """
    The NetworkPolicy, the Service and the ServiceMonitor lead to the one port.
    """
    objects = template({"audit": {"watch": {"enabled": True}}, "monitoring": {"serviceMonitor": {"enabled": True}}})

    (container,) = pod_of(objects)["containers"]
    (ingress,) = find(objects, "NetworkPolicy", WATCH)["spec"]["ingress"]
    (port,) = find(objects, "Service", WATCH)["spec"]["ports"]
    monitor = find(objects, "ServiceMonitor", WATCH)["spec"]
    labels = find(objects, "Service", WATCH)["metadata"]["labels"]
    assert container["ports"] == [{"name": "metrics", "containerPort": 8080}]
    assert ingress["from"] == [{"namespaceSelector": {"matchLabels": {"migratable/metrics-access": "true"}}}]
    assert [allowed["port"] for allowed in ingress["ports"]] == [8080]
    assert (port["port"], port["targetPort"]) == (8080, "metrics")
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert [(endpoint["port"], endpoint["path"]) for endpoint in monitor["endpoints"]] == [(port["name"], "/metrics")]


def test_settings_of_the_watch_reach_its_command_line() -> None:
    """
    Also those that both commands share.
    """
    objects = installed({"replicas": 2, "drainMinutes": 30}, writesPerSecond=5, reports="openreports", release="1.9")

    assert find(objects, "Deployment", WATCH)["spec"]["replicas"] == 2
    assert {
        "--watch",
        "--drain-minutes=30",
        "--writes-per-second=5",
        "--reports=openreports",
        "--release=1.9",
        f"--lease=$(POD_NAMESPACE)/{WATCH}",
    } <= {*args_of(objects)}


@pytest.mark.parametrize("values", [{"replicas": 0}, {"drainMinutes": -1}, {"shards": 2}])
def test_values_of_the_watch_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    """
    Before the installation.
    """
    assert "values don't meet the specifications" in refusal({"audit": {"watch": values}})
