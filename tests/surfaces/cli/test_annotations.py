"""The annotation ``migratable.dev/allow`` exempts findings of its object in checks, and never in admission."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver.binaries import find_binary
from tests.properties.supply import create
from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import SUPPORTED
from webhook.policy.policy import Policy
from webhook.surfaces.admission.validate import JudgingContext

METADATA = "namespace: tenant"


def annotated(value: str, text: str = BAD) -> str:
    assert METADATA in text
    return text.replace(METADATA, f"{METADATA}, annotations: {{migratable.dev/allow: {json.dumps(value)}}}", 1)


def answer(folder: Path, text: str) -> Any:
    (folder / "vm.yaml").write_text(text)
    return json.loads(migratable("check", "--isolated", "vm.yaml", "-o", "json", cwd=folder).out)


def exempted(report: Any) -> dict[str, Any]:
    return {
        finding["rule"]: finding["exemption"]
        for judged in report["objects"]
        for finding in judged["findings"]
        if finding["exemption"]
    }


def test_an_annotation_exempts_findings_of_its_object(tmp_path: Path) -> None:
    """
    Each line has rules, one reason, and a last day if needed. Other rules and objects stay.
    """
    value = "LM101: it keeps its address; until=2999-01-31\ngpu: a render node; slow"

    report = answer(tmp_path, f"{annotated(value)}---\n{BAD.replace('name: bad', 'name: other')}")

    assert exempted(report) == {
        "LM101": {"reason": "it keeps its address", "owner": "vm.yaml:3", "until": "2999-01-31", "kind": "annotation"},
        "LM302": {"reason": "a render node; slow", "owner": "vm.yaml:3", "until": "", "kind": "annotation"},
    }
    assert report["summary"]["exempted"] == len(
        [finding for finding in report["objects"][0]["findings"] if finding["rule"] in ("LM101", "LM302")]
    )
    assert report["notes"] == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("LM101", "the reason is missing; write RULE: REASON"),
        ("LM101: ; until=2999-01-01", "the reason is missing"),
        ("LM1O1: because", "unknown rule 'LM1O1' (did you mean LM101?)"),
        ("LM101: because; until=2020-02-30", "invalid date '2020-02-30'"),
        ("LM101: because; until=2020-02-01", "it expired on 2020-02-01"),
        ("allow LM101 because", "invalid form; write RULE: REASON"),
        ("LM103: because", "the object has no finding of LM103"),
    ],
)
def test_an_annotation_without_effect_gives_a_note(tmp_path: Path, value: str, message: str) -> None:
    """
    The note names a missing reason, an unknown rule, an invalid date, or the expiry.
    """
    report = answer(tmp_path, annotated(value))

    assert exempted(report) == {}
    assert [
        note for note in report["notes"] if note.startswith(f"vm.yaml:3: this annotation exempts nothing: {message}")
    ]


def test_an_unused_annotation_of_an_object_without_findings_gives_a_note(tmp_path: Path) -> None:
    """
    The text of a file without findings is read again for its annotations.
    """
    assert "no finding of LM101" in str(answer(tmp_path, annotated("LM101: because", GOOD))["notes"])


KUSTOMIZATIONS = {
    "namePrefix": {"namePrefix": "prod-", "namespace": "prod", "labels": [{"pairs": {"env": "prod"}}]},
    "commonAnnotations": {"commonAnnotations": {"team": "web"}},
    "patch of the annotations": {
        "patches": [
            {"target": {"kind": "VirtualMachineInstance"}, "patch": json.dumps(patch)}
            for patch in (
                {
                    "apiVersion": "kubevirt.io/v1",
                    "kind": "VirtualMachineInstance",
                    "metadata": {"name": "bad", "annotations": {"team": "web"}},
                },
                [{"op": "add", "path": "/metadata/annotations/owner", "value": "web"}],
            )
        ]
    },
}


@pytest.mark.apiserver
@pytest.mark.parametrize("kustomization", KUSTOMIZATIONS.values(), ids=KUSTOMIZATIONS)
def test_the_annotation_survives_kustomize(tmp_path: Path, kustomization: dict[str, Any]) -> None:
    """
    With several lines, under another name, beside common annotations, and with patches of the annotations.
    """
    (tmp_path / "vm.yaml").write_text(annotated("LM101: it keeps its address; until=2999-01-31\nLM302: a render node"))
    (tmp_path / "kustomization.yaml").write_text(json.dumps(kustomization | {"resources": ["vm.yaml"]}))

    rendered = subprocess.run([find_binary("kubectl"), "kustomize", "."], cwd=tmp_path, check=True, capture_output=True)
    report = json.loads(migratable("check", "--isolated", "-", "-o", "json", stdin=rendered.stdout).out)

    assert {rule: exemption["until"] for rule, exemption in exempted(report).items()} == {
        "LM101": "2999-01-31",
        "LM302": "",
    }
    assert report["notes"] == []


def test_admission_ignores_the_annotation() -> None:
    """
    A tenant cannot exempt an object from a denial.
    """
    plain, annotated_too = (decided(text) for text in (BAD, annotated("LM101: because\ngpu: because")))

    assert plain == annotated_too
    assert {rule for rule, action in plain if action == "deny"} == {"LM101", "LM302"}


def decided(text: str) -> list[tuple[str, str]]:
    context = JudgingContext(ObjectsWorld((), ()), SUPPORTED, Policy(), "2026-06-01", "kubevirt")
    outcome = create(yaml.safe_load(text), context)
    return sorted((decision.finding.rule.id, str(decision.action)) for decision in outcome.decisions)
