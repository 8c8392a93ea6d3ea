"""A VM whose claim misspells its access modes: the finding about the VM names the word to correct (F50)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.surfaces.doors import Doors, Manifest
from webhook.check.check import Settings, check
from webhook.kubevirt.schema.field_names import FIELDS
from webhook.manifests.objects import read_manifests

RWX = ["ReadWriteMany"]
CLAIM = ("v1", "PersistentVolumeClaim")
DATA_VOLUME = ("cdi.kubevirt.io/v1beta1", "DataVolume")


def vm(volume: Manifest) -> Manifest:
    spec = {"domain": {"devices": {"autoattachPodInterface": False}}, "volumes": [{"name": "os", **volume}]}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm", "namespace": "lab"},
        "spec": {"runStrategy": "Always", "template": {"spec": spec}},
    }


ON_CLAIM = vm({"persistentVolumeClaim": {"claimName": "data"}})
ON_DATA_VOLUME = vm({"dataVolume": {"name": "data"}})


def made(kind: tuple[str, str], spec: Any, **beside: Any) -> Manifest:
    return {
        "apiVersion": kind[0],
        "kind": kind[1],
        "metadata": {"name": "data", "namespace": "lab"},
        "spec": spec,
        **beside,
    }


@pytest.mark.parametrize(
    ("machine", "written", "remedy"),
    [
        (
            ON_CLAIM,
            made(CLAIM, {"accessMode": RWX}),
            "Write spec.accessModes instead of spec.accessMode in PVC 'data'.",
        ),
        (
            ON_CLAIM,
            made(CLAIM, {"AccessModes": RWX}),
            "Write spec.accessModes instead of spec.AccessModes in PVC 'data'.",
        ),
        (ON_CLAIM, made(CLAIM, {}, accessModes=RWX), "Write spec.accessModes instead of accessModes in PVC 'data'."),
        (ON_CLAIM, made(CLAIM, {"accessModes": ["RWX"]}), "Write ReadWriteMany instead of RWX in PVC 'data'."),
        (ON_CLAIM, made(CLAIM, {"accessModes": ["rwx"]}), "Write ReadWriteMany instead of rwx in PVC 'data'."),
        (
            ON_CLAIM,
            made(CLAIM, {"accessModes": ["ReadWriteOnce", "ReadwriteMany"]}),
            "Write ReadWriteMany instead of ReadwriteMany in PVC 'data'.",
        ),
        (
            ON_DATA_VOLUME,
            made(DATA_VOLUME, {"storage": {"accessModes": ["RWX"]}}),
            "Write ReadWriteMany instead of RWX in DataVolume 'data'.",
        ),
        (
            ON_DATA_VOLUME,
            made(DATA_VOLUME, {"storage": {"accessMode": RWX}}),
            "write spec.storage.accessModes instead of spec.storage.accessMode in DataVolume 'data'",
        ),
        (
            ON_DATA_VOLUME,
            made(DATA_VOLUME, {"pvc": {"accessMods": RWX}}),
            "write spec.pvc.accessModes instead of spec.pvc.accessMods in DataVolume 'data'",
        ),
        (
            ON_DATA_VOLUME,
            made(DATA_VOLUME, {"storage": {}, "accessModes": RWX}),
            "write spec.storage.accessModes instead of spec.accessModes in DataVolume 'data'",
        ),
    ],
)
def test_the_remedy_at_the_vm_names_the_misspelt_word_of_the_claim(
    tmp_path: Path, machine: Manifest, written: Manifest, remedy: str
) -> None:
    """
    All surfaces read the claim from manifests. The verdict is that of a claim without the word.
    """
    doors = Doors(tmp_path, [written])

    for said in (doors.by_command_line(machine), doors.by_api(machine), doors.by_admission(machine)[0]):
        assert [finding.remedy for finding in said.findings if finding.rule == "LM201"] == [remedy]
        assert said.verdict.live_migratable is not True


@pytest.mark.parametrize(
    "spec", [{}, {"accessModes": ["ReadWriteOnce"]}, {"accessModes": ["RWO"]}, {"storageClass": "fast"}]
)
def test_a_claim_without_a_similar_word_keeps_the_general_remedy(tmp_path: Path, spec: Manifest) -> None:
    """
    Correcting RWO would not make the claim shared.
    """
    said = Doors(tmp_path, [made(CLAIM, spec)]).by_command_line(ON_CLAIM)

    [remedy] = [finding.remedy for finding in said.findings if finding.rule == "LM201"]
    assert remedy.startswith("Create a PVC")


@given(st.integers(0, 10), st.sampled_from("aeSx"), st.sampled_from(["drop", "add", "swap"]))
def test_every_access_modes_with_one_wrong_letter_is_named_at_the_vm(at: int, letter: str, edit: str) -> None:
    """
    A letter too many, a missing letter, or another letter.
    """
    word = "accessModes"
    field = word[:at] + ("" if edit == "drop" else letter) + word[at + (edit != "add") :]
    if field in FIELDS["K8sIoApiCoreV1PersistentVolumeClaimSpec"]:
        return
    text = "\n---\n".join(map(json.dumps, (ON_CLAIM, made(CLAIM, {field: RWX}))))

    report = check([read_manifests(text.encode(), "f.yaml")], Settings(release="1.9"))

    [finding] = [finding for judged in report.objects for finding in judged.findings if finding.rule == "LM201"]
    assert finding.remedy == f"Write spec.accessModes instead of spec.{field} in PVC 'data'."
