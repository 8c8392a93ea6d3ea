"""The instancetype and the preference of a VirtualMachine, and the settings that it inherits."""

from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, judgement, named, verdict, verdicts, vm, world, yaml
from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, only
from webhook.objects.instancetype import (
    ControllerRevision,
    VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference,
    VirtualMachineInstancetype,
    VirtualMachinePreference,
)
from webhook.objects.path import dotted
from webhook.rules.example import claim, data_volume, kubevirt

V1BETA1 = "instancetype.kubevirt.io/v1beta1"
CDI = "cdi.kubevirt.io/v1beta1"
MASQUERADE = kubevirt(
    network={"defaultNetworkInterface": "masquerade"},
    developerConfiguration={"minimumClusterTSCFrequency": 0},
)
"""A cluster on which nothing is wrong but reenlightenment."""
COMPLETE = (
    *EVERYTHING,
    ControllerRevision,
    VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference,
    VirtualMachineInstancetype,
    VirtualMachinePreference,
)
SEV = {"launchSecurity": {"sev": {}}}
USB = {"hostDevices": [{"name": "u", "deviceName": "usb"}]}
DISKS, HOST_DEVICE, ENCRYPTED = "DisksNotLiveMigratable", "HostDeviceNotLiveMigratable", "SEVNotLiveMigratable"
NO_TSC = "NoTSCFrequencyNotLiveMigratable"


def instancetype(name: str, kind: str = "VirtualMachineClusterInstancetype", **spec: Any) -> Manifest:
    whole = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **spec}
    return named(kind, name, V1BETA1, spec=whole)


def preference(name: str, kind: str = "VirtualMachineClusterPreference", **spec: Any) -> Manifest:
    return named(kind, name, V1BETA1, spec=spec)


def revision(name: str, holds: Any, made_from: str = "i") -> Manifest:
    labels = {"instancetype.kubevirt.io/object-name": made_from}
    return named("ControllerRevision", name, "apps/v1", labels, data=holds, revision=1)


def judged(machine: Manifest, *around: Manifest, release: Release = NEWEST) -> str:
    return verdict(machine, world(MASQUERADE, *around, complete=COMPLETE), release)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (None, HOST_DEVICE),
        ("", HOST_DEVICE),
        ("VirtualMachineClusterInstancetype", HOST_DEVICE),
        ("virtualmachineclusterinstancetypes", HOST_DEVICE),
        ("VirtualMachineInstancetype", ENCRYPTED),
        ("virtualmachineinstancetypes", ENCRYPTED),
        ("VirtualMachinePreference", "unproven"),
        ("virtualmachineinstancetypess", "unproven"),
    ],
)
def test_an_empty_kind_is_the_cluster_scoped_one(kind: str | None, expected: str) -> None:
    """
    Kinds are taken in any case, singular or plural; a kind that KubeVirt does not know is unproven, not ignored.
    """
    around = (instancetype("i", **USB), instancetype("i", "VirtualMachineInstancetype", **SEV))

    assert judged(vm("{}", instancetype={"name": "i", "kind": kind}), *around) == expected


@pytest.mark.parametrize("field", ["instancetype", "preference"])
def test_a_reference_to_a_missing_object_is_unproven(field: str) -> None:
    """
    An object that does not exist, was not provided, or has no name is reported as such, at its field.
    """
    for reference, complete in (({"name": "i"}, COMPLETE), ({"name": "i"}, EVERYTHING), ({}, COMPLETE)):
        result = judgement(vm("{}", **{field: reference}), world(MASQUERADE, complete=complete), only(NEWEST))

        assert result.verdict is not None
        assert result.verdict.live_migratable is None
        assert [(finding.rule.id, dotted(finding.path)) for finding in result.findings] == [("LM505", f"spec.{field}")]


GOOD = {"kind": "VirtualMachineClusterInstancetype", "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **SEV}}


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        (GOOD, ENCRYPTED),
        (GOOD | {"kind": "VirtualMachineInstancetype"}, ENCRYPTED),
        ({"spec": GOOD["spec"]}, ENCRYPTED),
        (GOOD | {"kind": "VirtualMachinePreference"}, "unproven"),
        (GOOD | {"kind": ["VirtualMachineInstancetype"]}, "unproven"),
        (GOOD | {"spec": {"gpus": "all of them"}}, "unproven"),
        (GOOD | {"spec": "eyJjcHUiOiB7fX0="}, "unproven"),
        ({}, "unproven"),
        ([], "unproven"),
        ("junk", "unproven"),
        (None, "unproven"),
    ],
)
def test_a_revision_name_has_precedence_over_the_object(holds: Any, expected: str) -> None:
    """
    The contents of the ControllerRevision count, whatever the instancetype is now; other contents are unproven.
    """
    machine = vm("{}", instancetype={"name": "i", "revisionName": "r"})

    assert judged(machine, instancetype("i", **USB), revision("r", holds)) == expected
    assert judged(machine, revision("r", holds)) == expected


def test_a_named_revision_that_does_not_exist_is_unproven() -> None:
    """
    KubeVirt does not fall back to the live object.
    """
    assert judged(vm("{}", instancetype={"name": "i", "revisionName": "r"}), instancetype("i")) == "unproven"


NOTED = {"name": "i", "kind": "VirtualMachineClusterInstancetype", "controllerRevisionRef": {"name": "r"}}


def test_from_1_5_on_the_revision_in_the_status_counts() -> None:
    """
    1.5 and later freeze the instancetype in the VM's status; older releases know no such field.
    """
    machine = vm("{}", instancetype={"name": "i"}, status={"instancetypeRef": NOTED})
    around = world(MASQUERADE, instancetype("i", **USB), revision("r", GOOD), complete=COMPLETE)

    by_release = verdicts(machine, around)

    assert by_release == {release: HOST_DEVICE if release < "1.5" else ENCRYPTED for release in by_release}


def test_an_undetermined_finding_has_the_message_of_the_newest_release() -> None:
    """
    Up to 1.4 the live object would settle it, from 1.5 on the revision: the verdict is of the newest release.
    """
    machine = vm("{}", instancetype={"name": "i"}, status={"instancetypeRef": NOTED})

    result = judgement(machine, world(MASQUERADE), SUPPORTED)

    assert result.verdict is not None
    assert result.verdict.unproven == ("ControllerRevision 'r' is not in the input",)
    assert [(finding.rule.id, finding.releases) for finding in result.findings] == [("LM505", SUPPORTED)]


@pytest.mark.parametrize(
    ("name", "noted", "made_from", "around", "expected"),
    [
        ("i", NOTED, "i", True, ENCRYPTED),
        ("i", NOTED | {"name": None}, "i", True, ENCRYPTED),
        ("i", NOTED, "j", True, HOST_DEVICE),
        ("i", NOTED | {"name": "j"}, "j", True, HOST_DEVICE),
        ("i", NOTED | {"controllerRevisionRef": None}, "i", True, HOST_DEVICE),
        ("i", NOTED | {"controllerRevisionRef": {"name": ""}}, "i", True, HOST_DEVICE),
        ("i", NOTED, "i", False, "unproven"),
    ],
)
def test_a_revision_of_another_object_does_not_count(
    name: str, noted: Manifest, made_from: str, around: bool, expected: str
) -> None:
    """
    The label of the ControllerRevision names its object; where the VM now names another object, that one counts.
    """
    machine = vm("{}", instancetype={"name": name}, status={"instancetypeRef": noted})
    frozen = (revision("r", GOOD, made_from),) if around else ()

    assert judged(machine, instancetype("i", **USB), *frozen) == expected


@pytest.mark.parametrize(
    ("fragment", "around", "expected"),
    [
        ("{gpus: [{name: g, deviceName: d}]}", {"gpus": [{"name": "g", "deviceName": "d"}]}, ["devices.gpus"]),
        ("{hostDevices: [{name: u, deviceName: usb}]}", USB, ["devices.hostDevices"]),
        ("{launchSecurity: {}}", SEV, ["launchSecurity"]),
        ("{cpu: {model: Skylake}}", {"cpu": {"guest": 1, "model": "Haswell"}}, ["cpu.model"]),
        ("{cpu: {model: Skylake}}", {}, []),
        ("{cpu: {sockets: 2, cores: 1, threads: 1}}", {}, ["cpu.sockets", "cpu.cores", "cpu.threads"]),
        (
            "{cpu: {dedicatedCpuPlacement: true, isolateEmulatorThread: true}}",
            {"cpu": {"guest": 1, "dedicatedCPUPlacement": False, "isolateEmulatorThread": True}},
            ["cpu.dedicatedCpuPlacement", "cpu.isolateEmulatorThread"],
        ),
        ("{memory: {guest: 1Gi}}", {}, ["memory.guest"]),
        ("{}", {}, []),
    ],
)
def test_a_field_that_both_set_is_a_conflict_and_advice(fragment: str, around: Manifest, expected: list[str]) -> None:
    """
    KubeVirt refuses a VM that sets a field of its instancetype: each field is reported, and the verdict stays.
    """
    whole = world(MASQUERADE, instancetype("i", **around), complete=COMPLETE)

    result = judgement(vm(fragment, instancetype={"name": "i"}), whole, SUPPORTED)

    paths = [dotted(finding.path) for finding in result.findings if finding.rule.id == "LM506"]
    assert paths == [f"spec.template.spec.domain.{item}" for item in expected]


def test_an_annotation_with_another_value_is_a_conflict() -> None:
    """
    The same value on both sides is no conflict.
    """
    whole = world(MASQUERADE, instancetype("i", annotations={"a": "1", "b": "2"}), complete=COMPLETE)

    result = judgement(vm("{}", {"a": "1", "b": "3"}, instancetype={"name": "i"}), whole, SUPPORTED)

    assert [dotted(item.path) for item in result.findings] == ["spec.template.metadata.annotations.b"]


@pytest.mark.parametrize(
    ("written", "brought", "place"),
    [
        ("host-model", {}, "spec.template.spec.domain.cpu.model"),
        (None, {"cpu": {"guest": 1, "model": "host-model"}}, "spec.instancetype"),
        (None, {}, "spec.template.spec.domain"),
    ],
)
def test_a_host_model_is_wrong_where_it_is_written(written: str | None, brought: Manifest, place: str) -> None:
    """
    At the VM, at the reference to its instancetype, or at no field.
    """
    whole = world(kubevirt(configuration={}), instancetype("i", **brought), complete=COMPLETE)
    fragment = f"{{architecture: s390x, domain: {{devices: {{}}, cpu: {{model: {written}}}}}}}" if written else "{}"
    machine = vm(fragment, instancetype={"name": "i"})
    machine["spec"]["template"]["spec"]["architecture"] = "s390x"

    result = [
        finding for finding in judgement(machine, whole, only(Release(1, 3))).findings if finding.rule.id == "LM401"
    ]

    assert [dotted(item.path) for item in result] == [place]
    assert ["instancetype" in finding.message for finding in result] == [place == "spec.instancetype"]
    assert ["instancetype" in finding.remedy for finding in result] == [place == "spec.instancetype"]


LABELS = {"instancetype.kubevirt.io/default-instancetype": "i", "instancetype.kubevirt.io/default-preference": "p"}
NAMESPACED = LABELS | {"instancetype.kubevirt.io/default-instancetype-kind": "VirtualMachineInstancetype"}
ON_C = "{volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}"
ON_DV = "{volumes: [{name: d, dataVolume: {name: dv}}]}"


def labelled(manifest: Manifest, labels: dict[str, str]) -> Manifest:
    return manifest | {"metadata": manifest["metadata"] | {"labels": labels}}


C = labelled(claim("c", "ReadWriteMany"), LABELS)


def from_source(text: str, labels: dict[str, str] | None = None) -> Manifest:
    """A DataVolume ``dv`` with YAML beside ``storage``."""
    whole = data_volume("dv", accessModes=["ReadWriteMany"])
    return labelled(whole | {"spec": whole["spec"] | yaml(text)}, labels or {})


def data_source(source: str, labels: dict[str, str] | None = None) -> Manifest:
    return named("DataSource", "s", CDI, labels, spec={"source": yaml(source)})


@pytest.mark.parametrize(
    ("fragment", "around", "expected"),
    [
        (ON_C, (C,), HOST_DEVICE),
        (ON_C, (labelled(C, NAMESPACED),), ENCRYPTED),
        (ON_C, (labelled(C, {}),), "unproven"),
        (ON_C, (), DISKS),
        (ON_DV, (from_source("{}", LABELS),), HOST_DEVICE),
        (ON_DV, (labelled(claim("dv", "ReadWriteMany"), LABELS),), HOST_DEVICE),
        (ON_DV, (from_source("{source: {pvc: {name: c, namespace: tenant}}}"), C), HOST_DEVICE),
        (ON_DV, (from_source("{source: {pvc: {name: c, namespace: other}}}"), C), "unproven"),
        (ON_DV, (from_source("{source: {snapshot: {name: c, namespace: tenant}}}"),), "unproven"),
        (ON_DV, (from_source("{source: {http: {url: x}}}"),), "unproven"),
        (ON_DV, (from_source("{sourceRef: {kind: DataSource, name: s}}"), data_source("{}", LABELS)), HOST_DEVICE),
        (ON_DV, (from_source("{sourceRef: {kind: Other, name: s}}"), data_source("{}", LABELS)), "unproven"),
        (ON_DV, (from_source("{sourceRef: {kind: DataSource, name: s}}"),), "unproven"),
        (
            ON_DV,
            (
                from_source("{sourceRef: {kind: DataSource, name: s, namespace: tenant}}"),
                data_source(
                    "{pvc: {name: c, namespace: tenant}}", {"instancetype.kubevirt.io/default-preference": "other"}
                ),
                C,
            ),
            HOST_DEVICE,
        ),
        ("{volumes: [{name: d, containerDisk: {image: i}}]}", (), "unproven"),
        ("{volumes: [{name: other, persistentVolumeClaim: {claimName: c}}]}", (C,), "unproven"),
    ],
)
def test_inference_follows_a_volume_to_a_label(fragment: str, around: tuple[Manifest, ...], expected: str) -> None:
    """
    Through claim, DataVolume, its source or DataSource to the first object with the label.
    """
    objects = (instancetype("i", **USB), instancetype("i", "VirtualMachineInstancetype", **SEV), *around)

    assert judged(vm(fragment, instancetype={"inferFromVolume": "d"}), *objects) == expected


def test_a_template_is_followed_before_a_data_volume_of_its_name() -> None:
    """
    The VM's own dataVolumeTemplates come first, and have no labels of their own.
    """
    template = [
        {"metadata": {"name": "dv", "labels": LABELS}, "spec": {"source": {"pvc": {"name": "c"}}, "storage": {}}}
    ]
    machine = vm(ON_DV, instancetype={"inferFromVolume": "d"}, dataVolumeTemplates=template)

    assert judged(machine, C, from_source("{}"), instancetype("i", **USB)) == HOST_DEVICE
    assert judged(machine, labelled(C, {}), from_source("{}", LABELS), instancetype("i", **USB)) == "unproven"


@pytest.mark.parametrize(
    ("fragment", "around", "expected"),
    [
        (ON_C, (C,), HOST_DEVICE),
        (ON_C, (labelled(C, {}),), "OK"),
        ("{volumes: [{name: d, containerDisk: {image: i}}]}", (), "OK"),
        (ON_DV, (from_source("{source: {http: {url: x}}}"),), "OK"),
        (ON_DV, (from_source("{sourceRef: {kind: Other, name: s}}"),), "OK"),
        (ON_DV, (from_source("{source: {pvc: {name: gone, namespace: tenant}}}"),), "unproven"),
        (ON_DV, (from_source("{sourceRef: {kind: DataSource, name: gone}}"),), "unproven"),
        (ON_DV, (from_source("{source: {snapshot: {name: c, namespace: tenant}}}"),), "unproven"),
        ("{volumes: [{name: other, emptyDisk: {capacity: 1Gi}}]}", (), "unproven"),
    ],
)
def test_some_failures_to_infer_may_be_ignored(fragment: str, around: tuple[Manifest, ...], expected: str) -> None:
    """
    Without a label, a VM with failure policy Ignore has no instancetype; for a missing object KubeVirt refuses it nevertheless.
    """
    matcher = {"inferFromVolume": "d", "inferFromVolumeFailurePolicy": "Ignore"}

    assert judged(vm(fragment, instancetype=matcher), instancetype("i", **USB), *around) == expected


@pytest.mark.parametrize(("policy", "expected"), [("Ignore", []), ("Reject", ["LM506"])])
def test_memory_beside_an_inferred_instancetype_is_dropped_where_a_failure_is_ignored(
    policy: str, expected: list[str]
) -> None:
    """
    ``virtctl create vm`` writes memory in case nothing can be inferred: that is no conflict.
    """
    fragment = "{memory: {guest: 512Mi}, volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}"
    machine = vm(fragment, instancetype={"inferFromVolume": "d", "inferFromVolumeFailurePolicy": policy})

    result = judgement(machine, world(MASQUERADE, C, instancetype("i"), complete=COMPLETE), SUPPORTED)

    assert [finding.rule.id for finding in result.findings] == expected
