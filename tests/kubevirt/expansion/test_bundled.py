"""Instancetypes and preferences that KubeVirt itself deploys (webhook.kubevirt.expansion.bundled)."""

import os
from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, judgement, named, vm, world
from webhook.facts.unknown import Unread
from webhook.facts.unknown_world import UnknownWorld
from webhook.kubevirt.expansion.bundled import Bundle
from webhook.kubevirt.releases import KNOWN, SUPPORTED, Release, Version, only
from webhook.objects.instancetype import VirtualMachineClusterInstancetype, VirtualMachineClusterPreference

GATE = "CommonInstancetypesDeploymentGate"
MASQUERADE = "{interfaces: [{name: main, masquerade: {}}], networks: [{name: main, pod: {}}]}"
API = "instancetype.kubevirt.io/v1beta1"
REPOSITORY = os.environ.get("KUBEVIRT_REPOSITORY", "")


def kubevirt(version: str = "", **configuration: Any) -> Manifest:
    return named(
        "KubeVirt",
        "kubevirt",
        "kubevirt.io/v1",
        spec={"configuration": configuration},
        status={"observedKubeVirtVersion": version} if version else {},
    )


def gates(*names: str) -> Manifest:
    return {"developerConfiguration": {"featureGates": list(names)}}


def unresolved(names: Manifest, release: Release, *around: Manifest) -> list[str]:
    """The fields with a reference that cannot be resolved."""
    findings = judgement(vm(MASQUERADE, **names), world(*around), only(release)).findings
    return [str(finding.path[-1]) for finding in findings if finding.rule.id == "LM505"]


def rules(names: Manifest, release: Release, *around: Manifest) -> set[str]:
    findings = judgement(vm(MASQUERADE, **names), world(*around), only(release)).findings
    return {finding.rule.id for finding in findings}


MEDIUM: Manifest = {"instancetype": {"name": "u1.medium"}, "preference": {"name": "fedora"}}
GPU: Manifest = {"instancetype": {"name": "gn1.xlarge"}}
WINDOWS: Manifest = {"preference": {"name": "windows.11"}}
INSTANCETYPE = named("VirtualMachineClusterInstancetype", "u1.medium", API, spec={"gpus": [{"name": "g"}]})


@pytest.mark.parametrize(
    ("names", "release", "expected"),
    [
        (MEDIUM, Release(1, 0), ["instancetype"]),
        (MEDIUM, Release(1, 3), []),
        (MEDIUM, Release(1, 9), []),
        (GPU, Release(1, 4), []),
        (GPU, Release(1, 5), ["instancetype"]),
        ({"instancetype": {"name": "u1.enormous"}}, Release(1, 9), ["instancetype"]),
        ({"preference": {"name": "debian"}}, Release(1, 6), []),
        ({"preference": {"name": "debian"}}, Release(1, 4), ["preference"]),
        ({"preference": {"name": "fedora", "kind": "VirtualMachinePreference"}}, Release(1, 9), ["preference"]),
        ({"instancetype": {"name": "fedora"}}, Release(1, 9), ["instancetype"]),
    ],
)
def test_a_name_is_resolved_in_the_releases_that_deploy_it(
    names: Manifest, release: Release, expected: list[str]
) -> None:
    """
    KubeVirt deploys only cluster-scoped objects, from 1.1 on.
    """
    assert unresolved(names, release) == expected


@pytest.mark.parametrize(
    ("configuration", "release", "expected"),
    [
        ({}, Release(1, 3), ["instancetype"]),
        (gates(GATE), Release(1, 3), []),
        (gates("Root"), Release(1, 3), ["instancetype"]),
        ({}, Release(1, 4), []),
        ({"commonInstancetypesDeployment": {}}, Release(1, 4), []),
        ({"commonInstancetypesDeployment": {"enabled": True}}, Release(1, 9), []),
        ({"commonInstancetypesDeployment": {"enabled": False}}, Release(1, 4), ["instancetype"]),
        ({"commonInstancetypesDeployment": {"enabled": False}, **gates(GATE)}, Release(1, 9), ["instancetype"]),
        ({"commonInstancetypesDeployment": {"enabled": False}, **gates(GATE)}, Release(1, 3), []),
    ],
)
def test_the_cr_decides_whether_the_objects_are_deployed(
    configuration: Manifest, release: Release, expected: list[str]
) -> None:
    """
    Up to 1.3 a feature gate switches them on. From 1.4 on a field switches them off.
    """
    assert unresolved(MEDIUM, release, kubevirt(**configuration)) == expected


@pytest.mark.parametrize(
    ("version", "spec", "release", "expected"),
    [
        ("v1beta1", {}, Release(1, 9), []),
        ("v1beta1", {}, Release(1, 3), []),
        ("v1beta1", {"CommonInstancetypesDeployment": {"enabled": False}}, Release(1, 8), ["instancetype"]),
        (
            "v1",
            {"workloadSources": {"commonInstancetypesDeployment": {"enabled": False}}},
            Release(1, 9),
            ["instancetype"],
        ),
        ("v1", {"workloadSources": {}}, Release(1, 9), []),
    ],
)
def test_a_hyper_converged_cr_decides_as_its_kubevirt_cr_does(
    version: str, spec: Manifest, release: Release, expected: list[str]
) -> None:
    """
    The operator copies the field, and lists the gate for KubeVirt 1.2 and 1.3.
    """
    hyper_converged = named("HyperConverged", "kubevirt-hyperconverged", f"hco.kubevirt.io/{version}", spec=spec)

    assert unresolved(MEDIUM, release, hyper_converged) == expected


def test_the_content_of_a_bundled_object_decides() -> None:
    """
    gn1 instancetypes have a GPU, and preferences for Windows turn on reenlightenment.
    """
    assert "LM302" in rules(GPU, Release(1, 3))
    assert "LM405" in rules(WINDOWS, Release(1, 9))
    assert not {"LM302", "LM405"} & rules(MEDIUM, Release(1, 9))


def test_an_object_in_the_input_has_precedence() -> None:
    """
    The input can contain an object with the name of a bundled object.
    """
    assert "LM302" in rules(MEDIUM, Release(1, 9), INSTANCETYPE)


def test_an_object_that_is_known_not_to_exist_is_not_replaced() -> None:
    """
    A cluster or a complete snapshot is right. The bundle is only for objects that the input does not contain.
    """
    whole = world(complete=(*EVERYTHING, VirtualMachineClusterInstancetype, VirtualMachineClusterPreference))

    findings = judgement(vm(MASQUERADE, **MEDIUM), whole, only(Release(1, 9))).findings

    (finding,) = [finding for finding in findings if finding.rule.id == "LM505"]
    assert "'u1.medium' does not exist" in finding.message


def test_an_object_that_could_not_be_read_is_not_replaced() -> None:
    """
    Admission reads the objects of the cluster. If a read fails, the object might have other content.
    """
    findings = judgement(vm(MASQUERADE, **MEDIUM), UnknownWorld(Unread("not read")), only(Release(1, 9))).findings

    assert [finding.message for finding in findings if finding.rule.id == "LM505"] == ["not read"]


def test_the_verdict_names_the_assumption() -> None:
    """
    A cluster can have changed or deleted the object.
    """
    verdict = judgement(vm(MASQUERADE, **MEDIUM), world(), SUPPORTED).verdict

    assert verdict is not None
    assert "instancetype 'u1.medium' is the one that KubeVirt deploys" in verdict.assumptions
    assert "preference 'fedora' is the one that KubeVirt deploys" in verdict.assumptions


def test_each_release_alone_gives_the_same_as_all_releases_together() -> None:
    """
    The groups of releases are an optimization.
    """
    machine = vm(MASQUERADE, **GPU, **WINDOWS)
    together = judgement(machine, world(), KNOWN).findings
    for release in (Release(1, 0), Release(1, 3), Release(1, 4), Release(1, 5), Release(1, 9)):
        alone = {finding.rule.id for finding in judgement(machine, world(), only(release)).findings}
        assert alone == {finding.rule.id for finding in together if finding.releases & only(release)}


@pytest.mark.parametrize(("version", "expected"), [("v1.3.0", ["preference"]), ("v1.3.1", []), ("", [])])
def test_the_patch_release_of_the_cr_decides(version: str, expected: list[str]) -> None:
    """
    KubeVirt 1.3.1 added names. Without a patch release the newest one is assumed.
    """
    names = {"preference": {"name": "opensuse.leap"}}

    assert unresolved(names, Release(1, 3), kubevirt(version, **gates(GATE))) == expected


def test_a_bundle_has_no_objects_of_other_names() -> None:
    """
    An unknown name is not an error.
    """
    bundle = Bundle(Version(1, 9, 0))

    assert (bundle.instancetype("fedora"), bundle.preference("u1.medium")) == (None, None)


@pytest.mark.skipif(not REPOSITORY, reason="needs KUBEVIRT_REPOSITORY, a clone of github.com/kubevirt/kubevirt")
def test_the_data_is_the_same_as_in_the_repository() -> None:
    """
    The tool gives the same file again.
    """
    from tools.bundled_objects import TARGET, content

    assert TARGET.read_text(encoding="utf-8") == content(REPOSITORY)
