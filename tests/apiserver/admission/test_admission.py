"""
Admission through a real API server: the output of kubectl, the stored objects, and requests that are not sent to the
webhook.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.guarded import KUBEVIRT, LAB_NAD, Guarded, Manifest, denials, on_claim, spec, vm, vmi
from tests.apiserver.serving import install_hooks, serving
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.surfaces.admission.responses import certain_lead

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module", params=["own", "real"])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Once with the project's own small definitions, once with those that KubeVirt installs, where they are at hand."""
    definitions = crds.OWN if request.param == "own" else crds.real()
    if not definitions:
        pytest.skip(crds.NO_REAL)
    folder: Path = tmp_path_factory.mktemp("serve")
    policy = folder / "policy.yaml"
    policy.write_text("defaultEvictionStrategy: LiveMigrate\n")
    with ControlPlane(crds=definitions) as plane, serving(plane, folder / "tls", "--policy", str(policy)) as server:
        plane.client.create(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubevirt"}}
        )
        install_hooks(plane, server)
        ready = Guarded(plane, server)
        admitted = ready.apply(LAB_NAD)
        assert admitted.returncode == 0, admitted.stderr
        wait_until(lambda: ready.apply(KUBEVIRT).returncode == 0, PATIENCE_SECONDS, "the KubeVirt CR to be admitted")
        ready.claim("shared", "ReadWriteMany")
        ready.claim("single", "ReadWriteOnce")
        yield ready


VIOLATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "claim": (
        {"volumes": [on_claim("single")]},
        "volumes[0]",
        "Create a PVC with `accessModes: [ReadWriteMany]`",
    ),
    "bridge": (
        {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}},
        "domain.devices.interfaces[0]",
        "Write `masquerade: {}` instead of `bridge: {}`",
    ),
    "filesystem": (
        {
            "devices": {"filesystems": [{"name": "cm", "virtiofs": {}}]},
            "volumes": [{"name": "cm", "configMap": {"name": "cm"}}],
        },
        "domain.devices.filesystems[0]",
        "Attach the volume under domain.devices.disks",
    ),
    "hostDevice": (
        {"devices": {"hostDevices": [{"name": "usb", "deviceName": "kubevirt.io/usb"}]}},
        "domain.devices.hostDevices[0]",
        "Remove the entry from domain.devices.hostDevices",
    ),
    "gpu": (
        {"devices": {"gpus": [{"name": "gpu", "deviceName": "nvidia.com/A10"}]}},
        "domain.devices.gpus[0]",
        "Remove the entry from domain.devices.gpus",
    ),
    "ports": (
        {
            "devices": {
                "interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 49152}, {"port": 49153}]}]
            }
        },
        "domain.devices.interfaces[0].ports[0]",
        "Remove ports 49152 and 49153",
    ),
}


@pytest.mark.parametrize("version", ["v1", "v1alpha3"])
@pytest.mark.parametrize("make", [vm, vmi])
@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_is_denied_with_its_field_path_and_remedy(
    guarded: Guarded, violation: str, make: Any, version: str
) -> None:
    """
    Each violation of the fixed list is denied for VM and VMI, in v1 and v1alpha3, with the field and what to write instead.
    """
    changes, path, remedy = VIOLATIONS[violation]
    manifest = make("bad", guarded.tenant, version=version, **copy.deepcopy(changes))
    prefix = "spec.template.spec." if make is vm else "spec."

    done = guarded.apply(manifest)

    assert remedy in denials(done)[prefix + path]
    missing = guarded.client.kubectl("get", manifest["kind"], "bad", "-n", guarded.tenant, check=False)
    assert missing.returncode == 1


def test_a_vm_without_violations_is_admitted_without_output(guarded: Guarded) -> None:
    """
    A VM that can be live-migrated is admitted, also by server-side apply and in a dry run. kubectl prints no warning.
    """
    good = vm("good", guarded.tenant, volumes=[on_claim("shared")])

    outcomes = [
        guarded.apply(good, flags=("--dry-run=server",)),
        guarded.apply(good, flags=("--server-side",)),
        guarded.apply(good, flags=("--server-side",)),
    ]

    assert [(outcome.returncode, outcome.stderr) for outcome in outcomes] == [(0, "")] * 3


def test_a_dry_run_gets_the_same_response_and_stores_nothing(guarded: Guarded) -> None:
    """
    `--dry-run=server` denies what a request without it would deny.
    """
    bad = vm("dry", guarded.tenant, volumes=[on_claim("single")])

    done = guarded.apply(bad, flags=("--dry-run=server",))

    assert denials(done)["spec.template.spec.volumes[0]"].startswith("PVC 'single' is ReadWriteOnce, ")
    (line,) = done.stderr.splitlines()
    assert f"{certain_lead('VirtualMachine')} Reason: PVC 'single' is " in line
    assert "Create a PVC with `accessModes: [ReadWriteMany]`" in line


def test_defaults_appear_in_the_stored_object(guarded: Guarded) -> None:
    """
    The KubeVirt CR shows the settings in force, the VM the eviction strategy of the policy; what was written
    stays, and an object that cannot migrate gets no promise.
    """
    guarded.apply(vm("plain", guarded.tenant))
    guarded.apply(vm("chosen", guarded.tenant, evictionStrategy="None"))

    migrations = guarded.get("kubevirt", "kubevirt", "kubevirt")["spec"]["configuration"]["migrations"]
    plain = guarded.get("vm", "plain")["spec"]["template"]["spec"]["evictionStrategy"]
    chosen = guarded.get("vm", "chosen")["spec"]["template"]["spec"]["evictionStrategy"]

    assert migrations["network"] == "migration-network"
    assert migrations["parallelMigrationsPerCluster"] == 5
    assert migrations["parallelOutboundMigrationsPerNode"] == 2
    assert (plain, chosen) == ("LiveMigrate", "None")


def test_applying_the_same_manifest_again_changes_nothing(guarded: Guarded) -> None:
    """
    Defaulted fields belong to no manager of git: a second server-side apply shows no diff.
    """
    guarded.apply(KUBEVIRT, flags=("--server-side", "--force-conflicts"))
    before = guarded.get("kubevirt", "kubevirt", "kubevirt")["metadata"]["resourceVersion"]

    done = guarded.apply(KUBEVIRT, flags=("--server-side",))

    assert done.returncode == 0, done.stderr
    assert guarded.get("kubevirt", "kubevirt", "kubevirt")["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigration"]}}, "LM629"),
        ({"uninstallStrategy": "removeWorkloads"}, "LM648"),
        ({"imagePullPolicy": "always"}, "LM648"),
    ],
    ids=["update methods", "uninstall strategy", "pull policy"],
)
def test_an_update_of_another_judged_field_of_the_kubevirt_cr_is_judged(
    guarded: Guarded, changed: Manifest, rule: str
) -> None:
    """
    The API server sends the update although ``spec.configuration`` is the same.
    """
    patch = json.dumps({"spec": changed})

    done = guarded.client.kubectl(
        "patch", "kubevirt", "kubevirt", "-n", "kubevirt", "--type=merge", "--dry-run=server", "-p", patch
    )

    assert rule in done.stderr


def test_a_setting_that_cannot_work_is_denied(guarded: Guarded) -> None:
    """
    More migrations per node than in the cluster, and a migration network that does not exist, name their field.
    """
    outbound = copy.deepcopy(KUBEVIRT)
    outbound["spec"]["configuration"]["migrations"] |= {  # type: ignore[index]
        "parallelOutboundMigrationsPerNode": 9,
        "parallelMigrationsPerCluster": 3,
    }
    missing = copy.deepcopy(KUBEVIRT)
    missing["spec"]["configuration"]["migrations"]["network"] = "nowhere"  # type: ignore[index]

    too_many, no_network = guarded.apply(outbound), guarded.apply(missing)

    assert list(denials(too_many)) == ["spec.configuration.migrations.parallelOutboundMigrationsPerNode"]
    assert list(denials(no_network)) == ["spec.configuration.migrations.network"]


def test_a_migration_network_in_use_cannot_be_deleted(guarded: Guarded) -> None:
    """
    Deletion of the NetworkAttachmentDefinition that the KubeVirt CR names is denied. Another one can be deleted.
    """
    other = copy.deepcopy(LAB_NAD)
    other["metadata"]["name"] = "other"  # type: ignore[index]
    guarded.apply(other)

    used = guarded.client.kubectl("delete", "net-attach-def", "migration-network", "-n", "kubevirt", check=False)
    free = guarded.client.kubectl("delete", "net-attach-def", "other", "-n", "kubevirt", check=False)

    assert used.returncode == 1
    assert "spec.configuration.migrations.network" in used.stderr
    assert free.returncode == 0, free.stderr


def test_a_network_with_an_invalid_configuration_is_denied(guarded: Guarded) -> None:
    """
    A NetworkAttachmentDefinition whose config is not JSON is denied.
    """
    broken = copy.deepcopy(LAB_NAD)
    broken["metadata"]["name"] = "broken"  # type: ignore[index]
    broken["spec"]["config"] = '{"type": '  # type: ignore[index]

    done = guarded.apply(broken)

    assert list(denials(done)) == ["spec.config"]


@pytest.fixture
def old_sinner(guarded: Guarded, request: pytest.FixtureRequest) -> str:
    """The name of a VM with two violations that was stored before anybody judged it."""
    name = f"old-{abs(hash(request.node.name)) % 10**8}"
    made = vm(
        name,
        guarded.tenant,
        volumes=[on_claim("single")],
        devices={"hostDevices": [{"name": "usb", "deviceName": "kubevirt.io/usb"}]},
    )
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/migratable-validate"
    stored = guarded.client.api("GET", hooks).document
    guarded.client.api("DELETE", hooks)
    path = f"/apis/kubevirt.io/v1/namespaces/{guarded.tenant}/virtualmachines"
    wait_until(
        lambda: guarded.client.api("POST", f"{path}?dryRun=All", made).status == 201,
        PATIENCE_SECONDS,
        "the hook to be gone",
    )
    guarded.client.create(path, made)
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        stored["metadata"].pop(field, None)
    guarded.client.create(hooks.rpartition("/")[0], stored)
    probe = vm("probe", guarded.tenant, volumes=[on_claim("single")])
    wait_until(
        lambda: guarded.client.api("POST", f"{path}?dryRun=All", probe).status == 422,
        PATIENCE_SECONDS,
        "the hook to be back",
    )
    return name


def test_a_vm_with_an_old_violation_may_change_but_not_get_worse(guarded: Guarded, old_sinner: str) -> None:
    """
    A VM with an old violation can be labelled, started, stopped, partly repaired and deleted. A new violation is
    denied, and only the new one is named.
    """

    def patch(body: Any, kind: str = "merge") -> Any:
        return guarded.client.kubectl(
            "patch", "vm", old_sinner, "-n", guarded.tenant, "--type", kind, "-p", json.dumps(body), check=False
        )

    spec_path = "/spec/template/spec/domain/devices"
    labelled = guarded.client.kubectl("label", "vm", old_sinner, "-n", guarded.tenant, "team=a", check=False)
    started = patch({"spec": {"runStrategy": "Always"}})
    stopped = patch({"spec": {"runStrategy": "Halted"}})
    worse = patch([{"op": "add", "path": f"{spec_path}/gpus", "value": [{"name": "g", "deviceName": "a/b"}]}], "json")
    renamed_claim = patch(
        [{"op": "replace", "path": "/spec/template/spec/volumes/0", "value": on_claim("other")}], "json"
    )
    repaired = patch([{"op": "remove", "path": f"{spec_path}/hostDevices"}], "json")
    back = patch(
        [
            {
                "op": "add",
                "path": f"{spec_path}/hostDevices",
                "value": [{"name": "usb", "deviceName": "kubevirt.io/usb"}],
            }
        ],
        "json",
    )
    deleted = guarded.client.kubectl("delete", "vm", old_sinner, "-n", guarded.tenant, "--wait=false", check=False)

    assert [run.returncode for run in (labelled, started, stopped, repaired, deleted)] == [0, 0, 0, 0, 0]
    assert "Warning: Migratable [LM201]:" in repaired.stderr
    assert list(denials(worse)) == ["spec.template.spec.domain.devices.gpus[0]"]
    assert renamed_claim.returncode == 0  # a claim that does not exist yet is unproven: a warning
    assert list(denials(back)) == ["spec.template.spec.domain.devices.hostDevices[0]"]


def test_heartbeats_of_virt_handler_are_not_sent_to_the_webhook(guarded: Guarded) -> None:
    """
    A VMI has no status subresource. virt-handler writes its status by plain updates, and none of them is sent to the
    webhook.
    """
    name = "beating"
    assert guarded.apply(vmi(name, guarded.tenant)).returncode == 0
    before = _reviews(guarded, "VirtualMachineInstance", "UPDATE")

    for phase in ("Scheduled", "Running", "Succeeded"):
        patch = json.dumps({"status": {"phase": phase}})
        guarded.client.kubectl("patch", "vmi", name, "-n", guarded.tenant, "--type", "merge", "-p", patch)

    assert guarded.get("vmi", name)["status"]["phase"] == "Succeeded"
    assert _reviews(guarded, "VirtualMachineInstance", "UPDATE") == before == 0


def _reviews(guarded: Guarded, kind: str, operation: str) -> float:
    lines = [
        line
        for line in guarded.server.metrics().splitlines()
        if line.startswith("migratable_reviews_total{")
        and f'kind="{kind}"' in line
        and f'operation="{operation}"' in line
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def test_replica_sets_and_pools_are_judged_by_their_templates(guarded: Guarded) -> None:
    """
    A template that cannot migrate is denied with its own path.
    """
    bad = spec(devices={"interfaces": [{"name": "default", "bridge": {}}]})
    labels = {"matchLabels": {"a": "b"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": bad}
    replica_set = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": {"name": "rs", "namespace": guarded.tenant},
        "spec": {"replicas": 1, "selector": labels, "template": template},
    }
    pool = {
        "apiVersion": "pool.kubevirt.io/v1alpha1",
        "kind": "VirtualMachinePool",
        "metadata": {"name": "pool", "namespace": guarded.tenant},
        "spec": {
            "replicas": 1,
            "selector": labels,
            "virtualMachineTemplate": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"runStrategy": "Always", "template": template},
            },
        },
    }

    sets, pools = guarded.apply(replica_set), guarded.apply(pool)

    assert list(denials(sets)) == ["spec.template.spec.domain.devices.interfaces[0]"]
    assert list(denials(pools)) == ["spec.virtualMachineTemplate.spec.template.spec.domain.devices.interfaces[0]"]


def test_a_vmi_that_virt_controller_recreates_is_admitted(guarded: Guarded) -> None:
    """
    A VMI that virt-controller creates for a VM is never denied. The same VMI of another user is denied.
    """
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "x", "uid": "1", "controller": True}
    made = vmi("again", guarded.tenant, volumes=[on_claim("single")])
    made["metadata"]["ownerReferences"] = [owner]
    controller = guarded.client.kubeconfig("system:serviceaccount:kubevirt:kubevirt-controller", ("system:masters",))
    text = json.dumps(made)

    stranger = guarded.client.kubectl("create", "-f", "-", stdin=text, check=False)
    again = guarded.client.kubectl("create", "-f", "-", stdin=text, check=False, kubeconfig=controller)

    assert stranger.returncode == 1
    assert again.returncode == 0, again.stderr
