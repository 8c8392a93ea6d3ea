"""Objects that rules only look up, such as claims and instancetypes, are spell-checked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generating import Manifest
from webhook.check.check import Settings, check
from webhook.kubevirt.schema.field_names import FIELDS, ROOTS
from webhook.manifests.objects import is_relevant, read_manifests
from webhook.objects.kinds import KINDS
from webhook.report.model import Report

LOOKED_UP = sorted(
    (kind.group, kind.versions[0], kind.kind) for kind in KINDS if kind.kind in ROOTS and not kind.judged
)
MIGRATION = ("kubevirt.io", "v1", "VirtualMachineInstanceMigration")


def manifest(group: str, version: str, kind: str, spec: Any) -> Manifest:
    api_version = f"{group}/{version}" if group else version
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "lab"}, "spec": spec}


def checked(*objects: Manifest) -> Report:
    text = "\n---\n".join(map(json.dumps, objects))
    return check([read_manifests(text.encode(), "f.yaml")], Settings(release="1.9"))


def claim(spec: Any) -> Manifest:
    return manifest("", "v1", "PersistentVolumeClaim", spec)


@pytest.mark.parametrize(
    ("written", "rule", "path", "remedy"),
    [
        (claim({"accessMode": ["ReadWriteMany"]}), "LM803", "spec.accessMode", "Write accessModes."),
        (claim({"accessModes": ["RWX"]}), "LM804", "spec.accessModes[0]", "Write ReadWriteMany; "),
        (claim({"accessModes": ["readWriteMany"]}), "LM804", "spec.accessModes[0]", "Write ReadWriteMany; "),
        (
            claim({"accessModes": ["ReadWriteMany"], "volumemode": "Block"}),
            "LM803",
            "spec.volumemode",
            "Write volumeMode.",
        ),
        (
            manifest("cdi.kubevirt.io", "v1beta1", "DataVolume", {"storage": {"accessModes": ["RWO"]}}),
            "LM804",
            "spec.storage.accessModes[0]",
            "Write ReadWriteOnce; ",
        ),
        (
            manifest("cdi.kubevirt.io", "v1beta1", "StorageProfile", {"claimPropertySets": [{"accessModes": ["RWX"]}]}),
            "LM804",
            "spec.claimPropertySets[0].accessModes[0]",
            "Write ReadWriteMany; ",
        ),
        (
            manifest("instancetype.kubevirt.io", "v1beta1", "VirtualMachineInstancetype", {"gpu": [{"name": "g"}]}),
            "LM803",
            "spec.gpu",
            "Write gpus.",
        ),
        (
            manifest(
                "instancetype.kubevirt.io", "v1beta1", "VirtualMachineClusterInstancetype", {"memory": {"guest": "2GB"}}
            ),
            "LM806",
            "spec.memory.guest",
            "Write 2Gi ",
        ),
        (
            manifest("instancetype.kubevirt.io", "v1beta1", "VirtualMachinePreference", {"cpus": {}}),
            "LM803",
            "spec.cpus",
            "Write cpu.",
        ),
        (manifest(*MIGRATION, {"vmName": "vm"}), "LM803", "spec.vmName", "Write vmiName."),
        (
            manifest("migrations.kubevirt.io", "v1alpha1", "MigrationPolicy", {"allowPostCopi": True}),
            "LM646",
            "spec.allowPostCopi",
            "",
        ),
    ],
)
def test_a_misspelt_name_or_value_has_a_finding_with_the_meant_one(
    written: Manifest, rule: str, path: str, remedy: str
) -> None:
    """
    Otherwise rules about VMs would report a missing access mode or nothing.
    """
    (judged,) = checked(written).objects

    (finding,) = [finding for finding in judged.findings if finding.path == path]
    assert finding.rule == rule
    assert finding.remedy.startswith(remedy)
    assert judged.verdict is None


def test_a_claim_without_access_modes_is_described_by_its_field() -> None:
    """
    The message names the field that is missing.
    """
    vmi = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "vmi", "namespace": "lab"},
        "spec": {
            "domain": {"devices": {"autoattachPodInterface": False}},
            "volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": "x"}}],
        },
    }

    report = checked(vmi, claim({}))

    messages = [finding.message for judged in report.objects for finding in judged.findings if finding.rule == "LM201"]
    assert messages == ["PVC 'x' is without accessModes, not ReadWriteMany (RWX), so the VM cannot be live-migrated"]


@pytest.mark.parametrize("kind", [*LOOKED_UP, MIGRATION])
def test_an_object_without_mistakes_is_not_in_the_report(kind: tuple[str, str, str]) -> None:
    """
    A report lists objects that rules judge, and other objects only with a finding.
    """
    assert checked(manifest(*kind, {})).objects == []


@given(st.sampled_from([*LOOKED_UP, MIGRATION]), st.data())
def test_every_field_with_a_wrong_letter_has_a_finding(kind: tuple[str, str, str], data: st.DataObject) -> None:
    """
    A field of the spec with one more letter is unknown, whatever its value.
    """
    field = data.draw(st.sampled_from(sorted(FIELDS[FIELDS[ROOTS[kind[2]]]["spec"]])))

    report = checked(manifest(*kind, {f"{field}x": None}))

    (judged,) = report.objects
    assert [(finding.rule, finding.path) for finding in judged.findings] == [("LM803", f"spec.{field}x")]


def test_such_objects_are_not_judged_for_the_caller_of_the_api() -> None:
    """
    The API reads the facts of a namespace only for objects that rules judge.
    """
    (only,) = read_manifests(json.dumps(claim({"accessMode": []})).encode(), "f.yaml").objects

    assert not is_relevant(only)
