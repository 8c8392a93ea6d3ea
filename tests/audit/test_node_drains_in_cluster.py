"""Rehearsals of drains with a real API server."""

import pytest

from deploy import roles
from tests.apiserver import crds
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape
from tests.apiserver.controlplane import ControlPlane
from tests.report.test_audit_metrics import samples
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.audit.node_drains import DrainProcess
from webhook.errors import Unavailable
from webhook.report.drain_metrics import NodeDrains, families
from webhook.report.metrics_text import render

RBAC = "/apis/rbac.authorization.k8s.io/v1"
AUDITOR = "auditor"


@pytest.mark.apiserver
def test_no_node_is_drainable_for_an_account_that_may_not_read_pods() -> None:
    """
    The account of the audit without ``audit.watch.drainMinutes``.
    """
    with ControlPlane(crds=crds.OWN) as plane:
        load(plane, Shape(20, namespaces=2))
        drains = drains_without_pods(plane)

    text = render(families(drains, 1.0))
    outcomes = {
        dict(labels)["outcome"]
        for (name, labels), number in samples(text).items()
        if name == "migratable_node_drain" and number
    }
    assert "not allowed to read Pods" in " ".join(drains.missing)
    assert outcomes
    assert outcomes <= {"unknown", "blocks"}


def drains_without_pods(plane: ControlPlane) -> NodeDrains:
    """The rehearsal of a user who may read the kinds of an audit."""
    rules = roles.of_namespaces(roles.READ_ONCE) + roles.of_cluster(roles.READ_ONCE)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": AUDITOR}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": AUDITOR}
    metadata = {"metadata": {"name": AUDITOR}}
    plane.client.create(f"{RBAC}/clusterroles", metadata | {"rules": rules})
    plane.client.create(f"{RBAC}/clusterrolebindings", metadata | {"roleRef": role, "subjects": [subject]})
    process = DrainProcess(["--kubeconfig", str(plane.client.kubeconfig(AUDITOR, ()))])

    drains = wait_until(lambda: nodes_of(process), PATIENCE_SECONDS, "the API server to know of the rights")
    assert drains is not None
    return drains


def nodes_of(process: DrainProcess) -> NodeDrains | None:
    """The result of a rehearsal, or None if it names no node."""
    try:
        drains = process()
    except Unavailable:
        return None
    return drains if drains.nodes else None
