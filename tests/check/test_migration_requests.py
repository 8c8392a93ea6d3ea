"""VirtualMachineInstanceMigrations of VMs that cannot be live-migrated (webhook.check.migration_requests)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, machines
from tests.instructions import instructions
from webhook.check.check import Settings, check
from webhook.check.streaming import StreamingCheck
from webhook.manifests.objects import read_manifests
from webhook.report.model import Report
from webhook.surfaces.api.judge.judge import report_on

CLAIM: Manifest = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "lab"},
    "spec": {"accessModes": ["ReadWriteOnce"]},
}


def vm(claim: str = "data", **metadata: str) -> Manifest:
    spec = {
        "domain": {"devices": {"interfaces": [{"name": "n", "masquerade": {}}]}, "cpu": {"model": "host-passthrough"}},
        "networks": [{"name": "n", "pod": {}}],
        "volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": claim}}],
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm", "namespace": "lab", **metadata},
        "spec": {"runStrategy": "Always", "template": {"spec": spec}},
    }


def vmim(namespace: str = "lab", **spec: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": "m", "namespace": namespace},
        "spec": {"vmiName": "vm", **spec},
    }


def checked(*files: list[Manifest]) -> Report:
    inputs = [read_manifests("\n---\n".join(map(json.dumps, file)).encode(), f"{at}") for at, file in enumerate(files)]
    run = StreamingCheck(Settings(release="1.9"), inputs.__getitem__)
    for manifests in inputs:
        run.add(manifests)
    report = run.report()
    assert report == check(inputs, Settings(release="1.9"))
    return report


def refusals(report: Report) -> list[tuple[str, str, str]]:
    return [
        (finding.path, finding.message, finding.action)
        for judged in report.objects
        for finding in judged.findings
        if finding.rule == "LM811"
    ]


REFUSED = (
    "spec.vmiName",
    "KubeVirt refuses this migration: VirtualMachine 'vm' cannot be live-migrated (DisksNotLiveMigratable)",
    "warn",
)


@pytest.mark.parametrize("files", [[[vm(), CLAIM, vmim()]], [[vmim()], [vm()], [CLAIM]], [[vm()], [CLAIM], [vmim()]]])
def test_a_migration_of_a_vm_that_cannot_migrate_is_refused(files: list[list[Manifest]]) -> None:
    """
    The order of objects and files does not matter.
    """
    assert refusals(checked(*files)) == [REFUSED]


@pytest.mark.parametrize(
    "objects",
    [
        [vm(), vmim()],
        [vm("other"), CLAIM, vmim()],
        [CLAIM, vmim()],
        [vm(), CLAIM, vmim(namespace="other")],
        [vm(), CLAIM, vmim(sendTo={"connectURL": "b:9185", "migrationID": "x"})],
        [vm(), CLAIM, vmim(receive={"migrationID": "x"})],
        [vm(), CLAIM, vmim(vmiName="another")],
        [vm(), CLAIM, vmim(vmiName=None)],
        [vm(), CLAIM, {**vmim(), "spec": None}],
    ],
)
def test_other_migrations_have_no_such_finding(objects: list[Manifest]) -> None:
    """
    An unproven verdict, another VM and a decentralized migration are not refused.
    """
    assert refusals(checked(objects)) == []


def test_a_name_with_two_different_verdicts_is_not_refused() -> None:
    """
    Overlays can have a VM of the same name.
    """
    shared = {**CLAIM, "metadata": {"name": "shared", "namespace": "lab"}, "spec": {"accessModes": ["ReadWriteMany"]}}

    assert refusals(checked([vm(), CLAIM, shared], [vm("shared")], [vmim()])) == []


def test_a_misspelt_field_stays_in_the_report() -> None:
    """
    The object has one report with all findings.
    """
    report = checked([vm(), CLAIM, vmim(vmName="vm")])

    (judged,) = [judged for judged in report.objects if judged.kind == "VirtualMachineInstanceMigration"]
    assert [finding.rule for finding in judged.findings] == ["LM803", "LM811"]


def test_the_work_for_migrations_is_proportional_to_their_number() -> None:
    """
    Four times the migrations need four times the instructions.
    """

    def checking(count: int) -> Callable[[], object]:
        migrations = [{**vmim(), "metadata": {"name": f"m{number}", "namespace": "lab"}} for number in range(count)]
        return lambda: checked([vm(), CLAIM, *migrations])

    checking(1)()  # fills caches

    assert instructions(checking(800)) < 5 * instructions(checking(200))


def test_the_api_says_so_too() -> None:
    """
    The dry-run API judges all objects of a request together.
    """
    body = "\n---\n".join(map(json.dumps, [vmim(), vm(), CLAIM])).encode()

    report = json.loads(report_on(body, Settings(release="1.9")))

    found = [finding["rule"] for judged in report["objects"] for finding in judged["findings"]]
    assert "LM811" in found


@given(machines(), st.sampled_from(["", "1.3", "1.6", "1.9"]))
@settings(max_examples=60, deadline=None)
def test_a_migration_is_refused_exactly_if_the_verdict_is_false(machine: Manifest, release: str) -> None:
    """
    The verdict of the VM does not change.
    """
    metadata = machine["metadata"]
    request = {**vmim(vmiName=metadata["name"]), "metadata": {"name": "m", "namespace": metadata["namespace"]}}
    alone = check([read_manifests(json.dumps(machine).encode(), "-")], Settings(release=release))

    both = check(
        [read_manifests(f"{json.dumps(request)}\n---\n{json.dumps(machine)}".encode(), "-")], Settings(release=release)
    )

    (judged,) = alone.objects
    assert judged.verdict is not None
    assert bool(refusals(both)) == (judged.verdict.live_migratable is False)
    assert [entry.verdict for entry in both.objects if entry.kind == "VirtualMachine"] == [judged.verdict]
