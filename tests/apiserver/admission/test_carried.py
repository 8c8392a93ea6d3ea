"""
Objects that a tenant writes, or that KubeVirt's accounts write for a tenant, are judged by the policy.

The tests impersonate the accounts at a real API server, whose authorizer knows their rights.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import install_hooks, serving

pytestmark = pytest.mark.apiserver

Manifest = dict[str, Any]

CONTROLLER = "system:serviceaccount:virt:kubevirt-controller"
VIRT_API = "system:serviceaccount:virt:kubevirt-apiserver"
TENANT = "jane"
USUAL = ("kubevirt", "kubevirt-hyperconverged", "openshift-cnv", "cdi")
"""Namespaces in which KubeVirt and CDI often are. Here they belong to tenants; KubeVirt is in `virt`."""
DENYING = "plugging-denied"
RESTORED = "restore.kubevirt.io/lastRestoreUID"
OVERRIDE = "kubevirt.io/allow-pod-bridge-network-live-migration"
USB = {"domain": {"devices": {"hostDevices": [{"name": "usb", "deviceName": "kubevirt.io/usb"}]}}}
BRIDGE = {
    "domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}},
    "networks": [{"name": "default", "pod": {}}],
}
HARMLESS: Manifest = {
    "domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}]}},
    "networks": [{"name": "default", "pod": {}}],
}
PLUGGED = {
    "domain": {"devices": {"disks": [{"name": "hot", "disk": {"bus": "scsi"}}]}},
    "volumes": [{"name": "hot", "persistentVolumeClaim": {"claimName": "single", "hotpluggable": True}}],
}
UNPLUGGED = {"domain": {"devices": {"disks": None}}, "volumes": None}


def named(version: str, kind: str, name: str, spec: Manifest, **metadata: Any) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def vm(name: str, spec: Manifest, **metadata: Any) -> Manifest:
    return named(
        "kubevirt.io/v1", "VirtualMachine", name, {"runStrategy": "Halted", "template": {"spec": spec}}, **metadata
    )


def vmi(name: str, spec: Manifest, **metadata: Any) -> Manifest:
    return named("kubevirt.io/v1", "VirtualMachineInstance", name, spec, **metadata)


def in_template(spec: Manifest, **metadata: Any) -> Manifest:
    return {"metadata": metadata, "spec": {"template": {"spec": spec}}}


@dataclass(frozen=True)
class Cluster:
    """A control plane behind the webhook; every webhook fails closed, so that silence cannot pass for an answer."""

    plane: ControlPlane
    namespace: str

    def create(self, manifest: Manifest, user: str = TENANT, namespace: str = "") -> subprocess.CompletedProcess[str]:
        return self._kubectl(namespace, "create", f"--as={user}", "-f", "-", stdin=json.dumps(manifest))

    def made(self, manifest: Manifest, namespace: str = "") -> str:
        """The kubectl name of an existing object that virt-controller owns."""
        done = self.create(manifest, namespace=namespace)
        assert done.returncode == 0, done.stderr
        return f"{manifest['kind']}/{manifest['metadata']['name']}"

    def patch(
        self, name: str, patch: Manifest, user: str = TENANT, *flags: str, namespace: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return self._kubectl(namespace, "patch", name, f"--as={user}", "--type=merge", "-p", json.dumps(patch), *flags)

    def _kubectl(self, namespace: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.plane.client.kubectl("-n", namespace or self.namespace, *arguments, stdin=stdin, check=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """KubeVirt in namespace `virt` with its accounts, and a tenant who may write VMs in some namespaces."""
    folder = tmp_path_factory.mktemp("carried")
    policy = folder / "policy.yaml"
    policy.write_text(yaml.safe_dump({"namespaces": [{"names": [DENYING], "hotplug": "deny"}]}))
    with ControlPlane(crds=crds.OWN) as plane:
        client = plane.client
        tenants = (client.create_namespace("tenant"), DENYING, *USUAL)
        for tenant in ("virt", *tenants[1:]):
            metadata = {"name": tenant}
            client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        for tenant in ("virt", *tenants):
            client.kubectl(
                "-n", tenant, "create", "rolebinding", "tenant", "--clusterrole=cluster-admin", f"--user={TENANT}"
            )
        for user in (CONTROLLER, VIRT_API):
            name = user.rpartition(":")[2]
            client.kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", f"--user={user}")
        kubevirt = named("kubevirt.io/v1", "KubeVirt", "kubevirt", {"configuration": {}}, namespace="virt")
        kubevirt["status"] = {"observedKubeVirtVersion": "v1.9.0"}
        client.kubectl("create", "-f", "-", stdin=json.dumps(kubevirt))
        client.kubectl(
            "-n",
            "virt",
            "patch",
            "kubevirt/kubevirt",
            "--subresource=status",
            "--type=merge",
            "-p",
            json.dumps({"status": kubevirt["status"]}),
        )
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        for tenant in tenants:
            for name in ("single", "restored"):
                claim = named("v1", "PersistentVolumeClaim", name, spec)
                client.kubectl("-n", tenant, "create", "-f", "-", stdin=json.dumps(claim))
        with serving(plane, folder / "tls", "--policy", str(policy)) as server:
            install_hooks(plane, server, timeout_seconds=20)
            yield Cluster(plane, tenants[0])


def test_an_annotation_of_a_vmi_exempts_nothing(cluster: Cluster) -> None:
    """
    A VMI with the annotation of a migration target is judged, because a user can remove the annotation afterwards.
    """
    receiver = vmi("receiver", USB, annotations={"kubevirt.io/create-migration-target": "true"})

    done = cluster.create(receiver)

    assert (done.returncode, "LM301" in done.stderr) == (1, True)


@pytest.mark.parametrize("namespace", USUAL)
def test_no_namespace_is_exempt_because_of_its_name(cluster: Cluster, namespace: str) -> None:
    """
    A tenant can own a namespace with any of the usual names.
    """
    done = cluster.create(vm("usual", USB), namespace=namespace)

    assert (done.returncode, "LM301" in done.stderr) == (1, True)


def test_the_namespace_of_the_kubevirt_cr_is_exempt(cluster: Cluster) -> None:
    """
    The server knows it from the KubeVirt CR, whatever it is called.
    """
    assert cluster.create(vm("platform", USB), namespace="virt").returncode == 0


def test_a_clone_is_judged_and_the_vm_of_a_pool_is_not(cluster: Cluster) -> None:
    """
    virt-controller creates both; a clone carries the patches of a tenant, and a pool was judged itself.
    """
    owner = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "p", "uid": "1"}

    clone = cluster.create(vm("clone", USB, annotations={RESTORED: "a"}), CONTROLLER)
    pooled = cluster.create(vm("p-0", USB, ownerReferences=[owner | {"controller": True}]), CONTROLLER)

    assert (clone.returncode, "LM301" in clone.stderr) == (1, True)
    assert (pooled.returncode, pooled.stderr) == (0, "")


def test_a_restored_vm_that_names_a_pool_is_judged(cluster: Cluster) -> None:
    """
    A patch of the restore might have written the owner.
    """
    owner = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "p", "uid": "1"}
    restored = vm("p-1", USB, annotations={RESTORED: "a"}, ownerReferences=[owner | {"controller": True}])

    done = cluster.create(restored, CONTROLLER)

    assert (done.returncode, "LM301" in done.stderr) == (1, True)


def test_a_restore_may_not_add_a_violation_to_a_vm(cluster: Cluster) -> None:
    """
    A restore of a snapshot with a new violation is denied, and one without is admitted. Updates by virt-controller at
    the start of a VM pass.
    """
    name = cluster.made(vm("restored", HARMLESS))

    bad = cluster.patch(name, in_template(USB, annotations={RESTORED: "a"}), CONTROLLER)
    good = cluster.patch(name, in_template({"nodeSelector": {"a": "b"}}, annotations={RESTORED: "b"}), CONTROLLER)
    started = cluster.patch(name, in_template(USB), CONTROLLER)

    assert (bad.returncode, "LM301" in bad.stderr) == (1, True)
    assert (good.returncode, started.returncode) == (0, 0)


def on_claim(name: str, *volumes: str) -> Manifest:
    sources = [{"name": volume, "persistentVolumeClaim": {"claimName": name}} for volume in volumes]
    return HARMLESS | {"volumes": sources}


def test_a_restore_may_rename_the_claims_of_a_vm(cluster: Cluster) -> None:
    """
    A volume that was on a single-node claim before the policy is restored to another such claim; no other volume is.
    """
    owner = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "p", "uid": "1"}
    older = vm("older", on_claim("single", "disk"), ownerReferences=[owner | {"controller": True}])
    assert cluster.create(older, CONTROLLER).returncode == 0
    moved, more = (in_template(on_claim("restored", *names)) for names in (["disk"], ["disk", "more"]))
    mark = {"annotations": {RESTORED: "a"}}

    by_user = cluster.patch("vm/older", moved | {"metadata": mark})
    added = cluster.patch("vm/older", more | {"metadata": mark}, CONTROLLER)
    renamed = cluster.patch("vm/older", moved | {"metadata": mark}, CONTROLLER)

    assert (by_user.returncode, "LM201" in by_user.stderr) == (1, True)
    refusal = "".join(splitline for splitline in added.stderr.splitlines() if not splitline.startswith("Warning:"))
    assert (added.returncode, "volumes[1]" in refusal, "volumes[0]" in refusal) == (1, True, False)
    assert (renamed.returncode, "Warning: Migratable [LM201]:" in renamed.stderr) == (0, True)


CARRIERS = [("clone", "VirtualMachineClone"), ("snapshot", "VirtualMachineRestore")]
HOSTNAME = '{"op": "replace", "path": "/spec/template/spec/hostname", "value": "web"}'
OWNER = r'{"op": "add", "p\u0061th": "/metadata/ownerReferences", "value": [{"kind": "VirtualMachinePool"}]}'


@pytest.mark.parametrize(("group", "kind"), CARRIERS)
def test_a_patch_of_a_clone_or_restore_cannot_write_an_owner(cluster: Cluster, group: str, kind: str) -> None:
    """
    An escaped key in the path hides the owner from KubeVirt's own check, which compares text.
    """
    done = cluster.create(named(f"{group}.kubevirt.io/v1beta1", kind, "owned", {"patches": [HOSTNAME, OWNER]}))

    assert (done.returncode, "spec.patches[1]: path is outside /spec/" in done.stderr) == (1, True)


@pytest.mark.parametrize(("group", "kind"), CARRIERS)
def test_creating_a_clone_or_restore_with_patches_gives_a_warning(cluster: Cluster, group: str, kind: str) -> None:
    """
    kubectl prints where a denial of the patched VM will appear.
    """
    carrier = named(f"{group}.kubevirt.io/v1beta1", kind, "again", {"patches": [HOSTNAME]})

    done = cluster.create(carrier)

    assert done.returncode == 0
    assert "Warning: Migratable: the patched VM is judged when KubeVirt creates it" in done.stderr


def test_the_bridge_override_may_not_be_removed_from_a_vmi(cluster: Cluster) -> None:
    """
    The annotation that admitted the interface stays; a label beside it may change.
    """
    name = cluster.made(vmi("bridged", BRIDGE, annotations={OVERRIDE: ""}))

    labelled = cluster.patch(name, {"metadata": {"labels": {"a": "b"}}})
    removed = cluster.patch(name, {"metadata": {"annotations": {OVERRIDE: None}}})

    assert labelled.returncode == 0
    assert (removed.returncode, "LM101" in removed.stderr) == (1, True)


WAYS = {
    "addvolume of a VM, by its template": (
        VIRT_API,
        vm("vm-api", HARMLESS),
        in_template(PLUGGED),
        in_template(UNPLUGGED),
    ),
    "template of a running VM": (TENANT, vm("vm-user", HARMLESS), in_template(PLUGGED), in_template(UNPLUGGED)),
    "addvolume of a VMI": (VIRT_API, vmi("vmi-api", HARMLESS), {"spec": PLUGGED}, {"spec": UNPLUGGED}),
}


@pytest.mark.parametrize(("user", "manifest", "plug", "unplug"), WAYS.values(), ids=WAYS)
def test_each_way_to_plug_a_volume_follows_the_policy(
    cluster: Cluster, user: str, manifest: Manifest, plug: Manifest, unplug: Manifest
) -> None:
    """
    `hotplug: deny` refuses a claim that is not shared; by default it is a warning, and unplugging it passes.
    """
    running = {"status": {"created": True}}
    name = cluster.made(manifest)
    cluster.made(manifest, DENYING)
    if manifest["kind"] == "VirtualMachine":
        for namespace in ("", DENYING):
            assert cluster.patch(name, running, TENANT, "--subresource=status", namespace=namespace).returncode == 0

    denied = cluster.patch(name, plug, user, namespace=DENYING)
    plugged = cluster.patch(name, plug, user)
    unplugged = cluster.patch(name, unplug, user)

    assert (denied.returncode, "LM201" in denied.stderr) == (1, True)
    assert (plugged.returncode, "Warning: Migratable [LM201]:" in plugged.stderr) == (0, True)
    assert (unplugged.returncode, unplugged.stderr) == (0, "")


def test_a_plugged_volume_does_not_become_permanent(cluster: Cluster) -> None:
    """
    A volume that is admitted with a warning because it is hotpluggable is refused without the mark.
    """
    name = cluster.made(vm("permanent", HARMLESS))
    assert cluster.patch(name, {"status": {"created": True}}, TENANT, "--subresource=status").returncode == 0
    disk = {"domain": {"devices": {"disks": [{"name": "hot", "disk": {"bus": "virtio"}}]}}}

    plugged = cluster.patch(name, in_template(PLUGGED))
    permanent = cluster.patch(name, in_template(disk | on_claim("single", "hot")))

    assert (plugged.returncode, "Warning: Migratable [LM201]:" in plugged.stderr) == (0, True)
    assert (permanent.returncode, "LM201" in permanent.stderr) == (1, True)


def test_a_volume_request_that_replaces_another_follows_the_policy(cluster: Cluster) -> None:
    """
    The older way of `addvolume`: a request that replaces another one does not change the number of requests.
    """
    name = cluster.made(vm("requests", HARMLESS), DENYING)
    flags = ("--subresource=status",)
    removing = {"status": {"volumeRequests": [{"removeVolumeOptions": {"name": "hot"}}]}}
    source = {"persistentVolumeClaim": {"claimName": "single", "hotpluggable": True}}
    add = {"addVolumeOptions": {"name": "hot", "disk": {"name": "hot"}, "volumeSource": source}}

    removed = cluster.patch(name, removing, VIRT_API, *flags, namespace=DENYING)
    replaced = cluster.patch(name, {"status": {"volumeRequests": [add]}}, VIRT_API, *flags, namespace=DENYING)

    assert removed.returncode == 0
    assert (replaced.returncode, "LM201" in replaced.stderr) == (1, True)
