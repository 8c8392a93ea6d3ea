"""Which findings are about plugged volumes, and which volumes are requested."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import on_claim, read, vm
from tests.surfaces.admission.test_hotplug import asked, hot, kubevirt
from webhook.judging.finding import Finding
from webhook.kubevirt.releases import KNOWN
from webhook.kubevirt.subject import Subject, subject_of
from webhook.objects.path import FieldPath, dotted
from webhook.objects.vm import VirtualMachine
from webhook.policy.hotplug import at_request, is_about_plugged, plugged_into, with_requests
from webhook.rules.rule import Basis
from webhook.rules.storage.claim_not_shared import RULE

BASE: FieldPath = ("spec", "template", "spec")


DISKS = [{"name": "os"}, {"name": "hot"}]


def at(*path: str | int) -> Finding:
    return Finding(RULE, Basis.KUBEVIRT, path, "message", "remedy", "os", KNOWN)


def machine(*volumes: dict[str, Any], **more: Any) -> VirtualMachine:
    decoded = read(vm(**({"volumes": list(volumes)} if volumes else {}), **more))
    assert isinstance(decoded, VirtualMachine)
    return decoded


def carrier(decoded: VirtualMachine) -> Subject:
    subject = subject_of(decoded)
    assert subject is not None
    return subject


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ((*BASE, "volumes", 1), True),
        ((*BASE, "volumes", 1, "persistentVolumeClaim", "claimName"), True),
        ((*BASE, "volumes", 0), False),
        ((*BASE, "volumes"), False),
        ((*BASE, "domain", "devices", "disks", 1), True),
        ((*BASE, "domain", "devices", "disks", 1, "disk"), True),
        ((*BASE, "domain", "devices", "disks", 0), False),
        ((*BASE, "domain", "devices", "disks", 2), False),
        ((*BASE, "domain", "devices", "disks", "hot"), False),
        ((*BASE, "domain", "devices", "disks"), False),
        ((*BASE, "domain", "devices", "interfaces", 1), False),
        (BASE, False),
        (("spec", "dataVolumeTemplates", "spec", "volumes", 1), False),
    ],
    ids=lambda value: dotted(value) if isinstance(value, tuple) else str(value),
)
def test_a_finding_about_a_plugged_volume_is_at_the_volume_or_its_disk(path: FieldPath, about: bool) -> None:
    """
    Everything else in the template, such as the first volume and its disk, is judged as in any other update.
    """
    old, new = machine(on_claim("shared")), machine(on_claim("shared"), hot("single"), devices={"disks": DISKS})

    assert is_about_plugged(at(*path), new, old) is about


@pytest.mark.parametrize("domain", [None, {}, {"devices": {}}])
def test_without_disks_no_finding_is_about_one(domain: dict[str, Any] | None) -> None:
    """
    A template may have no domain, a domain no devices, and devices no disks.
    """
    old, new = machine(on_claim("shared")), machine(on_claim("shared"), hot("single"), domain=domain)

    assert is_about_plugged(at(*BASE, "domain", "devices", "disks", 0), new, old) is False


def test_a_kind_without_volumes_has_no_plugged_volume() -> None:
    """
    A finding about the KubeVirt resource is about no volume, whichever of the two objects is one.
    """
    cluster, volume = read(kubevirt({})), at(*BASE, "volumes", 0)

    assert is_about_plugged(volume, cluster, machine(hot("single"))) is False
    assert is_about_plugged(volume, machine(hot("single")), cluster) is False


def data_volume(name: str, **more: Any) -> dict[str, Any]:
    return {"name": "hot", "dataVolume": {"name": name, **more}}


@pytest.mark.parametrize(
    ("old", "new", "plugged"),
    [
        ([], [hot("single")], [(0, "hot")]),
        ([on_claim("shared")], [on_claim("shared"), data_volume("a", hotpluggable=True)], [(1, "hot")]),
        ([hot("single")], [hot("other")], [(0, "hot")]),
        ([hot("single")], [hot("single")], []),
        ([on_claim("single", "hot")], [hot("single")], []),
        ([], [on_claim("single", "hot")], []),
        ([], [data_volume("a", hotpluggable=False)], []),
        ([], [{"name": "hot", "emptyDisk": {}}], []),
        ([hot("single")], [], []),
    ],
    ids=[
        "claim",
        "DataVolume",
        "another claim",
        "same",
        "was permanent",
        "permanent",
        "not marked",
        "no claim",
        "gone",
    ],
)
def test_new_or_changed_hotpluggable_volumes_of_a_vm_are_plugged_in(
    old: list[dict[str, Any]], new: list[dict[str, Any]], plugged: list[tuple[int, str]]
) -> None:
    """
    Each comes with its index; a permanent volume of the same name takes effect at the next start.
    """
    requested = [(index, volume.name) for index, volume in plugged_into(carrier(machine(*new)), carrier(machine(*old)))]

    assert requested == plugged


REMOVAL = {"removeVolumeOptions": {"name": "os"}}


ADDITION = {"addVolumeOptions": {"name": "hot", "volumeSource": {"dataVolume": {"name": "a"}}}}


WITHOUT_SOURCE = {"addVolumeOptions": {"name": "hot"}}


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ((*BASE, "volumes", 1), True),
        ((*BASE, "volumes", 1, "dataVolume"), True),
        ((*BASE, "volumes", 0), False),
        ((*BASE, "volumes", 2), False),
        ((*BASE, "volumes", "hot"), False),
        ((*BASE, "volumes"), False),
        ((*BASE, "networks", 1), False),
        ((*BASE, "domain", "devices", "disks", 1), False),
    ],
    ids=lambda value: dotted(value) if isinstance(value, tuple) else str(value),
)
def test_only_findings_about_requested_volumes_move_to_the_request(path: FieldPath, moved: bool) -> None:
    """
    Requests are counted in ``status.volumeRequests``, where removals, and additions without a source, have a place, too.
    """
    decoded = machine(on_claim("shared"), status={"volumeRequests": [REMOVAL, WITHOUT_SOURCE, ADDITION]})

    place = ("status", "volumeRequests", 2, "addVolumeOptions", "volumeSource")
    assert at_request(at(*path), decoded) == (at(*place) if moved else at(*path))


def test_requested_volumes_come_after_those_of_the_template() -> None:
    """
    The name is that of the request, the source its claim or DataVolume; the rest of the VM stays.
    """
    status = {"volumeRequests": [REMOVAL, ADDITION, *asked("single")["volumeRequests"]]}
    sources = [data_volume("a"), on_claim("single", "hot-single")]

    assert with_requests(machine(on_claim("shared"), status=status)) == machine(
        on_claim("shared"), *sources, status=status
    )
    assert with_requests(machine(status=status)) == machine(*sources, status=status)


@pytest.mark.parametrize("outer", [{"template": None}, {"template": {}}])
def test_a_vm_without_a_template_stays_as_it_is(outer: dict[str, Any]) -> None:
    """
    Also with requests; so does a VM without requests.
    """
    bare = machine(status=asked("single"), outer=outer)

    assert with_requests(bare) is bare
    assert with_requests(machine()) == machine()
