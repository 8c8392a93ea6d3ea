"""Parameters of templates: default values, and placeholders without a value (webhook.manifests.parameters)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.running import migratable
from webhook.check.check import Settings, check
from webhook.manifests.objects import read_manifests
from webhook.report.model import ObjectReport

TEXT = """\
apiVersion: template.openshift.io/v1
kind: Template
metadata: {{name: t}}
objects:
- apiVersion: kubevirt.io/v1
  kind: VirtualMachine
  metadata: {{name: "${{NAME}}", namespace: lab}}
  spec:
    dataVolumeTemplates:
    - metadata: {{name: "${{NAME}}"}}
      spec: {{storage: {{accessModes: [{modes}], resources: {{requests: {{storage: "${{SIZE}}"}}}}}}}}
    template:
      spec:
        evictionStrategy: {eviction}
        architecture: {architecture}
        domain:
          cpu: {{cores: "${{{{CORES}}}}", model: host-passthrough}}
          memory: {{guest: "${{SIZE}}"}}
          devices:
            gpus: [{gpus}]
            interfaces: [{interface}]
        networks: [{{name: default, pod: {{}}}}]
        volumes: [{{name: os, dataVolume: {{name: "${{NAME}}"}}}}]
parameters:
- {{name: NAME, generate: expression, from: "[a-z]{{8}}"}}
"""
USUAL = {
    "modes": "ReadWriteMany",
    "eviction": "LiveMigrate",
    "architecture": "amd64",
    "gpus": "",
    "interface": "{name: default, masquerade: {}}",
}
KUBEVIRT = """\
---
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
spec: {}
"""


def judged(parameters: str = "", release: str = "1.9", **parts: str) -> ObjectReport:
    """The only VM of the template. ``parts`` replaces parts of its text."""
    text = TEXT.format(**{**USUAL, **parts}) + parameters + KUBEVIRT
    report = check([read_manifests(text.encode(), "t.yaml")], Settings(release=release))
    assert report.problems == []
    return next(entry for entry in report.objects if entry.kind == "VirtualMachine")


def verdict(entry: ObjectReport) -> tuple[bool | None, str | None]:
    assert entry.verdict is not None
    return entry.verdict.live_migratable, entry.verdict.reason


def rules(entry: ObjectReport, outcome: str) -> list[str]:
    return [finding.rule for finding in entry.findings if finding.outcome == outcome]


def test_names_and_sizes_without_a_value_have_no_finding() -> None:
    """
    Equal placeholders are equal names, and a number of cores or a size does not change the verdict.
    """
    entry = judged()

    assert verdict(entry) == (True, None)
    assert entry.findings == []
    assert entry.name == "${NAME}"


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"modes": '"${MODE}"'}, "LM201"),
        ({"interface": '{name: default, bridge: {}, masquerade: "${{MASQUERADE}}"}'}, "LM101"),
        ({"gpus": "{name: g, deviceName: '${GPU}'}"}, "LM302"),
    ],
)
def test_a_placeholder_that_decides_is_unproven_and_named(parts: dict[str, str], rule: str) -> None:
    """
    The value is unknown, not wrong. No rule about wrong values reports it.
    """
    entry = judged(**parts)

    assert verdict(entry)[0] is None
    assert entry.verdict is not None
    assert any("${" in why for why in entry.verdict.unproven)
    assert rule in rules(entry, "undetermined")
    assert not [found for found in rules(entry, "violation") if found.startswith(("LM2", "LM1", "LM80"))]


@pytest.mark.parametrize("parts", [{"eviction": "${STRATEGY}"}, {"architecture": "${ARCHITECTURE}"}])
def test_a_placeholder_that_decides_nothing_has_no_finding(parts: dict[str, str]) -> None:
    """
    Advice about a value that is unknown is left out.
    """
    assert verdict(judged(**parts)) == (True, None)
    assert judged(**parts).findings == []


def test_a_reason_that_no_placeholder_changes_decides() -> None:
    """
    A bridge on the pod network is refused whatever the access mode is.
    """
    entry = judged(modes='"${MODE}"', interface="{name: default, bridge: {}}")

    assert verdict(entry) == (False, "InterfaceNotLiveMigratable")
    assert "LM201" in rules(entry, "undetermined")


def test_an_earlier_unproven_reason_is_possible() -> None:
    """
    Up to 1.5, KubeVirt checks disks first.
    """
    entry = judged(release="1.5", modes='"${MODE}"', interface="{name: default, bridge: {}}")

    assert verdict(entry) == (False, None)
    assert entry.verdict is not None
    assert entry.verdict.possible_reasons == ["DisksNotLiveMigratable", "InterfaceNotLiveMigratable"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("ReadWriteMany", (True, None)), ("ReadWriteOnce", (False, "DisksNotLiveMigratable"))],
)
def test_a_default_value_is_used_and_listed(value: str, expected: tuple[bool | None, str | None]) -> None:
    """
    ``oc process`` without options uses the same value.
    """
    entry = judged(f"- {{name: MODE, value: {value}}}\n", modes='"${MODE}"')

    assert verdict(entry) == expected
    assert entry.verdict is not None
    assert f"the template's parameters have their default values (MODE={value})" in entry.verdict.assumptions


def test_a_default_value_in_two_braces_has_its_own_type() -> None:
    """
    ``${{X}}`` becomes a number or a boolean.
    """
    parts = {"interface": '{name: default, masquerade: "${{M}}"}'}

    assert verdict(judged("- {name: M, value: '{}'}\n", **parts)) == (True, None)


def test_a_claim_with_a_placeholder_is_unproven() -> None:
    """
    Another object of the template can have the placeholder.
    """
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "os"},
        "spec": {"accessModes": ["${MODE}"]},
    }
    vmi = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "vmi"},
        "spec": {
            "domain": {"devices": {"autoattachPodInterface": False}, "cpu": {"model": "host-passthrough"}},
            "volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": "os"}}],
        },
    }
    template = {"apiVersion": "template.openshift.io/v1", "kind": "Template", "objects": [claim, vmi]}

    report = check([read_manifests(json.dumps(template).encode(), "t.yaml")], Settings(release="1.9"))

    (entry,) = report.objects
    assert verdict(entry) == (None, None)
    assert "the accessModes of PVC 'os' contain the placeholder '${MODE}'" in [
        found.message for found in entry.findings
    ]


def test_a_fix_is_written_inside_a_template(tmp_path: Path) -> None:
    """
    The fix keeps the rest of the template as it is.
    """
    file = tmp_path / "t.yaml"
    text = TEXT.format(**{**USUAL, "interface": "{name: default, Masquerade: {}}"})
    file.write_text(text)

    migratable("check", "--fix", str(file))

    assert file.read_text() == text.replace("Masquerade", "masquerade")


def test_a_value_of_a_parameter_is_not_changed_by_a_fix(tmp_path: Path) -> None:
    """
    The text of the file has the placeholder, so the fix does not match.
    """
    file = tmp_path / "t.yaml"
    text = TEXT.format(**{**USUAL, "eviction": "${STRATEGY}"}) + "- {name: STRATEGY, value: livemigrate}\n"
    file.write_text(text)

    ran = migratable("check", "--fix", str(file))

    assert file.read_text() == text
    assert "LM502" in ran.out
