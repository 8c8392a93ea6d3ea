"""P1 to P4, P7 and P8: an admitted object may stay, be changed and be improved. Only new violations are denied."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.generating.accepting import spec_of
from tests.properties.edits import (
    EDITS,
    METADATA,
    SHRINKING,
    STARTS,
    Edit,
    add_device,
    add_volume,
    edited,
    evict,
)
from tests.properties.faults import FAULTS, SEEDS, Flapping, faulty_answer, flapping
from tests.properties.supply import (
    PROPERTY,
    TODAY,
    Around,
    Terms,
    anything,
    clusters,
    create,
    denials,
    fields,
    machines,
    policies,
    read,
    terms,
    update,
    without_references,
)
from tests.surfaces.admission.reviews import review
from webhook.kubevirt.releases import SUPPORTED
from webhook.policy.policy import Policy
from webhook.surfaces.admission.validate import JudgingContext


@PROPERTY
@given(anything(), terms(), st.lists(METADATA, max_size=1))
def test_p1_an_update_without_a_change_passes(manifest: Manifest, now: Terms, metadata: list[Edit]) -> None:
    """
    P1, P6: an update that changes nothing, or only metadata, is allowed in any cluster and under any policy, including
    a policy that has become stricter.
    """
    assert update(manifest, edited(manifest, *metadata), now.context()).allowed


@PROPERTY
@given(anything(), flapping(), policies())
def test_p1_an_update_without_a_change_passes_with_any_facts(
    manifest: Manifest, world: Flapping, policy: Policy
) -> None:
    """
    P1: this holds even if two lookups in the cluster contradict each other.
    """
    assert update(manifest, manifest, JudgingContext(world, SUPPORTED, policy, TODAY, "kubevirt")).allowed


@PROPERTY
@given(machines(updated=True), STARTS, flapping(), policies())
def test_p7_starting_and_stopping_passes(manifest: Manifest, start: Edit, world: Flapping, policy: Policy) -> None:
    """
    P7: starting, stopping and scaling alone are allowed, whatever the facts about the cluster.
    """
    context = JudgingContext(world, SUPPORTED, policy, TODAY, "kubevirt")

    assert update(manifest, edited(manifest, start), context).allowed


@PROPERTY
@given(anything(), st.lists(st.one_of(STARTS, METADATA), max_size=1), st.sampled_from(FAULTS[:4]), clusters(), SEEDS)
def test_p1_and_p7_hold_on_the_wire_with_any_internal_error(
    manifest: Manifest, edits: list[Edit], fault: str, around: Around, seed: int
) -> None:
    """
    P1, P7: with every injected fault the response is 200 and allowed, without the text of the fault.
    """
    assume(manifest["kind"] != "VirtualMachineInstance" or not edits)
    body = review("UPDATE", edited(manifest, *edits), manifest)

    answer = faulty_answer(fault, around, seed, Policy(), body)

    assert answer.status == 200
    assert answer.json["response"]["allowed"] is True
    assert "CANARY" not in answer.text


@pytest.mark.parametrize("fault", FAULTS[4:])
@pytest.mark.parametrize("seed", range(5))
def test_p1_holds_if_live_reads_fail_or_are_late(fault: str, seed: int) -> None:
    """
    P1: if live reads fail or are late, the response still comes in time, and no request is denied for it.
    """
    vm = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm", "namespace": "tenant"},
        "spec": {"template": {"spec": {"domain": {"devices": {}}, "volumes": [{"name": "os"}]}}},
    }

    answer = faulty_answer(fault, Around((), ()), seed, Policy(), review("UPDATE", vm, vm))

    assert answer.json["response"]["allowed"] is True


@PROPERTY
@given(machines(updated=True), st.lists(EDITS, max_size=3), terms())
def test_p2_only_new_violations_are_denied(manifest: Manifest, edits: list[Edit], now: Terms) -> None:
    """
    P2, P3: an update is denied exactly for the violations of the new object that the old one, with the same metadata,
    does not have. An update without new violations is allowed, and so is one that changes only metadata, starts, stops
    or scales. Volumes that are no longer hotpluggable are left out: their findings, which ``hotplug`` admitted, are
    judged again.
    """
    changed, context = edited(manifest, *edits), now.context()
    assume(
        not (marked(manifest) - marked(changed)) & {volume["name"] for volume in spec_of(changed).get("volumes") or ()}
    )
    old = with_metadata_of(changed, manifest)
    before, after = (denials(create(version, context)) for version in (old, changed))
    new = after - before if what_counts(changed) != what_counts(manifest) else set()

    outcome = update(manifest, changed, context)

    assert denials(outcome) == new
    assert outcome.allowed == (not new)


def marked(manifest: Manifest) -> set[str]:
    """The names of hotpluggable volumes."""
    volumes = spec_of(manifest).get("volumes") or ()
    return {
        volume["name"]
        for volume in volumes
        for source in volume.values()
        if isinstance(source, dict) and source.get("hotpluggable") is True
    }


def with_metadata_of(new: Manifest, old: Manifest) -> Manifest:
    """The old object with the metadata of the new one, which the API server changes without a request to the webhook."""
    kept = {**old, "metadata": new["metadata"]}
    if old["kind"] == "VirtualMachinePool":
        template = {**old["spec"]["virtualMachineTemplate"]}
        template.pop("metadata", None)
        if "metadata" in new["spec"]["virtualMachineTemplate"]:
            template["metadata"] = new["spec"]["virtualMachineTemplate"]["metadata"]
        kept["spec"] = {**old["spec"], "virtualMachineTemplate": template}
    return kept


def what_counts(manifest: Manifest) -> Manifest:
    """The part of an object whose change can add a finding."""
    spec = manifest["spec"]
    if manifest["kind"] == "VirtualMachineInstanceReplicaSet":
        return {"template": spec["template"]}
    if manifest["kind"] == "VirtualMachinePool":
        spec = spec["virtualMachineTemplate"]["spec"]
    return {name: value for name, value in spec.items() if name not in ("running", "runStrategy")}


HARM: dict[str, tuple[Edit, str]] = {
    "gpu": (add_device("gpus", "injected"), "domain.devices.gpus[{gpus}]"),
    "host device": (add_device("hostDevices", "injected"), "domain.devices.hostDevices[{hostDevices}]"),
    "claim": (add_volume("injected", "injected"), "volumes[{volumes}]"),
    "eviction strategy": (evict("injected"), "evictionStrategy"),
}
SINGLE = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "injected", "namespace": "tenant"},
    "spec": {"accessModes": ["ReadWriteOnce"]},
}


@PROPERTY
@given(machines(updated=True), st.sampled_from(sorted(HARM)), clusters(), st.lists(METADATA, max_size=1))
def test_p3_only_the_added_violation_is_named(
    manifest: Manifest, harm: str, around: Around, metadata: list[Edit]
) -> None:
    """
    P3: what one edit adds is refused at its own place, and nothing else is, however much was wrong before.
    """
    manifest = without_references(manifest)
    edit, place = HARM[harm]
    spec, devices = spec_of(manifest), spec_of(manifest)["domain"]["devices"]
    assume(harm != "eviction strategy" or "evictionStrategy" not in spec)
    counts = {key: len(holder.get(key, ())) for holder in (spec, devices) for key in ("volumes", "gpus", "hostDevices")}
    counts["volumes"] = len(spec.get("volumes", ()))
    world = Around(around.manifests, (*around.objects, read(SINGLE))).world()

    outcome = update(
        manifest, edited(manifest, edit, *metadata), JudgingContext(world, SUPPORTED, Policy(), TODAY, "kubevirt")
    )

    assert [field.rpartition("spec.")[2] for field in fields(outcome.causes)] == [place.format(**counts)]


@PROPERTY
@given(machines(updated=True), st.lists(EDITS, max_size=3), st.lists(EDITS, max_size=3), terms())
def test_p4_two_updates_reach_only_states_that_one_update_reaches(
    manifest: Manifest, first: list[Edit], second: list[Edit], now: Terms
) -> None:
    """
    P4: in a cluster that does not change, one update can reach any state that two allowed updates reach, whatever they
    remove, restore, rename or swap.
    """
    context = now.context()
    between = edited(manifest, *first)
    end = edited(between, *second)
    assume(update(manifest, between, context).allowed and update(between, end, context).allowed)

    assert fields(update(manifest, end, context).causes) == []


@PROPERTY
@given(machines(updated=True), SHRINKING, terms())
def test_p8_removing_adds_no_finding(manifest: Manifest, shrink: Edit, now: Terms) -> None:
    """
    P8: without a volume, device or filesystem there is no violation that was not there with it.

    Not networks, interfaces and parts of an instancetype: KubeVirt fills them in if a VM lists none.
    """
    whole = without_references(manifest)

    outcome = update(whole, edited(whole, shrink), now.context())

    assert fields(outcome.causes) == []
