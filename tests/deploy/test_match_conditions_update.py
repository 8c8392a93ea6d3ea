"""
Updates that API servers send to the webhooks, on a real API server.

All webhooks that may fail closed do so here: a condition that cannot be evaluated would be a refused request.
"""

from typing import Any

import pytest

from tests.deploy.manifests import Manifest
from tests.deploy.webhook_calls import (
    DEFAULT_KUBEVIRT,
    HOTPLUG,
    KUBEVIRT,
    LABEL,
    MATCHER,
    NAD,
    NO_CALL,
    NO_FINALIZER,
    POLICY,
    POOL,
    VM,
    VMI_UPDATE,
    VMIRS,
    VOLUME,
    Cluster,
    add_volume,
    calls_of,
    held_vm,
    in_pool,
    kubevirt,
    migration_policy,
    nad,
    pool,
    replica_set,
    template,
    vm,
    vmi,
)

pytestmark = pytest.mark.apiserver

DATA_VOLUMES = [{"metadata": {"name": "d"}, "spec": {"storage": {}}}]
ANNOTATION = {"metadata": {"annotations": {"a": "b"}}}
BRIDGE_OVERRIDE = {"annotations": {"kubevirt.io/allow-pod-bridge-network-live-migration": ""}}
HOT = {"name": "hot", "persistentVolumeClaim": {"claimName": "hot", "hotpluggable": True}}
OWNER = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": "0"}]}}


def with_volume(manifest: Manifest) -> Manifest:
    return {**manifest, "spec": manifest["spec"] | VOLUME["spec"]}


USB = {"name": "usb", "deviceName": "kubevirt.io/usb"}


def two_volumes(**spec: Any) -> Manifest:
    manifest = vm(template=template(**spec))
    manifest["spec"]["template"]["spec"] |= volumes_are(["a", "b"], ["a", "b"])["spec"]["template"]["spec"]
    return manifest


def volumes_are(volumes: list[str] | None, disks: list[str] | None, **changes: Any) -> dict[str, Any]:
    """A patch of a VM's volumes and disks, and of what else its template may have in different depths."""
    claims = [{"name": volume, "persistentVolumeClaim": {"claimName": volume}} for volume in volumes or ()]
    devices: dict[str, Any] = {"disks": [{"name": disk} for disk in disks] if disks is not None else None}
    domain: dict[str, Any] = {"devices": devices}
    spec: dict[str, Any] = {"domain": domain, "volumes": claims if volumes is not None else None}
    for key, value in changes.items():
        place = {"hostDevices": devices, "cpu": domain}.get(key, spec)
        place[key] = value
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize(
    ("manifest", "patch", "calls"),
    [
        pytest.param(vm(), {}, NO_CALL, id="VM: nothing"),
        pytest.param(vm(), LABEL, NO_CALL, id="VM: label"),
        pytest.param(vm(), ANNOTATION, NO_CALL, id="VM: annotation"),
        pytest.param(held_vm(), NO_FINALIZER, NO_CALL, id="VM: finalizer taken away"),
        pytest.param(vm(), OWNER, NO_CALL, id="VM: owner"),
        pytest.param(vm(), {"spec": {"runStrategy": "Always"}}, NO_CALL, id="VM: started"),
        pytest.param(vm(runStrategy="Always"), {"spec": {"runStrategy": "Halted"}}, NO_CALL, id="VM: stopped"),
        pytest.param(
            vm(running=False, runStrategy=None), {"spec": {"running": True}}, NO_CALL, id="VM: started by running"
        ),
        pytest.param(
            vm(instancetype=MATCHER, preference=MATCHER, dataVolumeTemplates=DATA_VOLUMES),
            {"spec": {"runStrategy": "Always"}},
            NO_CALL,
            id="VM with all judged parts: started",
        ),
        pytest.param(vm(), {"spec": {"template": VOLUME}}, VM, id="VM: volume added"),
        pytest.param(vm(), {"spec": {"template": LABEL}}, VM, id="VM: label of the template"),
        pytest.param(vm(), {"spec": {"template": template()}}, NO_CALL, id="VM: the same template"),
        pytest.param(vm(), {"spec": {"dataVolumeTemplates": DATA_VOLUMES}}, VM, id="VM: DataVolume added"),
        pytest.param(
            vm(dataVolumeTemplates=DATA_VOLUMES), {"spec": {"dataVolumeTemplates": None}}, VM, id="VM: DataVolume gone"
        ),
        pytest.param(
            vm(dataVolumeTemplates=DATA_VOLUMES),
            {"spec": {"dataVolumeTemplates": [{"metadata": {"name": "e"}, "spec": {"storage": {}}}]}},
            VM,
            id="VM: DataVolume changed",
        ),
        pytest.param(vm(), {"spec": {"instancetype": MATCHER}}, VM, id="VM: instancetype added"),
        pytest.param(vm(instancetype=MATCHER), {"spec": {"instancetype": None}}, VM, id="VM: instancetype gone"),
        pytest.param(
            vm(instancetype=MATCHER), {"spec": {"instancetype": {"name": "big"}}}, VM, id="VM: instancetype changed"
        ),
        pytest.param(vm(), {"spec": {"preference": MATCHER}}, VM, id="VM: preference added"),
        pytest.param(vm(preference=MATCHER), {"spec": {"preference": None}}, VM, id="VM: preference gone"),
        pytest.param(vm(preference=MATCHER), {"spec": {"preference": {"name": "x"}}}, VM, id="VM: preference changed"),
        pytest.param(vm("v1alpha3"), {"spec": {"template": VOLUME}}, VM, id="VM, v1alpha3: volume added"),
        pytest.param(two_volumes(), volumes_are(["a"], ["a"]), NO_CALL, id="VM: volume and disk removed"),
        pytest.param(two_volumes(), volumes_are(["b"], ["a", "b"]), NO_CALL, id="VM: medium of a disk removed"),
        pytest.param(two_volumes(), volumes_are(None, None), NO_CALL, id="VM: all volumes removed"),
        pytest.param(two_volumes(), volumes_are(["a", "b"], ["a"]), VM, id="VM: disk removed"),
        pytest.param(two_volumes(), volumes_are(["c"], ["a"]), VM, id="VM: two volumes replaced by one"),
        pytest.param(two_volumes(), volumes_are(["a"], ["c"]), VM, id="VM: volume removed, disk added"),
        pytest.param(
            two_volumes(),
            volumes_are(["a"], ["a"]) | {"spec": volumes_are(["a"], ["a"])["spec"] | {"instancetype": MATCHER}},
            VM,
            id="VM: volume removed, instancetype added",
        ),
        pytest.param(
            two_volumes(),
            volumes_are(["a"], ["a"], nodeSelector={"a": "b"}),
            VM,
            id="VM: volume removed, selector added",
        ),
        pytest.param(
            two_volumes(nodeSelector={"a": "b"}),
            volumes_are(["a"], ["a"], nodeSelector=None),
            VM,
            id="VM: volume and selector removed",
        ),
        pytest.param(
            two_volumes(), volumes_are(["a"], ["a"], hostDevices=[USB]), VM, id="VM: volume removed, host device added"
        ),
        pytest.param(
            two_volumes(), volumes_are(["a"], ["a"], cpu={"model": "x"}), VM, id="VM: volume removed, CPU model added"
        ),
        pytest.param(vm("v1alpha3"), LABEL, NO_CALL, id="VM, v1alpha3: label"),
        pytest.param(replica_set(), LABEL, NO_CALL, id="VMIRS: label"),
        pytest.param(replica_set(), {"spec": {"replicas": 3}}, NO_CALL, id="VMIRS: replicas"),
        pytest.param(replica_set(), {"spec": {"paused": True}}, NO_CALL, id="VMIRS: paused"),
        pytest.param(replica_set(), {"spec": {"template": VOLUME}}, VMIRS, id="VMIRS: volume added"),
        pytest.param(pool(), LABEL, NO_CALL, id="pool: label"),
        pytest.param(pool(), {"spec": {"replicas": 3}}, NO_CALL, id="pool: replicas"),
        pytest.param(pool(), in_pool(runStrategy="Always"), NO_CALL, id="pool: started"),
        pytest.param(pool(), {"spec": {"virtualMachineTemplate": LABEL}}, NO_CALL, id="pool: label of its VMs"),
        pytest.param(pool(), in_pool(template=VOLUME), POOL, id="pool: volume added"),
        pytest.param(pool("v1alpha1"), in_pool(template=VOLUME), POOL, id="pool, v1alpha1: volume added"),
        pytest.param(pool("v1alpha1"), in_pool(runStrategy="Always"), NO_CALL, id="pool, v1alpha1: started"),
        pytest.param(pool(), in_pool(dataVolumeTemplates=DATA_VOLUMES), POOL, id="pool: DataVolume added"),
        pytest.param(pool(), in_pool(instancetype=MATCHER), POOL, id="pool: instancetype added"),
        pytest.param(pool(instancetype=MATCHER), in_pool(instancetype=None), POOL, id="pool: instancetype gone"),
        pytest.param(pool(), in_pool(preference=MATCHER), POOL, id="pool: preference added"),
        pytest.param(pool(preference=MATCHER), in_pool(preference={"name": "x"}), POOL, id="pool: preference changed"),
        pytest.param(pool(), {"spec": {"virtualMachineTemplate": {"spec": None}}}, POOL, id="pool: no VM any more"),
        pytest.param(vmi(), LABEL, NO_CALL, id="VMI: label"),
        pytest.param(vmi(), {"status": {"phase": "Running"}}, NO_CALL, id="VMI: heartbeat"),
        pytest.param(vmi(), {"metadata": BRIDGE_OVERRIDE}, NO_CALL, id="VMI: override added"),
        pytest.param(vmi(**BRIDGE_OVERRIDE), LABEL, NO_CALL, id="VMI with override: label"),
        pytest.param(vmi(**BRIDGE_OVERRIDE), {"metadata": {"annotations": None}}, VMI_UPDATE, id="VMI: override gone"),
        pytest.param(vmi(), VOLUME, VMI_UPDATE, id="VMI: volume added"),
        pytest.param(with_volume(vmi()), LABEL, NO_CALL, id="VMI with volume: label"),
        pytest.param(with_volume(vmi()), {"spec": {"volumes": None}}, VMI_UPDATE, id="VMI: volume gone"),
        pytest.param(with_volume(vmi()), {"spec": {"volumes": [HOT]}}, VMI_UPDATE, id="VMI: volume changed"),
        pytest.param(kubevirt(), LABEL, NO_CALL, id="KubeVirt: label"),
        pytest.param(kubevirt(), {"spec": {"imageTag": "v1.9.0"}}, NO_CALL, id="KubeVirt: another setting"),
        *(
            pytest.param(kubevirt(), {"spec": {field: value}}, KUBEVIRT, id=f"KubeVirt: {field} added")
            for field, value in (
                ("workloadUpdateStrategy", {"workloadUpdateMethods": ["Evict"]}),
                ("uninstallStrategy", "RemoveWorkloads"),
                ("imagePullPolicy", "Always"),
                ("customizeComponents", {"patches": []}),
            )
        ),
        pytest.param(
            kubevirt(),
            {"spec": {"configuration": {"migrations": {"parallelMigrationsPerCluster": 2}}}},
            DEFAULT_KUBEVIRT + KUBEVIRT,
            id="KubeVirt: configuration added",
        ),
        pytest.param(
            kubevirt(configuration={"evictionStrategy": "None"}),
            {"spec": {"configuration": {"evictionStrategy": "LiveMigrate"}}},
            DEFAULT_KUBEVIRT + KUBEVIRT,
            id="KubeVirt: configuration changed",
        ),
        pytest.param(nad(), LABEL, NO_CALL, id="NAD: label"),
        pytest.param(nad(), {"spec": {"config": '{"type": "bridge"}'}}, NAD, id="NAD: config changed"),
        pytest.param(nad(config=None), {"spec": {"config": "{}"}}, NAD, id="NAD: config added"),
        pytest.param(nad(), {"spec": None}, NAD, id="NAD: spec gone"),
        pytest.param(migration_policy(), LABEL, NO_CALL, id="MigrationPolicy: label"),
        pytest.param(migration_policy(), {"spec": {"allowPostCopy": True}}, POLICY, id="MigrationPolicy: spec changed"),
    ],
)
def test_an_update_is_sent_to_these_webhooks(
    cluster: Cluster, manifest: Manifest, patch: dict[str, Any], calls: list[str]
) -> None:
    """
    Only a change of checked fields is sent: no label, start, stop, scaling or heartbeat.
    """
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.patch(manifest, patch))

    assert seen == sorted(calls)


ADDED = {"status": {"volumeRequests": [add_volume("a")]}}
REMOVED = {"status": {"volumeRequests": [{"removeVolumeOptions": {"name": "a"}}]}}


@pytest.mark.parametrize(
    ("before", "after", "calls"),
    [
        pytest.param({}, {"status": {"printableStatus": "Running"}}, NO_CALL, id="a status"),
        pytest.param({}, ADDED, HOTPLUG, id="a disk to add"),
        pytest.param({}, REMOVED, NO_CALL, id="a disk to remove"),
        pytest.param({"status": {"ready": True}}, ADDED, HOTPLUG, id="a disk to add, to a status"),
        pytest.param(
            ADDED,
            {"status": {"volumeRequests": [add_volume("a"), add_volume("b")]}},
            HOTPLUG,
            id="another disk to add",
        ),
        pytest.param(ADDED, {"status": {"volumeRequests": [add_volume("b")]}}, HOTPLUG, id="in place of another"),
        pytest.param(ADDED, ADDED | {"metadata": {"labels": {"a": "b"}}}, NO_CALL, id="the same"),
        pytest.param(ADDED, {"status": {"volumeRequests": None}}, NO_CALL, id="done"),
    ],
)
def test_only_an_added_disk_in_a_status_is_sent(
    cluster: Cluster, before: dict[str, Any], after: dict[str, Any], calls: list[str]
) -> None:
    """
    KubeVirt requests a hotplugged disk in the status of its VM.
    """
    manifest = vm()
    cluster.create(manifest)
    cluster.patch(manifest, before, "status")

    seen = calls_of(cluster, lambda: cluster.patch(manifest, after, "status"))

    assert seen == calls


@pytest.mark.parametrize(("volumes", "calls"), [(199, NO_CALL), (256, VM)])
def test_conditions_can_compare_many_large_volumes(cluster: Cluster, volumes: int, calls: list[str]) -> None:
    """
    Comparing lists stays within what an API server spends on a condition: an error would be a refusal under Fail.
    """
    disks = [{"name": f"v{number}"} for number in range(volumes)]
    sources = [{**disk, "cloudInitNoCloud": {"userData": "x" * 2000}} for disk in disks]
    manifest = vm()
    manifest["spec"]["template"]["spec"] |= {"volumes": sources, "domain": {"devices": {"disks": disks}}}
    cluster.create(manifest)
    fewer = {"volumes": sources[:-1], "domain": {"devices": {"disks": disks[:-1]}}}

    seen = calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"template": {"spec": fewer}}}))

    assert seen == calls


@pytest.mark.parametrize("manifest", [replica_set(), pool()], ids=["VMIRS", "pool"])
def test_scaling_is_not_sent(cluster: Cluster, manifest: Manifest) -> None:
    """
    `kubectl scale` and autoscalers write to a subresource that no rule names.
    """
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"replicas": 5}}, "scale"))

    assert seen == NO_CALL


def test_a_vm_of_a_megabyte_can_be_labelled(cluster: Cluster) -> None:
    """
    Comparing templates stays within what an API server spends on a condition, whatever a tenant writes.
    """
    volumes = [{"name": f"v{number}", "cloudInitNoCloud": {"userData": "x" * 2000}} for number in range(250)]
    labels = {f"label-{number}": "x" * 10 for number in range(20_000)}
    manifest = vm(template=template(volumes=volumes) | {"metadata": {"labels": labels}})
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.patch(manifest, LABEL))
    judged = calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"template": LABEL}}))

    assert (seen, judged) == (NO_CALL, VM)
