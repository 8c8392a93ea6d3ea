"""The evacuation controller at the releases and times that tests/data/evictions does not contain."""

from datetime import UTC, datetime

import msgspec
import pytest

from tests.drain.building import NODE, launcher, migration, vmi
from webhook.drain.evacuation import Controller, Evacuation, has_priority_queue, is_migrating, takes_slot
from webhook.kubevirt.releases import Version
from webhook.objects.kubevirt import Configuration, DeveloperConfiguration
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI
from webhook.objects.scheduling import Taint

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NEWEST = Version(1, 9, 0)
EARLIER, LATER = "2026-05-31T23:59:59Z", "2026-06-01T00:00:01Z"
QUEUED = Configuration(developer_configuration=DeveloperConfiguration(feature_gates=["MigrationPriorityQueue"]))
DISABLED = Configuration(
    developer_configuration=DeveloperConfiguration(disabled_feature_gates=["MigrationPriorityQueue"])
)


def evacuate(*vmis: RunningVMI, version: Version = NEWEST, taints: tuple[Taint, ...] = ()) -> Evacuation:
    controller = Controller(vmis, [launcher()], [], Configuration(), version, NOW)
    return controller.evacuate(NODE, taints)


def names(evacuation: Evacuation) -> list[str]:
    return [candidate.name for candidate in evacuation.candidates]


@pytest.mark.parametrize(
    ("phase", "spec"),
    [
        ("Running", {}),
        ("Scheduling", {}),
        ("Scheduling", {"receive": {}}),
        ("Running", {"sendTo": {}}),
        ("Scheduling", {"sendTo": {}, "receive": {}}),
    ],
)
def test_a_started_migration_takes_a_slot(phase: str, spec: dict[str, object]) -> None:
    """
    A migration takes a slot from phase Scheduling until it ends.
    """
    assert takes_slot(migration(phase=phase, **spec), NEWEST)


@pytest.mark.parametrize("phase", ["", "Pending", "Succeeded", "Failed"])
def test_a_migration_that_has_not_started_or_has_ended_takes_no_slot(phase: str) -> None:
    """
    The phases before the target pod and after the end of the migration do not count.
    """
    assert not takes_slot(migration(phase=phase), Version(1, 5, 3))


@pytest.mark.parametrize("phase", ["WaitingForSync", "Synchronizing"])
def test_a_synchronizing_migration_takes_no_slot_since_1_6_0(phase: str) -> None:
    """
    Migrations between clusters synchronize before they start.
    """
    assert takes_slot(migration(phase=phase), Version(1, 5, 3))
    assert not takes_slot(migration(phase=phase), Version(1, 6, 0))


@pytest.mark.parametrize(
    ("version", "takes"), [(Version(1, 6, 3), True), (Version(1, 6, 4), False), (Version(1, 7, 0), False)]
)
def test_the_source_of_a_migration_to_another_cluster_takes_no_slot_while_it_is_scheduled(
    version: Version, takes: bool
) -> None:
    """
    This holds since 1.6.4.
    """
    assert takes_slot(migration(phase="Scheduling", sendTo={}), version) is takes


@pytest.mark.parametrize(
    ("start", "end", "migrating"),
    [
        (None, None, False),
        (EARLIER, None, True),
        (LATER, None, False),
        (EARLIER, EARLIER, False),
        (EARLIER, LATER, True),
        ("2026-06-01T00:00:00Z", None, True),
        ("2026-06-01T01:59:59+02:00", None, True),
        ("", None, False),
        ("yesterday", None, False),
        ("2026-05-31T23:59:59", None, False),
    ],
)
def test_a_vmi_migrates_between_the_two_timestamps(start: str | None, end: str | None, migrating: bool) -> None:
    """
    An invalid timestamp, or one in the future, does not count.
    """
    state = {"startTimestamp": start, "endTimestamp": end}

    assert is_migrating(vmi(migrationState=state), NOW) is migrating


def test_a_vmi_without_the_state_of_a_migration_does_not_migrate() -> None:
    """
    A VMI that has never migrated has no state.
    """
    assert not is_migrating(vmi(), NOW)
    assert not is_migrating(RunningVMI(), NOW)


def test_pods_without_an_owner_are_no_pods_of_a_vmi() -> None:
    """
    Only pods whose controller is the VMI count as its pods.
    """
    value = msgspec.to_builtins(launcher())
    value["metadata"]["ownerReferences"][0]["controller"] = False
    others = [Pod(), Pod(), msgspec.convert(value, Pod)]
    marked = vmi(evacuationNodeName=NODE)
    controller = Controller([marked], [*others, launcher()], [], Configuration(), NEWEST, NOW)

    assert names(controller.evacuate(NODE)) == ["vm1"]


@pytest.mark.parametrize(
    ("version", "configuration", "queued"),
    [
        (Version(1, 6, 6), QUEUED, False),
        (Version(1, 7, 0), QUEUED, True),
        (Version(1, 8, 4), Configuration(), False),
        (Version(1, 9, 0), Configuration(), True),
        (Version(1, 9, 0), DISABLED, True),
        (Version(1, 11, 0), Configuration(), True),
        (Version(0, 58, 0), QUEUED, False),
    ],
)
def test_the_priority_queue_is_a_gate_in_1_7_and_1_8_and_always_on_since_1_9(
    version: Version, configuration: Configuration, queued: bool
) -> None:
    """
    Before 1.7 there is no queue.
    """
    assert has_priority_queue(configuration, version) is queued


def test_a_mark_with_the_name_of_another_node_starts_no_migration() -> None:
    """
    The controller migrates a VMI only if the mark names the node of the VMI.
    """
    assert names(evacuate(vmi(evacuationNodeName=NODE), vmi("vm2", evacuationNodeName="n2"), vmi("vm3"))) == ["vm1"]


def test_the_drain_taint_evacuates_all_vmis_of_the_node() -> None:
    """
    The taint ``kubevirt.io/drain`` with effect NoSchedule has the same result as a mark on each VMI.
    """
    taint = Taint("kubevirt.io/drain", "", "NoSchedule")

    assert names(evacuate(vmi(), vmi("vm2", "None"), vmi("vm3", "External"), taints=(taint,))) == ["vm1"]
    assert names(evacuate(vmi(), taints=(Taint("kubevirt.io/drain", "", "NoExecute"),))) == []


def test_limits_that_are_not_set_have_their_defaults() -> None:
    """
    Without a priority queue, at most two migrations leave a node at the same time.
    """
    marked = [vmi(f"vm{number}", evacuationNodeName=NODE) for number in range(4)]

    assert evacuate(*marked, version=Version(1, 6, 6)).created == 2
