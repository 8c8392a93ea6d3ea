"""Volumes with a real API server: the claims of a volume migration, and templates that share a name or a claim."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.client import Reply
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import install_hooks, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

Manifest = dict[str, Any]

MIGRATION = {"updateVolumesStrategy": "Migration"}


class Cluster:
    """A control plane behind the webhook, with a shared claim and two that one node alone can use."""

    def __init__(self, plane: ControlPlane) -> None:
        self.client = plane.client
        self.tenant = plane.client.create_namespace("tenant")
        self.vms = f"/apis/kubevirt.io/v1/namespaces/{self.tenant}/virtualmachines"
        for name, mode in (("shared", "ReadWriteMany"), ("local", "ReadWriteOnce"), ("local-2", "ReadWriteOnce")):
            body = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": name, "namespace": self.tenant},
                "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}},
            }
            self.client.create(f"/api/v1/namespaces/{self.tenant}/persistentvolumeclaims", body)

    def create(self, name: str, *volumes: Manifest, **spec: Any) -> Reply:
        return self.client.api("POST", self.vms, self.vm(name, *volumes, **spec))

    def vm(self, name: str, *volumes: Manifest, **spec: Any) -> Manifest:
        devices = {"autoattachPodInterface": False}
        return {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "metadata": {"name": name, "namespace": self.tenant},
            "spec": {
                "runStrategy": "Always",
                "template": {"spec": {"domain": {"devices": devices}, "volumes": list(volumes)}},
                **spec,
            },
        }

    def move(self, name: str, claim: str, **spec: Any) -> Reply:
        """Puts another claim behind the VM's volume."""
        changes = {"spec": {"template": {"spec": {"volumes": [on_claim(claim)]}}, **spec}}
        return self.client.api("PATCH", f"{self.vms}/{name}", changes, content_type="application/merge-patch+json")

    def write_status(self, name: str, status: Manifest) -> None:
        path = f"{self.vms}/{name}/status"
        reply = self.client.api("PATCH", path, {"status": status}, content_type="application/merge-patch+json")
        assert reply.status == 200, reply.document


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("volumes")
    with ControlPlane(crds=crds.OWN) as plane, serving(plane, folder / "tls") as server:
        install_hooks(plane, server, timeout_seconds=20)
        made = Cluster(plane)
        probe = made.vm("probe", on_claim("local-2"))
        path = f"{made.vms}?dryRun=All"
        wait_until(
            lambda: made.client.api("POST", path, probe).status == 422, PATIENCE_SECONDS, "the claims to be known"
        )
        yield made


def on_claim(name: str) -> Manifest:
    return {"name": "os", "persistentVolumeClaim": {"claimName": name}}


def on_template(name: str) -> Manifest:
    return {"name": "os", "dataVolume": {"name": name}}


def template(name: str, mode: str) -> Manifest:
    return {"metadata": {"name": name}, "spec": {"storage": {"accessModes": [mode]}}}


def replacing(claim: str, *conditions: Manifest) -> Manifest:
    """A status as virt-controller writes it while it copies the VM's volume."""
    volume = {"volumeName": "os", "sourcePVCInfo": {"claimName": claim}, "destinationPVCInfo": {"claimName": "shared"}}
    state = {"volumeMigrationState": {"migratedVolumes": [volume]}}
    return {"created": True, "ready": True, "volumeUpdateState": state, "conditions": list(conditions)}


def codes(reply: Reply) -> list[str]:
    """The rules that a refusal names."""
    causes = reply.document.get("details", {}).get("causes", [])
    return [cause["message"].rpartition("[")[2].split()[0] for cause in causes]


def test_a_volume_migration_allows_only_the_return_to_an_old_claim(cluster: Cluster) -> None:
    """
    A halted or running VM cannot move to a single-node claim by writing ``updateVolumesStrategy: Migration``. While
    KubeVirt replaces such a claim, the VM may return to it. After the migration, the VM may not.
    """
    assert cluster.create("moving", on_claim("shared")).status == 201
    halted = cluster.move("moving", "local", runStrategy="Halted", **MIGRATION)
    running = cluster.move("moving", "local", **MIGRATION)

    cluster.write_status("moving", replacing("local", {"type": "VolumesChange", "status": "True"}))
    elsewhere = cluster.move("moving", "local-2", **MIGRATION)
    back = cluster.move("moving", "local", **MIGRATION)

    assert cluster.move("moving", "shared", **MIGRATION).status == 200
    cluster.write_status("moving", replacing("local"))
    later = cluster.move("moving", "local", **MIGRATION)

    assert [codes(vm_object) for vm_object in (halted, running, elsewhere, later)] == [["LM201"]] * 4
    assert back.status == 200
    assert any("LM201" in warning for warning in back.warnings)


def test_the_first_of_two_templates_with_one_name_counts(cluster: Cluster) -> None:
    """
    An API server stores such a list. KubeVirt creates the first entry, so a shared claim in a later entry changes
    nothing.
    """
    shared, local = template("twice", "ReadWriteMany"), template("twice", "ReadWriteOnce")

    hidden = cluster.create("hidden", on_template("twice"), dataVolumeTemplates=[local, shared])
    harmless = cluster.create("harmless", on_template("twice"), dataVolumeTemplates=[shared, local])
    one = cluster.create("one", on_template("twice"), dataVolumeTemplates=[shared])

    assert sorted(codes(hidden)) == ["LM201", "LM208"]
    assert codes(harmless) == ["LM208"]
    assert one.status == 201


def test_an_existing_claim_that_overrides_its_template_gives_a_warning(cluster: Cluster) -> None:
    """
    KubeVirt uses the existing claim, so the VM is admitted. The warning names the template.
    """
    made = cluster.create("covered", on_template("shared"), dataVolumeTemplates=[template("shared", "ReadWriteOnce")])

    assert made.status == 201
    assert [
        warning
        for warning in made.warnings
        if re.fullmatch(r"Migratable \[LM209\]: .*\(spec\.dataVolumeTemplates\[0\].*\)", warning)
    ]
