"""The status counts only in an object that comes from an API server, on every surface."""

import json
from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, review, vm, warned
from webhook.check.check import STATUS_IGNORED, Settings, check
from webhook.manifests.objects import read_manifests

REENLIGHTENED = {"features": {"hyperv": {"reenlightenment": {}}}, "devices": {}}
NOTED = {"name": "os", "persistentVolumeClaimInfo": {"claimName": "os", "accessModes": ["ReadWriteMany"]}}
SINGLE = claim("os", "ReadWriteOnce")
CASES: list[Any] = [
    pytest.param({"volumes": [on_claim("os")]}, {"volumeStatus": [NOTED]}, [], "LM201", id="volumeStatus"),
    pytest.param(
        {"volumes": [on_claim("os")]},
        {"migratedVolumes": [{"volumeName": "os"}]},
        [SINGLE],
        "LM201",
        id="migratedVolumes",
    ),
    pytest.param({"domain": REENLIGHTENED}, {"topologyHints": {"tscFrequency": 1}}, [], "LM405", id="topologyHints"),
]
"""Specs of a VMI, the status that hides a finding, other objects, and the finding."""


def vmi(spec: Manifest, status: Manifest | None = None, **metadata: str) -> Manifest:
    made = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "tenant", **metadata},
        "spec": {**vm()["spec"]["template"]["spec"], **spec},
    }
    return made if status is None else {**made, "status": status}


def checked(*objects: Manifest) -> tuple[set[str], list[str]]:
    """The rules with findings of the first object on 1.9, and the assumptions."""
    text = "\n---\n".join(map(json.dumps, objects)).encode()
    (judged,) = [
        judged for judged in check([read_manifests(text, "x")], Settings(release="1.9")).objects if judged.findings
    ]
    assert judged.verdict is not None
    return {finding.rule for finding in judged.findings}, judged.verdict.assumptions


@pytest.mark.parametrize(("spec", "status", "others", "rule"), CASES)
def test_the_status_of_a_manifest_hides_no_finding(
    spec: Manifest, status: Manifest, others: list[Manifest], rule: str
) -> None:
    """
    The findings are those without the status, and the report says that the status is ignored.
    """
    rules, assumptions = checked(vmi(spec, status), *others)

    assert rule in rules
    assert rules == checked(vmi(spec), *others)[0]
    assert STATUS_IGNORED in assumptions


def test_a_status_without_effect_gives_no_assumption() -> None:
    """
    The findings are the same with and without it.
    """
    spec = {"volumes": [on_claim("os")]}

    assert checked(vmi(spec, {"phase": "Running"}), SINGLE) == checked(vmi(spec), SINGLE)


@pytest.mark.parametrize(("spec", "status", "others", "rule"), CASES[:1])
def test_the_status_of_an_object_that_exists_counts(
    spec: Manifest, status: Manifest, others: list[Manifest], rule: str
) -> None:
    """
    The output of ``kubectl get -o yaml`` has a uid and a status from virt-controller.
    """
    text = json.dumps(vmi(spec, status, uid="705ab4f5")).encode()

    (judged,) = check([read_manifests(text, "x")], Settings(release="1.9")).objects

    assert rule not in [finding.rule for finding in judged.findings]


@pytest.mark.parametrize(("spec", "status", "others", "rule"), CASES)
def test_admission_ignores_the_status_of_a_new_object(
    spec: Manifest, status: Manifest, others: list[Manifest], rule: str
) -> None:
    """
    Also with a uid, because a tenant can write one.
    """
    new, plain = vmi(spec, status, uid="705ab4f5"), vmi(spec)

    outcome, expected = (decided(review("CREATE", item), *others) for item in (new, plain))

    assert (outcome.causes, warned(outcome)) == (expected.causes, warned(expected))


def test_a_revision_in_the_status_of_a_new_vm_does_not_count() -> None:
    """
    The instancetype of the spec applies.
    """
    named = {"name": "big", "kind": "VirtualMachineInstancetype"}
    noted = {"instancetypeRef": {**named, "controllerRevisionRef": {"name": "junk"}}}
    spec = {"gpus": [{"name": "g", "deviceName": "vendor.com/g"}], "cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}
    big = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineInstancetype",
        "metadata": {"name": "big", "namespace": "tenant"},
        "spec": spec,
    }
    new = vm(outer={"instancetype": named}, status=noted)

    outcome = decided(review("CREATE", new), big)

    assert [cause.field for cause in outcome.causes] == ["spec.instancetype"]
