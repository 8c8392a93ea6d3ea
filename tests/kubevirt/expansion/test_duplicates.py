"""
Which entry counts where a list holds two of one name, for every list that is looked up by name.

KubeVirt's API types declare most of these lists without ``listMapKey``, so an API server accepts duplicates. A list in which
virt-api or the API server refuses them needs no choice; it is named in ``REFUSED``.
"""

import copy
import json
import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.kubevirt import building
from tests.properties.supply import PROPERTY, Terms, machines, read, terms
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.releases import Release, only

ABOUT_TEMPLATES = frozenset({"LM208", "LM209"})
"""Rules about the entries themselves, not about the VM that results."""
NEWEST = "1.9"
ALONE = "autoattachPodInterface: false"
"""No interface, so that the list in question decides the verdict."""
ON_A_DATA_VOLUME = "volumes: [{name: os, dataVolume: {name: os}}]"


class Choice(Enum):
    """Which entry KubeVirt uses."""

    FIRST = "the first"
    LAST = "the last"
    EVERY = "each of them: all can do harm"
    ANY = "any of them: one is enough to permit something"


class Row(NamedTuple):
    """A list, with two different entries of one name; for ``ANY`` the first is the one that permits."""

    place: str
    choice: Choice
    source: str
    """Where KubeVirt looks the list up, and where it admits duplicates."""
    build: Callable[[list[Any]], tuple[Manifest, list[Manifest]]]
    entries: tuple[Any, Any]
    release: str = NEWEST


def template(mode: str) -> Manifest:
    return {"metadata": {"name": "os"}, "spec": {"storage": {"accessModes": [mode]}}}


def with_templates(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    return building.vm(f"{{{ALONE}, {ON_A_DATA_VOLUME}}}", dataVolumeTemplates=entries), []


def from_sources(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    sources = [
        building.named(
            "DataSource", name, "cdi.kubevirt.io/v1beta1", {"template.kubevirt.io/architecture": name}, spec={}
        )
        for name in ("arm64", "s390x")
    ]
    return building.vm(f"{{{ALONE}, {ON_A_DATA_VOLUME}, launchSecurity: {{}}}}", dataVolumeTemplates=entries), sources


def from_source(name: str) -> Manifest:
    return {
        "metadata": {"name": "os"},
        "spec": {"sourceRef": {"kind": "DataSource", "name": name}, "storage": {"accessModes": ["ReadWriteMany"]}},
    }


def in_devices(key: str, **configuration: Any) -> Callable[[list[Any]], tuple[Manifest, list[Manifest]]]:
    def build(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
        made = building.vmi(f"{{{ALONE}}}")
        made["spec"]["domain"]["devices"][key] = entries
        return made, [kubevirt(**configuration)]

    return build


def with_ports(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    made = building.vmi("{interfaces: [{name: a, masquerade: {}}], networks: [{name: a, pod: {}}]}")
    made["spec"]["domain"]["devices"]["interfaces"][0]["ports"] = entries
    return made, []


def with_cpu_features(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    made = building.vmi(f"{{{ALONE}, features: {{hyperv: {{reenlightenment: {{}}}}}}}}")
    made["spec"]["domain"]["cpu"] = {"features": entries}
    return made, []


def with_volumes(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    made = building.vmi(f"{{{ALONE}}}")
    made["spec"]["volumes"] = entries
    return made, []


def with_status(key: str) -> Callable[[list[Any]], tuple[Manifest, list[Manifest]]]:
    def build(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
        return building.vmi(
            f"{{{ALONE}, volumes: [{{name: os, persistentVolumeClaim: {{claimName: os}}}}]}}", status={key: entries}
        ), []

    return build


def noted(mode: str) -> Manifest:
    return {"name": "os", "persistentVolumeClaimInfo": {"claimName": "os", "accessModes": [mode]}}


def kubevirt(**configuration: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": configuration},
    }


def with_mediated_devices(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    configured = kubevirt(
        permittedHostDevices={"mediatedDevices": entries},
        developerConfiguration={"featureGates": ["VGPULiveMigration"]},
    )
    return building.vmi(f"{{{ALONE}, gpus: [{{name: a, deviceName: vgpu}}]}}"), [configured]


def with_gates(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    configured = kubevirt(
        permittedHostDevices={"mediatedDevices": [{"mdevNameSelector": "a", "resourceName": "vgpu"}]},
        developerConfiguration={"featureGates": entries},
    )
    return building.vmi(f"{{{ALONE}, gpus: [{{name: a, deviceName: vgpu}}]}}"), [configured]


def with_plugins(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    config = {"cniVersion": "0.3.1", "name": "a", "plugins": entries}
    return building.named(
        "NetworkAttachmentDefinition", "a", "k8s.cni.cncf.io/v1", spec={"config": json.dumps(config)}
    ), []


def with_property_sets(entries: list[Any]) -> tuple[Manifest, list[Manifest]]:
    profile = building.named("StorageProfile", "ceph", "cdi.kubevirt.io/v1beta1", status={"claimPropertySets": entries})
    profile["metadata"].pop("namespace")
    asking = {"metadata": {"name": "os"}, "spec": {"storage": {"storageClassName": "ceph"}}}
    return building.vm(f"{{{ALONE}, {ON_A_DATA_VOLUME}}}", dataVolumeTemplates=[asking]), [profile]


ROWS = [
    Row(
        "spec.dataVolumeTemplates",
        Choice.FIRST,
        "pkg/virt-controller/watch/vm/vm.go handleDataVolumes; pkg/storage/admitters/data-volume-template.go compares no names",
        with_templates,
        (template("ReadWriteMany"), template("ReadWriteOnce")),
    ),
    Row(
        "spec.dataVolumeTemplates[].spec.sourceRef, for the architecture",
        Choice.FIRST,
        "pkg/defaults/defaults.go setDefaultArchitectureFromDataSource",
        from_sources,
        (from_source("s390x"), from_source("arm64")),
    ),
    Row(
        "devices.gpus",
        Choice.EVERY,
        "pkg/virt-handler/vm.go: more than one GPU is refused by their number",
        in_devices("gpus"),
        ({"name": "a", "deviceName": "vgpu"}, {"name": "a", "deviceName": "card"}),
    ),
    Row(
        "devices.hostDevices",
        Choice.EVERY,
        "pkg/virt-handler/vm.go: any host device is refused",
        in_devices("hostDevices"),
        ({"name": "a", "deviceName": "one"}, {"name": "a", "deviceName": "two"}),
    ),
    Row(
        "devices.filesystems",
        Choice.EVERY,
        "pkg/util/util.go IsVMIVirtiofsEnabled looks at each (v1.4.1)",
        in_devices("filesystems"),
        ({"name": "a", "virtiofs": {}}, {"name": "a"}),
        "1.4",
    ),
    Row(
        "devices.interfaces[].ports",
        Choice.EVERY,
        "pkg/network/admitter/netiface.go refuses duplicate names only, and they are optional",
        with_ports,
        ({"port": 49152}, {"port": 80}),
    ),
    Row(
        "domain.cpu.features",
        Choice.ANY,
        "pkg/virt-controller/watch/topology/tsc.go: one entry with a policy that demands invtsc is enough",
        with_cpu_features,
        ({"name": "invtsc", "policy": "require"}, {"name": "invtsc", "policy": "optional"}),
    ),
    Row(
        "spec.volumes",
        Choice.EVERY,
        "virt-api refuses duplicates (vmi-create-admitter.go validateVolumes); judged each for itself all the same",
        with_volumes,
        (
            {"name": "a", "hostDisk": {"path": "/a", "type": "Disk", "shared": True}},
            {"name": "a", "hostDisk": {"path": "/b", "type": "Disk"}},
        ),
    ),
    Row(
        "status.volumeStatus of a VMI",
        Choice.LAST,
        "pkg/virt-handler/vm.go checkVolumesForMigration fills a map in order",
        with_status("volumeStatus"),
        (noted("ReadWriteMany"), noted("ReadWriteOnce")),
    ),
    Row(
        "permittedHostDevices.mediatedDevices of the KubeVirt CR",
        Choice.ANY,
        "pkg/virt-handler/vm.go isMdevGPU",
        with_mediated_devices,
        ({"mdevNameSelector": "a", "resourceName": "vgpu"}, {"mdevNameSelector": "a", "resourceName": "other"}),
    ),
    Row(
        "featureGates of the KubeVirt CR",
        Choice.ANY,
        "pkg/virt-config/feature-gates.go: a gate is on if it is listed",
        with_gates,
        ("VGPULiveMigration", "Other"),
    ),
    Row(
        "plugins of a NetworkAttachmentDefinition",
        Choice.EVERY,
        "libcni runs each plugin of a list in order (containernetworking/cni v1.3.0 libcni/api.go AddNetworkList)",
        with_plugins,
        ({"type": "host-device"}, {"type": "host-device", "device": "eth1"}),
    ),
    Row(
        "claimPropertySets of a StorageProfile",
        Choice.FIRST,
        "CDI pkg/controller/datavolume/util.go getDefaultVolumeAndAccessMode",
        with_property_sets,
        (
            {"volumeMode": "Block", "accessModes": ["ReadWriteMany"]},
            {"volumeMode": "Block", "accessModes": ["ReadWriteOnce"]},
        ),
    ),
]

REFUSED = {
    "spec.networks": "pkg/network/admitter/netiface.go validateNetworkNameUnique; vmi-create-admitter.go up to v1.2.2",
    "devices.interfaces": "pkg/network/admitter/netiface.go validateInterfaceNameUnique; vmi-create-admitter.go up to v1.2.2",
    "devices.disks": "pkg/storage/admitters/disks.go validateDiskName; vmi-create-admitter.go up to v1.6.6",
    "spec.utilityVolumes": "listType=map in staging/src/kubevirt.io/api/core/v1/types.go, from v1.8.4",
    "KubeVirt CRs of a cluster": "pkg/virt-operator/webhooks NewKubeVirtCreateAdmitter: a second one is refused",
    "status.volumeRequests": "vms-admitter.go validateVolumeRequests: one request for a name",
}
"""Lists whose duplicates never reach KubeVirt's controllers, and the component that refuses them (v1.0.1 to v1.9.0)."""


def judged(row: Row, entries: Sequence[Any]) -> tuple[str, set[tuple[str, str]]]:
    """Verdict and findings, without those about the entries themselves."""
    manifest, around = row.build(copy.deepcopy(list(entries)))
    world = building.world(*around)
    result = building.judgement(manifest, world, only(Release(*map(int, row.release.split(".")))))
    word = building.verdict(manifest, world, row.release) if result.verdict is not None else ""
    return word, identities(result)


def identities(judgement: Judgement) -> set[tuple[str, str]]:
    """Rule and subject of each finding; an index in a subject is left out, because each row moves its entries."""
    return {
        (finding.rule.id, re.sub(r"\[\d+\]", "[]", finding.subject))
        for finding in judgement.findings
        if finding.rule.id not in ABOUT_TEMPLATES
    }


@pytest.mark.parametrize("row", ROWS, ids=[row.place for row in ROWS])
def test_of_two_entries_with_one_name_the_one_that_kubevirt_uses_counts(row: Row) -> None:
    """
    Each list is read as KubeVirt reads it, in both orders of its entries.
    """
    first, second = row.entries
    one, other = judged(row, [first]), judged(row, [second])
    both, swapped = judged(row, [first, second]), judged(row, [second, first])

    assert one != other or row.choice is Choice.EVERY, "entries that make no difference show nothing"
    match row.choice:
        case Choice.FIRST:
            assert (both, swapped) == (one, other)
        case Choice.LAST:
            assert (both, swapped) == (other, one)
        case Choice.ANY:
            assert both == swapped == one
        case Choice.EVERY:
            assert both[1] >= one[1] | other[1]
            assert swapped[1] >= one[1] | other[1]


def test_every_list_with_names_is_in_the_table() -> None:
    """
    The table has every list of the VM's spec whose entries have a name.
    """
    covered = " ".join([row.place for row in ROWS] + list(REFUSED))

    for name in (
        "dataVolumeTemplates",
        "volumes",
        "networks",
        "interfaces",
        "disks",
        "gpus",
        "hostDevices",
        "filesystems",
    ):
        assert name in covered


VALUES: dict[str, list[Manifest]] = {
    "dataVolumeTemplates": [
        {"spec": {"storage": {"accessModes": [mode]}}} for mode in ("ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany")
    ],
    "volumes": [
        {"hostDisk": {"path": "/a", "type": "Disk", "shared": True}},
        {"hostDisk": {"path": "/a", "type": "Disk"}},
        {"persistentVolumeClaim": {"claimName": "shared"}},
        {"persistentVolumeClaim": {"claimName": "local"}},
        {"containerDisk": {"image": "a"}},
    ],
    "gpus": [{"deviceName": "vgpu"}, {"deviceName": "card"}],
    "hostDevices": [{"deviceName": "one"}, {"deviceName": "two"}],
    "filesystems": [{"virtiofs": {}}, {}],
}
"""What an entry of each list may be beside its name."""
RANKS = {False: 0, None: 1, True: 2}


@PROPERTY
@given(machines(), terms(), st.sampled_from(sorted(VALUES)), st.data())
def test_a_duplicate_never_makes_the_verdict_better(
    manifest: Manifest, now: Terms, key: str, data: st.DataObject
) -> None:
    """
    With two entries of one name the verdict is that of the entry which KubeVirt uses, or no better than that of either.
    """
    one, other = data.draw(st.permutations(VALUES[key]).map(lambda values: values[:2]))
    entries = [named(key, item) for item in (one, other)]

    rank_one, rank_other, rank_both = (
        rank(with_entries(manifest, key, item), now) for item in ([entries[0]], [entries[1]], entries)
    )

    if key == "dataVolumeTemplates":
        assert rank_both == rank_one
    else:
        assert rank_both <= min(rank_one, rank_other)


def named(key: str, value: Manifest) -> Manifest:
    return {"metadata": {"name": "twice"}, **value} if key == "dataVolumeTemplates" else {"name": "twice", **value}


def with_entries(manifest: Manifest, key: str, entries: list[Manifest]) -> Manifest:
    """The object with these entries beside its own; a template is put behind a volume."""
    made = copy.deepcopy(manifest)
    machine = made["spec"]
    if made["kind"] == "VirtualMachinePool":
        machine = machine["virtualMachineTemplate"]["spec"]
    vmi = machine if made["kind"] == "VirtualMachineInstance" else machine["template"]["spec"]
    if key == "dataVolumeTemplates":
        vmi["volumes"] = [*(vmi.get("volumes") or []), {"name": "twice", "dataVolume": {"name": "twice"}}]
        machine[key] = [*(machine.get(key) or []), *copy.deepcopy(entries)]
    elif key == "volumes":
        vmi[key] = [*(vmi.get(key) or []), *copy.deepcopy(entries)]
    else:
        devices = vmi.setdefault("domain", {}).setdefault("devices", {})
        devices[key] = [*(devices.get(key) or []), *copy.deepcopy(entries)]
    return made


def rank(manifest: Manifest, now: Terms) -> int:
    """2 for a VM that can be live-migrated, 1 where it is unproven, 0 where it cannot."""
    judging = now.context()
    verdict = judge(read(manifest), judging.world, judging.releases).verdict
    assert verdict is not None
    return RANKS[verdict.live_migratable]
