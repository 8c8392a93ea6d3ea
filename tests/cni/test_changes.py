"""Updates that change the migration network (webhook.cni.changes)."""

from typing import Any

import msgspec
import pytest

from webhook.cni.attachments import CONFIG_PATH, NETWORK_PATH
from webhook.cni.changes import migration_network_change, network_change
from webhook.cni.json import MAX_LENGTH
from webhook.facts.network import NetworkChangeFacts
from webhook.facts.objects_world import ObjectsWorld
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.nad import NetworkAttachmentDefinition

LAN = '{"type": "macvlan", "master": "eth1"}'


def cr(network: Any = "lan", name: str = "kubevirt") -> KubeVirt:
    spec = {"configuration": {"migrations": {"network": network}}}
    return msgspec.convert({"metadata": {"name": name, "namespace": "kubevirt"}, "spec": spec}, KubeVirt)


def network(config: str | None) -> NetworkAttachmentDefinition:
    manifest = {"metadata": {"name": "lan", "namespace": "kubevirt"}, "spec": {"config": config}}
    return msgspec.convert(manifest, NetworkAttachmentDefinition)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("lan", "lan", False),
        ("lan", "wan", True),
        ("lan", "kubevirt/lan", True),
        ("lan", None, True),
        (None, "lan", True),
        (7, None, False),
    ],
)
def test_any_other_name_is_a_change(before: Any, after: Any, changed: bool) -> None:
    """
    virt-handler's pod template has the exact name; a value that is not text names no network.
    """
    texts = [item if isinstance(item, str) else "" for item in (before, after)]
    expected = NetworkChangeFacts(NETWORK_PATH, *texts) if changed else None

    assert migration_network_change(cr(before), cr(after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (LAN, LAN, False),
        (LAN, '{ "master":"eth1","type":"macvlan" }', False),
        (LAN, LAN.replace("eth1", "eth2"), True),
        (LAN, None, True),
        (None, None, False),
        (None, "", False),
        (None, "XX", True),
        ("{", "{", False),
        ("{", "[", True),
        ("1" * (MAX_LENGTH + 1), "1" * MAX_LENGTH + "2", True),
        ("1" * (MAX_LENGTH + 1), LAN, True),
    ],
    ids=[
        "same",
        "spelling",
        "other",
        "removed",
        "absent",
        "empty",
        "junk",
        "same junk",
        "other junk",
        "too large",
        "from too large",
    ],
)
def test_another_configuration_is_a_change(before: str | None, after: str | None, changed: bool) -> None:
    """
    Whitespace and the order of keys are no change; other text than JSON is compared as it is.
    """
    expected = NetworkChangeFacts(CONFIG_PATH, "lan", "lan") if changed else None

    assert network_change(network(before), network(after), ObjectsWorld([cr()])) == expected


@pytest.mark.parametrize(
    ("crs", "in_use"), [([], False), ([cr("wan")], False), ([cr("lan"), cr("wan", "other")], True)]
)
def test_only_the_migration_network_counts(crs: list[KubeVirt], in_use: bool) -> None:
    """
    One KubeVirt CR that names it is enough.
    """
    changed = network_change(network(LAN), network(None), ObjectsWorld(crs))

    assert (changed is not None) is in_use
