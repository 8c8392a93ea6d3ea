"""The settings in force for a VM, their origins, and the end of its migration (webhook.kubevirt.settings.explain)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import vm, world
from tests.kubevirt.expansion.test_expand import facts
from webhook.facts.migration import Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.workload import LocalDisk
from webhook.kubevirt.releases import TABLE
from webhook.kubevirt.settings.budget import Budget
from webhook.kubevirt.settings.explain import (
    FOLLOWS,
    THE_CR,
    Case,
    Ending,
    Explained,
    Outlook,
    because,
    ending_of,
    explain_cluster,
    explain_vm,
)
from webhook.kubevirt.settings.selectors import Match
from webhook.objects.kubevirt import MigrationPolicy
from webhook.rules.example import kubevirt

V1_9, V1_4 = TABLE[9], TABLE[4]
GIB, GB = 2**30, 10**9


def policy(name: str, selectors: Any = None, **spec: Any) -> MigrationPolicy:
    return msgspec.convert({"metadata": {"name": name}, "spec": {"selectors": selectors, **spec}}, MigrationPolicy)


@pytest.mark.parametrize(
    ("budget", "ending"),
    [
        (Budget(1, 0), Ending.NEVER),
        (Budget(1, 0, post_copy=True, pause=True), Ending.NEVER),
        (Budget(1, 1, post_copy=True, pause=True), Ending.POST_COPY),
        (Budget(1, -1, post_copy=True), Ending.POST_COPY),
        (Budget(1, -1, pause=True), Ending.AT_ONCE),
        (Budget(1, 1, pause=True), Ending.PAUSE),
        (Budget(1, 1), Ending.CANCEL),
        (Budget(1, 0, pause=True), Ending.NEVER),
    ],
)
def test_the_ending_follows_from_timeout_and_post_copy(budget: Budget, ending: Ending) -> None:
    """
    A timeout of 0 never ends a migration; post-copy needs no time at all.
    """
    assert ending_of(budget) is ending


def test_endings_have_names() -> None:
    """
    JSON output and messages use them.
    """
    assert [*map(str, Ending)] == ["post-copy", "pause", "cancel", "never", "at once"]


FIRST, SECOND = policy("first"), policy("second")


@pytest.mark.parametrize(
    ("match", "winner", "matches", "expected"),
    [
        (None, [None], [], "no MigrationPolicy matches"),
        (None, [Match(FIRST, 1, 0, certain=False), None], [], "if no MigrationPolicy matches"),
        (
            Match(FIRST, 1, 1, certain=False),
            [Match(FIRST, 1, 1, certain=False), None],
            [],
            "if the namespace has the labels of the selector (it then matches 2 labels)",
        ),
        (
            Match(SECOND, 1, 0),
            [Match(FIRST, 1, 1, certain=False), Match(SECOND, 1, 0)],
            [],
            "if no MigrationPolicy above matches (this one matches 1 label)",
        ),
        (Match(FIRST, 0, 0), [1], [Match(FIRST, 0, 0)], "it matches 0 labels, and no other MigrationPolicy matches"),
        (
            Match(FIRST, 2, 0),
            [1],
            [Match(FIRST, 2, 0), Match(SECOND, 1, 0)],
            "it matches 2 labels, more than 'second'",
        ),
        (
            Match(FIRST, 2, 0),
            [1],
            [Match(FIRST, 2, 0), Match(SECOND, 1, 1)],
            "it matches 2 labels, as many as 'second', but more labels of the VMI",
        ),
        (
            Match(FIRST, 1, 1),
            [1],
            [Match(FIRST, 1, 1), Match(SECOND, 1, 1)],
            "it matches 2 labels, as many as 'second', and its name comes first",
        ),
    ],
)
def test_the_reason_is_what_kubevirt_compares(match: Match | None, winner: Any, matches: Any, expected: str) -> None:
    """
    Labels, then labels of the VMI, then names. An uncertain match says so.
    """
    assert because(match, winner, matches, any_policy=True) == expected


def test_without_policies_the_reason_says_so() -> None:
    """
    No policy could match.
    """
    assert because(None, [None], [], any_policy=False) == "there is no MigrationPolicy"


def origins(case: Case) -> dict[str, str]:
    return {setting.name: setting.origin for setting in case.settings}


def test_the_settings_of_a_cluster_are_those_of_its_cr() -> None:
    """
    Fields that the CR does not set have KubeVirt's defaults; allowWorkloadDisruption follows allowPostCopy.
    """
    case = explain_cluster({"allowPostCopy": True, "bandwidthPerMigration": "64Mi"}, V1_9, has_cr=True)

    assert (case.policy, case.because, case.is_valid) == ("", "no MigrationPolicy matches", True)
    assert case.ending is Ending.POST_COPY
    assert (case.budget.bandwidth, case.budget.link) == (64, 0)
    by_name = origins(case)
    assert by_name["allowPostCopy"] == by_name["bandwidthPerMigration"] == THE_CR
    assert by_name["completionTimeoutPerGiB"] == "KubeVirt 1.9"
    assert by_name["allowWorkloadDisruption"] == FOLLOWS
    assert {setting.name: setting.value for setting in case.settings}["allowWorkloadDisruption"] is True


def test_without_a_cr_all_settings_are_kubevirts_own() -> None:
    """
    A setting that the release does not know is left out; the order is that of the API.
    """
    case = explain_cluster(None, V1_4, has_cr=False, link=7)

    assert case.because == "no KubeVirt CR was provided"
    assert set(origins(case).values()) == {"KubeVirt 1.4"}
    assert "allowWorkloadDisruption" not in origins(case)
    assert "progressTimeout" in origins(case)
    assert [*origins(explain_cluster({"disableTLS": True}, V1_9, has_cr=True))][-3:] == [
        "disableTLS",
        "utilityVolumesTimeout",
        "maxDowntimeMs",
    ]
    assert [setting.name for setting in case.settings][:4] == [
        "nodeDrainTaintKey",
        "parallelOutboundMigrationsPerNode",
        "parallelMigrationsPerCluster",
        "allowAutoConverge",
    ]
    assert case.budget.link == 7


@pytest.mark.parametrize(("bandwidth", "is_valid"), [("64Mi", True), ("0", True), ("-1", False), ("much", False)])
def test_a_bandwidth_that_kubevirt_refuses_is_not_valid(bandwidth: str, is_valid: bool) -> None:
    """
    A budget made from it means nothing.
    """
    assert explain_cluster({"bandwidthPerMigration": bandwidth}, V1_9, has_cr=True).is_valid is is_valid


def test_the_settings_of_a_vm_are_those_of_its_policy() -> None:
    """
    A policy overrides the CR only where it has the field.
    """
    gold = policy(
        "gold", {"virtualMachineInstanceSelector": {}}, allowPostCopy=True, completionTimeoutPerGiB=9, progressTimeout=3
    )
    around = world(
        kubevirt(migrations={"completionTimeoutPerGiB": 5, "progressTimeout": 4, "allowWorkloadDisruption": False})
    )
    around.add(gold)

    (case,) = explain_vm(facts(vm("{autoattachPodInterface: false}"), around), around, V1_9, 3).cases

    assert (case.policy, case.because) == ("gold", "it matches 0 labels, and no other MigrationPolicy matches")
    assert (case.budget.timeout, case.budget.link, case.ending) == (9, 3, Ending.POST_COPY)
    by_name = origins(case)
    assert by_name["allowPostCopy"] == by_name["completionTimeoutPerGiB"] == "MigrationPolicy 'gold'"
    assert (by_name["progressTimeout"], by_name["allowWorkloadDisruption"]) == (THE_CR, FOLLOWS)


def test_a_disruption_setting_of_the_cr_stays_its_own() -> None:
    """
    It follows allowPostCopy only where it is not written, or a policy sets allowPostCopy.
    """
    case = explain_cluster({"allowWorkloadDisruption": True}, V1_9, has_cr=True)

    assert origins(case)["allowWorkloadDisruption"] == THE_CR
    assert case.ending is Ending.PAUSE


def test_a_vm_of_an_unknown_cluster_has_kubevirts_own_settings() -> None:
    """
    Unknown objects count as absent, and devices count.
    """
    machine = vm(
        "{gpus: [{name: g, deviceName: a/b}], memory: {guest: 1Gi}, volumes: [{name: e, emptyDisk: {capacity: 1Gi}}]}"
    )
    around = world(complete=())

    result = explain_vm(facts(machine, around), around, V1_9)

    assert (result.kind, result.namespace, result.name) == ("VirtualMachine", "tenant", "vm")
    assert result.memory == Sourced(("spec", "template", "spec", "domain", "memory", "guest"), GIB)
    assert [disk.volume for disk in result.disks] == ["e"]
    assert result.device == ("spec", "template", "spec", "domain", "devices", "gpus", 0)
    (case,) = result.cases
    assert (case.policy, case.because, case.budget.link) == ("", "there is no MigrationPolicy", 0)


def test_a_vm_with_devices_is_not_given_post_copy() -> None:
    """
    From KubeVirt 1.9 on the guest is paused instead.
    """
    around = world(kubevirt(migrations={"allowPostCopy": True}))
    endings = [
        explain_vm(facts(vm(fragment), around), around, V1_9).cases[0].ending
        for fragment in ("{}", "{gpus: [{name: g, deviceName: a/b}]}")
    ]

    assert endings == [Ending.POST_COPY, Ending.PAUSE]


PATH = ("spec", "volumes", 0)


def explained(memory: Any, *disks: LocalDisk) -> Explained:
    return Explained("VirtualMachine", "tenant", "vm", (), memory, disks, None)


def case(budget: Budget, *, is_valid: bool = True) -> Case:
    return Case("", "", (), is_valid, budget, Ending.CANCEL)


def test_an_outlook_compares_size_and_time() -> None:
    """
    Full empty disks add bytes and no time; disks that extend the timeout are not among them.
    """
    empty = LocalDisk("empty", PATH, GB, counts=False)
    unbounded = LocalDisk("unbounded", PATH, None, counts=False)
    image = LocalDisk("image", PATH, 50 * GB, counts=True)
    memory = Sourced(PATH, GB)
    exact = Budget(0, 100, link=GB // 100)  # one GB in 100 s

    assert explained(memory, image).outlook(case(exact)) == Outlook(1, 100, 100, True, ())
    assert explained(memory, unbounded).outlook(case(exact)) == Outlook(1, 100, 100, True, ())
    assert explained(memory, image, empty, unbounded).outlook(case(exact)) == Outlook(
        1, 100, 100, True, (empty, unbounded)
    )
    slow = Budget(0, 50, link=GB // 100)
    assert explained(memory, empty).outlook(case(slow)) == Outlook(1, 50, 100, False, ())
    assert explained(memory, empty).outlook(case(Budget(0, 50))) == Outlook(1, 50, None, True, ())


def test_there_is_no_outlook_without_memory_or_sound_settings() -> None:
    """
    Neither an unknown nor an absent size can be compared with a time.
    """
    assert explained(None).outlook(case(Budget(1, 1))) is None
    assert explained(Unknown("hidden")).outlook(case(Budget(1, 1))) is None
    assert explained(Sourced(PATH, GB)).outlook(case(Budget(1, 1), is_valid=False)) is None
