"""Requests that are never blocked, and requests that are denied."""

from dataclasses import replace
from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, refused, review, vm, warned
from webhook.facts.objects_world import ObjectsWorld
from webhook.policy.policy import Action, NamespacePolicy, Policy
from webhook.surfaces.admission.validate import PASS

LOCAL, SHARED = claim("local", "ReadWriteOnce"), claim("shared", "ReadWriteMany")
BAD, GOOD = vm(volumes=[on_claim("local")]), vm(volumes=[on_claim("shared")])
NAD = {
    "apiVersion": "k8s.cni.cncf.io/v1",
    "kind": "NetworkAttachmentDefinition",
    "metadata": {"name": "migration-network", "namespace": "kubevirt"},
    "spec": {"config": "{}"},
}


def kubevirt(network: Any = "migration-network", **metadata: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", **metadata},
        "spec": {"configuration": {"migrations": {"network": network}}},
    }


def vmi(manifest: Manifest) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": manifest["metadata"],
        "spec": manifest["spec"]["template"]["spec"],
    }


def test_a_violation_is_denied_and_a_good_vm_is_allowed() -> None:
    """
    The purpose of the webhook.
    """
    assert list(refused(decided(review("CREATE", BAD), LOCAL))) == ["spec.template.spec.volumes[0]"]
    assert decided(review("CREATE", GOOD), SHARED).allowed


def test_the_remedy_for_a_claim_of_a_template_is_in_the_template() -> None:
    """
    Of a claim that does not exist yet nothing has to be copied: its template has to ask for another access mode.
    """
    template = {"metadata": {"name": "os"}, "spec": {"storage": {"accessModes": ["ReadWriteOnce"]}}}
    to_be_made = vm(volumes=[{"name": "os", "dataVolume": {"name": "os"}}], outer={"dataVolumeTemplates": [template]})

    told = refused(decided(review("CREATE", to_be_made)))["spec.template.spec.volumes[0]"]

    assert "Write `accessModes: [ReadWriteMany]` under `storage`" in told
    assert "copy the data" not in told
    assert "copy the data" in refused(decided(review("CREATE", BAD), LOCAL))["spec.template.spec.volumes[0]"]


def test_null_in_the_metadata_of_templates_is_read_as_go_reads_it() -> None:
    """
    ``app:`` in a template's labels passes an API server, which knows no types there, and is empty text for KubeVirt.
    """
    labelled = vm(
        volumes=[on_claim("shared")],
        outer={"dataVolumeTemplates": [{"metadata": {"name": "a", "labels": {"b": None}}}]},
    )
    labelled["spec"]["template"]["metadata"] = {
        "labels": {"app": None},
        "annotations": {"note": None},
        "ownerReferences": [{"kind": None, "name": "a"}],
    }
    pooled = {
        "apiVersion": "pool.kubevirt.io/v1beta1",
        "kind": "VirtualMachinePool",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": {"virtualMachineTemplate": {"metadata": {"labels": {"a": None}}, "spec": labelled["spec"]}},
    }

    for manifest in (labelled, pooled):
        assert decided(review("CREATE", manifest), SHARED).decisions == ()


def test_a_repair_passes_and_its_reversal_is_denied() -> None:
    """
    From bad to good is never refused; from good to bad is new harm.
    """
    assert decided(review("UPDATE", GOOD, BAD), LOCAL, SHARED).allowed
    assert list(refused(decided(review("UPDATE", BAD, GOOD), LOCAL, SHARED))) == ["spec.template.spec.volumes[0]"]


def test_an_admitted_object_may_stay_and_be_edited() -> None:
    """
    Labels, start and stop of a VM that was there before us: allowed, and warned of.
    """
    labelled = {**BAD, "metadata": {**BAD["metadata"], "labels": {"a": "b"}}}
    stopped = {**BAD, "spec": {**BAD["spec"], "runStrategy": "Halted"}}

    for new in (BAD, labelled, stopped):
        outcome = decided(review("UPDATE", new, BAD), LOCAL)
        assert outcome.allowed
        assert warned(outcome) == [("LM201", "warn")]


def test_only_the_second_violation_is_denied() -> None:
    """
    The refusal names what is new, and nothing that was there.
    """
    worse = vm(volumes=[on_claim("local"), {"name": "disk", "hostDisk": {"path": "/a", "type": "Disk"}}])

    assert list(refused(decided(review("UPDATE", worse, BAD), LOCAL))) == ["spec.template.spec.volumes[1]"]


def test_another_claim_behind_the_same_name_is_new() -> None:
    """
    Volumes are told apart by name and claim; their order says nothing.
    """
    other = claim("other", "ReadWriteOnce")
    swapped = vm(volumes=[on_claim("other")])
    two = vm(volumes=[on_claim("local"), on_claim("other", "data")])
    turned = vm(volumes=[on_claim("other", "data"), on_claim("local")])

    assert not decided(review("UPDATE", swapped, BAD), LOCAL, other).allowed
    assert decided(review("UPDATE", turned, two), LOCAL, other).allowed


def test_an_object_that_is_being_deleted_passes() -> None:
    """
    A finalizer is taken away though the VM is bad; its spec is still judged.
    """
    leaving = {
        **GOOD,
        "metadata": {**GOOD["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a"]},
    }
    gone = {**leaving, "metadata": {**leaving["metadata"], "finalizers": []}}
    worse = {**gone, "spec": BAD["spec"]}

    assert decided(review("UPDATE", gone, leaving)).allowed
    assert not decided(review("UPDATE", worse, leaving), LOCAL).allowed


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
def test_deleting_and_connecting_are_never_judged(operation: str) -> None:
    """
    Whatever the VM is.
    """
    assert decided(review(operation, None, BAD), LOCAL).allowed


def test_a_heartbeat_of_any_vmi_passes() -> None:
    """
    A VMI has no status subresource: each write of its status is an UPDATE of the whole object.
    """
    beating = {**vmi(BAD), "status": {"phase": "Running"}}

    outcome = decided(
        review("UPDATE", beating, vmi(BAD), user="system:serviceaccount:kubevirt:kubevirt-handler"), LOCAL
    )

    assert (outcome.allowed, outcome.decisions) == (True, ())


BRIDGED = vm(devices={"interfaces": [{"name": "default", "bridge": {}}]})
OVERRIDE = {"annotations": {"kubevirt.io/allow-pod-bridge-network-live-migration": ""}}


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        (OVERRIDE, {}, False),
        (OVERRIDE, OVERRIDE | {"labels": {"a": "b"}}, True),
        ({}, OVERRIDE, True),
        ({}, {}, True),
        (OVERRIDE, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, True),
    ],
)
def test_the_bridge_override_of_a_vmi_may_not_be_removed(old: Manifest, new: Manifest, allowed: bool) -> None:
    """
    Without the annotation that admitted its interface, the running VMI can no longer be live-migrated.
    """
    before, after = (
        {**vmi(BRIDGED), "metadata": {**BRIDGED["metadata"], **metadata}, "status": {"phase": "Running"}}
        for metadata in (old, new)
    )

    outcome = decided(review("UPDATE", after, before))

    assert list(refused(outcome)) == ([] if allowed else ["spec.domain.devices.interfaces[0]"])


@pytest.mark.parametrize("manifest", [BAD, vmi(BAD)], ids=["VM", "VMI"])
@pytest.mark.parametrize(
    ("namespace", "allowed"), [("kubevirt", True), ("cdi", False), ("openshift-cnv", False), ("tenant", False)]
)
def test_only_the_namespace_of_the_kubevirt_cr_is_exempt(manifest: Manifest, namespace: str, allowed: bool) -> None:
    """
    A tenant may own a namespace of any usual name.
    """
    there = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    single = {**LOCAL, "metadata": {**LOCAL["metadata"], "namespace": namespace}}

    assert decided(review("CREATE", there), single).allowed is allowed


@pytest.mark.parametrize(
    ("known", "allowed"),
    [
        ([kubevirt()], False),
        ([kubevirt("other")], True),
        ([kubevirt(None)], True),
        ([], True),
        ([kubevirt(deletionTimestamp="2026-01-01T00:00:00Z")], True),
    ],
)
def test_the_migration_network_may_not_be_deleted(known: list[Manifest], allowed: bool) -> None:
    """
    As long as the KubeVirt CR names it, deleting it would end every migration.
    """
    outcome = decided(review("DELETE", None, NAD), *known)

    assert outcome.allowed is allowed
    assert list(refused(outcome)) == ([] if allowed else ["metadata.name"])


@pytest.mark.parametrize(("most", "warnings"), [(Action.WARN, 1), (Action.AUDIT, 0), (Action.OFF, 0)])
def test_at_most_also_limits_the_denial_of_a_deletion(most: Action, warnings: int) -> None:
    """
    ``atMost`` holds for what is no finding, too, of all or of the namespace.
    """
    there = Policy(namespaces=[NamespacePolicy(names=["kubevirt"], at_most=most)])
    elsewhere = Policy(namespaces=[NamespacePolicy(names=["tenant"], at_most=most)])

    outcome = decided(review("DELETE", None, NAD), kubevirt(), policy=there)

    assert outcome.allowed
    assert len(outcome.warnings) == warnings
    assert decided(review("DELETE", None, NAD), kubevirt(), policy=Policy(at_most=most)).allowed
    assert not decided(review("DELETE", None, NAD), kubevirt(), policy=elsewhere).allowed


@pytest.mark.parametrize("account", ["generic-garbage-collector", "namespace-controller"])
def test_cleanup_by_kubernetes_is_never_denied(account: str) -> None:
    """
    The garbage collector and the namespace controller delete what they must.
    """
    user = f"system:serviceaccount:kube-system:{account}"

    assert decided(review("DELETE", None, NAD, user=user), kubevirt()).allowed


MISPLACED = {"kubevirt.io/allow-pod-bridge-network-live-migration": ""}
DENIES_THAT = Policy(actions={"LM105": Action.DENY})


def pooled(machine: Manifest) -> Manifest:
    """A pool with the VM as its template."""
    return {
        "apiVersion": "pool.kubevirt.io/v1beta1",
        "kind": "VirtualMachinePool",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": {"virtualMachineTemplate": {"metadata": dict(machine["metadata"]), "spec": machine["spec"]}},
    }


@pytest.mark.parametrize("wrap", [dict, pooled], ids=["VM", "pool"])
@pytest.mark.parametrize(
    ("before", "after"),
    [({"runStrategy": "Halted"}, {"runStrategy": "Always"}), ({"running": False}, {"running": True}), ({}, {})],
    ids=["runStrategy", "running", "neither"],
)
def test_metadata_and_starting_add_no_finding_even_together(wrap: Any, before: Manifest, after: Manifest) -> None:
    """
    An update of metadata, of ``running`` or of ``runStrategy`` is never denied, also where the new metadata is a finding that
    policy denies. The same metadata is denied at creation. It is no new harm beside a change of the judged part, because an
    update of the metadata alone can come first, and no webhook sees that.
    """
    old, new, other = vm(), vm(), vm(volumes=[{"name": "a", "emptyDisk": {}}])
    for manifest, fields in ((old, before), (new, after), (other, after)):
        manifest["spec"].pop("runStrategy")
        manifest["spec"].update(fields)
    for manifest in (new, other):
        manifest["metadata"] = {**manifest["metadata"], "annotations": MISPLACED}

    updated = decided(review("UPDATE", wrap(new), wrap(old)), policy=DENIES_THAT)

    assert updated.allowed
    assert ("LM105", "warn") in warned(updated)
    assert not decided(review("CREATE", wrap(new)), policy=DENIES_THAT).allowed
    assert decided(review("UPDATE", wrap(other), wrap(old)), policy=DENIES_THAT).allowed


def test_an_annotation_of_a_network_adds_no_finding() -> None:
    """
    A NetworkAttachmentDefinition whose ``spec`` stays may lose the annotation that chose its device.
    """
    annotations = {"k8s.v1.cni.cncf.io/resourceName": "example.org/card"}
    chosen = {**NAD, "spec": {"config": '{"cniVersion": "0.3.1", "name": "a", "type": "host-device"}'}}
    chosen["metadata"] = {**NAD["metadata"], "annotations": annotations}
    lost = {**chosen, "metadata": NAD["metadata"]}

    assert decided(review("UPDATE", lost, chosen), kubevirt()).allowed
    assert not decided(review("CREATE", lost), kubevirt()).allowed


def test_outcomes_are_compared_without_their_world() -> None:
    """
    The world that one rests on is neither compared nor printed; a plain pass waits for nothing and is not late.
    """
    resting = replace(PASS, foreign_world=ObjectsWorld([]))

    assert resting == PASS
    assert "foreign_world" not in repr(resting)
    assert (PASS.foreign_world, PASS.is_final, PASS.late) == (None, False, False)
