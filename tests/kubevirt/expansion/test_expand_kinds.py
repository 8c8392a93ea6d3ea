"""Facts about VMIs from a status, from other kinds, and with an unknown preference."""

import json

import pytest

from tests.kubevirt.building import Manifest, judgement, named, read, verdict, vm, vmi, world
from tests.kubevirt.expansion.test_expand import OF_I, OF_P, POD, facts, instancetype, with_status
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.releases import NEWEST, SUPPORTED, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.path import dotted
from webhook.rules.example import claim, kubevirt, node


def test_hints_and_volume_migrations_are_read_from_a_vmis_status() -> None:
    """
    virt-controller writes the TSC hint once, so a written hint counts even if the cluster would give another one now.
    """
    fragment = "{autoattachPodInterface: false, features: {hyperv: {reenlightenment: {}}}}"
    fast = kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 2000000000})

    assert facts(vmi(fragment), world(fast)).tsc_frequency == 2000000000
    assert facts(vmi(fragment, status={"topologyHints": {}}), world(fast)).tsc_frequency == 0
    assert facts(vmi(fragment, status={"topologyHints": {"tscFrequency": 5}}), world(kubevirt())).tsc_frequency == 5
    assert facts(vmi(fragment, status={"migratedVolumes": [{"volumeName": "a"}]}), world()).migrated_volumes == {"a"}


def wrapped(kind: str) -> Manifest:
    machine = vm(f"{{interfaces: [{{name: p, bridge: {{}}}}], {POD}}}", {BRIDGE_OVERRIDE: ""})
    if kind == "VirtualMachineInstanceReplicaSet":
        return named(kind, "r", "kubevirt.io/v1", spec={"template": machine["spec"]["template"]})
    return named(kind, "r", "pool.kubevirt.io/v1beta1", spec={"virtualMachineTemplate": machine})


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        ("VirtualMachineInstanceReplicaSet", "spec.template.spec"),
        ("VirtualMachinePool", "spec.virtualMachineTemplate.spec.template.spec"),
    ],
)
def test_templates_of_other_kinds_are_vmis_too(kind: str, base: str) -> None:
    """
    A replica set's template and the VM template of a pool are judged as the VMIs that they make, at their own paths.
    """
    whole = json.loads(json.dumps(wrapped(kind)).replace(BRIDGE_OVERRIDE, "other"))

    result = judgement(whole, world(), SUPPORTED)

    assert verdict(wrapped(kind), world(), NEWEST) == "OK"
    assert [dotted(item.path) for item in result.findings] == [f"{base}.domain.devices.interfaces[0]"]


def test_a_pools_vm_has_an_instancetype_like_any_other() -> None:
    """
    The VM template of a pool may refer to an instancetype, which is looked up in the pool's namespace.
    """
    pool = named(
        "VirtualMachinePool", "r", "pool.kubevirt.io/v1beta1", spec={"virtualMachineTemplate": vm("{}", **OF_I)}
    )

    result = judgement(pool, world(instancetype(hostDevices=[{"name": "u", "deviceName": "usb"}])), SUPPORTED)

    assert "spec.virtualMachineTemplate.spec.instancetype" in [dotted(item.path) for item in result.findings]


@pytest.mark.parametrize(
    ("architecture", "rules"),
    [
        ("arm64", {"LM101", "LM201", "LM401", "LM505"}),
        ("s390x", {"LM101", "LM201", "LM401", "LM404", "LM505"}),
    ],
)
def test_an_unknown_preference_makes_the_fields_that_it_may_set_unproven(architecture: str, rules: set[str]) -> None:
    """
    It may set a storage class, an architecture or no interface, so no finding rests on these.
    """
    around = world(
        with_status(architecture),
        claim("os", "ReadWriteMany"),
        node("n", **{"kubevirt.io/schedulable": "true"}),
        complete=(),
    )
    template = [{"metadata": {"name": "dv"}, "spec": {"storage": {}}}]
    fragment = "{volumes: [{name: d, dataVolume: {name: dv}}], cpu: {model: host-model}, launchSecurity: {}}"

    result = judgement(vm(fragment, **OF_P, dataVolumeTemplates=template), around, only(NEWEST))

    assert {finding.rule.id for finding in result.findings} == rules
    assert all(finding.undetermined for finding in result.findings)


@pytest.mark.parametrize(
    ("written", "cluster", "expected"),
    [("", {}, True), ("arm64", {}, False), ("", {"defaultArchitecture": "arm64"}, False)],
)
def test_the_architecture_is_assumed_where_neither_vm_nor_cluster_sets_it(
    written: str, cluster: Manifest, expected: bool
) -> None:
    """
    The verdict then assumes amd64 and states it.
    """
    manifest = vmi(f"{{architecture: {written}}}" if written else "{}")
    subject = subject_of(read(manifest))
    assert subject is not None
    around = {**kubevirt(), "status": cluster}

    (facts,) = expand(subject, world(around), only(NEWEST))

    assert facts.architecture_assumed is expected
    assert facts.architecture == (written or cluster.get("defaultArchitecture", "amd64"))
