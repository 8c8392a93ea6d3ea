"""The present audit of a watched cluster, from which reports are written."""

import pytest

from tests.audit.clusters import audit_of, vm
from tests.audit.watching.watched import Watched
from webhook.audit.reports import coverage_of
from webhook.audit.watching.cluster import WatchedCluster
from webhook.objects.nad import Node
from webhook.report.audited import UnreadReport


def test_a_kind_that_the_account_may_not_read_is_named_as_in_an_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing permission is no outage, so reports with unknown results are written."""
    monkeypatch.setattr(WatchedCluster, "refused", (Node,))

    watched = Watched([vm("web")]).cluster.snapshot()

    listed = audit_of([vm("web")], forbidden={"Node"})
    assert watched.report.unread == listed.report.unread == (UnreadReport("Node"),)
    assert not coverage_of(watched).is_interrupted
