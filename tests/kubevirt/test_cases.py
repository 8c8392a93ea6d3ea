"""Verdicts of KubeVirt's own code over generated VMIs, release by release (tests/data/cases/README.md)."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from webhook.engine import judge
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import only, parse_release
from webhook.objects.kubevirt import Configuration, KubeVirt, KubeVirtSpec, KubeVirtStatus
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.nad import Node
from webhook.objects.storage import (
    ClaimPropertySet,
    ClaimSpec,
    DataVolume,
    PersistentVolumeClaim,
    StorageClass,
    StorageProfile,
    StorageProfileStatus,
)
from webhook.objects.vmi import VirtualMachineInstance

CASES = sorted((Path(__file__).parent.parent / "data" / "cases").glob("*.jsonl.gz"))
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
HOST_MODEL = "host-model-cpu.node.kubevirt.io/Skylake-Server"


def world_of(case: dict[str, Any], namespace: str) -> ObjectsWorld:
    """All the cluster facts of a case; what it does not list does not exist."""
    objects: list[Kubernetes] = [
        PersistentVolumeClaim(
            metadata=ObjectMeta(name=name, namespace=namespace, labels=claim.get("labels")),
            spec=msgspec.convert(claim, ClaimSpec),
        )
        for name, claim in case["pvcs"].items()
    ]
    objects.append(
        KubeVirt(
            spec=KubeVirtSpec(configuration=msgspec.convert(case["kubevirt"], Configuration)),
            status=KubeVirtStatus(default_architecture=case.get("defaultArchitecture") or "amd64"),
        )
    )
    reports = {HOST_MODEL: "true"} if case.get("hostCpuModel", "given") else {}
    for node in case.get("nodes") or [{"name": "node01", "labels": {"kubevirt.io/schedulable": "true"}}]:
        objects.append(Node(metadata=ObjectMeta(name=node["name"], labels={**node["labels"], **reports})))
    storage = case.get("storage", {})
    default = storage.get("defaultClass", "standard")
    objects.append(StorageClass(metadata=ObjectMeta(name=default, annotations={DEFAULT_CLASS: "true"})))
    for name, sets in storage.get("profiles", {}).items():
        status = StorageProfileStatus(claim_property_sets=msgspec.convert(sets, list[ClaimPropertySet]))
        objects.append(StorageProfile(metadata=ObjectMeta(name=name), status=status))
    complete = (PersistentVolumeClaim, DataVolume, StorageProfile, StorageClass, Node)
    return ObjectsWorld(objects, complete)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_the_verdict_is_kubevirts_own(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    On every case the status and the reason are those that KubeVirt's own code of that release gave.
    """
    release = parse_release(path.name)
    assert release is not None
    wrong = []
    right = 0
    with gzip.open(path, "rt") as lines:
        for line in lines:
            case = json.loads(line)
            vmi = msgspec.convert(case["vmi"], VirtualMachineInstance)

            verdict = judge(vmi, world_of(case, vmi.namespace), only(release)).verdict

            assert verdict is not None
            expected = case["expected"]
            got = (verdict.live_migratable, verdict.reason, verdict.migration_method == "BlockMigration")
            want = (expected["liveMigratable"], expected.get("reason"), expected["blockMigration"])
            if got == want:
                right += 1
            else:
                wrong.append((case["id"], got, want, case["tags"], case.get("runtimeFact")))
    with capsys.disabled():
        print(f"\n{release}: {right} of {right + len(wrong)} verdicts agree")
    assert wrong == []
