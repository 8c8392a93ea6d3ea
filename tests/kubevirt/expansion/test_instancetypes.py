"""The instancetype and the preference of a VirtualMachine, and the settings that it inherits."""

from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, judgement, named, verdict, verdicts, vm, world, yaml
from webhook.facts.unknown import ABSENT, Unknown
from webhook.kubevirt.expansion.inferred import Scope
from webhook.kubevirt.expansion.instancetypes import OBJECT_NAME, find_instancetype, find_preference
from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, only
from webhook.objects.instancetype import (
    ControllerRevision,
    InstancetypeSpec,
    VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference,
    VirtualMachineInstancetype,
    VirtualMachinePreference,
)
from webhook.objects.path import dotted
from webhook.objects.vm import InstancetypeStatusRef, Matcher
from webhook.objects.vmi import VMISpec, Volume
from webhook.rules.example import claim, data_volume, kubevirt, storage_profile

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
def test_a_reference_that_leads_nowhere_is_unproven(field: str) -> None:
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


def test_from_1_5_on_the_revision_noted_in_the_status_counts() -> None:
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
    assert result.verdict.unproven == ("ControllerRevision 'r' is not among the objects given",)
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
def test_a_noted_revision_of_another_object_does_not_count(
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
def test_what_both_set_is_a_conflict_and_advice(fragment: str, around: Manifest, expected: list[str]) -> None:
    """
    KubeVirt refuses a VM that sets what its instancetype sets: each field is named, the verdict is not touched.
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
    Through claim, DataVolume, its source or DataSource to the first thing that carries the very label that is looked for.
    """
    given = (instancetype("i", **USB), instancetype("i", "VirtualMachineInstancetype", **SEV), *around)

    assert judged(vm(fragment, instancetype={"inferFromVolume": "d"}), *given) == expected


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
    Where nothing carries the label, or nothing can, a VM with failure policy Ignore has no instancetype; what should exist
    and does not makes KubeVirt refuse it all the same.
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


HYPERV = {"features": {"preferredHyperv": {"reenlightenment": {}}}}
INVTSC = {"cpu": {"preferredCPUFeatures": [{"name": "invtsc", "policy": "require"}]}}


@pytest.mark.parametrize(
    ("fragment", "preferred", "expected"),
    [
        ("{}", HYPERV, {"all": NO_TSC}),
        ("{}", {"features": {"preferredHyperv": {"reenlightenment": {"enabled": False}}}}, {"all": "OK"}),
        ("{features: {hyperv: {relaxed: {}}}}", HYPERV, {"all": NO_TSC}),
        ("{features: {hyperv: {reenlightenment: {enabled: false}}}}", HYPERV, {"all": "OK"}),
        ("{}", HYPERV | INVTSC, {"all": "OK"}),
        ("{cpu: {features: [{name: invtsc, policy: disable}]}}", HYPERV | INVTSC, {"all": NO_TSC}),
        ("{}", {"preferredLaunchSecurity": {"sev": {}}}, {"1.9": ENCRYPTED, "all": "OK"}),
        ("{launchSecurity: {}}", {"preferredLaunchSecurity": {"sev": {}}}, {"all": "OK"}),
        ("{}", {"devices": {"preferredTPM": {"persistent": True}}}, {"1.3": "unproven", "all": "OK"}),
        ("{tpm: {}}", {"devices": {"preferredTPM": {"persistent": True}}}, {"all": "OK"}),
    ],
)
def test_a_preference_fills_in_what_the_vm_leaves_open(
    fragment: str, preferred: Manifest, expected: dict[str, str]
) -> None:
    """
    Features, CPU features, launch security (1.9) and TPM (1.3 checks its claim), each where the VM has none.
    """
    whole = world(MASQUERADE, preference("p", **preferred), complete=COMPLETE)

    by_release = verdicts(vm(fragment, preference={"name": "p"}), whole)

    assert by_release == {release: expected.get(release, expected["all"]) for release in by_release}


def test_an_instancetypes_launch_security_comes_before_the_preferences() -> None:
    """
    The instancetype is applied first; the preference never overrides.
    """
    around = (instancetype("i", launchSecurity={"tdx": {}}), preference("p", preferredLaunchSecurity={"sev": {}}))

    result = judged(vm("{}", instancetype={"name": "i"}, preference={"name": "p"}), *around)

    assert result == "TDXNotLiveMigratable"


@pytest.mark.parametrize(("given", "expected"), [({}, "OK"), ({"storageClassName": "local"}, DISKS)])
def test_a_preferred_class_goes_into_templates_without_one(given: Manifest, expected: str) -> None:
    """
    ``preferredStorageClassName`` is written into dataVolumeTemplates that name no class, before CDI sees them.
    """
    around = (
        preference("p", volumes={"preferredStorageClassName": "shared"}),
        storage_profile("shared", "ReadWriteMany"),
        storage_profile("local", "ReadWriteOnce"),
    )
    template = [{"metadata": {"name": "dv"}, "spec": {"storage": given}}]

    result = judged(vm(ON_DV, preference={"name": "p"}, dataVolumeTemplates=template), *around)

    assert result == expected


def test_1_0_reads_dedicated_cpus_from_an_instancetype_too() -> None:
    """
    The reason that only 1.0 gives applies whether the VM or its instancetype sets the isolated thread.
    """
    dedicated = instancetype("i", cpu={"guest": 1, "dedicatedCPUPlacement": True, "isolateEmulatorThread": True})

    result = judged(vm("{}", instancetype={"name": "i"}), dedicated, release=Release(1, 0))

    assert result == "DedicatedCPUNotLiveMigratable"


def looked_up(matcher: Matcher | None, noted: InstancetypeStatusRef | None, *around: Manifest) -> tuple[object, str]:
    """The instancetype that counts, and its name."""
    place = Scope(world(*around, complete=COMPLETE), "tenant", VMISpec(), {})
    return find_instancetype(place, matcher, noted)


def test_a_vm_without_an_instancetype_has_none_by_no_name() -> None:
    """
    Absent is neither unknown nor empty.
    """
    assert looked_up(None, None) == (ABSENT, "")


def test_an_inference_that_is_ignored_leaves_no_name() -> None:
    """
    Failure policy Ignore clears the reference.
    """
    matcher = Matcher(infer_from_volume="d", infer_from_volume_failure_policy="Ignore")
    image = VMISpec(volumes=[Volume(name="d")])

    spec = find_instancetype(Scope(world(), "tenant", image, {}), matcher, None)

    assert spec == (ABSENT, "")


def test_a_reference_without_a_name_is_asked_for_one() -> None:
    """
    KubeVirt refuses such a VM.
    """
    spec = looked_up(Matcher(), None)

    assert spec == (Unknown("spec.instancetype has no name", "set the name of the instancetype"), "")


@pytest.mark.parametrize(
    ("noted", "cpus"),
    [
        (InstancetypeStatusRef(name="small", controller_revision_ref=Matcher(name="frozen")), 2),
        (InstancetypeStatusRef(controller_revision_ref=Matcher(name="frozen")), 2),
        (InstancetypeStatusRef(name="other", controller_revision_ref=Matcher(name="frozen")), 1),
        (InstancetypeStatusRef(name="small", controller_revision_ref=Matcher()), 1),
        (InstancetypeStatusRef(name="small"), 1),
        (None, 1),
    ],
)
def test_a_noted_revision_counts_for_the_same_name(noted: InstancetypeStatusRef | None, cpus: int) -> None:
    """
    A revision that the status notes for another instancetype, or without a name, does not outrank the live object.
    """
    live = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterInstancetype",
        "metadata": {"name": "small"},
        "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}},
    }
    frozen = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "frozen", "namespace": "tenant", "labels": {OBJECT_NAME: "small"}},
        "data": {**live, "spec": {"cpu": {"guest": 2}, "memory": {"guest": "1Gi"}}},
    }

    spec, name = looked_up(Matcher(name="small"), noted, live, frozen)

    assert isinstance(spec, InstancetypeSpec)
    assert spec.cpu is not None
    assert (spec.cpu.guest, name) == (cpus, "small")


def test_a_noted_revision_without_labels_does_not_count() -> None:
    """
    Only the label of a ControllerRevision names its object.
    """
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "frozen", "namespace": "tenant"},
    }
    noted = InstancetypeStatusRef(name="small", controller_revision_ref=Matcher(name="frozen"))

    spec, _ = looked_up(Matcher(name="small"), noted, revision)

    assert spec == Unknown("instancetype 'small' does not exist", "create it, or correct its name and kind")


def test_a_preference_is_named_in_what_is_said_of_it() -> None:
    """
    The field is spec.preference, and the advice names the preference.
    """
    spec, _ = find_preference(Scope(world(), "tenant", VMISpec(), {}), Matcher(), None)

    assert spec == Unknown("spec.preference has no name", "set the name of the preference")
