"""The policies and settings that decide the migration time of a VM (webhook.kubevirt.settings.time_allowed)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import read, vm, world
from tests.kubevirt.expansion.test_expand import facts
from webhook.facts.budget import WinningPolicy
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import TABLE, Release
from webhook.kubevirt.settings.settings import in_force
from webhook.kubevirt.settings.time_allowed import budget_facts, space_labels, time_allowed
from webhook.objects.kubevirt import MigrationPolicy
from webhook.rules.example import kubevirt

SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": {"team": "db"}}}
BY_VMI: dict[str, Any] = {"virtualMachineInstanceSelector": {"a": "b"}}
BY_NAMESPACE: dict[str, Any] = {"namespaceSelector": {"team": "db"}}


def policy(selectors: Any = None, name: str = "p", **spec: Any) -> MigrationPolicy:
    return msgspec.convert({"metadata": {"name": name}, "spec": {"selectors": selectors, **spec}}, MigrationPolicy)


@pytest.mark.parametrize(
    ("selectors", "looked_at"),
    [
        ([], False),
        ([None], False),
        ([{}], False),
        ([BY_VMI], False),
        ([{"namespaceSelector": {}}], False),
        ([BY_NAMESPACE], True),
        ([None, BY_VMI, BY_NAMESPACE], True),
        ([BY_NAMESPACE, BY_VMI], True),
    ],
)
def test_the_namespace_is_read_where_a_policy_selects_by_it(selectors: list[Any], looked_at: bool) -> None:
    """
    One policy is enough; without one, nothing depends on whether the namespace is known.
    """
    policies = [policy(selector) for selector in selectors]

    unknown = space_labels(policies, "tenant", ObjectsWorld(()))
    known = space_labels(policies, "tenant", ObjectsWorld((read(SPACE),)))

    assert isinstance(unknown, Unknown) is looked_at
    assert known == ({"kubernetes.io/metadata.name": "tenant", "team": "db"} if looked_at else {})


@pytest.mark.parametrize(
    ("migrations", "spec", "limited"),
    [
        ({}, {}, False),
        ({"completionTimeoutPerGiB": 5}, {"completionTimeoutPerGiB": 5}, False),
        ({"bandwidthPerMigration": None}, {"bandwidthPerMigration": None}, False),
        ({"bandwidthPerMigration": "1Mi"}, {}, True),
        ({}, {"bandwidthPerMigration": "1Mi"}, True),
    ],
)
def test_time_is_judged_where_a_bandwidth_is_set(migrations: Any, spec: Any, limited: bool) -> None:
    """
    In the KubeVirt CR or in a policy; other settings do not limit a VM by its size.
    """
    around = world(kubevirt(migrations=migrations))
    around.add(policy(BY_VMI, **spec))

    result = budget_facts(facts(vm("{memory: {guest: 1Gi}}"), around), around)

    assert (result is not None) is limited


@pytest.mark.parametrize("behaviour", TABLE, ids=lambda item: str(item.release))
def test_a_vm_with_devices_is_never_given_post_copy_from_1_9_on(behaviour: Any) -> None:
    """
    Older releases use post-copy for any VM.
    """
    values = in_force({"allowPostCopy": True, "allowWorkloadDisruption": True}, behaviour)

    without, with_devices = (time_allowed(values, behaviour, devices=item) for item in (False, True))

    assert without.post_copy is True
    assert with_devices.post_copy is (behaviour.release < Release(1, 9))


def test_a_link_bounds_the_time() -> None:
    """
    The bandwidth of a node's migration link is passed on.
    """
    values = in_force({}, TABLE[-1])

    assert time_allowed(values, TABLE[-1], devices=False, link=5).link == 5
    assert time_allowed(values, TABLE[-1], devices=False).link == 0


def test_a_device_has_its_time_judged_without_a_bandwidth() -> None:
    """
    From KubeVirt 1.9 on it keeps the VM from post-copy.
    """
    around = world(kubevirt())

    result = budget_facts(facts(vm("{gpus: [{name: g, deviceName: a/b}]}"), around), around)

    assert result is not None
    assert result.passed_through == ("spec", "template", "spec", "domain", "devices", "gpus", 0)


def test_the_settings_of_the_winner_apply() -> None:
    """
    None means no policy; policies that were not provided are unknown.
    """
    around = world(kubevirt(migrations={"bandwidthPerMigration": "1Mi"}), complete=(MigrationPolicy,))
    machine = vm("{memory: {guest: 1Gi}}")

    none = budget_facts(facts(machine, around), around)
    around.add(policy({}, "gold", allowPostCopy=True))
    gold = budget_facts(facts(machine, around), around)
    hidden = world(kubevirt(migrations={"bandwidthPerMigration": "1Mi"}))
    unknown = budget_facts(facts(machine, hidden), hidden)

    assert none is not None
    assert gold is not None
    assert unknown is not None
    assert none.winners == (None,)
    assert gold.winners == (WinningPolicy("gold", {"allowPostCopy": True}),)
    assert isinstance(unknown.winners, Unknown)
