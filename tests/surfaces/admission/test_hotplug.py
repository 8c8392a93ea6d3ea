"""Volumes that are plugged into a running VM."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import VIRT_API, claim, decided, on_claim, read, refused, review, vm, warned
from webhook.judging.finding import Finding
from webhook.kubevirt.releases import KNOWN
from webhook.kubevirt.subject import Subject, subject_of
from webhook.objects.path import FieldPath, dotted
from webhook.objects.vm import VirtualMachine
from webhook.policy.hotplug import at_request, is_about_plugged, plugged_into, with_requests
from webhook.policy.policy import Action, NamespacePolicy, Policy
from webhook.rules.rule import Basis
from webhook.rules.storage.claim_not_shared import RULE

SHARED, SINGLE = claim("shared", "ReadWriteMany"), claim("single", "ReadWriteOnce")
DENIES = Policy(hotplug=Action.DENY)


def asked(*claims: str) -> dict[str, Any]:
    """The status of a VM with requests for these claims."""
    return {
        "volumeRequests": [
            {"addVolumeOptions": {"name": f"hot-{each}", "volumeSource": source(each)}} for each in claims
        ]
    }


def source(name: str) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": name}}


def plug(before: dict[str, Any] | None, after: dict[str, Any], **spec: Any) -> bytes:
    return review("UPDATE", vm(status=after, **spec), vm(status=before, **spec), user=VIRT_API, sub_resource="status")


def test_a_claim_of_one_node_is_warned_of_where_it_was_asked_for() -> None:
    """
    The user learns, at the request, that the running VM can no longer be live-migrated; nothing is denied by default.
    """
    outcome = decided(plug(None, asked("single")), SINGLE)

    assert outcome.allowed
    assert [(each.finding.rule.id, dotted(each.finding.path), each.action.value) for each in outcome.decisions] == [
        ("LM201", "status.volumeRequests[0].addVolumeOptions.volumeSource", "warn")
    ]


def test_it_is_denied_where_the_policy_says_so() -> None:
    """
    ``hotplug: deny`` refuses the request, although virt-api's account writes it.
    """
    outcome = decided(plug(None, asked("shared", "single")), SHARED, SINGLE, policy=DENIES)

    assert list(refused(outcome)) == ["status.volumeRequests[1].addVolumeOptions.volumeSource"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, asked("shared")),
        (asked("single"), asked("single", "shared")),
        (asked("single"), {}),
        (asked("single"), asked("single")),
    ],
)
def test_only_what_is_new_counts(before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    """
    A shared claim, an older request and an unplugged volume pass without a word.
    """
    outcome = decided(plug(before, after), SHARED, SINGLE, policy=DENIES)

    assert outcome.allowed
    assert outcome.decisions == ()


def test_what_the_vm_was_before_is_not_told_again() -> None:
    """
    A VM that could not be migrated anyway is not judged by its status updates.
    """
    outcome = decided(plug(None, asked("shared"), volumes=[on_claim("single")]), SHARED, SINGLE, policy=DENIES)

    assert warned(outcome) == []
    assert outcome.allowed


def test_a_namespace_may_be_left_alone() -> None:
    """
    ``hotplug: off`` for some namespaces says nothing there.
    """
    policy = Policy(hotplug=Action.DENY, namespaces=[NamespacePolicy(names=["tenant"], hotplug=Action.OFF)])

    assert decided(plug(None, asked("single")), SINGLE, policy=policy).decisions == ()


def test_other_subresources_are_never_judged() -> None:
    """
    A status update without new requests, and a scale, pass unread.
    """
    bad = vm(volumes=[on_claim("single")])

    assert decided(review("UPDATE", bad, bad, sub_resource="status"), SINGLE).decisions == ()
    assert decided(review("UPDATE", bad, vm(), sub_resource="scale"), SINGLE).decisions == ()


GATES = {"developerConfiguration": {"featureGates": ["HotplugVolumes"]}}
RUNNING = {"created": True}


def hot(name: str, volume: str = "hot") -> dict[str, Any]:
    return {"name": volume, "persistentVolumeClaim": {"claimName": name, "hotpluggable": True}}


def kubevirt(configuration: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "kubevirt", "namespace": "kubevirt"}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": metadata,
        "spec": {"configuration": configuration},
    }


def template(user: str, status: dict[str, Any], *volumes: dict[str, Any], **outer: Any) -> bytes:
    """A VM's template gets these volumes beside its own."""
    first = on_claim("shared")
    new = vm(status=status, volumes=[first, *volumes], outer=outer)
    return review("UPDATE", new, vm(status=status, volumes=[first]), user=user)


@pytest.mark.parametrize(
    ("user", "status", "denied"),
    [
        pytest.param("jane", RUNNING, False, id="declared for a running VM"),
        pytest.param("jane", {}, True, id="declared for a stopped VM"),
        pytest.param(VIRT_API, RUNNING, False, id="addvolume to a running VM"),
        pytest.param(VIRT_API, {}, False, id="addvolume to a stopped VM"),
    ],
)
def test_a_template_that_plugs_a_volume_follows_the_key(user: str, status: dict[str, Any], denied: bool) -> None:
    """
    ``hotplug`` caps a volume that is plugged in through the template; a stopped VM will start with it, as with any other.
    """
    body = template(user, status, hot("single"))
    place = "spec.template.spec.volumes[1]"

    by_default = decided(body, SHARED, SINGLE)

    assert list(refused(by_default)) == ([place] if denied else [])
    assert warned(by_default) == ([] if denied else [("LM201", "warn")])
    assert list(refused(decided(body, SHARED, SINGLE, policy=DENIES))) == [place]


@pytest.mark.parametrize(
    ("volume", "outer", "configuration"),
    [
        pytest.param(on_claim("single", "hot"), {}, {}, id="a permanent volume"),
        pytest.param(hot("single", "os"), {}, {}, id="behind the name of a permanent volume"),
        pytest.param(hot("single"), {"updateVolumesStrategy": "Replacement"}, GATES, id="the older gate"),
        pytest.param(hot("single"), {"updateVolumesStrategy": "Migration"}, {}, id="beside a volume migration"),
        pytest.param(
            hot("single"),
            {},
            {"developerConfiguration": {"disabledFeatureGates": ["DeclarativeHotplugVolumes"]}},
            id="the newer gate is off",
        ),
    ],
)
def test_what_waits_for_the_next_start_is_not_plugged_in(
    volume: dict[str, Any], outer: dict[str, Any], configuration: dict[str, Any]
) -> None:
    """
    A change that virt-controller does not carry out while the VM runs is denied as ever.
    """
    old = vm(status=RUNNING, volumes=[on_claim("shared")], outer=outer)
    volumes = [volume] if volume["name"] == "os" else [on_claim("shared"), volume]
    new = vm(status=RUNNING, volumes=volumes, outer=outer)

    outcome = decided(review("UPDATE", new, old), SHARED, SINGLE, kubevirt(configuration))

    assert not outcome.allowed


def test_other_violations_of_the_same_change_are_denied() -> None:
    """
    ``hotplug: warn`` excuses the plugged volume, and nothing that comes along with it.
    """
    disk = {"name": "local", "hostDisk": {"path": "/a", "type": "Disk"}}

    outcome = decided(template("jane", RUNNING, hot("single"), disk), SHARED, SINGLE)

    assert list(refused(outcome)) == ["spec.template.spec.volumes[2]"]


@pytest.mark.parametrize("user", ["jane", VIRT_API])
@pytest.mark.parametrize("action", list(Action))
def test_removing_a_volume_passes(user: str, action: Action) -> None:
    """
    Whoever removes it, from whatever VM, and whatever the policy says.
    """
    both, one = ([hot("single"), hot("other", "more")], [hot("single")])
    other = claim("other", "ReadWriteOnce")

    outcome = decided(
        review("UPDATE", vm(status=RUNNING, volumes=one), vm(status=RUNNING, volumes=both), user=user),
        SINGLE,
        other,
        policy=Policy(hotplug=action),
    )

    assert outcome.allowed


def vmi(*volumes: dict[str, Any], **status: Any) -> dict[str, Any]:
    machine = vm(volumes=list(volumes))
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": machine["metadata"],
        "spec": machine["spec"]["template"]["spec"],
        "status": {"phase": "Running", **status},
    }


def test_a_volume_plugged_into_a_vmi_follows_the_key() -> None:
    """
    ``addvolume`` of a VMI: virt-api writes into its spec.
    """
    body = review("UPDATE", vmi(on_claim("shared"), hot("single")), vmi(on_claim("shared")), user=VIRT_API)

    by_default = decided(body, SHARED, SINGLE)

    assert (by_default.allowed, warned(by_default)) == (True, [("LM201", "warn")])
    assert list(refused(decided(body, SHARED, SINGLE, policy=DENIES))) == ["spec.volumes[1]"]
    assert decided(body, SHARED, SINGLE, policy=Policy(hotplug=Action.OFF)).decisions == ()


def test_the_status_of_a_vmi_proves_nothing_about_a_plugged_volume() -> None:
    """
    Tenants may write it, because a VMI has no status subresource.
    """
    info = {"claimName": "single", "accessModes": ["ReadWriteMany"]}
    forged = vmi(hot("single"), volumeStatus=[{"name": "hot", "target": "", "persistentVolumeClaimInfo": info}])

    outcome = decided(review("UPDATE", forged, vmi(), user=VIRT_API), SINGLE, policy=DENIES)

    assert list(refused(outcome)) == ["spec.volumes[0]"]


@pytest.mark.parametrize(
    ("new", "old", "user"),
    [
        pytest.param(vmi(), vmi(hot("single")), VIRT_API, id="removed"),
        pytest.param(vmi(hot("shared")), vmi(), VIRT_API, id="shared"),
        pytest.param(
            vmi(hot("single")), vmi(), "system:serviceaccount:kubevirt:kubevirt-controller", id="by virt-controller"
        ),
    ],
)
def test_of_a_vmi_only_harm_that_a_user_asks_for_is_denied(new: dict[str, Any], old: dict[str, Any], user: str) -> None:
    """
    A removed volume, a shared claim, and what virt-controller carries over from a VM that was judged.
    """
    assert decided(review("UPDATE", new, old, user=user), SHARED, SINGLE, policy=DENIES).decisions == ()


def test_a_volume_of_a_vmi_needs_no_mark_to_be_plugged() -> None:
    """
    A VMI runs, so each volume that is added to it is plugged in.
    """
    body = review("UPDATE", vmi(on_claim("single")), vmi(), user=VIRT_API)

    assert warned(decided(body, SINGLE)) == [("LM201", "warn")]


def test_the_status_of_a_vmi_hides_no_unknown_claim() -> None:
    """
    A claim that nobody has read is unproven, whatever the status says of it.
    """
    info = {"claimName": "single", "accessModes": ["ReadWriteMany"]}
    forged = vmi(hot("single"), volumeStatus=[{"name": "hot", "target": "", "persistentVolumeClaimInfo": info}])

    assert warned(decided(review("UPDATE", forged, vmi(), user=VIRT_API))) == [("LM201", "warn")]


def test_a_volume_that_stays_is_not_plugged_in_again() -> None:
    """
    ``hotplug: off`` drops what is said about a new volume, and nothing about one that was there.
    """
    old = vm(status=RUNNING, volumes=[hot("single")])
    new = vm(status=RUNNING, volumes=[hot("single")], nodeSelector={"a": "b"})

    outcome = decided(review("UPDATE", new, old), SINGLE, policy=Policy(hotplug=Action.OFF))

    assert ("LM201", "warn") in warned(outcome)


BASE: FieldPath = ("spec", "template", "spec")
DISKS = [{"name": "os"}, {"name": "hot"}]


def at(*path: str | int) -> Finding:
    return Finding(RULE, Basis.KUBEVIRT, path, "message", "remedy", "os", KNOWN)


def machine(*volumes: dict[str, Any], **more: Any) -> VirtualMachine:
    found = read(vm(**({"volumes": list(volumes)} if volumes else {}), **more))
    assert isinstance(found, VirtualMachine)
    return found


def carrier(found: VirtualMachine) -> Subject:
    subject = subject_of(found)
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
    ids=lambda each: dotted(each) if isinstance(each, tuple) else str(each),
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


def test_a_kind_without_volumes_plugs_none() -> None:
    """
    A finding about the KubeVirt resource is about no volume, whichever of the two objects is one.
    """
    cluster, found = read(kubevirt({})), at(*BASE, "volumes", 0)

    assert is_about_plugged(found, cluster, machine(hot("single"))) is False
    assert is_about_plugged(found, machine(hot("single")), cluster) is False


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
def test_of_a_vm_marked_volumes_that_are_new_or_changed_are_plugged(
    old: list[dict[str, Any]], new: list[dict[str, Any]], plugged: list[tuple[int, str]]
) -> None:
    """
    Each comes with its index; a permanent volume of the same name takes effect at the next start.
    """
    found = [(index, each.name) for index, each in plugged_into(carrier(machine(*new)), carrier(machine(*old)))]

    assert found == plugged


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
    ids=lambda each: dotted(each) if isinstance(each, tuple) else str(each),
)
def test_only_findings_about_requested_volumes_move_to_the_request(path: FieldPath, moved: bool) -> None:
    """
    Requests are counted in ``status.volumeRequests``, where removals, and additions without a source, have a place, too.
    """
    found = machine(on_claim("shared"), status={"volumeRequests": [REMOVAL, WITHOUT_SOURCE, ADDITION]})

    place = ("status", "volumeRequests", 2, "addVolumeOptions", "volumeSource")
    assert at_request(at(*path), found) == (at(*place) if moved else at(*path))


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
