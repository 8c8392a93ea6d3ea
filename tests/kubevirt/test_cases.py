"""Verdicts of KubeVirt's own code over generated VMIs, release by release (tests/data/cases/README.md)."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import FIGURE
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.machines import judge
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
from webhook.objects.vmi import VirtualMachineInstance, VMIStatus

CASES = sorted((Path(__file__).parent.parent / "data" / "cases").glob("*.jsonl.gz"))
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
HOST_MODEL = "host-model-cpu.node.kubevirt.io/Skylake-Server"


def world_of(case: dict[str, Any], namespace: str, unknown: tuple[type[Kubernetes], ...] = ()) -> ObjectsWorld:
    """All the cluster facts of a case; what it does not list does not exist, unless its kind is ``unknown``."""
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
    shown = [manifest for manifest in objects if type(manifest) not in unknown]
    return ObjectsWorld(shown, [item for item in complete if item not in unknown])


def cases_of(path: Path) -> Iterator[tuple[dict[str, Any], VirtualMachineInstance]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            case = json.loads(line)
            yield case, msgspec.convert(case["vmi"], VirtualMachineInstance)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_the_verdict_is_kubevirts_own(path: Path, record_property: Callable[[str, object], None]) -> None:
    """
    On every case the status and the reason are those that KubeVirt's own code of that release gave.
    """
    release = parse_release(path.name)
    assert release is not None
    wrong = []
    right = 0
    for case, vmi in cases_of(path):
        verdict = judge(vmi, world_of(case, vmi.namespace), only(release)).verdict

        assert verdict is not None
        expected = case["expected"]
        got = (verdict.live_migratable, verdict.reason, verdict.migration_method == "BlockMigration")
        want = (expected["liveMigratable"], expected.get("reason"), expected["blockMigration"])
        if got == want:
            right += 1
        else:
            wrong.append((case["id"], got, want, case["tags"], case.get("runtimeFact")))
    cases = right + len(wrong)
    record_property(FIGURE, f"KubeVirt {path.name.removesuffix('.jsonl.gz')}: {right} of {cases} verdicts agree")
    assert wrong == []
    assert cases > 0


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_the_verdict_turns_with_the_tsc_frequency(path: Path) -> None:
    """
    With and without a hint the verdict is KubeVirt's; with unknown nodes the VM is never reported as migratable.
    """
    release = parse_release(path.name)
    assert release is not None
    turned = 0
    for case, vmi in cases_of(path):
        if case.get("runtimeFact") != "tscFrequency":
            continue
        hints = {"tscFrequency": 2100000000} if "NoTSC" in case["expected"].get("reason", "") else {}
        status = case["vmi"].get("status", {}) | {"topologyHints": hints}
        hinted = msgspec.structs.replace(vmi, status=msgspec.convert(status, VMIStatus))

        otherwise = judge(hinted, world_of(case, vmi.namespace), only(release)).verdict
        unknown = judge(vmi, world_of(case, vmi.namespace, unknown=(Node,)), only(release)).verdict

        assert otherwise is not None
        assert unknown is not None
        expected = case["expectedOtherwise"]
        assert (otherwise.live_migratable, otherwise.reason) == (expected["liveMigratable"], expected.get("reason"))
        assert unknown.live_migratable is not True
        turned += 1
    assert turned > 0
