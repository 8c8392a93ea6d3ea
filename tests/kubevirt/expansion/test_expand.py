"""The VirtualMachineInstance of a VirtualMachine: interfaces, architecture and defaults."""

from typing import Any

import pytest

from tests.kubevirt.building import RELEASES, Manifest, judgement, named, read, verdict, verdicts, vm, vmi, world
from webhook.facts.migration import MigrationFacts
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import KNOWN, NEWEST, SUPPORTED, describe, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.kubevirt import Configuration, KubeVirt
from webhook.objects.path import dotted
from webhook.rules.example import kubevirt

INSTANCETYPE = "instancetype.kubevirt.io/v1beta1"
POD = "networks: [{name: p, pod: {}}]"
INTERFACE = "InterfaceNotLiveMigratable"


def facts(manifest: Manifest, around: ObjectsWorld) -> MigrationFacts:
    """The facts about a VMI in the newest release."""
    subject = subject_of(read(manifest))
    assert subject is not None
    (result,) = expand(subject, around, only(NEWEST))
    return result


def instancetype(**spec: Any) -> Manifest:
    whole = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **spec}
    return named("VirtualMachineInstancetype", "i", INSTANCETYPE, spec=whole)


def preference(**spec: Any) -> Manifest:
    return named("VirtualMachinePreference", "p", INSTANCETYPE, spec=spec)


OF_I: Manifest = {"instancetype": {"name": "i", "kind": "VirtualMachineInstancetype"}}
OF_P: Manifest = {"preference": {"name": "p", "kind": "VirtualMachinePreference"}}


@pytest.mark.parametrize(
    ("fragment", "configuration", "preferred", "expected"),
    [
        ("{}", {}, {}, "bridge"),
        ("{}", {"network": {"defaultNetworkInterface": ""}}, {}, "bridge"),
        ("{}", {"network": {"defaultNetworkInterface": "masquerade"}}, {}, "masquerade"),
        ("{}", {"network": {"defaultNetworkInterface": "slirp"}}, {}, "slirp"),
        ("{autoattachPodInterface: true}", {}, {}, "bridge"),
        ("{autoattachPodInterface: false}", {}, {}, None),
        ("{}", {}, {"preferredAutoattachPodInterface": False}, None),
        ("{autoattachPodInterface: true}", {}, {"preferredAutoattachPodInterface": False}, "bridge"),
        ("{}", {}, {"preferredInterfaceMasquerade": {}}, "bridge"),
        ("{interfaces: [{name: s, sriov: {}}]}", {}, {}, None),
        (f"{{{POD}}}", {}, {}, None),
    ],
)
def test_an_interface_is_added_where_there_is_none(
    fragment: str, configuration: Manifest, preferred: Manifest, expected: str | None
) -> None:
    """
    A VMI without interfaces and networks gets the cluster's default, before any preference, unless autoattach is off.
    """
    expanded = facts(vm(fragment, **OF_P), world(kubevirt(**configuration), preference(devices=preferred)))

    assert expanded.default_interface == expected


def test_the_added_interface_is_unknown_without_the_cluster() -> None:
    """
    With an unknown KubeVirt CR the binding of the added interface is unproven; without a CR it is bridge.
    """
    assert verdict(vm("{}"), world(complete=()), NEWEST) == "unproven"
    assert verdict(vm("{}"), world(complete=(KubeVirt,)), NEWEST) == INTERFACE


@pytest.mark.parametrize(
    ("interface", "before_1_1", "after"),
    [
        ("{name: p}", "OK", "OK"),
        ("{name: p, bridge: {}}", "OK", INTERFACE),
        ("{name: p, slirp: {}}", "OK", INTERFACE),
        ("{name: p, masquerade: {}}", "OK", "OK"),
        ("{name: p, binding: {name: x}}", "OK", INTERFACE),
    ],
)
def test_a_preference_binds_unbound_interfaces(interface: str, before_1_1: str, after: str) -> None:
    """
    ``preferredInterfaceMasquerade`` binds interfaces on the pod network that have no binding; 1.0 adds it to any.
    """
    machine = vm(f"{{interfaces: [{interface}], {POD}}}", **OF_P)

    by_release = verdicts(machine, world(kubevirt(), preference(devices={"preferredInterfaceMasquerade": {}})))

    assert by_release == {str(release): before_1_1 if release < (1, 1) else after for release in RELEASES}


def test_a_preferred_binding_leaves_all_else_of_an_interface_as_it_is() -> None:
    """
    Ports and port ranges stay: rules about them see the interface as it was written.
    """
    fragment = f"{{interfaces: [{{name: p, ports: [{{port: 49152}}], portRanges: [{{start: 1, end: 50000}}]}}], {POD}}}"

    result = judgement(
        vm(fragment, **OF_P), world(kubevirt(), preference(devices={"preferredInterfaceMasquerade": {}})), SUPPORTED
    )

    paths = [dotted(item.path).removeprefix("spec.template.spec.domain.devices.") for item in result.findings]
    assert paths == ["interfaces[0].ports[0]", "interfaces[0].portRanges[0]"]


@pytest.mark.parametrize(
    ("own", "theirs", "preferred", "expected"),
    [
        ({}, {}, {}, {}),
        (
            {"a": "vm"},
            {"b": "type"},
            {"a": "pref", "b": "pref", "c": "pref"},
            {"a": "vm", "b": "type", "c": "pref"},
        ),
    ],
)
def test_annotations_come_from_template_instancetype_and_preference(
    own: dict[str, str], theirs: dict[str, str], preferred: dict[str, str], expected: dict[str, str]
) -> None:
    """
    The template's have precedence over the instancetype's, and those over the preference's; the VM's own never count.
    """
    machine = vm("{}", own, outer={"outer": "x"}, **OF_I, **OF_P)

    expanded = facts(machine, world(instancetype(annotations=theirs), preference(annotations=preferred)))

    assert expanded.annotations == expected


def test_the_labels_of_a_vmi_are_its_templates() -> None:
    """
    MigrationPolicies select by labels of the VMI: those of the VirtualMachine itself do not reach it.
    """
    machine = vm("{}")
    machine["metadata"]["labels"] = {"outer": "x"}
    machine["spec"]["template"]["metadata"]["labels"] = {"inner": "x"}

    assert facts(machine, world()).labels == {"inner": "x"}


DEFAULTS_TO_ARM = {"architectureConfiguration": {"defaultArchitecture": "arm64"}}


def with_status(architecture: str, **configuration: Any) -> Manifest:
    return kubevirt(**configuration) | {"status": {"defaultArchitecture": architecture}}


def source(name: str, architecture: str = "", behind: str = "") -> Manifest:
    labels = {"template.kubevirt.io/architecture": architecture} if architecture else {}
    spec = {"source": {"dataSource": {"name": behind, "namespace": "tenant"}}} if behind else {}
    return named("DataSource", name, "cdi.kubevirt.io/v1beta1", labels, spec=spec)


FROM_SOURCE: Manifest = {
    "dataVolumeTemplates": [
        {"metadata": {"name": "dv"}, "spec": {"sourceRef": {"kind": "DataSource", "name": "s"}, "storage": {}}}
    ]
}


@pytest.mark.parametrize(
    ("machine", "around", "expected"),
    [
        (vm("{}"), (), {"all": "amd64"}),
        (vm("{architecture: s390x}"), (with_status("arm64"),), {"all": "s390x"}),
        (vm("{}"), (with_status("arm64"),), {"all": "arm64"}),
        (vm("{}"), (kubevirt(**DEFAULTS_TO_ARM),), {"all": "arm64"}),
        (vm("{}"), (with_status("s390x", **DEFAULTS_TO_ARM),), {"all": "arm64"}),
        (
            vm("{}", **OF_P),
            (with_status("arm64"), preference(preferredArchitecture="s390x")),
            {"1.0 to 1.6": "arm64", "1.7 and later": "s390x"},
        ),
        (vm("{}", **FROM_SOURCE), (source("s", "arm64"),), {"1.0 to 1.5": "amd64", "1.6 and later": "arm64"}),
        (
            vm("{}", **FROM_SOURCE),
            (source("s", behind="t"), source("t", "arm64")),
            {"1.0 to 1.5": "amd64", "1.6 and later": "arm64"},
        ),
        (vm("{}", **FROM_SOURCE), (source("s", "riscv64"),), {"all": "amd64"}),
        (vm("{}", **FROM_SOURCE), (), {"all": "amd64"}),
        (vm("{architecture: s390x}", **FROM_SOURCE), (source("s", "arm64"),), {"all": "s390x"}),
        (
            vm("{}", **FROM_SOURCE, **OF_P),
            (source("s", "arm64"), preference(preferredArchitecture="s390x")),
            {"1.0 to 1.5": "amd64", "1.6": "arm64", "1.7 and later": "s390x"},
        ),
    ],
)
def test_the_architecture_comes_from_the_fields_that_each_release_reads(
    machine: Manifest, around: tuple[Manifest, ...], expected: dict[str, str]
) -> None:
    """
    The VMI's own, the preference's (from 1.7), a DataSource's label (from 1.6), the cluster's, and amd64 if none is known.
    """
    subject = subject_of(read(machine))
    assert subject is not None

    result = {describe(item.releases, KNOWN): item.architecture for item in expand(subject, world(*around), KNOWN)}

    assert result == expected


def test_an_architecture_that_no_object_sets_is_an_assumption() -> None:
    """
    Assumptions are part of the verdict.
    """
    result = judgement(vm("{autoattachPodInterface: false}"), world(), SUPPORTED).verdict

    assert result is not None
    assert any("amd64" in assumption for assumption in result.assumptions)


@pytest.mark.parametrize(
    ("fragment", "configuration", "expected"),
    [
        ("{architecture: amd64}", {}, "host-model"),
        ("{architecture: amd64}", {"cpuModel": "Skylake"}, "Skylake"),
        ("{architecture: s390x}", {}, "host-model"),
        ("{architecture: arm64}", {"cpuModel": "Skylake"}, "host-passthrough"),
        ("{architecture: amd64, cpu: {model: Haswell}}", {"cpuModel": "Skylake"}, "Haswell"),
    ],
)
def test_the_cpu_model_is_filled_in(fragment: str, configuration: Manifest, expected: str) -> None:
    """
    The VMI's own, else the cluster's, else host-model; on arm64 always host-passthrough.
    """
    assert facts(vmi(fragment), world(kubevirt(**configuration))).cpu_model == expected


def test_an_instancetypes_cpu_model_comes_before_the_clusters() -> None:
    """
    KubeVirt applies the instancetype before virt-api sets the remaining defaults.
    """
    machine = vm("{}", **OF_I)

    expanded = facts(machine, world(kubevirt(cpuModel="Skylake"), instancetype(cpu={"guest": 1, "model": "Haswell"})))

    assert expanded.cpu_model == "Haswell"


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"imagePullPolicy": "Sometimes"}, "imagePullPolicy 'Sometimes'"),
        ({"network": {"defaultNetworkInterface": "macvtap"}}, "network.defaultNetworkInterface 'macvtap'"),
        ({"developerConfiguration": {"memoryOvercommit": -1}}, "developerConfiguration.memoryOvercommit -1"),
        ({"developerConfiguration": {"cpuAllocationRatio": -1}}, "developerConfiguration.cpuAllocationRatio -1"),
        ({"developerConfiguration": {"pvcTolerateLessSpaceUpToPercent": 101}}, "pvcTolerateLessSpaceUpToPercent 101"),
    ],
)
def test_a_configuration_that_kubevirt_ignores_is_not_the_one_in_force(configuration: Manifest, says: str) -> None:
    """
    One invalid value makes KubeVirt keep an older configuration, so results are unproven and name the value.
    """
    around = world(kubevirt(cpuModel="Skylake", **configuration))

    result = cluster_of(around).configuration

    assert isinstance(result, Unknown)
    assert says in result.why
    assert verdict(vm("{}"), around, NEWEST) == "unproven"


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"imagePullPolicy": "Never", "network": {"defaultNetworkInterface": "slirp"}},
        {
            "developerConfiguration": {
                "memoryOvercommit": 0,
                "cpuAllocationRatio": 0,
                "pvcTolerateLessSpaceUpToPercent": 100,
            }
        },
    ],
)
def test_values_that_kubevirt_takes_are_in_force(configuration: Manifest) -> None:
    """
    Zero counts as absent, as in Go: KubeVirt's default is kept.
    """
    assert isinstance(cluster_of(world(kubevirt(**configuration))).configuration, Configuration)


@pytest.mark.parametrize("own", ["", "evictionStrategy: External"])
def test_the_clusters_eviction_strategy_counts_where_the_vmi_has_none(own: str) -> None:
    """
    VMI, else cluster, else None; it never changes the verdict.
    """
    fragment = f"{{interfaces: [{{name: p, bridge: {{}}}}], {POD}{', ' if own else ''}{own}}}"

    result = judgement(vmi(fragment), world(kubevirt(evictionStrategy="LiveMigrate")), SUPPORTED)

    assert result.verdict is not None
    assert result.verdict.reason == INTERFACE
    assert ("LM501" in {finding.rule.id for finding in result.findings}) == (not own)
