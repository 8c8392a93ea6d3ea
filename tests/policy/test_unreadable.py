"""A result that depends on an unreadable object counts as a violation."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.test_policy import finding
from tests.surfaces.admission.reviews import Manifest, on_claim, refused, review, vm, warned
from webhook.cluster.facts import WATCHED, ClusterWorld
from webhook.cluster.store import Store
from webhook.kubevirt.releases import NEWEST, only
from webhook.objects.kinds import BY_CLASS, find_kind
from webhook.policy.policy import Action, NamespacePolicy, Policy, Profile, action_of
from webhook.rules.rule import Basis
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext, Outcome, decide_request

VOLUME = "spec.template.spec.volumes[0]"
UNREADABLE = "exists but cannot be read: a field has the wrong type"
CDI, INSTANCETYPES = "cdi.kubevirt.io/v1beta1", "instancetype.kubevirt.io/v1beta1"


def stored(api_version: str, kind: str, name: str, spec: Any, namespace: str | None = "tenant") -> Manifest:
    metadata = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": "1"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def claim(name: str, modes: Any) -> Manifest:
    return stored("v1", "PersistentVolumeClaim", name, {"accessModes": modes})


def decided(body: bytes, *objects: Manifest, policy: Policy | None = None) -> Outcome:
    """The outcome in a cluster with these objects."""
    store = Store(WATCHED, lambda: 0.0)
    for kind in WATCHED:
        store.replace(kind, [], BY_CLASS[kind].versions[0])
    for manifest in objects:
        kind_of = find_kind(manifest["apiVersion"], manifest["kind"])
        assert kind_of is not None
        store.put(kind_of.reads, json.dumps(manifest).encode())
    read = read_review(body)
    assert isinstance(read, DecodedRequest)
    world = ClusterWorld(store, clock=lambda: 0.0)
    return decide_request(read, JudgingContext(world, only(NEWEST), policy or Policy(), "2026-01-01", "kubevirt"))


def created(*objects: Manifest, policy: Policy | None = None, **spec: Any) -> Outcome:
    return decided(review("CREATE", vm(**spec)), *objects, policy=policy)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_vm_on_an_unreadable_claim_is_denied_and_the_claim_is_named(profile: Profile) -> None:
    """
    Both profiles deny it, as they deny a claim without ReadWriteMany.
    """
    outcome = created(claim("os", {"broken": 1}), volumes=[on_claim("os")], policy=Policy(profile=profile))

    assert refused(outcome)[VOLUME].startswith(f"PVC 'os' in namespace 'tenant' {UNREADABLE}")


@pytest.mark.parametrize(("action", "actions"), [("warn", ["warn"]), ("audit", ["audit"]), ("off", [])])
def test_the_policy_may_limit_the_action_for_unreadable_objects(action: str, actions: list[str]) -> None:
    """
    ``unreadable`` applies everywhere, or in some namespaces.
    """
    everywhere = Policy(unreadable=Action(action))
    local = Policy(namespaces=[NamespacePolicy(names=["tenant"], unreadable=Action(action))])

    for policy in (everywhere, local):
        outcome = created(claim("os", 7), volumes=[on_claim("os")], policy=policy)

        assert outcome.allowed
        assert [taken for rule, taken in warned(outcome) if rule == "LM201"] == actions


@pytest.mark.parametrize(
    ("rule", "basis", "policy", "expected"),
    [
        ("LM201", Basis.KUBEVIRT, Policy(), Action.DENY),
        ("LM201", Basis.BASELINE, Policy(profile=Profile.EXACT), Action.WARN),
        ("LM501", Basis.ADVICE, Policy(), Action.WARN),
        ("LM201", Basis.KUBEVIRT, Policy(actions={"LM201": Action.AUDIT}), Action.AUDIT),
        ("LM501", Basis.ADVICE, Policy(actions={"LM501": Action.DENY}), Action.DENY),
        ("LM201", Basis.KUBEVIRT, Policy(unreadable=Action.WARN), Action.WARN),
        ("LM201", Basis.KUBEVIRT, Policy(unproven=Action.OFF), Action.DENY),
    ],
)
def test_an_unreadable_object_gets_the_action_of_a_violation(
    rule: str, basis: Basis, policy: Policy, expected: Action
) -> None:
    """
    The action is that of the violation, limited by ``unreadable``.
    """
    violation = finding(rule, basis)

    assert action_of(replace(violation, undetermined=True, unreadable=True), policy) is expected
    assert action_of(violation, replace(policy, unreadable=Action.DENY)).at_most(policy.unreadable) is expected


def test_no_other_object_of_that_name_hides_an_unreadable_claim() -> None:
    """
    A DataVolume or a template of the VM with ReadWriteMany does not override the existing claim.
    """
    shared = {"storage": {"accessModes": ["ReadWriteMany"]}}
    template = {"metadata": {"name": "os"}, "spec": shared}
    spec = {"volumes": [{"name": "os", "dataVolume": {"name": "os"}}], "outer": {"dataVolumeTemplates": [template]}}
    data_volume = stored(CDI, "DataVolume", "os", shared)

    for objects in (
        [claim("os", 7), data_volume],
        [claim("os", 7)],
        [stored(CDI, "DataVolume", "os", {"storage": {"accessModes": 7}})],
    ):
        assert list(refused(created(*objects, **spec))) == [VOLUME]


@pytest.mark.parametrize(
    ("objects", "spec", "place"),
    [
        (
            [stored(INSTANCETYPES, "VirtualMachineInstancetype", "small", {"gpus": 7})],
            {"outer": {"instancetype": {"name": "small", "kind": "VirtualMachineInstancetype"}}},
            "spec.instancetype",
        ),
        (
            [stored(INSTANCETYPES, "VirtualMachineClusterPreference", "linux", {"annotations": 7}, None)],
            {"outer": {"preference": {"name": "linux"}}},
            "spec.preference",
        ),
        (
            [
                stored(CDI, "DataVolume", "os", {"storage": {"storageClassName": "ceph"}}),
                stored(CDI, "StorageProfile", "ceph", {"claimPropertySets": 7}, None),
            ],
            {"volumes": [{"name": "os", "dataVolume": {"name": "os"}}]},
            VOLUME,
        ),
    ],
    ids=["instancetype", "preference", "StorageProfile"],
)
def test_a_vm_that_depends_on_an_unreadable_object_is_denied(
    objects: list[Manifest], spec: dict[str, Any], place: str
) -> None:
    """
    An instancetype can add a GPU, and a StorageProfile can lead to a single-node claim.
    """
    outcome = created(*objects, **spec)

    assert UNREADABLE in refused(outcome)[place]


def test_an_unreadable_object_affects_only_what_depends_on_it() -> None:
    """
    Other VMs and the KubeVirt CR are judged as usual, even if another object of that kind cannot be read.
    """
    broken = stored("kubevirt.io/v1", "KubeVirt", "broken", {"configuration": 7})
    sound = stored("kubevirt.io/v1", "KubeVirt", "kubevirt", {"configuration": {"evictionStrategy": "LiveMigrate"}})
    objects = [claim("bad", 7), claim("os", ["ReadWriteMany"]), broken, sound]

    outcome = created(*objects, volumes=[on_claim("os")])

    assert outcome.allowed
    assert [decision.finding.rule.id for decision in outcome.decisions if decision.finding.undetermined] == []


def test_an_unreadable_kubevirt_cr_denies_no_vm() -> None:
    """
    No tenant owns it, and a later KubeVirt release may change the type of a field. Dependent results stay unproven.
    """
    broken = stored("kubevirt.io/v1", "KubeVirt", "kubevirt", {"configuration": 7})

    assert created(broken).allowed


def test_an_admitted_vm_may_stay_when_its_claim_becomes_unreadable() -> None:
    """
    The update is allowed, as after a change of the claim's access modes.
    """
    before, after = vm(volumes=[on_claim("os")]), vm(volumes=[on_claim("os")], evictionStrategy="LiveMigrate")

    outcome = decided(review("UPDATE", after, before), claim("os", 7))

    assert outcome.allowed
    assert len(warned(outcome)) == 1


def test_a_migration_network_that_cannot_be_read_is_denied() -> None:
    """
    With such a network, virt-handler hangs on every node.
    """
    network = stored("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "lan", {"config": 7}, "kubevirt")
    spec = {"configuration": {"migrations": {"network": "lan"}}}
    cr = stored("kubevirt.io/v1", "KubeVirt", "kubevirt", spec, "kubevirt")

    outcome = decided(review("CREATE", cr), network)

    assert UNREADABLE in refused(outcome)["spec.configuration.migrations.network"]
