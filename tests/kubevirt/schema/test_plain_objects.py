"""The fast check recognizes objects without problems, which are most."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from webhook.kubevirt.schema import unknown_fields
from webhook.kubevirt.schema.field_names import ROOTS
from webhook.kubevirt.schema.unknown_fields import problems_in, search

CLAIM = {
    "accessModes": ["ReadWriteMany", ""],
    "volumeMode": "Block",
    "resources": {"limits": {}, "requests": {"storage": "2Gi"}},
    "selector": {"matchLabels": {"any/thing": "x"}},
}
VMI_SPEC = {
    "affinity": None,
    "architecture": "amd64",
    "domain": {
        "cpu": {"cores": 2, "features": [{"name": "vmx", "policy": "require"}]},
        "devices": {
            "disks": [
                {"cache": "none", "disk": {"bus": "virtio"}, "name": "os"},
                None,
                {"cdrom": {"bus": "sata"}, "name": "cd"},
                "text",
            ],
            "interfaces": [{"masquerade": {}, "name": "default", "ports": [{"port": 80, "protocol": "TCP"}]}],
        },
        "launchSecurity": {"sev": {"policy": {"encryptedState": True}}},
        "firmware": {"bootloader": {"efi": {"secureBoot": False}}},
        "memory": {"guest": "2Gi", "maxGuest": 2**31},
        "resources": {"limits": None, "requests": {"cpu": 1, "memory": "2Gi"}},
    },
    "nodeSelector": {"zone": "a"},
    "startStrategy": None,
    "tolerations": [],
    "volumes": [{"name": "os", "emptyDisk": {"capacity": "2Gi"}}, {"name": "cd", "dataVolume": {"name": "cd"}}],
}
VM = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"annotations": {"any/thing": "x"}, "name": "a"},
    "spec": {
        "dataVolumeTemplates": [
            {"metadata": {"name": "os"}, "spec": {"pvc": CLAIM}},
            {"metadata": {"name": "cd"}, "spec": {"storage": CLAIM, "source": {"blank": {}}}},
        ],
        "runStrategy": "Always",
        "template": {"metadata": {"labels": {"any/thing": "x"}}, "spec": VMI_SPEC},
        "updateVolumesStrategy": "",
    },
    "status": {"anything": True},
}
KUBEVIRT = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt"},
    "spec": {
        "configuration": {
            "allowPostCopy": True,
            "developerConfiguration": {"diskVerification": {"memoryLimit": "2Gi"}},
            "liveUpdateConfiguration": {"maxGuest": "2Gi"},
            "migration": {"anything": True},
            "migrations": {"bandwidthPerMigration": "2GB", "network": "a"},
            "network": {
                "binding": {
                    "first": {"computeResourceOverhead": {"requests": {"memory": "2Gi"}}, "sidecarImage": "a"},
                    "second": {"computeResourceOverhead": {"limits": {"memory": "2Gi"}}},
                    "third": None,
                }
            },
        },
        "migrations": {"anything": True},
    },
}
PLAIN = [VM, KUBEVIRT, {**VM, "spec": None}, {**VM, "spec": {}}, {"kind": "VirtualMachine"}]
Step = str | int


def steps(value: Any, above: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Every value inside ``spec``, with its path."""
    inside: list[tuple[Step, Any]] = []
    if isinstance(value, dict):
        inside = [*value.items()]
    elif isinstance(value, list):
        inside = [*enumerate(value)]
    for step, item in inside:
        if above or step == "spec":
            yield (*above, step), item
            yield from steps(item, (*above, step))


def with_value(manifest: Any, path: tuple[Step, ...], value: Any) -> Any:
    """A copy of the manifest with another value at this path."""
    changed = deepcopy(manifest)
    here = changed
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    "manifest", PLAIN, ids=lambda item: f"{item['kind']} with {len(item.get('spec') or ())} fields"
)
def test_a_plain_object_is_not_searched(manifest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The fast check recognizes it, also with absent, null and empty fields.
    """
    searched: list[object] = []
    monkeypatch.setattr(unknown_fields, "search", lambda *arguments: searched.append(arguments))

    assert problems_in(manifest["kind"], manifest) == ((), (), ())
    assert searched == []


@pytest.mark.parametrize("manifest", [VM, KUBEVIRT], ids=lambda item: str(item["kind"]))
def test_an_unknown_key_is_found_in_each_object(manifest: Any) -> None:
    """
    Except in maps with the user's own keys, and in sections that family 6 checks.
    """
    kind = manifest["kind"]
    missed = []
    for path, value in steps(manifest):
        if isinstance(value, dict):
            changed = with_value(manifest, path, {**value, "zzz": 1})
            problems = problems_in(kind, changed)
            assert problems == search(kind, ROOTS[kind], changed)
            if (*path, "zzz") not in [item.path for item in problems[0]]:
                missed.append(path[-1])

    free = {"matchLabels", "labels", "nodeSelector", "requests", "limits", "masquerade", "blank"}
    told_elsewhere = {"migration", "migrations", "binding"}
    assert set(missed) <= free | told_elsewhere


@pytest.mark.parametrize(
    "value",
    ["zzz", 0.5, True, 5, None, "", [], {}, ["zzz"], [None], [5], [{"zzz": 1}], [[{"zzz": 1}]], {"zzz": 1}, {"a": {"zzz": 1}}],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("manifest", [VM, KUBEVIRT], ids=lambda item: str(item["kind"]))
def test_the_quick_look_misses_no_other_value(manifest: Any, value: Any) -> None:
    """
    Any value at any place gives the answer of the whole search.
    """
    kind = manifest["kind"]

    for path, _ in steps(manifest):
        changed = with_value(manifest, path, value)
        assert problems_in(kind, changed) == search(kind, ROOTS[kind], changed), path


def test_a_list_in_place_of_a_map_is_searched() -> None:
    """
    Its entries are maps, whose keys are the user's own.
    """
    network = {"binding": [{"sidecarImage": {"zzz": 1}}]}
    manifest = {"kind": "KubeVirt", "spec": {"configuration": {"network": network}}}

    ((problems,), _, _) = problems_in("KubeVirt", manifest)

    assert problems.path == ("spec", "configuration", "network", "binding", 0, "sidecarImage", "zzz")
