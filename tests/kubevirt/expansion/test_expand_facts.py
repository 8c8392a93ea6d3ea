"""Facts about a VMI that depend on a field, an instancetype or a release."""

from typing import Any

from tests.kubevirt.building import named, read, vm, vmi, world
from tests.kubevirt.expansion.test_expand import OF_I, OF_P, facts, instancetype, preference
from webhook.facts.migration import Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.vmi import LaunchSecurity
from webhook.rules.example import kubevirt, node

FAST = kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 2000000000})
REENLIGHTENMENT = "features: {hyperv: {reenlightenment: {}}}"


def test_launch_security_has_the_path_of_the_field_that_sets_it() -> None:
    """
    The VM's own field, else its reference to an instancetype, else, from KubeVirt 1.9 on, that to a preference.
    """
    preferred = preference(preferredLaunchSecurity={"sev": {}})
    own = facts(vm("{launchSecurity: {}}", **OF_I), world(instancetype(launchSecurity={"sev": {}})))
    theirs = facts(vm("{}", **OF_I, **OF_P), world(instancetype(launchSecurity={"sev": {}}), preferred))
    last = facts(vm("{}", **OF_P), world(preferred))

    sources = [item.launch_security for item in (own, theirs, last)]

    assert [(source.path, source.origin) for source in sources if source is not None] == [
        (("spec", "template", "spec", "domain", "launchSecurity"), ""),
        (("spec", "instancetype"), "instancetype 'i'"),
        (("spec", "preference"), "the preference"),
    ]
    assert sources[0] == Sourced(("spec", "template", "spec", "domain", "launchSecurity"), LaunchSecurity())


def test_older_releases_ignore_a_preferred_launch_security() -> None:
    """
    A preference sets one from KubeVirt 1.9 on.
    """
    subject = subject_of(read(vm("{}", **OF_P)))
    assert subject is not None

    result = expand(subject, world(preference(preferredLaunchSecurity={"sev": {}})), SUPPORTED)

    assert [item.releases for item in result if item.launch_security is not None] == [only(NEWEST)]


def test_only_kubevirt_1_3_has_a_state_claim() -> None:
    """
    No other release checks the claim with the state of a TPM.
    """
    subject = subject_of(read(vmi("{tpm: {persistent: true}}")))
    assert subject is not None

    claims = {item: next(iter(expand(subject, world(), only(Release(1, item))))).state_claim for item in (2, 3, 4, 9)}

    assert [item for item, claim in claims.items() if claim is not None] == [3]


def test_templates_are_those_of_the_vm() -> None:
    """
    A VM without dataVolumeTemplates, and a VMI, has none.
    """
    template = {"metadata": {"name": "dv"}, "spec": {"storage": {}}}

    assert [entry.name for entry in facts(vm("{}", dataVolumeTemplates=[template]), world()).templates] == ["dv"]
    assert facts(vm("{}"), world()).templates == ()
    assert facts(vmi("{}"), world()).templates == ()


def test_nodes_are_read_only_for_host_model() -> None:
    """
    Another CPU model does not depend on what the nodes report, and host-model does.
    """
    silent = world(node("n", **{"kubevirt.io/schedulable": "true"}))

    assert facts(vmi("{architecture: amd64, cpu: {model: Haswell}}"), silent).host_model_known is True
    assert facts(vmi("{architecture: amd64, cpu: {model: host-model}}"), silent).host_model_known is False
    assert isinstance(
        facts(vmi("{architecture: amd64, cpu: {model: host-model}}"), world(complete=())).host_model_known, Unknown
    )


def test_a_tsc_frequency_counts_only_with_reenlightenment() -> None:
    """
    virt-controller gives no hint to a VMI that does not need one.
    """
    assert facts(vmi("{}"), world(FAST)).tsc_frequency == 0
    assert facts(vmi(f"{{{REENLIGHTENMENT}}}"), world(FAST)).tsc_frequency == 2000000000


def test_reenlightenment_is_on_unless_it_is_switched_off() -> None:
    """
    The VM's own field decides before the preference.
    """
    preferred, off = (
        world(preference(features={"preferredHyperv": {"reenlightenment": item}})) for item in ({}, {"enabled": False})
    )
    switched_off = "{features: {hyperv: {reenlightenment: {enabled: false}}}}"
    own = ("spec", "template", "spec", "domain", "features", "hyperv", "reenlightenment")

    result = [
        facts(vm(fragment, **OF_P), around).reenlightenment
        for fragment, around in (
            (f"{{{REENLIGHTENMENT}}}", off),
            (switched_off, preferred),
            ("{}", preferred),
            ("{features: {hyperv: {}}}", preferred),
            ("{}", off),
        )
    ]

    by_preference = Sourced(("spec", "preference"), True, "the preference")
    assert result == [Sourced(own, True), None, by_preference, by_preference, None]


def test_an_isolated_emulator_thread_needs_dedicated_cpus() -> None:
    """
    Each of the two can come from the VM or from its instancetype.
    """
    dedicated, isolated = {"guest": 1, "dedicatedCPUPlacement": True}, {"guest": 1, "isolateEmulatorThread": True}
    own = Sourced(("spec", "template", "spec", "domain", "cpu", "isolateEmulatorThread"), True)
    theirs = Sourced(("spec", "instancetype"), True, "instancetype 'i'")

    result = [
        facts(vm(fragment, **OF_I), world(instancetype(cpu=cpu))).isolated_emulator_thread
        for fragment, cpu in (
            ("{cpu: {dedicatedCpuPlacement: true, isolateEmulatorThread: true}}", {"guest": 1}),
            ("{cpu: {isolateEmulatorThread: true}}", dedicated),
            ("{cpu: {dedicatedCpuPlacement: true}}", isolated),
            ("{}", {**dedicated, **isolated}),
            ("{cpu: {isolateEmulatorThread: true}}", {"guest": 1}),
            ("{}", isolated),
            ("{}", dedicated),
        )
    ]

    assert result == [own, own, theirs, theirs, None, None, None]


def test_cpu_features_of_the_vm_have_precedence_over_the_preferred_ones() -> None:
    """
    A preference adds features with other names.
    """
    preferred = preference(cpu={"preferredCPUFeatures": [{"name": "a", "policy": "forbid"}, {"name": "b"}]})

    result = facts(vm("{cpu: {features: [{name: a, policy: require}]}}", **OF_P), world(preferred)).cpu_features

    assert [(item.name, item.policy) for item in result] == [("a", "require"), ("b", None)]


def test_an_unknown_object_has_the_path_of_its_reference() -> None:
    """
    Both are known where the instancetype and the preference are provided.
    """
    shown, hidden = (
        facts(vm("{}", **OF_I, **OF_P), around)
        for around in (world(instancetype(), preference()), world(instancetype(), complete=()))
    )

    assert (shown.hidden, shown.hidden_path, shown.hidden_architecture) == (None, (), None)
    assert (hidden.hidden is not None, hidden.hidden_path) == (True, ("spec", "preference"))
    assert hidden.hidden_architecture is hidden.hidden


def test_a_unknown_preference_does_not_hide_an_architecture_that_is_written() -> None:
    """
    The VMI's own architecture outranks the preferred one.
    """
    expanded = facts(vm("{architecture: s390x}", **OF_P), world(complete=()))

    assert expanded.hidden is not None
    assert expanded.hidden_architecture is None


def test_devices_of_an_instancetype_count_where_the_vm_has_none() -> None:
    """
    A VM's own devices have their own paths, an instancetype's that of the reference.
    """
    theirs = instancetype(gpus=[{"name": "g", "deviceName": "a/b"}], hostDevices=[{"name": "h", "deviceName": "c/d"}])
    own = facts(vm("{gpus: [{name: mine, deviceName: a/b}]}", **OF_I), world(theirs))
    brought = facts(vm("{}", **OF_I), world(theirs))

    assert [(gpu.path, gpu.value.name, gpu.origin) for gpu in own.gpus] == [
        (("spec", "template", "spec", "domain", "devices", "gpus", 0), "mine", "")
    ]
    devices: tuple[Any, ...] = (*brought.gpus, *brought.host_devices)
    for device, name in zip(devices, ("g", "h"), strict=True):
        assert (device.path, device.value.name, device.origin) == (("spec", "instancetype"), name, "instancetype 'i'")


def test_labels_and_annotations_may_be_absent() -> None:
    """
    A template without metadata and a VMI without labels have empty ones.
    """
    bare = named("VirtualMachine", "vm", "kubevirt.io/v1", spec={"template": {"spec": {}}})

    expanded = facts(bare, world())

    assert (expanded.labels, expanded.annotations, expanded.outer_annotations) == ({}, {}, {})
    assert expanded.migrated_volumes == frozenset()


def test_a_vm_without_an_instancetype_has_no_conflicts() -> None:
    """
    Fields clash only with those of an instancetype.
    """
    fragment = "{memory: {guest: 1Gi}, cpu: {cores: 2}}"

    assert facts(vm(fragment), world(instancetype())).conflicts == ()
    assert len(facts(vm(fragment, **OF_I), world(instancetype())).conflicts) == 2


def test_a_cpu_model_has_the_path_of_the_field_that_names_it() -> None:
    """
    An instancetype without one names none, and an unknown cluster may.
    """
    theirs = instancetype(cpu={"guest": 1, "model": "Haswell"})
    own = facts(vm("{cpu: {model: Haswell}}", **OF_I), world(theirs)).written_cpu_model
    brought = facts(vm("{}", **OF_I), world(theirs)).written_cpu_model
    unknown = facts(vmi("{architecture: amd64}"), world(complete=()))

    assert own == Sourced(("spec", "template", "spec", "domain", "cpu", "model"), "Haswell")
    assert brought == Sourced(("spec", "instancetype"), "Haswell", "instancetype 'i'")
    assert facts(vm("{}", **OF_I), world(instancetype())).written_cpu_model is None
    assert isinstance(unknown.cpu_model, Unknown)


def test_annotations_of_the_vm_are_kept_apart() -> None:
    """
    They do not reach the VMI.
    """
    expanded = facts(vm("{}", {"inner": "x"}, outer={"outer": "x"}), world())

    assert (expanded.annotations, expanded.outer_annotations) == ({"inner": "x"}, {"outer": "x"})


def test_an_added_annotation_has_the_path_of_its_instancetype_or_preference() -> None:
    """
    The template's annotation has precedence over the instancetype's, and the instancetype's over the preference's.
    """
    around = world(
        instancetype(annotations={"own": "i", "both": "i"}),
        preference(annotations={"own": "p", "both": "p", "last": "p"}),
    )
    expanded = facts(vm("{}", {"own": "x"}, **OF_I, **OF_P), around)

    assert {key: expanded.at_annotation(key) for key in expanded.annotations} == {
        "own": ("spec", "template", "metadata", "annotations", "own"),
        "both": ("spec", "instancetype"),
        "last": ("spec", "preference"),
    }


def test_own_host_devices_have_a_path_each() -> None:
    """
    A VM without an instancetype and with dedicated CPUs has no isolated emulator thread.
    """
    expanded = facts(vm("{hostDevices: [{name: a, deviceName: b/c}], cpu: {dedicatedCpuPlacement: true}}"), world())

    assert [device.path for device in expanded.host_devices] == [
        ("spec", "template", "spec", "domain", "devices", "hostDevices", 0)
    ]
    assert expanded.isolated_emulator_thread is None


def test_other_hyperv_features_of_a_preference_do_not_count() -> None:
    """
    Only reenlightenment keeps a VM from migrating.
    """
    assert facts(vm("{}", **OF_P), world(preference(features={"preferredHyperv": {}}))).reenlightenment is None
