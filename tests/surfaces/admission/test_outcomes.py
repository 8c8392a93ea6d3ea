"""The parts of an outcome other than its causes: finality, account and world."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, read, refused, review, vm, warned
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unread
from webhook.facts.unknown_world import UnknownWorld
from webhook.kubevirt.releases import NEWEST, only
from webhook.objects.review import StatusCause
from webhook.policy.policy import Account, Action, Exemption, Lowered, Policy
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome, decide_request, outcome_of_causes

WARNS = Policy(at_most=Action.WARN)
LOCAL, SHARED = claim("local", "ReadWriteOnce"), claim("shared", "ReadWriteMany")
BAD, GOOD = vm(volumes=[on_claim("local")]), vm(volumes=[on_claim("shared")])
BACKUP = "system:serviceaccount:backup:velero"
HCO = "system:serviceaccount:kubevirt:hyperconverged-cluster-operator"
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
OWNED = {"labels": {"app.kubernetes.io/managed-by": "hco-operator"}}


def kubevirt(network: str = "a", **metadata: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", **metadata},
        "spec": {"configuration": {"migrations": {"network": network}}},
    }


def listing(at_most: Action = Action.WARN) -> Policy:
    return Policy(accounts=[Account(BACKUP, "restores old VMs", "backup team", "2999-12-31", at_most)])


def running(value: bool) -> Manifest:
    spec = {key: field_value for key, field_value in BAD["spec"].items() if key != "runStrategy"}
    return {**BAD, "spec": spec | {"running": value}}


FINAL = {
    "the judged part stays": (review("UPDATE", BAD, BAD), True),
    "only started": (review("UPDATE", {**BAD, "spec": BAD["spec"] | {"runStrategy": "Halted"}}, BAD), True),
    "only running": (review("UPDATE", running(True), running(False)), True),
    "written by virt-controller": (review("UPDATE", BAD, GOOD, user=CONTROLLER), True),
    "written by HyperConverged": (review("UPDATE", kubevirt("b", **OWNED), kubevirt(**OWNED), user=HCO), True),
    "a listed account": (review("CREATE", BAD, user=BACKUP), True),
    "a creation": (review("CREATE", GOOD), False),
    "a repair": (review("UPDATE", GOOD, BAD), False),
    "a person writes HyperConverged's CR": (review("UPDATE", kubevirt("b", **OWNED), kubevirt(**OWNED)), False),
}


@pytest.mark.parametrize(("body", "is_final"), FINAL.values(), ids=FINAL)
def test_an_allow_that_no_other_object_can_change_is_final(body: bytes, is_final: bool) -> None:
    """
    It does not wait for live reads; every other allow does.
    """
    outcome = decided(body, LOCAL, SHARED, policy=listing())

    assert (outcome.allowed, outcome.is_final) == (True, is_final)


def test_an_unchanged_judged_part_of_an_unreadable_object_gives_warnings() -> None:
    """
    Nothing shows that the violations are new, so none is denied, and the request does not wait.
    """
    told = read_review(review("CREATE", BAD))
    assert isinstance(told, DecodedRequest)
    context = JudgingContext(ObjectsWorld([read(LOCAL)]), only(NEWEST), Policy(), "2026-01-01", "kubevirt")

    outcome = decide_request(replace(told, same_as_unreadable=True), context)

    assert (outcome.allowed, outcome.is_final, warned(outcome)) == (True, True, [("LM201", "warn")])


@pytest.mark.parametrize(
    ("operation", "new", "old", "sub_resource"),
    [
        ("CONNECT", BAD, None, ""),
        ("CONNECT", BAD, BAD, ""),
        ("CREATE", BAD, None, "status"),
        ("CREATE", BAD, None, "scale"),
        ("UPDATE", BAD, GOOD, "scale"),
    ],
)
def test_connect_and_subresources_are_not_judged(
    operation: str, new: Manifest, old: Manifest | None, sub_resource: str
) -> None:
    """
    They pass with any object.
    """
    assert decided(review(operation, new, old, sub_resource=sub_resource), LOCAL, SHARED) == PASS


def test_a_good_request_of_a_listed_account_names_its_entry() -> None:
    """
    The judgement stays, too; the audit log shows both.
    """
    outcome = decided(review("CREATE", GOOD, user=BACKUP), SHARED, policy=listing())

    assert (outcome.allowed, outcome.decisions) == (True, ())
    assert outcome.account == listing().accounts[0]
    assert outcome.judgement is not None


@pytest.mark.parametrize(("most", "warnings"), [(Action.WARN, 1), (Action.AUDIT, 0)])
def test_a_listed_account_gets_other_warnings_only_where_it_gets_warnings(most: Action, warnings: int) -> None:
    """
    Such as the one about the patches of a clone.
    """
    clone = {
        "apiVersion": "clone.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClone",
        "metadata": {"name": "again", "namespace": "tenant"},
        "spec": {"patches": ['{"op": "remove", "path": "/spec/template"}']},
    }

    outcome = decided(review("CREATE", clone, user=BACKUP), policy=listing(most))

    assert (outcome.allowed, len(outcome.warnings)) == (True, warnings)


def test_an_object_without_a_namespace_is_not_kubevirts_own() -> None:
    """
    While no KubeVirt resource is known, its namespace is empty, and no request is from there.
    """
    disk = {"name": "disk", "hostDisk": {"path": "/a", "type": "Disk"}}
    told = read_review(review("CREATE", vm(volumes=[disk]) | {"metadata": {"name": "web"}}))
    assert isinstance(told, DecodedRequest)

    outcome = decide_request(told, JudgingContext(ObjectsWorld([]), only(NEWEST), Policy(), "2026-01-01", ""))

    assert list(refused(outcome)) == ["spec.template.spec.volumes[0]"]


def test_a_warning_beside_an_old_violation_denies_nothing() -> None:
    """
    The old violation is lowered although another finding of the same update is no denial.
    """
    more = vm(volumes=[on_claim("local"), on_claim("gone", "b")])

    outcome = decided(review("UPDATE", more, BAD), LOCAL)

    assert outcome.allowed
    assert warned(outcome) == [("LM201", "warn"), ("LM201", "warn")]


def named(object_name: str, request_name: str) -> bytes:
    body = json.loads(review("CREATE", {**BAD, "metadata": {"name": object_name, "namespace": "tenant"}}))
    body["request"]["name"] = request_name
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("object_name", "request_name", "exempt"),
    [("web", "", True), ("", "web", True), ("web", "a", True), ("a", "", False)],
)
def test_an_exemption_finds_the_name_in_the_object_or_in_the_request(
    object_name: str, request_name: str, exempt: bool
) -> None:
    """
    An API server leaves the request's name empty where it generates one; the object's own name comes first.
    """
    policy = Policy(exemptions=[Exemption("LM201", "reason", "owner", "2999-12-31", name="web")])

    assert decided(named(object_name, request_name), LOCAL, policy=policy).allowed is exempt


CAUSE = StatusCause("FieldValueInvalid", "b", "a")


@pytest.mark.parametrize(
    ("most", "warnings"), [(Action.WARN, ("Migratable: b (a)",)), (Action.AUDIT, ()), (Action.OFF, ())]
)
def test_causes_that_are_no_findings_follow_at_most(most: Action, warnings: tuple[str, ...]) -> None:
    """
    Denied, warned of, or passed over in silence.
    """
    assert outcome_of_causes(most, CAUSE) == Outcome((), (), warnings=warnings, strongest=most)
    assert outcome_of_causes(Action.DENY, CAUSE) == Outcome((CAUSE,), ())


NETWORK = {
    "apiVersion": "k8s.cni.cncf.io/v1",
    "kind": "NetworkAttachmentDefinition",
    "metadata": {"name": "lan", "namespace": "kubevirt"},
    "spec": {"config": "{}"},
}
LEAVING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def deletion(metadata: Manifest, name: str = "lan", namespace: str = "kubevirt", user: str = "jane") -> bytes:
    body = json.loads(review("DELETE", None, {**NETWORK, "metadata": metadata}, user=user))
    body["request"] |= {"name": name, "namespace": namespace}
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("body", "cluster", "allowed"),
    [
        (deletion({}), [kubevirt("lan")], False),
        (deletion({"name": "lan", "namespace": "kubevirt"}, "a", "a"), [kubevirt("lan")], False),
        (deletion({"name": "a", "namespace": "kubevirt"}), [kubevirt("lan")], True),
        (deletion({**NETWORK["metadata"], **LEAVING}), [kubevirt("lan")], True),
        (deletion({}), [kubevirt("other")], True),
        (deletion({}), [kubevirt("lan", **LEAVING)], True),
        (deletion({}), [kubevirt("lan", **LEAVING), kubevirt("lan", name="second")], False),
        (deletion({}, user="system:serviceaccount:kube-system:namespace-controller"), [kubevirt("lan")], True),
        (deletion({}, user="eve:system:serviceaccount:kube-system:"), [kubevirt("lan")], False),
    ],
    ids=[
        "named by the request",
        "named by the object",
        "another network",
        "being deleted",
        "not in use",
        "KubeVirt is deleted",
        "the other KubeVirt uses it",
        "namespace controller",
        "similar user",
    ],
)
def test_a_network_in_use_is_kept(body: bytes, cluster: list[Manifest], allowed: bool) -> None:
    """
    The stored object's name and namespace count, else those of the request; the cause is at the name.
    """
    outcome = decided(body, *cluster)

    assert outcome.allowed is allowed
    assert [(cause.reason, cause.field) for cause in outcome.causes] == (
        [] if allowed else [("FieldValueInvalid", "metadata.name")]
    )


def test_a_network_may_be_deleted_while_no_kubevirt_resource_can_be_read() -> None:
    """
    A missing fact blocks no deletion.
    """
    told = read_review(deletion({}))
    assert isinstance(told, DecodedRequest)
    unknown = UnknownWorld(Unread("not read", "wait"))

    assert decide_request(told, JudgingContext(unknown, only(NEWEST), Policy(), "2026-01-01", "kubevirt")).allowed


@pytest.mark.parametrize("most", [Action.DENY, Action.WARN, Action.AUDIT])
def test_an_outcome_knows_what_a_finding_could_have_been(most: Action) -> None:
    """
    Only an allow that no policy could have made a denial may be given late.
    """
    policy = Policy(at_most=most, hotplug=Action.WARN)
    status = {"volumeRequests": [{"addVolumeOptions": {"name": "a", "volumeSource": {"dataVolume": {"name": "a"}}}}]}
    plugging = review("UPDATE", vm(status=status), vm(status={}), sub_resource="status")

    assert decided(review("CREATE", GOOD), SHARED, policy=policy).strongest is most
    assert decided(deletion({}), policy=policy).strongest is most
    assert decided(plugging, policy=policy).strongest is (Action.WARN if most is Action.DENY else most)
    assert PASS.strongest is Action.OFF
    assert Outcome((), ()).strongest is Action.DENY


def test_a_change_of_the_migration_network_is_judged_beside_its_result() -> None:
    """
    Findings about the new configuration and about the change belong to one update.
    """
    wrong = kubevirt("wan")
    wrong["spec"]["configuration"]["migrations"]["parallelMigrationsPerCluster"] = 0

    created = [rule for rule, _ in warned(decided(review("CREATE", wrong), policy=WARNS))]
    changed = [rule for rule, _ in warned(decided(review("UPDATE", wrong, kubevirt("lan")), policy=WARNS))]
    same = [rule for rule, _ in warned(decided(review("UPDATE", wrong, kubevirt("wan")), policy=WARNS))]

    assert "LM609" in created
    assert same == created
    assert changed[: len(created)] == created
    assert len(changed) > len(created)


def test_removing_a_finalizer_gives_no_warnings() -> None:
    """
    A VM that is being deleted and has an unchanged judged part has no findings.
    """
    leaving = {**BAD, "metadata": {**BAD["metadata"], **LEAVING}}

    assert decided(review("UPDATE", leaving, leaving), LOCAL) == PASS


def test_a_denial_keeps_the_first_reason_for_which_it_was_lowered() -> None:
    """
    virt-controller's own writes are lowered for KubeVirt, also where the policy file lists its account.
    """
    policy = Policy(accounts=[Account(CONTROLLER, "r", "o", "2999-12-31")])

    outcome = decided(review("UPDATE", BAD, GOOD, user=CONTROLLER), LOCAL, SHARED, policy=policy)

    assert [decision.lowered for decision in outcome.decisions] == [Lowered.KUBEVIRT]


def test_a_warning_was_not_lowered_for_an_account() -> None:
    """
    Only what would have been denied counts as lowered.
    """
    outcome = decided(review("CREATE", vm(volumes=[on_claim("gone")]), user=BACKUP), policy=listing())

    assert [(decision.action, decision.lowered) for decision in outcome.decisions] == [(Action.WARN, None)]


@pytest.mark.parametrize("kind", ["VirtualMachine", "VirtualMachineInstance"])
def test_a_write_of_status_passes_where_the_stored_object_cannot_be_read(kind: str) -> None:
    """
    virt-api writes the status of a VM, virt-handler all of a VMI.
    """
    new, old = BAD, vm(nodeSelector=7)
    if kind == "VirtualMachineInstance":
        new, old = (
            {**manifest, "kind": kind, "spec": manifest["spec"]["template"]["spec"], "status": {"phase": "Running"}}
            for manifest in (new, old)
        )

    sub_resource = "status" if kind == "VirtualMachine" else ""

    assert decided(review("UPDATE", new, old, sub_resource=sub_resource), LOCAL) == PASS


def pool(**spec: Any) -> Manifest:
    return {
        "apiVersion": "pool.kubevirt.io/v1beta1",
        "kind": "VirtualMachinePool",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": spec,
    }


WHOLE = pool(virtualMachineTemplate={"spec": BAD["spec"]})
EMPTY = [pool(), pool(virtualMachineTemplate={}), pool(virtualMachineTemplate={"metadata": {}})]


@pytest.mark.parametrize("empty", EMPTY, ids=["no template", "empty template", "metadata alone"])
def test_a_pool_may_have_no_vm(empty: Manifest) -> None:
    """
    Its VM is new harm when it is added, and no harm when it is removed; without one, metadata alone changes.
    """
    created = decided(review("CREATE", empty), LOCAL)

    assert not decided(review("UPDATE", WHOLE, empty), LOCAL).allowed
    assert decided(review("UPDATE", empty, WHOLE), LOCAL).allowed
    assert (created.allowed, created.is_final) == (True, False)
    assert decided(review("UPDATE", empty, empty), LOCAL).is_final


def test_only_a_network_is_kept_by_its_name() -> None:
    """
    A VM of the same name and namespace is deleted like any other.
    """
    machine = vm() | {"metadata": NETWORK["metadata"]}

    assert decided(review("DELETE", None, machine), kubevirt("lan")) == PASS


def test_a_warning_was_not_lowered_for_kubevirt() -> None:
    """
    Only what would have been denied counts as lowered, here, too.
    """
    outcome = decided(review("UPDATE", vm(volumes=[on_claim("gone")]), GOOD, user=CONTROLLER), SHARED)

    assert [(decision.action, decision.lowered) for decision in outcome.decisions] == [(Action.WARN, None)]
