"""A change is followed by as few judgements as possible, and by all that it concerns."""

import copy
from typing import Any

import pytest
from msgspec.structs import replace

from tests.audit.clusters import Manifest, claim, kubevirt, named, rules_of, running, vm
from tests.audit.watching.watched import Watched, cluster, of, place
from webhook.audit.scope import Scope
from webhook.audit.watching import units
from webhook.check.check import Settings
from webhook.manifests.live_objects import read_live
from webhook.objects.kinds import BY_CLASS
from webhook.objects.storage import PersistentVolumeClaim
from webhook.policy.policy import Action, Exemption, Policy

HOSTNAME = "kubernetes.io/hostname"
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "db"}}}
        ]
    }
}


def with_instancetype(name: str, instancetype: str) -> Manifest:
    machine = vm(name)
    machine["spec"]["instancetype"] = {"kind": "VirtualMachineInstancetype", "name": instancetype}
    for field in ("memory", "cpu"):
        del machine["spec"]["template"]["spec"]["domain"][field]
    return machine


def instancetype(name: str, **spec: Any) -> Manifest:
    whole = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **spec}
    return named("instancetype.kubevirt.io/v1beta1", "VirtualMachineInstancetype", name, "shop", spec=whole)


def node(name: str, **annotations: str) -> Manifest:
    labels = {HOSTNAME: name, "kubevirt.io/schedulable": "true"}
    return named("v1", "Node", name, metadata={"labels": labels, "annotations": annotations})


def budget(namespace: str = "shop", *, allowed: int = 0, at_most: int = 1) -> Manifest:
    spec = {"maxUnavailable": at_most, "selector": {"matchLabels": {"app": "x"}}}
    status = {"disruptionsAllowed": allowed}
    return named("policy/v1", "PodDisruptionBudget", "budget", namespace, spec=spec, status=status)


def quota(namespace: str = "shop", used: str = "1Gi") -> Manifest:
    hard = {"requests.memory": "9Gi"}
    status = {"hard": hard, "used": {"requests.memory": used}}
    return named("v1", "ResourceQuota", "quota", namespace, spec={"hard": hard}, status=status)


def volume(name: str, claimed: str, mode: str = "Filesystem") -> Manifest:
    spec = {"claimRef": {"namespace": "shop", "name": claimed}, "csi": {"driver": "a"}, "volumeMode": mode}
    return named("v1", "PersistentVolume", name, spec=spec)


def judged_after(watched: Watched, *changes: Manifest) -> int:
    return watched.put(*changes).settle()


def test_a_changed_claim_concerns_its_vm_alone() -> None:
    """
    Two other VMs are not judged again.
    """
    watched = cluster()

    assert judged_after(watched, claim("one", mode="ReadWriteOnce")) == 1
    assert "LM201" in rules_of(of(watched, "a"))


def test_a_claim_that_is_created_later_concerns_its_vm() -> None:
    """
    The judgement looked it up, although it did not exist.
    """
    watched = cluster(vm("d", "later"))
    before = of(watched, "d").report.verdict

    assert judged_after(watched, claim("later")) == 1
    assert before is not None
    assert before.live_migratable is None
    assert rules_of(of(watched, "d")) == rules_of(of(watched, "a"))


def test_an_instancetype_concerns_all_vms_that_have_it() -> None:
    """
    And no other VM.
    """
    watched = cluster(with_instancetype("d", "big"), with_instancetype("e", "big"), instancetype("big"))

    judged = judged_after(watched, instancetype("big", gpus=[{"name": "gpu", "deviceName": "nvidia.com/T4"}]))

    assert judged == 2
    assert "LM302" in rules_of(of(watched, "e"))


def test_settings_of_the_cluster_concern_all_objects() -> None:
    """
    Each object is judged once.
    """
    watched = cluster()

    assert judged_after(watched, kubevirt(evictionStrategy="LiveMigrate")) == 4


def test_another_release_of_kubevirt_concerns_all_objects() -> None:
    """
    The release is chosen once for all objects.
    """
    watched = cluster()
    upgraded = kubevirt() | {"status": {"observedKubeVirtVersion": "v1.5.0"}}

    assert judged_after(watched, upgraded) == 4
    assert of(watched, "a").report.release == "1.5"


@pytest.mark.parametrize("made", [budget, quota])
def test_budgets_and_quotas_concern_their_namespace(made: Any) -> None:
    """
    The VM in the other namespace is not judged again.
    """
    watched = cluster()

    assert judged_after(watched, made("bank")) == 1


def test_a_volume_concerns_the_claim_that_it_is_reserved_for() -> None:
    """
    Before and after the change.
    """
    watched = cluster()

    assert judged_after(watched, volume("v", "one")) == 1
    assert judged_after(watched, volume("v", "two")) == 2
    assert judged_after(watched, volume("w", "other")) == 0


HEARTBEATS = {
    "resourceVersion and managedFields": lambda one: one["metadata"].update(managedFields=[{"manager": "x"}]),
    "generation": lambda one: one["metadata"].update(generation=7),
    "last-applied annotation": lambda one: one["metadata"].update(
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    ),
    "guest agent": lambda one: one.setdefault("status", {}).update(guestOSInfo={"name": "Fedora"}),
    "other conditions": lambda one: (
        one.setdefault("status", {})
        .setdefault("conditions", [])
        .append({"type": "Ready", "status": "True", "lastProbeTime": "2026-01-01T00:00:00Z"})
    ),
}


@pytest.mark.parametrize(
    ("name", "is_vmi"),
    [(name, True) for name in HEARTBEATS]
    + [
        (name, False) for name in HEARTBEATS if name != "other conditions"
    ],  # all conditions of a VirtualMachine are judged
)
def test_a_heartbeat_is_no_change(name: str, is_vmi: bool) -> None:
    """
    virt-handler and virt-controller write VMIs often.
    """
    machine = vm("d", "four") | {"status": {}}
    known = running(machine, LiveMigratable="True") if is_vmi else machine
    known["metadata"]["annotations"] = {}
    watched = cluster(machine, claim("four"), *([known] if is_vmi else []))
    stored = watched.store.objects(type_of(known))
    beating = copy.deepcopy(known)
    HEARTBEATS[name](beating)

    assert judged_after(watched, beating) == 0
    assert watched.store.objects(type_of(known)) == stored


def type_of(manifest: Manifest) -> Any:
    return next(kind for kind in BY_CLASS if kind.__name__ == manifest["kind"])


def test_heartbeats_of_nodes_and_budgets_are_no_change() -> None:
    """
    virt-handler writes an annotation of its node once a minute, and the status of a budget changes with each pod.
    """
    watched = cluster(node("n"), budget())

    assert judged_after(watched, node("n", **{"kubevirt.io/heartbeat": "2026-01-01T00:00:00Z"})) == 0
    assert judged_after(watched, budget(allowed=1)) == 0
    assert judged_after(watched, budget(at_most=0)) == 2


def test_a_condition_that_differs_from_the_verdict_is_a_change() -> None:
    """
    The VM and its VMI are judged together.
    """
    machine = vm("d", "four")
    watched = cluster(machine, claim("four"), running(machine, LiveMigratable="True"))

    judged = judged_after(watched, running(machine, LiveMigratable="False DisksNotLiveMigratable"))

    assert judged == 1
    assert len(of(watched, "d").disagreements) == 1


def test_another_list_without_changes_causes_no_judgement() -> None:
    """
    After HTTP 410 the kind is listed again.
    """
    watched = cluster()

    for kind in BY_CLASS.values():
        if watched.store.holds(kind.reads):
            watched.list_again(kind)

    assert watched.settle() == 0


def test_labels_of_a_vm_concern_the_policies_that_select_vms() -> None:
    """
    And the VM itself.
    """
    selectors = {"virtualMachineInstanceSelector": {"app": "db"}}
    policy = named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", "p", spec={"selectors": selectors})
    watched = cluster(policy)
    before = rules_of(of(watched, "p", "MigrationPolicy", ""))

    judged = judged_after(watched, vm("a", "one", labels={"app": "db"}))

    assert judged == 2
    assert rules_of(of(watched, "p", "MigrationPolicy", "")) != before


def test_a_further_vm_concerns_the_vms_that_must_be_apart_from_it() -> None:
    """
    Two VMs fit two nodes, and three do not.
    """
    machines = [vm(f"db{number}", labels={"app": "db"}, affinity=APART) for number in range(3)]
    watched = Watched([kubevirt(), node("n1"), node("n2"), *machines[:1]])
    before = rules_of(of(watched, "db0"))

    watched.put(*machines[1:]).settle()

    assert watched.judged() == {place(one): one for one in watched.fresh().objects}
    assert rules_of(of(watched, "db0")) != before


def test_an_object_in_another_namespace_is_not_judged() -> None:
    """
    With --namespace.
    """
    watched = Watched([kubevirt(), vm("a"), vm("c", namespace="bank")], Scope(("shop",)))

    assert judged_after(watched, vm("c", namespace="bank", labels={"new": "label"})) == 0
    assert set(watched.judged()) == {("VirtualMachine", "shop", "a")}


def test_another_policy_concerns_all_objects() -> None:
    """
    Findings have other actions.
    """
    watched = cluster(claim("one", mode="ReadWriteOnce"))
    watched.settings = Settings(Policy(actions={"LM201": Action.AUDIT}))

    assert watched.settle() == 4
    assert {finding.action for finding in of(watched, "a").report.findings if finding.rule == "LM201"} == {"audit"}


def test_another_day_matters_only_if_there_are_exemptions() -> None:
    """
    An exemption can end. The date changes nothing else.
    """
    watched = cluster()
    watched.settings = replace(watched.settings, today="2026-01-02")
    without = watched.settle()
    exemption = Exemption(rule="LM201", namespace="shop", name="a", reason="r", owner="o", until="2026-01-03")
    watched.settings = Settings(Policy(exemptions=[exemption]), "", "2026-01-03")
    watched.settle()
    watched.settings = replace(watched.settings, today="2026-01-04")

    assert without == 0
    assert watched.settle() == 4


def test_a_kind_that_becomes_readable_concerns_all_objects() -> None:
    """
    The account may list PVCs from now on.
    """
    watched = cluster()
    watched.store.miss(PersistentVolumeClaim)
    watched.settle()

    watched.list_again(BY_CLASS[PersistentVolumeClaim])
    watched.settle()

    assert watched.judged() == {place(one): one for one in watched.fresh().objects}


def test_an_error_in_a_rule_does_not_stop_the_judgement_of_other_objects(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The object is unreadable until it is judged again. Logs do not name it.
    """
    watched = cluster()
    real = read_live

    def broken(raw: bytes, *rest: Any) -> Any:
        if b'"name":"a"' in raw:
            raise TypeError("canary")
        return real(raw, *rest)

    monkeypatch.setattr(units, "read_live", broken)
    watched.put(claim("one", mode="ReadWriteOnce"), claim("two", mode="ReadWriteOnce")).settle()

    (problem,) = watched.auditor.results.problems
    assert problem.source == "VirtualMachine shop/a"
    assert "LM201" in rules_of(of(watched, "b"))
    assert "canary" not in caplog.text
    assert "shop" not in caplog.text


def test_a_cluster_without_kubevirt_gives_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """
    The VMs are judged for all releases from then on.
    """
    watched = cluster()
    assert "KubeVirt CR" not in caplog.text

    watched.remove(kubevirt()).settle()

    assert "the cluster has no KubeVirt CR" in caplog.text


def test_the_report_about_an_object_that_cannot_be_read_is_not_removed() -> None:
    """
    A tenant cannot hide a VM by making it unreadable.
    """
    watched = cluster(claim("one", mode="ReadWriteOnce"))
    differences: list[Any] = []
    watched.auditor.follow(differences.append)
    broken = copy.deepcopy(watched.objects["VirtualMachine", "shop", "a"])
    broken["spec"]["template"]["spec"]["volumes"] = "none"

    watched.put(broken).settle()

    assert len(watched.auditor.results.problems) == 1
    assert not differences
