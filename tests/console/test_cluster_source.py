"""The state of a watched cluster."""

from typing import Any

import pytest

from tests.audit.clusters import Manifest, claim, kubevirt, named, running, vm
from tests.console.watching import MORNING, WatchedSource
from tests.drain.fleets import node, owned, vmi
from webhook.audit.watching.results import Results
from webhook.check.check import Settings
from webhook.cluster.fleet import list_fleet
from webhook.console.rows import is_vm, place_of, row_of
from webhook.drain.explain_vm import explain
from webhook.drain.rehearsal import Request, rehearse
from webhook.errors import BadInput
from webhook.objects.fleet_kinds import DRAIN_KINDS
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.nad import Node
from webhook.objects.vm import VirtualMachine
from webhook.policy.policy import Policy, Profile
from webhook.report.audited import UnreadReport
from webhook.report.report_objects import key_of

SHOP = named("v1", "Namespace", "shop", metadata={"labels": {"tier": "gold"}})
FLEET = (node("n1"), node("n2"), kubevirt(), *owned(vmi("vm", "n1")), *owned(vmi("other", "n2")))


def policy(name: str, **selectors: dict[str, str]) -> Manifest:
    return named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", name, spec={"selectors": selectors})


def shop(*more: Manifest) -> WatchedSource:
    """Three VMs, of which one runs and one cannot be migrated."""
    a, b = vm("a", "one"), vm("b", "two", labels={"app": "db"})
    bad = running(b, LiveMigratable="False DisksNotLiveMigratable")
    return WatchedSource(
        kubevirt(), a, b, bad, vm("c", namespace="bank"), claim("one"), claim("two", mode="ReadWriteOnce"), SHOP, *more
    )


def same_as_an_audit(cluster: WatchedSource) -> bool:
    objects = cluster.watched.fresh().objects
    rows = sorted((row_of(one) for one in objects if one.is_machine), key=place_of)
    others = sorted((one for one in objects if not is_vm(one)), key=key_of)
    return (cluster.state.vms, cluster.state.others) == (tuple(rows), tuple(others))


def test_the_rows_are_those_of_an_audit() -> None:
    """
    Rows and settings equal an audit of the same cluster, before and after changes.
    """
    cluster = shop()

    assert [(row.namespace, row.name, row.reason) for row in cluster.state.vms] == [
        ("bank", "c", ""),
        ("shop", "a", ""),
        ("shop", "b", "DisksNotLiveMigratable"),
    ]
    assert [row.is_running for row in cluster.state.vms] == [False, False, True]
    assert same_as_an_audit(cluster)

    lonely = vmi("lonely", "n1", namespace="shop")
    cluster.put(lonely, claim("one", mode="ReadWriteOnce"), vm("d")).remove(vm("c", namespace="bank"))

    assert [row.name for row in cluster.state.vms] == ["a", "b", "d", "lonely"]
    assert same_as_an_audit(cluster)
    assert same_as_an_audit(cluster.put(kubevirt(evictionStrategy="LiveMigrate")))


def test_a_change_reads_no_other_judgements(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Rows are kept by difference: 10,000 judgements are not decompressed for a change of one VM.
    """
    cluster = shop()

    def every(_self: Results) -> None:
        raise AssertionError

    monkeypatch.setattr(Results, "every", every)

    assert [row.name for row in cluster.put(vm("d")).state.vms] == ["c", "a", "b", "d"]


def test_a_vm_is_judged_with_its_vmi() -> None:
    """
    A VMI that runs an earlier form of its VirtualMachine has a judgement of its own, and no row.
    """
    before = vm("a", "one", domain={"devices": {"interfaces": [{"name": "default", "bridge": {}}]}})
    cluster = shop().put(running(vm("a", "one"), of=before, LiveMigratable="False InterfaceNotLiveMigratable"))

    kinds = {one.report.kind for one in cluster.source.judged("shop", "a")}
    assert kinds == {"VirtualMachine", "VirtualMachineInstance"}
    assert [row.name for row in cluster.state.vms] == ["c", "a", "b"]
    assert {one.report.kind for one in cluster.state.others} == {"KubeVirt"}
    assert cluster.source.judged("shop", "c") == ()

    cluster.put(vmi("lonely", "n1", namespace="shop"))
    assert [one.report.kind for one in cluster.source.judged("shop", "lonely")] == ["VirtualMachineInstance"]


def test_the_version_changes_with_the_content() -> None:
    """
    A new resourceVersion changes nothing. A finding that the list does not show is a change, and so is another policy.
    """
    cluster = shop()
    cluster.hear()
    first = cluster.state
    cluster.watched.put(vm("a", "one"))
    cluster.source.work()
    assert cluster.state is first

    versions = [first.version]
    cluster.watched.put(claim("three", mode="ReadWriteOnce"), vm("b", "three", labels={"app": "db"}))
    while cluster.source.work():
        pass
    assert (cluster.state.vms, cluster.state.judged_at) == (first.vms, first.judged_at)
    versions.append(cluster.state.version)
    cluster.settings = Settings(Policy(profile=Profile.EXACT))
    versions.append(cluster.settle().state.version)

    assert len(set(versions)) == 3
    assert cluster.state.profile == "exact"


def test_the_time_of_the_judgements_is_a_minute() -> None:
    """
    A page with the time of each second would differ at each request. The time is also that of an interrupted watch.
    """
    cluster = shop()
    cluster.began = cluster.clock.now
    cluster.hear()
    first = cluster.state
    cluster.clock.advance(59)

    assert first.judged_at == MORNING
    cluster.hear()
    assert cluster.state is first
    cluster.clock.advance(1)
    assert cluster.state is first
    cluster.hear()
    assert cluster.state.judged_at == MORNING + 60


def test_policies_follow_labels() -> None:
    """
    The labels are those of VMIs or templates, and of namespaces.
    """
    cluster = shop(
        policy("gold", namespaceSelector={"tier": "gold"}), policy("db", virtualMachineInstanceSelector={"app": "db"})
    )
    db, gold = cluster.state.policies

    assert (db.decides, gold.decides) == ((), (("shop", "a"), ("shop", "b")))

    labelled = vm("c", namespace="bank", labels={"app": "db"})
    db, gold = cluster.put(labelled).state.policies
    assert db.decides == (("bank", "c"),)

    db, gold = cluster.put(named("v1", "Namespace", "shop")).state.policies
    assert (db.decides, gold.decides) == ((("bank", "c"),), ())
    assert [one.name for one in cluster.remove(policy("gold")).state.policies] == ["db"]


def test_drains_and_details_are_those_of_the_commands() -> None:
    """
    The rehearsal is that of ``drain --all``, with the time of its objects. Details are those of ``explain``.
    """
    cluster = WatchedSource(*FLEET)
    before = cluster.state
    assert (before.drains.report, cluster.source.explained("lab", "vm")) == (None, None)

    cluster.source.rehearsals.rehearse()

    fleet = list_fleet(cluster.source._transport, DRAIN_KINDS, 60.0)
    assert cluster.state.drains.report == rehearse(fleet, Request(mode="each"))
    assert cluster.state.drains.rehearsed_at == MORNING + cluster.clock.now - cluster.began
    assert cluster.state.version != before.version
    assert cluster.source.explained("lab", "vm") == explain(fleet, "vm", "lab")
    assert cluster.source.explained("lab", "unknown") is None
    assert cluster.state.drained()["lab", "vm"][0] == "n1"


def test_a_failed_rehearsal_keeps_the_last_report() -> None:
    """
    The page shows the time of the report, and the problem.
    """
    cluster = WatchedSource(*FLEET)
    cluster.source.rehearsals.rehearse()
    known = cluster.state.drains
    cluster.clock.advance(600)
    cluster.refused = ("Pod",)
    cluster.source.rehearsals.rehearse()

    drains = cluster.state.drains
    assert (drains.report, drains.rehearsed_at) == (known.report, known.rehearsed_at)
    assert drains.problem.startswith("no Pod was read: ")

    cluster.refused = ()
    cluster.source.rehearsals.rehearse()
    assert (cluster.state.drains.problem, cluster.state.drains.report) == ("", known.report)


def test_a_rehearsal_without_the_right_to_list_pods_names_them() -> None:
    """
    The other objects are enough for a report with unknown outcomes. The list of unread kinds names the rest.
    """
    cluster = WatchedSource(*FLEET)
    cluster.refused = ("Pod", "LimitRange")
    cluster.source.rehearsals.rehearse()

    assert cluster.state.drains.report is not None
    assert cluster.state.drains.report.missing_kinds == ("Pod",)
    assert [(one.kind, one.is_refused) for one in cluster.state.unread] == [("LimitRange", False), ("Pod", False)]


def test_kinds_that_cannot_be_read_are_named() -> None:
    """
    A refused kind, and a kind without which the cluster has no VMs. A cluster need not serve other kinds.
    """
    cluster = shop()
    store = cluster.watched.store
    store.miss(VirtualMachine)
    store._states[Node].synced = False
    store.failed(Node, "forbidden", refused=True)

    assert cluster.state.unread == (
        UnreadReport("Node"),
        UnreadReport("VirtualMachine", "", "the cluster does not serve this kind", False),
    )
    assert cluster.state.unfinished == ""
    store.miss(KubeVirt)
    assert len(cluster.state.unread) == 3


def test_a_release_that_cannot_be_judged_ends_the_run() -> None:
    """
    The error is that of the command line.
    """
    with pytest.raises(BadInput, match="unsupported release"):
        WatchedSource(kubevirt(), vm("a"), settings=Settings(release="0.1"))


def test_a_vm_has_the_revision_of_its_instancetype() -> None:
    """
    The watch stores ControllerRevisions. They are not listed for a rehearsal, because a list contains those of DaemonSets.
    """

    def matched(name: str, revision: str) -> Any:
        machine = vm(name)
        machine["spec"]["instancetype"] = {
            "kind": "VirtualMachineInstancetype",
            "name": "big",
            "revisionName": revision,
        }
        for field in ("memory", "cpu"):
            del machine["spec"]["template"]["spec"]["domain"][field]
        return machine

    gpus = {
        "spec": {
            "cpu": {"guest": 1},
            "memory": {"guest": "1Gi"},
            "gpus": [{"name": "a", "deviceName": "nvidia.com/T4"}],
        }
    }
    data = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineInstancetype",
        "metadata": {},
        **gpus,
    }
    revision = named("apps/v1", "ControllerRevision", "big-1", "shop", data=data)
    cluster = WatchedSource(*FLEET, matched("with", "big-1"), matched("without", "big-2"), revision)
    cluster.source.rehearsals.rehearse()

    explained = {name: cluster.source.explained("shop", name) for name in ("with", "without")}
    rules = {name: [reason.rule for reason in one.reasons] for name, one in explained.items() if one is not None}
    assert "LM302" in rules["with"]
    assert "LM302" not in rules["without"]
