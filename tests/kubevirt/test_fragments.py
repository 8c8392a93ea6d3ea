"""
Sixty small VMIs and the verdict of each KubeVirt release.

Each verdict comes from KubeVirt's code (v1.0.1 to v1.9.0). A row has only the fields that matter. All else is as migratable
as possible: the cluster's default interface is masquerade, and every named claim exists.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, RELEASES, judgement, read, verdicts, vm, vmi, world
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.releases import SUPPORTED, Release
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataVolume, PersistentVolumeClaim
from webhook.rules.example import claim, kubevirt, node, storage_profile

Manifest = dict[str, Any]

WORDS = {
    "CPUMode": "CPUModeLiveMigratable",
    "PR": "PersistentReservationNotLiveMigratable",
    "NoTSC": "NoTSCFrequencyNotLiveMigratable",
    "OK": "OK",
    "unproven": "unproven",
}
"""What is not the reason without its ``NotLiveMigratable``."""

MASQUERADE = kubevirt(network={"defaultNetworkInterface": "masquerade"})
UNTOUCHED = kubevirt()
POD = "networks: [{name: p, pod: {}}]"
SRIOV = "{name: v, sriov: {}}"
ON_C = "volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]"
ON_DV = "volumes: [{name: d, dataVolume: {name: dv}}]"
BRIDGE_ON_POD = f"interfaces: [{{name: p, bridge: {{}}}}], {POD}"
PLUGIN_ON_POD = f"interfaces: [{{name: p, binding: {{name: x}}}}], {POD}"
REENLIGHTENMENT = "features: {hyperv: {reenlightenment: {}}}"
GPU = "gpus: [{name: g, deviceName: nvidia.com/A10}]"
TSC_IN_CR = kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 2000000000})
VGPU_GATE = {"developerConfiguration": {"featureGates": ["VGPULiveMigration"]}}
MEDIATED = {
    "permittedHostDevices": {"mediatedDevices": [{"mdevNameSelector": "A10", "resourceName": "nvidia.com/A10"}]}
}
PCI = {
    "permittedHostDevices": {"pciHostDevices": [{"pciVendorSelector": "10DE:2236", "resourceName": "nvidia.com/A10"}]}
}
WITH_MASQUERADE = {"network": {"defaultNetworkInterface": "masquerade"}}
RWO, RWX = claim("c", "ReadWriteOnce"), claim("c", "ReadWriteMany")


def plugin(**registered: Any) -> Manifest:
    """The KubeVirt CR with binding plugin ``x``."""
    return kubevirt(network={"binding": {"x": registered}})


def preference(**devices: Any) -> Manifest:
    """A cluster preference ``p``."""
    return {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterPreference",
        "metadata": {"name": "p"},
        "spec": {"devices": devices},
    }


def template(**storage: Any) -> list[Manifest]:
    """The VM's ``dataVolumeTemplates``: one, named ``dv``."""
    return [{"metadata": {"name": "dv"}, "spec": {"storage": {"storageClassName": "sc", **storage}}}]


ALLOWING_INSTANCETYPE: Manifest = {
    "apiVersion": "instancetype.kubevirt.io/v1beta1",
    "kind": "VirtualMachineClusterInstancetype",
    "metadata": {"name": "i"},
    "spec": {"annotations": {BRIDGE_OVERRIDE: ""}, "cpu": {"guest": 1}, "memory": {"guest": "1Gi"}},
}
DEFAULT_CLASS: Manifest = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "sc", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
}


@dataclass(frozen=True)
class Fragment:
    """One line: its number, the fragment of a VMI, its verdict by release, and the other objects."""

    number: int
    spec: str
    says: str
    """``≤1.8 Interface; ≥1.9 OK``: clauses, each with a range of releases (none: all of them) and a verdict."""
    world: tuple[Manifest, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    """Of a VMI; a VM has none."""
    vm: Mapping[str, Any] = field(default_factory=dict)
    """More of the VirtualMachine's spec: a line with any has no VMI."""
    outer: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    """``status.migrationMethod`` in the newest release, where the line names it."""
    also: str = ""
    """A rule that gives advice on it."""
    complete: tuple[type[Kubernetes], ...] = EVERYTHING


NO_CLAIMS_KNOWN = tuple(kind for kind in EVERYTHING if kind not in (PersistentVolumeClaim, DataVolume))

TABLE: tuple[Fragment, ...] = (
    Fragment(1, "", "Interface", world=(UNTOUCHED,)),
    Fragment(2, "autoattachPodInterface: false", "OK", world=(UNTOUCHED,)),
    Fragment(3, "", "OK", world=(MASQUERADE,)),
    Fragment(
        4,
        f"interfaces: [{{name: p, masquerade: {{}}, ports: [{{port: 49152}}, {{port: 49153}}]}}], {POD}",
        "OK",
        also="LM103",
    ),
    Fragment(5, BRIDGE_ON_POD, "OK", annotations={BRIDGE_OVERRIDE: "false"}),
    Fragment(6, BRIDGE_ON_POD, "Interface", vm={"runStrategy": "Always"}, outer={BRIDGE_OVERRIDE: ""}, also="LM105"),
    Fragment(
        7,
        BRIDGE_ON_POD,
        "1.0 Interface; ≥1.1 OK",
        vm={"instancetype": {"name": "i"}},
        world=(UNTOUCHED, ALLOWING_INSTANCETYPE),
    ),
    Fragment(8, "interfaces: [{name: s, bridge: {}}], networks: [{name: s, multus: {networkName: br0}}]", "OK"),
    Fragment(
        9, "interfaces: [{name: s, bridge: {}}], networks: [{name: s, multus: {networkName: br0, default: true}}]", "OK"
    ),
    Fragment(
        10,
        f"interfaces: [{{name: p, masquerade: {{}}}}, {SRIOV}], "
        "networks: [{name: p, pod: {}}, {name: v, multus: {networkName: v}}]",
        "OK",
    ),
    Fragment(10, f"interfaces: [{SRIOV}], networks: [{{name: v, multus: {{networkName: v}}}}]", "OK"),
    Fragment(11, f"interfaces: [{{name: p}}], {POD}", "Interface"),  # KubeVirt 1.9 refuses the object before that
    Fragment(12, PLUGIN_ON_POD, "≤1.1 Interface; ≥1.2 OK", world=(plugin(migration={}),)),
    Fragment(13, PLUGIN_ON_POD, "Interface", world=(plugin(networkAttachmentDefinition="a/b"),)),
    Fragment(
        14, "interfaces: [{name: s, binding: {name: x}}], networks: [{name: s, multus: {networkName: br0}}]", "OK"
    ),
    Fragment(15, f"interfaces: [{{name: p, passtBinding: {{}}}}], {POD}", "≥1.8 OK"),
    Fragment(15, f"interfaces: [{{name: p, passt: {{}}}}], {POD}", "≤1.2 Interface"),
    Fragment(
        16,
        "",
        "1.0 OK; ≥1.1 Interface",
        vm={"preference": {"name": "p"}},
        world=(UNTOUCHED, preference(preferredInterfaceMasquerade={})),
    ),
    Fragment(
        17,
        f"interfaces: [{{name: p}}], {POD}",
        "OK",
        vm={"preference": {"name": "p"}},
        world=(UNTOUCHED, preference(preferredInterfaceMasquerade={})),
    ),
    Fragment(18, ON_C, "Disks", world=(claim("c", "ReadOnlyMany"),)),
    Fragment(19, ON_C, "OK", world=(claim("c", "ReadWriteOnce", "ReadWriteMany"),)),
    Fragment(
        20,
        "disks: [{name: iso, cdrom: {}}], volumes: [{name: iso, persistentVolumeClaim: {claimName: c}}]",
        "Disks",
        world=(RWO,),
    ),
    Fragment(21, "volumes: [{name: d, persistentVolumeClaim: {claimName: c, readOnly: true}}]", "Disks", world=(RWO,)),
    Fragment(
        22,
        "volumes: [{name: d, ephemeral: {persistentVolumeClaim: {claimName: c}}}]",
        "OK",
        world=(RWO,),
        method="BlockMigration",
        also="LM205",
    ),
    Fragment(23, "volumes: [{name: m, memoryDump: {claimName: c}}]", "OK", world=(RWO,), method="BlockMigration"),
    Fragment(
        24,
        "disks: [{name: r, disk: {}}], volumes: [{name: r, containerDisk: {image: i}}]",
        "OK",
        method="BlockMigration",
    ),
    Fragment(
        25,
        "disks: [{name: d, disk: {}}, {name: i, cdrom: {}}], "
        "volumes: [{name: d, persistentVolumeClaim: {claimName: c}}, {name: i, cloudInitNoCloud: {userData: x}}]",
        "OK",
        world=(RWX,),
        method="LiveMigration",
    ),
    Fragment(
        25,
        "disks: [{name: d, disk: {}}, {name: i, disk: {}}], "
        "volumes: [{name: d, persistentVolumeClaim: {claimName: c}}, {name: i, cloudInitNoCloud: {userData: x}}]",
        "OK",
        world=(RWX,),
        method="BlockMigration",
    ),
    Fragment(26, "volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]", "Disks"),
    Fragment(26, "volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk, shared: true}}]", "OK"),
    Fragment(27, ON_DV, "Disks"),
    Fragment(27, ON_DV, "unproven", complete=NO_CLAIMS_KNOWN),
    Fragment(28, ON_DV, "OK", vm={"dataVolumeTemplates": template()}, world=(storage_profile("sc", "ReadWriteMany"),)),
    Fragment(
        28, ON_DV, "Disks", vm={"dataVolumeTemplates": template()}, world=(storage_profile("sc", "ReadWriteOnce"),)
    ),
    Fragment(
        29,
        ON_DV,
        "Disks",
        vm={"dataVolumeTemplates": template(accessModes=["ReadWriteMany"])},
        world=(claim("dv", "ReadWriteOnce"),),
    ),
    Fragment(30, ON_C, "≤1.2 Disks; ≥1.3 OK", world=(RWO,), status={"migratedVolumes": [{"volumeName": "d"}]}),
    Fragment(
        31, "volumes: [{name: d, persistentVolumeClaim: {claimName: c, hotpluggable: true}}]", "Disks", world=(RWO,)
    ),
    Fragment(
        32,
        "filesystems: [{name: cm, virtiofs: {}}], volumes: [{name: cm, configMap: {name: cm}}]",
        "≤1.4 VirtIOFS; ≥1.5 OK",
        method="LiveMigration",
    ),
    Fragment(33, f"filesystems: [{{name: d, virtiofs: {{}}}}], {ON_C}", "Disks", world=(RWO,)),
    Fragment(34, f"filesystems: [{{name: d, virtiofs: {{}}}}], {ON_C}", "≤1.4 VirtIOFS; ≥1.5 OK", world=(RWX,)),
    Fragment(
        35,
        "tpm: {persistent: true}",
        "≤1.2 OK; 1.3 Disks; ≥1.4 OK",
        world=(MASQUERADE, DEFAULT_CLASS, storage_profile("sc", "ReadWriteOnce")),
    ),
    Fragment(36, "disks: [{name: d, lun: {reservation: true}}], " + ON_C, "≤1.8 PR; 1.9 OK", world=(RWX,)),
    Fragment(
        36, "disks: [{name: d, lun: {reservation: true}}], " + ON_C, "≤1.5 Disks; 1.6–1.8 PR; 1.9 Disks", world=(RWO,)
    ),
    Fragment(
        37, GPU, "≤1.8 HostDevice; 1.9 OK", world=(kubevirt(**WITH_MASQUERADE, **VGPU_GATE, **MEDIATED),), also="LM302"
    ),
    Fragment(37, GPU, "HostDevice", world=(kubevirt(**WITH_MASQUERADE, **MEDIATED),)),
    Fragment(
        38,
        "gpus: [{name: g, deviceName: nvidia.com/A10}, {name: h, deviceName: nvidia.com/A10}]",
        "HostDevice",
        world=(kubevirt(**WITH_MASQUERADE, **VGPU_GATE, **MEDIATED),),
    ),
    Fragment(38, GPU, "HostDevice", world=(kubevirt(**WITH_MASQUERADE, **VGPU_GATE, **PCI),)),
    Fragment(
        38,
        "gpus: [{name: g, claimName: c, requestName: r}]",
        "HostDevice",
        world=(kubevirt(**WITH_MASQUERADE, **VGPU_GATE, **MEDIATED),),
    ),
    Fragment(39, "hostDevices: [{name: u, deviceName: kubevirt.io/usb-key}]", "HostDevice"),
    Fragment(40, "gpus: [], hostDevices: []", "OK"),
    Fragment(41, "launchSecurity: {snp: {}}", "≤1.6 OK; ≥1.7 SEV"),
    Fragment(42, "architecture: s390x, launchSecurity: {}, cpu: {model: z14}", "≤1.5 OK; ≥1.6 SecureExecution"),
    Fragment(43, "architecture: amd64, launchSecurity: {}", "OK"),
    Fragment(44, REENLIGHTENMENT, "NoTSC"),
    Fragment(45, f"autoattachPodInterface: false, {REENLIGHTENMENT}", "OK", world=(TSC_IN_CR,)),
    Fragment(46, REENLIGHTENMENT + ", cpu: {features: [{name: invtsc, policy: require}]}", "OK"),
    Fragment(47, REENLIGHTENMENT + ", cpu: {features: [{name: invtsc, policy: optional}]}", "NoTSC"),
    Fragment(48, f"autoattachPodInterface: false, architecture: arm64, {REENLIGHTENMENT}", "NoTSC", world=(TSC_IN_CR,)),
    Fragment(49, "features: {hypervPassthrough: {enabled: true}}", "≤1.2 OK; ≥1.3 HypervPassthrough"),
    Fragment(50, "features: {hypervPassthrough: {}}", "≥1.3 HypervPassthrough"),  # KubeVirt crashes on it
    Fragment(50, "features: {hypervPassthrough: {enabled: false}}", "OK"),
    Fragment(51, f"{BRIDGE_ON_POD}, {ON_C}", "≤1.5 Disks; ≥1.6 Interface", world=(RWO,)),
    Fragment(52, f"{GPU}, {ON_C}", "≤1.5 Disks; ≥1.6 HostDevice", world=(MASQUERADE, RWO)),
    Fragment(
        53,
        f"filesystems: [{{name: cm, virtiofs: {{}}}}], volumes: [{{name: cm, configMap: {{name: cm}}}}], {GPU}",
        "≤1.4 VirtIOFS; ≥1.5 HostDevice",
    ),
    Fragment(54, "cpu: {model: host-model}", "OK"),
    Fragment(
        54, "cpu: {model: host-model}", "CPUMode", world=(MASQUERADE, node("n", **{"kubevirt.io/schedulable": "true"}))
    ),
    Fragment(55, "cpu: {dedicatedCpuPlacement: true, isolateEmulatorThread: true}", "1.0 DedicatedCPU; ≥1.1 OK"),
    Fragment(56, "cpu: {model: host-passthrough}", "OK"),
    Fragment(57, "utilityVolumes: [{name: u, claimName: c, type: MemoryDump}]", "≥1.8 OK", world=(RWO,), also="LM206"),
    Fragment(58, f"evictionStrategy: LiveMigrate, {BRIDGE_ON_POD}", "Interface", also="LM501"),
    Fragment(
        59,
        "interfaces: [{name: s, bridge: {}}], networks: [{name: p, pod: {}}, {name: s, multus: {networkName: br0}}]",
        "≤1.7 OK; ≥1.8 Interface",
    ),
    Fragment(60, POD, "OK"),
)


def said(words: str) -> dict[str, str]:
    """Clauses such as ``≤1.8 Interface; 1.9 OK`` as verdicts by release."""
    expected: dict[str, str] = {}
    for clause in words.split("; "):
        result = re.fullmatch(r"(?:([≤≥]?)(1\.\d)(?:–(1\.\d))? )?(\w+)", clause)
        assert result is not None, clause
        sign, first, last, word = result.groups()
        start = Release(1, int(first[2:])) if first and sign != "≤" else RELEASES[0]
        end = RELEASES[-1] if not first or sign == "≥" else Release(1, int((last or first)[2:]))
        for release in RELEASES:
            if start <= release <= end:
                assert str(release) not in expected, clause
                expected[str(release)] = WORDS.get(word, f"{word}NotLiveMigratable")
    return expected


def forms(fragment: Fragment) -> list[tuple[str, Manifest]]:
    """The fragment as a VMI and as a VM, where it applies."""
    written = f"{{{fragment.spec}}}"
    made = []
    if not fragment.vm:
        made.append(("VMI", vmi(written, fragment.annotations, dict(fragment.status))))
    if not fragment.status:
        made.append(("VM", vm(written, fragment.annotations, outer=fragment.outer, **fragment.vm)))
    return made


def around(fragment: Fragment) -> ObjectsWorld:
    """The fragment's world, with masquerade as the default interface unless the fragment has its own KubeVirt CR."""
    own = any(manifest["kind"] == "KubeVirt" for manifest in fragment.world)
    return world(*(() if own else (MASQUERADE,)), *fragment.world, complete=fragment.complete)


ROWS = [
    pytest.param(fragment, manifest, id=f"{fragment.number}-{form}-{fragment.says}")
    for fragment in TABLE
    for form, manifest in forms(fragment)
]


@pytest.mark.parametrize(("fragment", "manifest"), ROWS)
def test_the_verdict_on_a_fragment_is_kubevirts_in_each_release(fragment: Fragment, manifest: Manifest) -> None:
    """
    The verdict is that of the line, in each of its releases and on both sides of each boundary.
    """
    expected = said(fragment.says)

    by_release = verdicts(manifest, around(fragment), [release for release in RELEASES if str(release) in expected])

    assert by_release == expected


@pytest.mark.parametrize(("fragment", "manifest"), [row for row in ROWS if row.values[0].method or row.values[0].also])
def test_method_and_advice_are_reported_with_the_verdict(fragment: Fragment, manifest: Manifest) -> None:
    """
    The migration method and advice do not change the verdict, but they are reported.
    """
    answer = judgement(manifest, around(fragment), SUPPORTED)

    assert answer.verdict is not None
    assert not fragment.method or answer.verdict.migration_method == fragment.method
    assert not fragment.also or fragment.also in {finding.rule.id for finding in answer.findings}


def test_every_row_of_the_table_is_tested() -> None:
    """
    The rows are numbered from 1 to 60. Each is tested as VM or as VMI.
    """
    assert sorted({fragment.number for fragment in TABLE}) == list(range(1, 61))
    assert {row.values[0].number for row in ROWS} == set(range(1, 61))
    assert all(read(row.values[1]) for row in ROWS)
