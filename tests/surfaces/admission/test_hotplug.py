"""Volumes that are plugged into a running VM."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import VIRT_API, claim, decided, on_claim, refused, review, vm, warned
from webhook.objects.path import dotted
from webhook.policy.policy import Action, NamespacePolicy, Policy

SHARED, SINGLE = claim("shared", "ReadWriteMany"), claim("single", "ReadWriteOnce")


DENIES = Policy(hotplug=Action.DENY)


def asked(*claims: str) -> dict[str, Any]:
    """The status of a VM with requests for these claims."""
    return {
        "volumeRequests": [
            {"addVolumeOptions": {"name": f"hot-{name}", "volumeSource": source(name)}} for name in claims
        ]
    }


def source(name: str) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": name}}


def plug(before: dict[str, Any] | None, after: dict[str, Any], **spec: Any) -> bytes:
    return review("UPDATE", vm(status=after, **spec), vm(status=before, **spec), user=VIRT_API, sub_resource="status")


def test_a_requested_single_node_claim_produces_a_warning_at_the_request() -> None:
    """
    The user learns, at the request, that the running VM can no longer be live-migrated; nothing is denied by default.
    """
    outcome = decided(plug(None, asked("single")), SINGLE)

    assert outcome.allowed
    assert [
        (decision.finding.rule.id, dotted(decision.finding.path), decision.action.value)
        for decision in outcome.decisions
    ] == [("LM201", "status.volumeRequests[0].addVolumeOptions.volumeSource", "warn")]


def test_the_policy_can_deny_a_requested_volume() -> None:
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
def test_only_new_requests_count(before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    """
    A shared claim, an older request and an unplugged volume pass without a word.
    """
    outcome = decided(plug(before, after), SHARED, SINGLE, policy=DENIES)

    assert outcome.allowed
    assert outcome.decisions == ()


def test_earlier_findings_are_not_repeated() -> None:
    """
    A VM that could not be migrated anyway is not judged by its status updates.
    """
    outcome = decided(plug(None, asked("shared"), volumes=[on_claim("single")]), SHARED, SINGLE, policy=DENIES)

    assert warned(outcome) == []
    assert outcome.allowed


def test_a_namespace_may_have_another_action() -> None:
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
def test_a_volume_for_the_next_start_is_not_plugged_in(
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
    This holds for every account, VM and policy.
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
def test_only_findings_that_a_user_adds_to_a_vmi_are_denied(
    new: dict[str, Any], old: dict[str, Any], user: str
) -> None:
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
    A claim that was not read is unproven, whatever the status contains.
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
