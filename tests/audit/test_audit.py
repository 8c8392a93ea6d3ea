"""What an audit finds in a cluster."""

import pytest

from tests.audit.clusters import (
    FORBIDDEN,
    FakeCluster,
    audit_of,
    by_name,
    claim,
    kubevirt,
    named,
    rules_of,
    running,
    vm,
    vmi_spec,
)
from tests.cluster.fake_apiserver import FakeTransport, unreachable
from webhook.audit.audit import audit
from webhook.audit.scope import Scope
from webhook.check.check import Settings
from webhook.cluster.pages import Lister
from webhook.errors import Misconfigured, Unavailable
from webhook.report.audited import UnreadReport

BAD = "DisksNotLiveMigratable"


def test_a_vm_is_judged_with_its_claims() -> None:
    """
    The claim is ReadWriteOnce today, whatever it was when the VM was admitted.
    """
    audited = by_name(audit_of([vm("good", "a"), vm("bad", "b"), claim("a"), claim("b", mode="ReadWriteOnce")]))

    assert audited["good"].report.verdict.live_migratable is True
    assert audited["bad"].report.verdict.reason == BAD
    assert "LM201" in rules_of(audited["bad"])


def test_all_kinds_are_judged() -> None:
    """
    VMs, replica sets, pools, VMIs without an owner, settings, policies and networks.
    """
    template = {"metadata": {"labels": {"a": "b"}}, "spec": vmi_spec()}
    selector = {"matchLabels": {"a": "b"}}
    pool_spec = {"virtualMachineTemplate": {"spec": {"template": template}}, "selector": selector, "replicas": 1}
    objects = [
        vm("vm"),
        named("kubevirt.io/v1", "VirtualMachineInstance", "vmi", "shop", spec=vmi_spec()),
        named(
            "kubevirt.io/v1",
            "VirtualMachineInstanceReplicaSet",
            "set",
            "shop",
            spec={"template": template, "selector": selector},
        ),
        named("pool.kubevirt.io/v1beta1", "VirtualMachinePool", "pool", "shop", spec=pool_spec),
        named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", "policy", spec={"selectors": {}}),
        named("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "net", "shop", spec={"config": "{}"}),
        named("hco.kubevirt.io/v1", "HyperConverged", "hco", "kubevirt", spec={}),
    ]

    kinds = {audited.report.kind for audited in audit_of(objects).objects}

    assert kinds == {one["kind"] for one in objects} | {"KubeVirt"}


@pytest.mark.parametrize("page", [1, 2, 500])
def test_pages_of_a_list_change_nothing(page: int) -> None:
    """
    The same report for every page size.
    """
    objects = [vm(f"vm{number}", f"c{number}") for number in range(5)] + [
        claim(f"c{number}", mode="ReadWriteOnce" if number % 2 else "ReadWriteMany") for number in range(5)
    ]

    assert audit_of(objects, page=page) == audit_of(objects)


def test_each_kind_is_listed_once() -> None:
    """
    One list for each kind: no request for an object, no watch.
    """
    cluster = FakeCluster([kubevirt(), *(vm(f"vm{number}", f"c{number}") for number in range(9))])

    audit(Lister(cluster.transport, 60.0), Settings(), Scope())

    assert len(cluster.transport.asked) == len(set(cluster.transport.asked))
    assert not cluster.transport.watches


def test_a_vm_that_must_be_apart_from_others_is_judged_with_all_others() -> None:
    """
    Anti-affinity counts the VMs of all pages, wherever the VM is in the list.
    """
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    nodes = [
        named("v1", "Node", f"node{number}", metadata={"labels": {"kubernetes.io/hostname": f"node{number}"}})
        for number in range(2)
    ]
    machines = [vm(f"db{number}", labels={"app": "db"}, affinity=affinity) for number in range(3)]

    first, *others = by_name(audit_of([*nodes, *machines], page=1)).values()

    assert "LM508" not in rules_of(first)
    assert rules_of(first)
    assert all(rules_of(other) == rules_of(first) for other in others if other.is_machine)


def test_a_vmi_counts_once_with_its_vm() -> None:
    """
    A running VM and its VMI are one VM for anti-affinity.
    """
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    nodes = [named("v1", "Node", f"n{n}", metadata={"labels": {"kubernetes.io/hostname": f"n{n}"}}) for n in range(3)]
    machines = [vm(f"db{number}", labels={"app": "db"}, affinity=affinity) for number in range(2)]
    vmis = [running(machine) for machine in machines]
    for one in vmis:
        one["metadata"]["labels"] = {"app": "db"}

    stopped, started = audit_of([*nodes, *machines]), audit_of([*nodes, *machines, *vmis])

    assert [rules_of(one) for one in started.objects] == [rules_of(one) for one in stopped.objects]


def test_an_object_that_cannot_be_read_is_a_problem() -> None:
    """
    The problem names the object and the field; the other objects are judged.
    """
    broken = vm("broken")
    broken["spec"]["template"]["spec"]["volumes"] = "none"

    audited = audit_of([broken, vm("good")])

    assert [(one.file, one.path) for one in audited.report.problems] == [
        ("VirtualMachine shop/broken", "spec.template.spec.volumes")
    ]
    assert "good" in by_name(audited)


def test_a_label_of_the_wrong_type_does_not_hide_a_vm() -> None:
    """
    API servers accept a number as a label of a template.
    """
    odd = vm("odd", "a", labels={"tier": 1})

    audited = by_name(audit_of([odd, claim("a", mode="ReadWriteOnce")]))

    assert audited["odd"].report.verdict.reason == BAD


def test_kinds_that_may_not_be_read_leave_results_unproven() -> None:
    """
    The report names the kind and the verbs that are missing.
    """
    audited = audit_of([vm("vm", "a"), claim("a")], forbidden=["PersistentVolumeClaim"])

    assert by_name(audited)["vm"].report.verdict.live_migratable is None
    assert audited.report.unread == (UnreadReport("PersistentVolumeClaim"),)
    assert not audited.report.is_incomplete


def test_an_account_with_rights_in_some_namespaces_audits_these() -> None:
    """
    Claims of the namespace are read there. The settings of the cluster stay unknown.
    """
    objects = [kubevirt(), vm("vm", "a"), claim("a", mode="ReadWriteOnce"), vm("other", namespace="bank")]

    audited = audit(Lister(FakeCluster(objects, only=["shop"]).transport, 60.0), Settings(), Scope(("shop",)))

    assert list(by_name(audited)) == ["vm"]
    assert by_name(audited)["vm"].report.verdict.reason == BAD
    assert UnreadReport("KubeVirt") in audited.report.unread
    assert UnreadReport("PersistentVolumeClaim") not in audited.report.unread
    assert not audited.report.is_incomplete


def test_a_namespace_that_may_not_be_read_does_not_hide_the_others() -> None:
    """
    The report names the namespace and the kinds, and is incomplete.
    """
    objects = [kubevirt(), vm("vm", "a"), claim("a", mode="ReadWriteOnce"), vm("other", namespace="bank")]
    scope = Scope(("bank", "shop"))

    audited = audit(Lister(FakeCluster(objects, only=["shop"]).transport, 60.0), Settings(), scope)

    assert by_name(audited)["vm"].report.verdict.reason == BAD
    assert UnreadReport("VirtualMachine", "bank") in audited.report.unread
    assert audited.report.is_incomplete


def test_a_claim_of_a_namespace_that_may_not_be_read_is_unproven() -> None:
    """
    The VMs of the namespace may be read, and their claims may not.
    """
    cluster = FakeCluster([kubevirt(), vm("vm", "a", namespace="bank")], only=["shop", "bank"])
    answers = cluster.transport.answers
    claims = "/api/v1/namespaces/bank/persistentvolumeclaims"
    cluster.transport.answers = lambda path, query: FORBIDDEN if path == claims else answers(path, query)

    audited = audit(Lister(cluster.transport, 60.0), Settings(), Scope(("bank", "shop")))

    assert by_name(audited)["vm"].report.verdict.live_migratable is None
    assert UnreadReport("PersistentVolumeClaim", "bank") in audited.report.unread


@pytest.mark.parametrize("kind", ["VirtualMachinePool", "MigrationPolicy", "NetworkAttachmentDefinition"])
def test_a_judged_kind_that_may_not_be_read_makes_the_audit_incomplete(kind: str) -> None:
    """
    Its objects can have findings.
    """
    assert audit_of([vm("vm")], forbidden=[kind]).report.is_incomplete


def test_a_namespace_that_does_not_exist_is_an_error() -> None:
    """
    A misspelt name would otherwise give an empty report.
    """
    objects = [named("v1", "Namespace", "shop"), vm("vm")]

    with pytest.raises(Misconfigured, match="did you mean shop"):
        audit_of(objects, Scope(("shopp",)))


def test_an_account_that_may_read_no_vm_gets_an_error() -> None:
    """
    An empty report would look like a good one.
    """
    cluster = FakeCluster([kubevirt(), vm("vm")], only=["shop"])

    with pytest.raises(Misconfigured) as caught:
        audit(Lister(cluster.transport, 60.0), Settings(), Scope())

    assert "-n NAMESPACE" in caught.value.remedy


def test_a_cluster_without_kubevirt_is_an_error() -> None:
    """
    The message distinguishes a missing CR from a missing kind.
    """
    without = FakeCluster([vm("vm")]).transport
    never = FakeCluster([], absent=["KubeVirt"]).transport

    with pytest.raises(Misconfigured, match="no KubeVirt CR"):
        audit(Lister(without, 60.0), Settings(), Scope())
    with pytest.raises(Misconfigured, match="does not serve"):
        audit(Lister(never, 60.0), Settings(), Scope())


def test_a_cluster_that_does_not_answer_is_an_error() -> None:
    """
    After a few tries of the first list.
    """
    transport = FakeTransport(unreachable)

    with pytest.raises(Unavailable):
        audit(Lister(transport, 60.0, wait=lambda _: None), Settings(), Scope())

    assert len(set(transport.asked)) == 1
