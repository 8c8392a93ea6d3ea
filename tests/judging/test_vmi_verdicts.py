"""Assumptions, verdicts and migration times of VMIs (webhook.judging.machines)."""

import pytest

from tests.generating import Manifest
from tests.judging.test_machines import NOTHING, read
from tests.surfaces.admission.reviews import claim, on_claim, vm
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.machines import judge, judge_manifest
from webhook.kubevirt.releases import KNOWN, NONE, SUPPORTED, Release, only
from webhook.objects.meta import Json

HOST_MODEL = "the node that will run the VM reports its host CPU model (cpu.model is host-model)"


def with_annotation(annotations: dict[str, str]) -> ObjectsWorld:
    """A world with one preference that has these annotations, which KubeVirt 1.0 does not copy."""
    preference = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterPreference",
        "metadata": {"name": "p"},
        "spec": {"annotations": annotations},
    }
    return ObjectsWorld([read(preference)])


def test_assumptions_are_those_of_the_newest_releases_each_once() -> None:
    """
    A VM that is expanded in several ways rests on the assumptions of the way that the verdict is about.
    """
    machine = vm(architecture="amd64", outer={"preference": {"name": "p"}})
    machine["spec"]["template"]["spec"]["domain"]["cpu"] = {"model": "host-model"}

    verdict = judge(read(machine), with_annotation({"a": "b"}), KNOWN).verdict

    assert verdict is not None
    assert verdict.assumptions == (HOST_MODEL,)


def test_a_finding_holds_for_the_releases_of_its_expansion() -> None:
    """
    An annotation that 1.0 does not copy allows the bridge from 1.1 on, so the finding is about 1.0 alone.
    """
    devices = {"interfaces": [{"name": "default", "bridge": {}}]}
    machine = vm(architecture="amd64", devices=devices, outer={"preference": {"name": "p"}})
    world = with_annotation({"kubevirt.io/allow-pod-bridge-network-live-migration": ""})

    result = [finding for finding in judge(read(machine), world, KNOWN).findings if finding.rule.id == "LM101"]

    assert [(finding.undetermined, finding.releases) for finding in result] == [(False, only(Release(1, 0)))]


def test_an_assumption_of_only_older_releases_is_not_part_of_the_verdict() -> None:
    """
    KubeVirt 1.5 reads no architecture from a DataSource, so it assumes a host CPU model; from 1.6 on the VM is an arm64 VM.
    """
    template = {"metadata": {"name": "dv"}, "spec": {"sourceRef": {"kind": "DataSource", "name": "s"}, "storage": {}}}
    source = {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataSource",
        "metadata": {"name": "s", "namespace": "tenant", "labels": {"template.kubevirt.io/architecture": "arm64"}},
    }
    cluster = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "k", "namespace": "k"}}
    machine, world = read(vm(outer={"dataVolumeTemplates": [template]})), ObjectsWorld([read(source), read(cluster)])

    older, both = (judge(machine, world, item).verdict for item in (only(Release(1, 5)), KNOWN))

    assert older is not None
    assert both is not None
    assert HOST_MODEL in older.assumptions
    assert HOST_MODEL not in both.assumptions


@pytest.mark.parametrize(
    ("classes", "older"),
    [
        pytest.param([], None, id="undetermined in 1.3"),
        pytest.param([claim("persistent-state-for-web", "ReadWriteOnce")], False, id="refused by 1.3"),
    ],
)
def test_the_verdict_is_that_of_the_newest_release(classes: list[Manifest], older: bool | None) -> None:
    """
    Only KubeVirt 1.3 needs shared storage for the state of a TPM; a later release has no such question.
    """
    machine = read(vm(architecture="amd64", devices={"tpm": {"persistent": True}}))
    world = ObjectsWorld([read(storage_class) for storage_class in classes])

    alone, together = (judge(machine, world, item).verdict for item in (only(Release(1, 3)), KNOWN))

    assert alone is not None
    assert together is not None
    assert (alone.live_migratable, together.live_migratable) == (older, True)
    assert together.unproven == ()


def test_a_refused_vm_has_nothing_unproven() -> None:
    """
    A violation is proven, so a verdict lists it as a reason and not as an open question.
    """
    verdict = judge(
        read(vm(volumes=[on_claim("single")])), ObjectsWorld([read(claim("single", "ReadWriteOnce"))]), SUPPORTED
    ).verdict

    assert verdict is not None
    assert (verdict.live_migratable, verdict.unproven) == (False, ())


def test_a_manifest_without_apiversion_and_kind_is_one_with_empty_ones() -> None:
    """
    Neither is a name that was misspelt.
    """
    with_names: dict[str, Json] = {"apiVersion": "", "kind": ""}
    for raw in ({}, {"kind": "VirtualMachine"}, {"apiVersion": "kubevirt.io/v1"}):
        assert judge_manifest(raw, SUPPORTED) == judge_manifest({**with_names, **raw}, SUPPORTED)


def test_a_missing_architecture_is_a_stated_assumption() -> None:
    """
    Without a KubeVirt CR a VM is taken to run on amd64.
    """
    assumed, written = (
        judge(read(machine), NOTHING, SUPPORTED).verdict
        for machine in (
            vm(domain={"cpu": {"model": "Haswell"}}),
            vm(domain={"cpu": {"model": "Haswell"}}, architecture="arm64"),
        )
    )

    assert assumed is not None
    assert written is not None
    assert (assumed.assumptions, written.assumptions) == (
        ("the VM runs on amd64 (the field architecture is not set)",),
        (),
    )


def test_the_time_of_a_vm_that_cannot_migrate_is_not_judged() -> None:
    """
    A VM on a claim without ReadWriteMany has a finding about the claim and none about its memory.
    """
    cluster = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": {"migrations": {"bandwidthPerMigration": "1Mi", "allowPostCopy": False}}},
    }
    world = ObjectsWorld([read(cluster), read(claim("single", "ReadWriteOnce"))])
    large = {"architecture": "amd64", "domain": {"devices": {}, "memory": {"guest": "900Gi"}}}

    slow = judge(read(vm(**large)), world, SUPPORTED)
    refused = judge(read(vm(**large, volumes=[on_claim("single")])), world, SUPPORTED)

    assert "LM642" in {finding.rule.id for finding in slow.findings}
    assert {"LM201", "LM642"} & {finding.rule.id for finding in refused.findings} == {"LM201"}


def test_the_time_of_a_vm_is_judged_in_all_releases() -> None:
    """
    A preference with annotations expands the VM in two ways, and the time is too short in both.
    """
    cluster = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": {"migrations": {"bandwidthPerMigration": "1Mi", "allowPostCopy": False}}},
    }
    preference = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterPreference",
        "metadata": {"name": "p"},
        "spec": {"annotations": {"a": "b"}},
    }
    machine = vm(
        architecture="amd64", domain={"devices": {}, "memory": {"guest": "900Gi"}}, outer={"preference": {"name": "p"}}
    )

    reported = judge(read(machine), ObjectsWorld([read(cluster), read(preference)]), KNOWN).findings

    releases = NONE
    for finding in reported:
        if finding.rule.id == "LM642":
            releases |= finding.releases
    assert releases == KNOWN
