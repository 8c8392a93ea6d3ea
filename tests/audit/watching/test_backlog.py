"""A change of many objects waits in a backlog, which single changes interrupt."""

from typing import Any

import pytest

from tests.audit.clusters import claim, kubevirt, rules_of, vm
from tests.audit.watching.watched import Watched, cluster, of
from webhook.audit.watching import auditor


def test_a_single_change_is_judged_before_the_rest_of_a_backlog() -> None:
    """
    The settings of the cluster change, and then a claim.
    """
    watched = cluster()
    watched.put(kubevirt(evictionStrategy="External"))
    watched.clock.now += 1000
    watched.auditor.work()
    watched.put(claim("three", "bank", "ReadWriteOnce"))

    watched.auditor.work()

    assert "LM201" in rules_of(of(watched, "c", namespace="bank"))
    assert watched.auditor.waiting


def test_a_change_that_concerns_many_objects_joins_the_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A claim of three VMs changes, and then a claim of another VM. Many is more than two here.
    """
    monkeypatch.setattr(auditor, "MANY", 2)
    watched = cluster(*(vm(name, "shared") for name in ("d", "e", "f")), claim("shared"))
    watched.put(claim("shared", mode="ReadWriteOnce"))
    watched.auditor.work()
    watched.put(claim("three", "bank", "ReadWriteOnce"))

    watched.auditor.work()

    assert "LM201" in rules_of(of(watched, "c", namespace="bank"))
    assert watched.auditor.waiting


def test_the_first_judgement_of_all_objects_ends_also_with_a_single_change() -> None:
    """
    The last object of the backlog is changed before its turn. Other objects already wait for the next run.
    """
    watched = Watched([kubevirt(), vm("a"), vm("b")])
    watched.auditor.complete = False
    watched.put(kubevirt(evictionStrategy="External"))
    watched.clock.now += 1000
    watched.auditor.work()  # the KubeVirt CR itself
    watched.auditor.work()  # VM a, the first of the backlog
    watched.put(vm("b", labels={"new": "label"}), kubevirt(evictionStrategy="LiveMigrate"))
    before = watched.auditor.complete

    watched.auditor.work()

    assert not before
    assert watched.auditor.complete
    assert watched.auditor.waiting


def test_a_backlog_pauses_as_long_as_it_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It takes at most half of one CPU. Each judgement takes 5 seconds here.
    """
    watched = cluster()
    judge = watched.auditor._units.judge

    def slow(*arguments: Any) -> Any:
        watched.clock.now += 5
        return judge(*arguments)

    monkeypatch.setattr(watched.auditor._units, "judge", slow)
    watched.clock.now += 1000
    watched.put(kubevirt(evictionStrategy="External"))
    while watched.auditor.work():
        pass
    ended = watched.clock.now
    watched.put(kubevirt(evictionStrategy="LiveMigrate"))
    watched.auditor.work()  # the KubeVirt CR itself

    watched.clock.now = ended + 14.9
    early = watched.auditor.work()
    watched.clock.now = ended + 15

    assert not early
    assert watched.auditor.age_seconds > 14
    assert watched.auditor.work()


def test_the_age_grows_until_a_change_was_judged() -> None:
    """
    It is 0 if nothing waits.
    """
    watched = cluster()
    before = watched.auditor.age_seconds
    watched.put(kubevirt(evictionStrategy="External"))
    watched.auditor.work()
    watched.clock.now += 7

    assert before == 0
    assert watched.auditor.age_seconds == 7
