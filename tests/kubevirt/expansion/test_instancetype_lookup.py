"""The lookup of instancetypes and preferences (webhook.kubevirt.expansion.instancetypes)."""

import pytest

from tests.kubevirt.building import Manifest, world
from tests.kubevirt.expansion.test_instancetypes import COMPLETE
from webhook.facts.unknown import ABSENT, Unknown
from webhook.kubevirt.expansion.inferred import Scope
from webhook.kubevirt.expansion.instancetypes import OBJECT_NAME, find_instancetype, find_preference
from webhook.objects.instancetype import (
    InstancetypeSpec,
)
from webhook.objects.vm import InstancetypeStatusRef, Matcher
from webhook.objects.vmi import VMISpec, Volume


def looked_up(matcher: Matcher | None, noted: InstancetypeStatusRef | None, *around: Manifest) -> tuple[object, str]:
    """The instancetype that counts, and its name."""
    place = Scope(world(*around, complete=COMPLETE), "tenant", VMISpec(), {})
    return find_instancetype(place, matcher, noted)


def test_a_vm_without_an_instancetype_names_none() -> None:
    """
    Absent is neither unknown nor empty.
    """
    assert looked_up(None, None) == (ABSENT, "")


def test_an_inference_that_is_ignored_leaves_no_name() -> None:
    """
    Failure policy Ignore clears the reference.
    """
    matcher = Matcher(infer_from_volume="d", infer_from_volume_failure_policy="Ignore")
    image = VMISpec(volumes=[Volume(name="d")])

    spec = find_instancetype(Scope(world(), "tenant", image, {}), matcher, None)

    assert spec == (ABSENT, "")


def test_the_remedy_for_a_reference_without_a_name_is_to_set_it() -> None:
    """
    KubeVirt refuses such a VM.
    """
    spec = looked_up(Matcher(), None)

    assert spec == (Unknown("spec.instancetype has no name", "set the name of the instancetype"), "")


@pytest.mark.parametrize(
    ("noted", "cpus"),
    [
        (InstancetypeStatusRef(name="small", controller_revision_ref=Matcher(name="frozen")), 2),
        (InstancetypeStatusRef(controller_revision_ref=Matcher(name="frozen")), 2),
        (InstancetypeStatusRef(name="other", controller_revision_ref=Matcher(name="frozen")), 1),
        (InstancetypeStatusRef(name="small", controller_revision_ref=Matcher()), 1),
        (InstancetypeStatusRef(name="small"), 1),
        (None, 1),
    ],
)
def test_a_revision_in_the_status_counts_for_the_same_name(noted: InstancetypeStatusRef | None, cpus: int) -> None:
    """
    A revision in the status for another instancetype, or without a name, does not replace the object itself.
    """
    live = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterInstancetype",
        "metadata": {"name": "small"},
        "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}},
    }
    frozen = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "frozen", "namespace": "tenant", "labels": {OBJECT_NAME: "small"}},
        "data": {**live, "spec": {"cpu": {"guest": 2}, "memory": {"guest": "1Gi"}}},
    }

    spec, name = looked_up(Matcher(name="small"), noted, live, frozen)

    assert isinstance(spec, InstancetypeSpec)
    assert spec.cpu is not None
    assert (spec.cpu.guest, name) == (cpus, "small")


def test_a_revision_without_labels_does_not_count() -> None:
    """
    Only the label of a ControllerRevision names its object.
    """
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "frozen", "namespace": "tenant"},
    }
    noted = InstancetypeStatusRef(name="small", controller_revision_ref=Matcher(name="frozen"))

    spec, _ = looked_up(Matcher(name="small"), noted, revision)

    assert spec == Unknown("instancetype 'small' does not exist", "create it, or correct its name and kind")


def test_the_reason_for_an_unknown_preference_names_it() -> None:
    """
    The field is spec.preference, and the advice names the preference.
    """
    spec, _ = find_preference(Scope(world(), "tenant", VMISpec(), {}), Matcher(), None)

    assert spec == Unknown("spec.preference has no name", "set the name of the preference")
