"""A watch whose account may read nothing."""

import pytest

from tests.cluster.fake_apiserver import FakeTransport, answer
from tests.cluster.test_refusals import QUICK, lines
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.audit.watching.cluster import WatchedCluster
from webhook.check.check import Settings


def test_the_log_names_the_role_of_the_audit(caplog: pytest.LogCaptureFixture) -> None:
    """
    And not the role of the webhook.
    """
    cluster = WatchedCluster(Settings, pace=QUICK)
    cluster.facts.start(transport=FakeTransport(lambda *_: answer({}, 403)))
    try:
        wait_until(lambda: lines(caplog), PATIENCE_SECONDS, "the line")
    finally:
        cluster.facts.stop()

    assert "ClusterRole migratable-audit-watch of deploy/kustomize/components/audit-watch/" in lines(caplog)[0]
