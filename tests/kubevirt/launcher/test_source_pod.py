"""The target pod from the pod in which a VMI runs (webhook.kubevirt.launcher.source_pod)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kubevirt.evictions import release_of
from tests.kubevirt.launcher.building import NODE, release, vmi
from tests.kubevirt.target_pods import cases_of, surroundings
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod
from webhook.kubevirt.launcher.source_pod import last_change, target_from_source, why_outdated
from webhook.kubevirt.launcher.target_pod import Source, target_pod
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.pods import Pod, PodClaim, PodVolume
from webhook.scheduling.pod_requests import pod_requests

DATA = Path(__file__).parent.parent.parent / "data" / "target-pods"
MIGRATED = {"kubevirt.io/migrationJobUID": "1"}


def pod(selector: dict[str, str] | None = None, **metadata: Any) -> Pod:
    value = {
        "metadata": {"name": "virt-launcher-vm-x", "namespace": "tenant", **metadata},
        "spec": {"nodeName": "n1", "nodeSelector": selector or {}, "containers": [{"name": "compute"}]},
        "status": {"phase": "Running"},
    }
    return msgspec.convert(value, Pod)


def from_source(of: LauncherVMI, source: Pod, version: str = "v1.9.0", **options: Any) -> Pod:
    result = target_from_source(of, source, release(version), NODE, **options)
    assert isinstance(result, Pod)
    return result


@pytest.mark.parametrize("file", sorted(DATA.glob("*.jsonl.gz")), ids=lambda file: file.name)
def test_the_source_pod_of_a_first_migration_gives_the_same_target_as_virt_controller(file: Path) -> None:
    """
    Selectors, required affinity, labels and requests are the same, although the configuration of KubeVirt is not known.
    """
    version, compared = release_of(file, None), 0
    for case in cases_of(file):
        if "migrated-before" in case["tags"]:
            continue
        of, around = msgspec.convert(case["vmi"], LauncherVMI), surroundings(case, version)
        labels, selector = case["sourceNode"]["labels"], case["sourcePod"]["nodeSelector"]
        added = (case.get("migration") or {}).get("addedNodeSelector") or {}
        started = launcher_pod(of, around)
        expected = target_pod(of, around, Source(labels, selector), added)
        if not isinstance(expected, Rendered) or not isinstance(started, Rendered):
            continue
        running = started.pod()
        running = msgspec.structs.replace(running, spec=msgspec.structs.replace(running.spec, node_selector=selector))

        actual = target_from_source(of, running, version, labels, ({}, added))

        assert isinstance(actual, Pod)
        assert actual.spec.node_selector == expected.node_selector, case["id"]
        assert actual.spec.affinity == expected.pod().spec.affinity, case["id"]
        assert actual.meta.labels == expected.labels, case["id"]
        assert pod_requests(actual) == pod_requests(expected.pod()), case["id"]
        compared += 1
    assert compared > 50


def test_the_target_pod_has_no_node_and_no_status() -> None:
    """
    The label of the earlier migration and the name are gone.
    """
    target = from_source(vmi(), pod(labels={"a": "b", **MIGRATED}), added=({}, {}))

    assert (target.spec.node_name, target.status.phase, target.meta.name) == ("", "", None)
    assert target.meta.labels == {"a": "b"}


@pytest.mark.parametrize(("version", "label"), [("v1.5.0", "q35"), ("v1.5.1", "pc-q35-10.0")])
def test_the_machine_type_of_the_guest_replaces_that_of_the_source_pod(version: str, label: str) -> None:
    """
    The source pod of a first migration has the type without its version.
    """
    prefix = "machine-type.node.kubevirt.io/"
    target = from_source(vmi(status={"machine": {"type": "pc-q35-10.0"}}), pod({prefix + "q35": "true"}), version)

    assert [key for key in target.spec.node_selector or {} if key.startswith(prefix)] == [prefix + label]


def test_a_selector_of_the_earlier_migration_is_removed() -> None:
    """
    A selector that the VMI has too stays.
    """
    of = vmi(nodeSelector={"pool": "vms"})
    source = pod({"zone": "a", "pool": "vms", "rack": "1"}, labels=MIGRATED)
    target = from_source(of, source, added=({"zone": "a", "pool": "vms"}, {"disk": "ssd"}))

    assert target.spec.node_selector == {
        "pool": "vms",
        "rack": "1",
        "disk": "ssd",
        "cpu-vendor.node.kubevirt.io/Intel": "true",
    }


def test_a_pod_of_an_earlier_migration_needs_that_migration() -> None:
    """
    The selectors of the earlier migration cannot be told from the others.
    """
    result = target_from_source(vmi(), pod(labels=MIGRATED), release("v1.9.0"), NODE)

    assert isinstance(result, Unknown)
    assert result.settle == "provide the VirtualMachineInstanceMigrations"


def test_the_anti_affinity_against_the_source_pod_is_there_once() -> None:
    """
    The pod of an earlier migration already has the term.
    """
    first = from_source(vmi(), pod())
    second = from_source(vmi(), first)

    assert first.spec.affinity == second.spec.affinity
    assert first.spec.affinity is not None
    assert first.spec.affinity.pod_anti_affinity is not None
    assert len(first.spec.affinity.pod_anti_affinity.required or ()) == 1


@pytest.mark.parametrize(("mode", "names"), [("ReadWriteOnce", ["root"]), ("ReadWriteMany", ["root", "vm-state"])])
def test_a_claim_with_the_state_for_one_pod_is_left_out(mode: str, names: list[str]) -> None:
    """
    KubeVirt creates a new claim for the target pod.
    """
    info = {"claimName": "state", "accessModes": [mode]}
    status = {"volumeStatus": [{"name": "persistent-state-for-this-vm", "persistentVolumeClaimInfo": info}]}
    of = vmi({"devices": {"tpm": {"persistent": True}}}, status)
    source = pod()
    volumes = [PodVolume(name, PodClaim(name)) for name in ("root", "vm-state")]
    source = msgspec.structs.replace(source, spec=msgspec.structs.replace(source.spec, volumes=volumes))

    assert [volume.name for volume in from_source(of, source).spec.volumes or ()] == names


STARTED = pod(creationTimestamp="2026-05-01T00:00:00Z")
BEFORE = "2026-04-01T00:00:00Z"


@pytest.mark.parametrize(
    ("of", "changed", "why"),
    [
        (vmi(), BEFORE, None),
        (
            vmi(labels={"kubevirt.io/outdatedLauncherImage": ""}),
            BEFORE,
            "the launcher image of the VMI is outdated",
        ),
        (
            vmi(status={"conditions": [{"type": "HotVCPUChange", "status": "True"}]}),
            BEFORE,
            "the VMI has a change of vCPUs that is not yet applied",
        ),
        (vmi(status={"conditions": [{"type": "HotVCPUChange", "status": "False"}]}), BEFORE, None),
        (vmi(), None, "the time of the last change to the KubeVirt CR is unknown"),
        (
            vmi(),
            "2026-05-02T00:00:00Z",
            "the KubeVirt CR changed after the pod started, at 2026-05-02T00:00:00Z",
        ),
    ],
)
def test_the_source_pod_is_current_only_if_nothing_changed_since_it_started(
    of: LauncherVMI, changed: str | None, why: str | None
) -> None:
    """
    The reason names the change.
    """
    assert why_outdated(of, STARTED, changed) == why


def test_the_last_change_of_the_cr_is_the_newest_of_its_spec() -> None:
    """
    Changes of the status do not count. Without managed fields, the time is unknown.
    """
    entries = [
        {"time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {}}},
        {"time": "2026-03-01T00:00:00Z", "fieldsV1": {"f:spec": {}, "f:metadata": {}}},
        {"time": "2026-09-01T00:00:00Z", "fieldsV1": {"f:status": {}}, "subresource": "status"},
    ]

    assert last_change({"metadata": {"managedFields": entries}}) == "2026-03-01T00:00:00Z"
    assert last_change({"metadata": {}}) is None
