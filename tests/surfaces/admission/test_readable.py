"""Only the judged part decides whether an object can be read. An unreadable part never gets a better result than a violation."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating.hostile import METADATA, MISTYPED, NESTED, deep, rendered
from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, read, refused, review, vm
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, only
from webhook.objects.kinds import KINDS
from webhook.objects.vm import VirtualMachine
from webhook.policy.policy import Policy
from webhook.surfaces.admission.hooks import VALIDATING_HOOKS
from webhook.surfaces.admission.judged_part import PARTS, only_judged, same_judged_part
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.requests import DecodedRequest, UnreadableRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext

SINGLE = claim("single", "ReadWriteOnce")
BAD = {"volumes": [on_claim("single")]}
REPLICAS = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}}


def body_of(operation: str, new: Manifest | None, old: Manifest | None = None, **more: Any) -> bytes:
    """A review whose manifests may hold nested values."""
    return rendered(json.loads(review(operation, new, old, **more)))


def replica_set(**spec: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": {**REPLICAS, "template": vm(**spec)["spec"]["template"]},
    }


def pool(**spec: Any) -> Manifest:
    return {
        "apiVersion": "pool.kubevirt.io/v1beta1",
        "kind": "VirtualMachinePool",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": {**REPLICAS, "virtualMachineTemplate": {"metadata": {}, "spec": vm(**spec)["spec"]}},
    }


def metadata_of(manifest: Manifest) -> list[Manifest]:
    """Every metadata in it of which a schema says little or nothing."""
    listed = [manifest["metadata"]]
    spec = manifest["spec"]
    if "virtualMachineTemplate" in spec:
        listed.append(spec["virtualMachineTemplate"]["metadata"])
        spec = spec["virtualMachineTemplate"]["spec"]
    return [*listed, spec["template"]["metadata"]]


CARRIERS = [vm, replica_set, pool]


@settings(deadline=None)
@given(st.sampled_from(CARRIERS), METADATA, METADATA, st.sampled_from([{}, BAD]), st.booleans())
def test_metadata_of_the_old_object_allows_no_finding(
    carrier: Any, outer: Any, inner: Any, spec: Manifest, pooled: bool
) -> None:
    """
    Whatever an unseen change put into an object's metadata, a violation in its judged part is refused afterwards, and what
    is no violation is not.
    """
    old, new = carrier(), carrier(evictionStrategy="LiveMigrate", **spec)
    for manifest in (old, new):
        for metadata in metadata_of(manifest)[: 2 if pooled else 1]:
            metadata.update(inner if metadata is not manifest["metadata"] else {**outer, **metadata})

    outcome = decided(body_of("UPDATE", new, old), SINGLE)

    assert outcome.allowed is (spec == {})


@settings(deadline=None)
@given(
    st.sampled_from(CARRIERS),
    METADATA.filter(lambda metadata: "@@" not in json.dumps(metadata)),
    st.sampled_from([{}, BAD]),
)
def test_metadata_of_a_template_hides_nothing(carrier: Any, metadata: Any, spec: Manifest) -> None:
    """
    Wrong types in metadata of which no schema says anything make no object unreadable.
    """
    made = carrier(**spec)
    metadata_of(made)[-1].update(metadata)

    assert decided(body_of("CREATE", made), SINGLE).allowed is (spec == {})


@pytest.mark.parametrize("depth", [600, 3_000, 9_900])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_depth_counts_in_the_judged_part_alone(carrier: Any, depth: int) -> None:
    """
    Thousands of levels in managedFields or status are ignored. In a template they are denied when they are new.
    """
    unseen, seen = carrier(), carrier()
    unseen["metadata"]["managedFields"] = [{"fieldsV1": deep(depth, "f")}]
    unseen["status"] = {"x": deep(depth)}
    metadata_of(seen)[-1]["x"] = deep(depth)

    assert isinstance(read_review(body_of("CREATE", unseen)), DecodedRequest)
    assert isinstance(read_review(body_of("UPDATE", unseen, carrier())), DecodedRequest)
    assert isinstance(read_review(body_of("CREATE", seen)), UnreadableRequest)
    assert isinstance(read_review(body_of("UPDATE", seen, unseen)), UnreadableRequest)
    assert isinstance(read_review(body_of("UPDATE", seen, seen)), DecodedRequest)


NEAR_THE_END = range(860, 1_000, 20)
"""Levels at which a decoder of Python 3.11 still goes on, and what comes after it may not."""


def mistyped(value: Any, **more: Any) -> Manifest:
    """A VM of whose judged part a field has a wrong type."""
    return vm(nodeSelector=value, **more)


@settings(deadline=None)
@given(st.sampled_from([7, ["a"], {"a": 1}, deep(3), deep(3_000)]))
def test_an_unreadable_old_object_allows_no_finding(value: Any) -> None:
    """
    A new object that can be read is judged like any other, so its violations are refused, and a repair passes.
    """
    old = mistyped(value)

    assert list(refused(decided(body_of("UPDATE", vm(**BAD), old), SINGLE))) == ["spec.template.spec.volumes[0]"]
    assert decided(body_of("UPDATE", vm(), old), SINGLE).allowed


@pytest.mark.parametrize(
    ("new", "old", "passes"),
    [
        (mistyped(7), mistyped(7), True),
        (mistyped(7, outer={"runStrategy": "Halted"}), mistyped(7), True),
        (mistyped(deep(3_000)), mistyped(deep(3_000)), True),
        *((mistyped(deep(depth)), mistyped(deep(depth)), True) for depth in NEAR_THE_END),
        (mistyped(7, **BAD), mistyped(7), False),
        (mistyped(True), mistyped(1), False),
        (mistyped(deep(3_000)), mistyped(deep(3_001)), False),
        (mistyped(7), vm(), False),
    ],
    ids=["same", "stopped", "same depth", *map(str, NEAR_THE_END), "worse", "true for 1", "another depth", "broken"],
)
def test_an_unreadable_new_object_passes_where_its_judged_part_stays(
    new: Manifest, old: Manifest, passes: bool
) -> None:
    """
    N2, N4, N6: metadata, status, starting and stopping pass; any other change of what cannot be read does not.
    """
    told = read_review(body_of("UPDATE", new, old))

    assert isinstance(told, UnreadableRequest)
    assert told.passes is passes


@pytest.mark.parametrize("sub_resource", ["status", "scale"])
def test_a_write_of_status_passes_with_any_content(sub_resource: str) -> None:
    """
    N3: also where neither object can be read.
    """
    told = read_review(body_of("UPDATE", mistyped(7), mistyped(8), sub_resource=sub_resource))

    assert isinstance(told, UnreadableRequest)
    assert told.passes


def test_a_heartbeat_passes_with_any_content() -> None:
    """
    N3: virt-handler writes a VMI's status by an UPDATE of the whole; a VMI that is created gets no such excuse.
    """
    new, old = (
        {**mistyped(value)["spec"]["template"], "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance"}
        for value in (7, 8)
    )
    told, created = read_review(body_of("UPDATE", new, old)), read_review(body_of("CREATE", new))

    assert isinstance(told, UnreadableRequest)
    assert isinstance(created, UnreadableRequest)
    assert (told.passes, created.passes) == (True, False)


@pytest.mark.parametrize(
    "old", [mistyped(7), mistyped(deep(3_000)), vm(status={"x": deep(3_000)})], ids=["mistyped", "deep", "deep status"]
)
def test_an_object_that_cannot_be_read_can_be_deleted(old: Manifest) -> None:
    """
    N1: neither a wrong type nor any depth of the stored object refuses its deletion.
    """
    told = read_review(body_of("DELETE", None, old))

    assert isinstance(told, DecodedRequest)
    assert told.old is not None
    assert told.old.name == "web"
    assert decided(body_of("DELETE", None, old)).allowed


@pytest.mark.parametrize("old", [vm(), mistyped(deep(3_000)), vm(dnsConfig=7)], ids=["readable", "deep", "mistyped"])
def test_a_cause_names_the_place_in_the_new_object(old: Manifest) -> None:
    """
    A place where only the old object nests too deep, or has a wrong type, is not the author's to mend.
    """
    new = vm(affinity={"nodeAffinity": deep(3_000)})

    told = read_review(body_of("UPDATE", new, old))

    assert isinstance(told, UnreadableRequest)
    assert [cause.field.split(".")[3:5] for cause in told.causes] == [["affinity", "nodeAffinity"]]


def test_a_network_in_use_is_kept_also_where_it_cannot_be_read() -> None:
    """
    Its name is enough to know that migrations go over it.
    """
    network = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "lan", "namespace": "kubevirt", "labels": {"a": deep(3_000)}},
        "spec": {"config": 7},
    }
    cr = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": {"migrations": {"network": "lan"}}},
    }

    assert list(refused(decided(body_of("DELETE", None, network), cr))) == ["metadata.name"]
    assert decided(body_of("DELETE", None, network)).allowed


@settings(deadline=None)
@given(NESTED, MISTYPED)
def test_fields_that_are_not_judged_may_have_any_type(nested: str, value: Any) -> None:
    """
    A status or a field beside the judged part makes no object unreadable, and the object is still judged.
    """
    odd = vm(**BAD, outer={"runStrategy": value, "running": nested, "updateVolumesStrategy": value})
    odd["status"] = value

    outcome = decided(body_of("UPDATE", odd, vm()), SINGLE)

    assert list(refused(outcome)) == ["spec.template.spec.volumes[0]"]


def test_defaults_are_filled_in_whatever_is_stored_beside() -> None:
    """
    A new KubeVirt resource gets its defaults also with thousands of levels in its metadata, or a deletionTimestamp.
    """
    cr = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {
            "name": "kubevirt",
            "namespace": "kubevirt",
            "managedFields": [{"fieldsV1": deep(3_000)}],
            "deletionTimestamp": "2020-01-01T00:00:00Z",
        },
        "spec": {},
    }
    told = read_review(body_of("CREATE", cr))
    assert isinstance(told, DecodedRequest)

    context = JudgingContext(ObjectsWorld([]), only(NEWEST), Policy(), "2026-01-01", "kubevirt")

    assert operations_for(told, context)


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS if kind.judged])
def test_the_judged_part_is_what_the_api_server_compares(kind: str) -> None:
    """
    Each path of it is in the matchConditions by which an API server decides whether to send an update, and nothing else.
    """
    hooks = [webhook for webhook in VALIDATING_HOOKS if any(rule.kind.kind == kind for rule in webhook.rules)]
    compared = " ".join(
        condition.expression for hook in hooks for condition in hook.conditions if condition.name.endswith("-changed")
    )

    assert all(f"object.{'.'.join(path)}" in compared for path in PARTS[kind]) or kind == "VirtualMachineInstance"


def test_the_judged_part_of_a_manifest_is_all_that_its_findings_need() -> None:
    """
    A VM reads the same without what is left out of its judged part, but for starting and stopping.
    """
    whole = read(vm(**BAD))
    alone = read({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", **only_judged("VirtualMachine", vm(**BAD))})

    assert isinstance(whole, VirtualMachine)
    assert isinstance(alone, VirtualMachine)
    assert alone.spec.template == whole.spec.template
    assert alone.metadata == whole.metadata


def test_the_order_of_keys_is_no_change() -> None:
    """
    The same JSON in another order has the same judged part.
    """
    one, other = (json.dumps(vm(**BAD), sort_keys=ordered).encode() for ordered in (True, False))

    assert same_judged_part("VirtualMachine", one, other)
    assert not same_judged_part("VirtualMachine", one, b"{")
