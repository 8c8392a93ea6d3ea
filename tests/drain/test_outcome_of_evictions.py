"""The first outcome agrees with the webhook and the evacuation controller (tests/data/evictions/README.md)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.drain.test_outcome import Listed
from tests.kubevirt.evictions import cases_of, release_of
from webhook.drain.evacuation import Controller, is_migrating
from webhook.drain.evictions import is_launcher
from webhook.drain.outcome import Cluster, Outcomes
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.kubevirt.releases import Version
from webhook.objects.kubevirt import Configuration
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI

FILES = sorted((Path(__file__).parents[1] / "data" / "evictions").glob("v*.jsonl.gz"))
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class World:
    """The objects of one eviction."""

    def __init__(self, case: dict[str, Any], version: Version) -> None:
        self.version = version
        self.configuration = msgspec.convert(case["kubevirt"], Configuration)
        self.vmis = msgspec.convert(case["vmis"], list[RunningVMI])
        self.pods = msgspec.convert(case["pods"], list[Pod])
        self.pod = next((pod for pod in self.pods if pod.name == case["name"] and is_launcher(pod)), None)
        self.node = self.pod.spec.node_name if self.pod is not None else ""

    def machine(self) -> Machine | None:
        """The first outcome for the VMI of the launcher, or None if another pod is evicted."""
        vmis = {(vmi.namespace, vmi.name): vmi for vmi in self.vmis}
        cluster = Cluster(vmis, self.pods, self.configuration, {}, {}, Listed())
        firsts = Outcomes(cluster, self.version).of(self.node)
        return next((first.machine for first in firsts if first.launcher is self.pod is not None), None)

    def is_evacuated(self, mark: str) -> bool:
        """Whether the controller creates a migration for the VMI after the webhook has marked it."""
        values = msgspec.to_builtins(self.vmis)
        for value in values:
            if mark:
                value["status"]["evacuationNodeName"] = mark
        marked = msgspec.convert(values, list[RunningVMI])
        controller = Controller(marked, self.pods, [], self.configuration, self.version, NOW)
        return bool(controller.evacuate(self.node).candidates)


def mark_of(case: dict[str, Any]) -> str:
    patches = case["expected"]["patches"]
    return str(patches[0]["patch"][0]["value"]) if patches else ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_vmi_moves_if_and_only_if_kubevirt_creates_a_migration_for_it(file: Path) -> None:
    """
    This holds for all evictions of running launchers, except during a migration.
    """
    compared = 0
    for case in cases_of(file):
        world = World(case, release_of(file, None))
        machine = world.machine()
        if machine is None or machine.detail is Detail.TARGET:
            continue
        if any(is_migrating(vmi, NOW) for vmi in world.vmis):
            continue
        compared += 1
        assert (machine.outcome is Outcome.MOVES) == world.is_evacuated(mark_of(case)), case["id"]

    assert compared > 250


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_vmi_stops_only_if_the_webhook_lets_the_eviction_pass(file: Path) -> None:
    """
    A VMI that is being deleted stops in any case.
    """
    compared = 0
    for case in cases_of(file):
        world = World(case, release_of(file, None))
        machine = world.machine()
        is_deleted = any(vmi.meta.deletion_timestamp for vmi in world.vmis)
        if machine is not None and machine.outcome is Outcome.STOPS and not is_deleted:
            compared += 1
            assert case["expected"]["allowed"], case["id"]

    assert compared > 100
