"""
Requests that are never blocked, while all replicas are down, hang, or return invalid responses, under failurePolicy Fail.

N1 to N4 and N6 to N11; N5 and N12 need a replica that judges. All requests go through kubectl.
"""

import copy
import json
from collections.abc import Iterator

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.standin import StandIn
from tests.apiserver.unavailable import (
    ACCOUNTS,
    COLLECTOR,
    CONTROLLER,
    HANDLER,
    HOT,
    HYPER_CONVERGED,
    KINDS,
    KUBEVIRT,
    NAMESPACES,
    OPERATOR,
    RESTORED,
    TEMPLATE,
    VIRT_API,
    Dark,
    fill,
    listed,
    made,
    migration,
    nad,
    pod,
    pool,
    replica_set,
    vm,
    vmi,
)
from tests.deploy.manifests import built_with, of_kind
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module", params=["own", "real"])
def plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """With the project's own small definitions, and with those that KubeVirt installs, where they are at hand."""
    definitions = crds.OWN if request.param == "own" else crds.real()
    if not definitions:
        pytest.skip(crds.NO_REAL)
    with ControlPlane(crds=definitions) as running:
        yield running


@pytest.fixture(scope="module")
def standin(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Every webhook that overlay enforce can have, all of which lead to the stand-in; KubeVirt's accounts and rights."""
    client = plane.client
    for name in (KUBEVIRT, "cdi", "migratable"):
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for user in ACCOUNTS:
        name = user.rpartition(":")[2]
        client.kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", f"--user={user}")
    configuration = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "spec": {"configuration": {}}}
    configuration["metadata"] = {"name": "kubevirt", "namespace": KUBEVIRT}
    client.kubectl("create", "-f", "-", stdin=json.dumps(configuration))
    with StandIn(plane.ca) as ill:
        folder = tmp_path_factory.mktemp("kustomize")
        manifests = built_with(folder, ["default-eviction-strategy", "excluded-namespaces"])
        for original in of_kind(manifests, "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            pointed = copy.deepcopy(original)
            for hook in pointed["webhooks"]:
                path = hook["clientConfig"]["service"]["path"]
                hook["clientConfig"] = {"url": f"https://127.0.0.1:{ill.port}{path}", "caBundle": plane.ca.bundle}
            client.create(f"/apis/admissionregistration.k8s.io/v1/{pointed['kind'].lower()}s", pointed)
        yield ill


@pytest.fixture(scope="module", params=["dead", "hanging", "junk"])
def dark(request: pytest.FixtureRequest, plane: ControlPlane, standin: StandIn) -> Iterator[Dark]:
    """One way of being ill, proven to be in force, and a namespace of its own."""
    namespace = plane.client.create_namespace(f"dark-{request.param}")
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/migratable-validate"
    stored = plane.client.api("GET", hooks).document
    plane.client.api("DELETE", hooks)
    standin.become("dead")
    path = f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines?dryRun=All"

    def status() -> int:
        return plane.client.api("POST", path, vm("probe")).status

    wait_until(lambda: status() == 201, PATIENCE_SECONDS, "the webhooks to be gone")
    fill(plane, namespace)
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        stored["metadata"].pop(field, None)
    plane.client.create(hooks.rpartition("/")[0], stored)
    wait_until(lambda: status() == 500, PATIENCE_SECONDS, "the webhooks to be in force")
    standin.become(request.param)
    yield Dark(plane, standin, namespace)
    standin.become("dead")


def test_requests_that_need_a_verdict_are_blocked_meanwhile(dark: Dark) -> None:
    """
    This proves that the webhooks are in force: no request that needs a verdict passes, whatever the replicas respond.
    """
    tries = 12 if dark.standin.state == "junk" else 1

    outcomes = [dark.kubectl("create", "-f", "-", stdin=vm(f"new-{number}")) for number in range(tries)]

    assert [outcome.returncode for outcome in outcomes] == [1] * tries
    # Kubernetes 1.30 reports a response that is no JSON without "failed calling webhook"
    assert all("Error from server (InternalError)" in outcome.stderr for outcome in outcomes)


def test_n2_updates_of_metadata_are_never_blocked(dark: Dark) -> None:
    """
    N2: labels, annotations, finalizers and owners of every kind that is judged.
    """
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1"}

    dark.assert_passes_unseen("label", *KINDS.split(), "team=a")
    dark.assert_passes_unseen("annotate", *KINDS.split(), "note=x")
    dark.assert_patches(KINDS, {"metadata": {"ownerReferences": [owner], "finalizers": ["example.com/hold"]}})
    dark.assert_patches(KINDS, {"metadata": {"finalizers": None}})
    dark.assert_passes_unseen("label", "-n", KUBEVIRT, "kubevirt/kubevirt", "team=a", "--overwrite")


def test_n3_updates_of_status_are_never_blocked(dark: Dark) -> None:
    """
    N3: writes of the status of all kinds by any account, including those that remove a plugged volume.
    """
    status = "--subresource=status"

    dark.assert_patches("vm/machine", {"status": {"ready": True}}, status, as_user=CONTROLLER)
    dark.assert_patches(
        "vm/machine", {"status": {"volumeRequests": [{"removeVolumeOptions": {"name": "hot"}}]}}, status
    )
    dark.assert_patches("vm/machine", {"status": {"volumeRequests": []}}, status, as_user=CONTROLLER)
    dark.assert_patches("vmirs/set vmpool/pool", {"status": {"replicas": 1}}, status, as_user=CONTROLLER)
    dark.assert_patches(
        "kubevirt/kubevirt", {"status": {"phase": "Deployed"}}, status, "-n", KUBEVIRT, as_user=OPERATOR
    )


def test_n3_plugging_a_volume_passes_without_a_replica(dark: Dark) -> None:
    """
    N3: a volume request is judged while a replica responds, and passes while none does.
    """
    volume = {"name": "more", "disk": {"name": "more"}, "volumeSource": {"dataVolume": {"name": "more"}}}
    body = json.dumps({"status": {"volumeRequests": [{"addVolumeOptions": volume}]}})

    dark.assert_passes("patch", "vm/doomed", "--subresource=status", "--type=merge", "-p", body)


def test_n4_updates_without_a_change_are_never_blocked(dark: Dark) -> None:
    """
    N4: the same manifest again by client-side apply, server-side apply or replacement, an empty patch, and an object
    that is being deleted.
    """
    same = listed([vm("machine"), replica_set("set"), pool("pool"), nad("network")])

    dark.assert_passes_unseen("apply", "-f", "-", stdin=same)
    dark.assert_passes_unseen("apply", "-f", "-", "--server-side", "--force-conflicts", stdin=same)
    dark.assert_passes_unseen("replace", "-f", "-", stdin=same)
    dark.assert_patches(KINDS, {})
    dark.assert_patches("vm/going", {"metadata": {"annotations": {"example.com/seen": "true"}}})
    dark.assert_patches("vm/going", {"spec": {"runStrategy": "Always"}})
    dark.assert_patches("vm/going", {"spec": {"template": {"spec": {"volumes": []}}}}, as_user=CONTROLLER)
    dark.assert_patches("vm/going", {"metadata": {"finalizers": None}})


def test_n6_starting_and_stopping_are_never_blocked(dark: Dark) -> None:
    """
    N6: through runStrategy and through running, in both directions, and from one field to the other.
    """
    for strategy in ("Always", "Halted", "Manual", "RerunOnFailure"):
        dark.assert_patches("vm/machine vm/doomed", {"spec": {"runStrategy": strategy}})
    for running in (True, False):
        dark.assert_patches("vm/old-style", {"spec": {"running": running}})
    dark.assert_patches("vm/old-style", {"spec": {"running": None, "runStrategy": "Always"}})
    dark.assert_passes_unseen(
        "apply", "-f", "-", "--server-side", "--force-conflicts", stdin=vm("drifted", runStrategy="Always")
    )
    dark.assert_passes_unseen("scale", "vmirs/set", "--replicas=0")
    dark.assert_patches("vmpool/pool", {"spec": {"replicas": 0}})


def test_n7_vmis_of_virt_controller_are_never_blocked(dark: Dark) -> None:
    """
    N7: VMIs that virt-controller creates for VMs, replica sets and pools, and its updates of the VM afterwards. While a
    replica responds, these VMIs get defaults, too.
    """
    kinds = ("VirtualMachine", "VirtualMachineInstanceReplicaSet", "VirtualMachinePool")
    owner = {"apiVersion": "kubevirt.io/v1", "name": "machine", "uid": "1", "controller": True}
    instances = [vmi(f"again-{number}", ownerReferences=[owner | {"kind": kind}]) for number, kind in enumerate(kinds)]
    revision = {"instancetype": {"name": "small", "revisionName": "machine-small-1"}}

    for instance in instances:
        dark.assert_passes("create", "-f", "-", as_user=CONTROLLER, stdin=instance)
    dark.assert_patches("vm/machine", {"spec": revision}, as_user=CONTROLLER)
    dark.assert_patches("vm/machine", {"spec": {"instancetype": None}}, as_user=CONTROLLER)


def test_n7_vms_of_pools_clones_and_restores_are_never_blocked(dark: Dark) -> None:
    """
    N7: VMs that virt-controller creates for a pool, a clone and a restore, and a restore of a VM that exists.
    """
    owner = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "pool", "uid": "1"}
    pooled, cloned, restored = vm("pool-0"), vm("cloned"), vm("restored")
    pooled["metadata"]["ownerReferences"] = [owner | {"controller": True}]
    for manifest in (cloned, restored):
        manifest["metadata"]["annotations"] = {RESTORED: "restore-1"}
    again = {"metadata": {"annotations": {RESTORED: "restore-2"}}, "spec": {"template": {"spec": {"volumes": [HOT]}}}}

    for changed in (pooled, cloned, restored):
        dark.assert_passes("create", "-f", "-", as_user=CONTROLLER, stdin=changed)
    dark.assert_passes("patch", "vm/restored", "--type=merge", "-p", json.dumps(again), as_user=CONTROLLER)
    dark.assert_patches("vm/pool-0", {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}, as_user=CONTROLLER)


def test_n8_plugging_and_unplugging_volumes_are_never_blocked(dark: Dark) -> None:
    """
    N8: `addvolume` and `removevolume` of a VM and of a VMI, and a volume that a user removes from a template.
    """
    plugged = {"spec": {"volumes": [TEMPLATE["spec"]["volumes"][0], HOT]}}
    unplugged = {"spec": {"volumes": TEMPLATE["spec"]["volumes"]}}

    for volumes in (plugged, unplugged):
        body = json.dumps({"spec": {"template": volumes}})
        dark.assert_passes("patch", "vm/plugged", "--type=merge", "-p", body, as_user=VIRT_API)
        dark.assert_passes("patch", "vmi/plugged", "--type=merge", "-p", json.dumps(volumes), as_user=VIRT_API)
    dark.assert_patches("vm/plugged", {"spec": {"template": {"spec": {"volumes": None}}}})


def test_n8_migrating_and_draining_are_never_blocked(dark: Dark) -> None:
    """
    N8: heartbeats, migrations, evictions, and the removal of volumes.
    """
    heartbeat = {"status": {"conditions": [{"type": "LiveMigratable", "status": "False"}]}}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "pod"}}
    path = f"/api/v1/namespaces/{dark.namespace}/pods/pod/eviction"

    dark.assert_patches("vmi/instance", heartbeat, as_user=HANDLER)
    dark.assert_patches("vmi/instance", {"spec": {"evictionStrategy": "LiveMigrate"}}, as_user=CONTROLLER)
    dark.assert_passes_unseen("create", "-f", "-", stdin=migration("away"))
    dark.assert_passes_unseen("label", "vmim/moving", "team=a")
    dark.assert_passes_unseen("delete", "vmim/doomed", "--wait=false")
    dark.assert_passes_unseen("create", "--raw", path, "-f", "-", stdin=eviction)


def test_n9_controllers_are_never_blocked(dark: Dark) -> None:
    """
    N9: the garbage collector, the namespace controller, and the operators of KubeVirt, HyperConverged and CDI.
    """
    configuration = {"spec": {"configuration": {"evictionStrategy": "LiveMigrate"}}}

    dark.assert_patches("vm/held", {"metadata": {"ownerReferences": None, "finalizers": None}}, as_user=COLLECTOR)
    dark.assert_passes_unseen("delete", "vm/held", "--wait=false", as_user=COLLECTOR)
    dark.assert_passes_unseen("delete", "net-attach-def/doomed", "--wait=false", as_user=NAMESPACES)
    dark.assert_patches("kubevirt/kubevirt", configuration, "-n", KUBEVIRT, as_user=OPERATOR)
    dark.assert_patches("kubevirt/kubevirt", {"spec": {"configuration": None}}, "-n", KUBEVIRT, as_user=OPERATOR)
    for body in (configuration, {"spec": {"configuration": None}}):
        patch = ("patch", "kubevirt/kubevirt", "--type=merge", "-p", json.dumps(body), "-n", KUBEVIRT)
        dark.assert_passes(*patch, as_user=HYPER_CONVERGED)


def test_n10_excluded_objects_are_never_blocked(dark: Dark) -> None:
    """
    N10: system namespaces, the namespace of Migratable and excluded ones, the parts of Migratable, webhook
    configurations, nodes and leases.
    """
    state = dark.standin.state
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"ours-{state}", "namespace": "migratable"}}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{state}"}}
    lease = made("coordination.k8s.io/v1", "Lease", f"lease-{state}", {"holderIdentity": "x"})
    lease["metadata"]["namespace"] = "migratable"

    for namespace in ("kube-system", "migratable"):
        dark.assert_passes_unseen("-n", namespace, "create", "-f", "-", stdin=vm(f"left-out-{state}"))
    dark.assert_passes(
        "-n", "cdi", "create", "-f", "-", stdin=vm(f"left-out-{state}")
    )  # its eviction strategy is filled in
    dark.assert_passes_unseen("-n", "migratable", "create", "-f", "-", stdin=listed([secret, lease, node]))
    dark.assert_passes_unseen(
        "label", f"node/node-{state}", "validatingwebhookconfiguration/migratable-validate", f"seen-{state}=true"
    )
    dark.assert_passes_unseen("create", "-f", "-", stdin=pod("another"))


def test_n11_a_vm_whose_claim_was_deleted_is_never_blocked(dark: Dark) -> None:
    """
    N11: a VM whose claim was deleted can be applied, labelled, started and stopped as before.
    """
    dark.assert_passes_unseen("delete", "pvc/os", "--wait=false")

    dark.assert_passes_unseen("apply", "-f", "-", "--server-side", "--force-conflicts", stdin=vm("doomed-too"))
    dark.assert_passes_unseen("label", "vm/doomed-too", "team=b")
    for strategy in ("Always", "Halted"):
        dark.assert_patches("vm/doomed-too", {"spec": {"runStrategy": strategy}})


def test_n1_deletions_are_never_blocked(dark: Dark) -> None:
    """
    N1: one object, all objects that a selector matches, all objects of a kind in one request, and the whole namespace.
    """
    machines = f"/apis/kubevirt.io/v1/namespaces/{dark.namespace}/virtualmachines"

    dark.assert_passes_unseen("delete", "vm/doomed", "vmi/doomed", "vmirs/doomed", "vmpool/doomed", "--wait=false")
    dark.assert_passes_unseen("delete", "--raw", machines)
    dark.assert_passes_unseen("delete", "vmi,vmirs,vmpool,vmim", "--selector=of=script", "--wait=false")
    dark.assert_passes_unseen("delete", f"namespace/{dark.namespace}", "--wait=false")


def test_n1_deleting_a_network_passes_without_a_replica(dark: Dark) -> None:
    """
    N1: the deletion of a network is judged, because migrations may use the network. It passes while no replica
    responds.
    """
    dark.assert_passes("delete", "net-attach-def/network", "--wait=false")
