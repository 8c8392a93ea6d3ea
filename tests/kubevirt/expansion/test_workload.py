"""The data that a migration transfers (webhook.kubevirt.expansion.workload)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import Manifest, read, vmi, world, yaml
from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.expansion.inherited import Inherited
from webhook.kubevirt.expansion.workload import LocalDisk, bytes_of, guest_memory, local_disks, passed_through
from webhook.kubevirt.releases import NEWEST, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import InstancetypeSpec
from webhook.rules.example import kubevirt

HIDDEN = Unknown("the instancetype was not shown")
BASE = ("spec", "domain")


def memory(domain: str, instancetype: str = "{}", hidden: Unknown | None = None) -> Any:
    """The guest's memory of a VMI with this domain."""
    manifest: Manifest = vmi("{}")
    manifest["spec"] = yaml(f"{{domain: {domain}}}") if domain else {}
    subject = subject_of(read(manifest))
    assert subject is not None
    found = msgspec.convert(yaml(instancetype), InstancetypeSpec)
    return guest_memory(subject, Inherited(found, "small", unknown=hidden))


@pytest.mark.parametrize(
    ("domain", "path", "value"),
    [
        ("{memory: {guest: 1Gi}, resources: {requests: {memory: 2Gi}}}", ("memory", "guest"), "1Gi"),
        ("{resources: {requests: {memory: 2Gi}, limits: {memory: 3Gi}}}", ("resources", "requests", "memory"), "2Gi"),
        ("{resources: {requests: {memory: 0}, limits: {memory: 3Gi}}}", ("resources", "limits", "memory"), "3Gi"),
        ("{resources: {requests: {memory: '0'}, limits: {memory: 3Gi}}}", ("resources", "limits", "memory"), "3Gi"),
        ("{resources: {requests: {cpu: 1}, limits: {memory: 3Gi}}}", ("resources", "limits", "memory"), "3Gi"),
        ("{resources: {limits: {memory: 3Gi}}}", ("resources", "limits", "memory"), "3Gi"),
        ("{memory: {hugepages: {pageSize: 2Mi}}}", ("memory", "hugepages", "pageSize"), "2Mi"),
        (
            "{memory: {hugepages: {pageSize: 2Mi}}, resources: {limits: {memory: 3Gi}}}",
            ("resources", "limits", "memory"),
            "3Gi",
        ),
    ],
)
def test_the_guests_memory_is_the_first_that_is_written(domain: str, path: tuple[str, ...], value: str) -> None:
    """
    memory.guest, then requests, then limits, then one huge page; zero counts as absent in the lists.
    """
    assert memory(domain) == Sourced((*BASE, *path), value)


@pytest.mark.parametrize(
    "domain", ["", "{}", "{memory: {}}", "{memory: {hugepages: {}}}", "{resources: {requests: {}, limits: {}}}"]
)
def test_no_memory_may_be_written(domain: str) -> None:
    """
    A VMI may say nothing of its memory.
    """
    assert memory(domain) is None


def test_an_instancetypes_memory_comes_after_the_vms_own() -> None:
    """
    It is named with its origin, at the VM's reference.
    """
    small = "{memory: {guest: 4Gi}}"

    assert memory("{resources: {requests: {memory: 2Gi}}}", small) == Sourced(
        ("instancetype",), "4Gi", "instancetype 'small'"
    )
    assert memory("{memory: {guest: 1Gi}}", small) == Sourced((*BASE, "memory", "guest"), "1Gi")
    assert memory("{resources: {requests: {memory: 2Gi}}}", "{memory: {}}").value == "2Gi"


def test_a_unknown_instancetype_leaves_the_memory_open() -> None:
    """
    Its memory would have precedence over requests and limits, but not over the VM's own memory.
    """
    assert memory("{resources: {requests: {memory: 2Gi}}}", hidden=HIDDEN) is HIDDEN
    assert memory("{memory: {guest: 1Gi}}", hidden=HIDDEN).value == "1Gi"


def test_memory_in_bytes_is_rounded_up() -> None:
    """
    A value that the API server refuses has no size, and unknown memory stays unknown.
    """
    place = (*BASE, "memory", "guest")

    assert bytes_of(Sourced(place, "1Ki", "origin")) == Sourced(place, 1024, "origin")
    assert bytes_of(Sourced(place, "1500m")) == Sourced(place, 2)
    assert bytes_of(Sourced(place, "0")) == Sourced(place, 0)
    assert bytes_of(Sourced(place, "-1")) is None
    assert bytes_of(Sourced(place, "much")) is None
    assert bytes_of(HIDDEN) is HIDDEN
    assert bytes_of(None) is None


def facts_of(fragment: str, **spec: Any) -> MigrationFacts:
    manifest = vmi(fragment)
    manifest["spec"].update(spec)
    subject = subject_of(read(manifest))
    assert subject is not None
    return next(iter(expand(subject, world(kubevirt()), only(NEWEST))))


VOLUMES = """
  {name: empty, emptyDisk: {capacity: 1Gi}}, {name: image, containerDisk: {image: i}},
  {name: over, ephemeral: {persistentVolumeClaim: {claimName: c}}}, {name: drive, containerDisk: {image: i}},
  {name: init, cloudInitNoCloud: {userData: a}}, {name: odd, emptyDisk: {capacity: much}}
"""


def test_local_disks_are_copied_with_the_memory() -> None:
    """
    Empty disks up to their capacity, container disks and overlaid claims without a known size; no CD-ROM, no cloud-init.
    """
    disks = "[{name: image, disk: {}}, {name: drive, cdrom: {}}]"

    result = list(local_disks(facts_of(f"{{disks: {disks}, volumes: [{VOLUMES}]}}")))

    assert result == [
        LocalDisk("empty", ("spec", "volumes", 0), 2**30, counts=False),
        LocalDisk("image", ("spec", "volumes", 1), None, counts=True),
        LocalDisk("over", ("spec", "volumes", 2), None, counts=True),
        LocalDisk("odd", ("spec", "volumes", 5), None, counts=False),
    ]


@pytest.mark.parametrize("domain", [None, {}, {"devices": {}}])
def test_disks_need_not_be_listed(domain: Manifest | None) -> None:
    """
    A volume without a disk entry is copied too, and a VMI may have no volumes.
    """
    image = {"name": "image", "containerDisk": {"image": "i"}}

    assert [disk.volume for disk in local_disks(facts_of("{}", domain=domain, volumes=[image]))] == ["image"]
    assert [*local_disks(facts_of("{}", domain=domain))] == []


DEVICES = ("spec", "domain", "devices")


@pytest.mark.parametrize(
    ("fragment", "path"),
    [
        ("{gpus: [{name: a, deviceName: b}], hostDevices: [{name: c, deviceName: d}]}", (*DEVICES, "gpus", 0)),
        ("{hostDevices: [{name: c, deviceName: d}]}", (*DEVICES, "hostDevices", 0)),
        (
            "{interfaces: [{name: a, bridge: {}}, {name: b, sriov: {}}], networks: [{name: a}, {name: b}]}",
            (*DEVICES, "interfaces", 1),
        ),
        ("{interfaces: [{name: a, masquerade: {}}], networks: [{name: a, pod: {}}]}", None),
    ],
)
def test_a_device_that_is_passed_through_prevents_post_copy(fragment: str, path: tuple[str | int, ...] | None) -> None:
    """
    The first GPU, else the first host device, else the first SR-IOV interface.
    """
    assert passed_through(facts_of(fragment)) == path
