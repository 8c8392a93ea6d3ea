"""helm on a real API server: install, upgrade, rollback and uninstall. No pod runs, so the tests compare objects."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.chart_registry import serving
from tests.deploy.charts import CHART, RELEASE, template
from tests.deploy.helming import Helm
from tests.deploy.manifests import NAMESPACE, Manifest
from tools.release import archives, chart
from tools.release.__main__ import ROOT
from webhook import __version__

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/migratable-validate"
SERVING_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/migratable-serving-cert"
WEBHOOK = "virtualmachine.validate.migratable"
EVERYTHING: dict[str, Any] = {
    "failurePolicy": "Fail",
    "autoscaling": {"enabled": True},
    "backstop": {"enabled": True},
    "monitoring": {name: {"enabled": True} for name in ("serviceMonitor", "prometheusRule", "dashboard")},
    "audit": {
        "enabled": True,
        "watch": {"enabled": True},
        "shards": 4,
        "reportVolume": {"persistentVolumeClaim": {"claimName": "reports"}},
        "mergeSchedule": "@hourly",
    },
}
LIMITED: dict[str, Any] = {"audit": {"enabled": True, "namespaces": ["default", NAMESPACE]}}

EPOCH = 1_796_000_000
PASSING = ("events", "endpointslices", "componentstatuses")
"""Made by the API server itself, as are Leases of kube-system."""


@pytest.fixture
def helm(plane: ControlPlane, tmp_path: Path) -> Iterator[Helm]:
    """A cluster without us, and helm; what a test leaves is taken away."""
    plane.client.kubectl("create", "namespace", NAMESPACE, check=False)
    here = Helm(plane.client, tmp_path / "helm")
    yield here
    if here("list", "--short").strip():
        here.uninstall()


def everything(client: Client) -> set[str]:
    """The path of every object in the cluster."""
    names = set()
    groups = client.api("GET", "/apis").document["groups"]
    for version in ["api/v1", *(f"apis/{group['preferredVersion']['groupVersion']}" for group in groups)]:
        for resource in client.api("GET", f"/{version}").document["resources"]:
            if "list" not in resource["verbs"] or resource["name"] in PASSING:
                continue
            for item in client.api("GET", f"/{version}/{resource['name']}").document.get("items", ()):
                metadata = item["metadata"]
                if (resource["name"], metadata.get("namespace")) != ("leases", "kube-system"):
                    names.add(f"{resource['name']}/{metadata.get('namespace', '')}/{metadata['name']}")
    return names


def ours(client: Client) -> set[str]:
    """The same, without what helm remembers."""
    return {entry for entry in everything(client) if "/sh.helm.release." not in entry}


def policies(client: Client) -> set[str]:
    """When each validating webhook fails."""
    return {webhook["failurePolicy"] for webhook in client.api("GET", VALIDATING).document["webhooks"]}


def mounted_policy(client: Client) -> str:
    """The policy file that the server mounts."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/migratable"
    volumes = client.api("GET", path).document["spec"]["template"]["spec"]["volumes"]
    (name,) = (volume["configMap"]["name"] for volume in volumes if volume["name"] == "policy")
    return str(client.api("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}").document["data"]["policy.yaml"])


def identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


@pytest.mark.parametrize(
    "values",
    [{}, EVERYTHING, {"certificates": {"source": "cert-manager"}}, {"mode": "audit"}, LIMITED],
    ids=["as it comes", "with everything", "cert-manager", "audit", "audit of namespaces"],
)
def test_rendered_objects_are_installed(helm: Helm, values: dict[str, Any]) -> None:
    """
    The API server takes every object, and warns of none.
    """
    before = everything(helm.client)

    said = helm.install(values)

    made = {entry.partition("/")[0] for entry in everything(helm.client) - before}
    stored = json.loads(
        helm.client.kubectl("get", "-f", "-", "-o", "json", stdin=helm("get", "manifest", "migratable")).stdout
    )
    assert "STATUS: deployed" in said
    assert "warning" not in said.lower()
    assert sorted(map(identity, stored["items"])) == sorted(map(identity, template(values)))
    assert "pods" not in made


@pytest.mark.parametrize("form", ["tgz", "oci"])
def test_the_packed_chart_installs_the_objects_of_the_folder(helm: Helm, tmp_path: Path, form: str) -> None:
    """
    As `make release` packs it: as a file, and from a registry that got the OCI archive.
    """
    content = chart.packed(CHART, (ROOT / "CHANGELOG.md").read_text(), EPOCH)
    (tmp_path / "chart.tgz").write_bytes(content)
    with serving(archives.chart_layout(chart.metadata(CHART), content, EPOCH)) as address:
        place = [str(tmp_path / "chart.tgz")] if form == "tgz" else [address, "--plain-http", "--version", __version__]

        helm("install", RELEASE, *place, "--values", "-", values=EVERYTHING)

    manifest = helm("get", "manifest", RELEASE)
    stored = json.loads(helm.client.kubectl("get", "-f", "-", "-o", "json", stdin=manifest).stdout)
    in_package = [document for document in yaml.safe_load_all(manifest) if document is not None]
    assert sorted(in_package, key=identity) == sorted(template(EVERYTHING), key=identity)
    assert sorted(map(identity, stored["items"])) == sorted(map(identity, in_package))
    assert ("ValidatingWebhookConfiguration", "migratable-validate") in map(identity, in_package)


def test_uninstalling_leaves_nothing_behind(helm: Helm) -> None:
    """
    Of all kinds that the API server serves, every object that was not there before is gone.
    """
    before = everything(helm.client)
    helm.install(EVERYTHING)
    between = everything(helm.client)

    helm.uninstall()

    assert len(between - before) > 45
    assert everything(helm.client) == before


@pytest.mark.parametrize("how", ["--server-side=true", "--server-side=false"])
def test_an_upgrade_leaves_what_the_rotator_wrote(helm: Helm, how: str) -> None:
    """
    A certificate and the caBundles outlive it, also one to another failure policy.
    """
    client = helm.client
    helm.install({"mode": "warn"}, how)
    bundle = {"webhooks": [{"name": WEBHOOK, "clientConfig": {"caBundle": client.ca.bundle}}]}
    pair = {"data": {"tls.crt": "Y3J0", "tls.key": "a2V5"}}
    assert client.api("PATCH", VALIDATING, bundle, content_type=STRATEGIC).status == 200
    assert client.api("PATCH", SERVING_SECRET, pair, content_type=MERGE).status == 200

    helm.upgrade({"failurePolicy": "Fail"}, how)

    stored = {webhook["name"]: webhook for webhook in client.api("GET", VALIDATING).document["webhooks"]}
    assert stored[WEBHOOK]["clientConfig"]["caBundle"] == client.ca.bundle
    assert stored[WEBHOOK]["failurePolicy"] == "Fail"
    assert client.api("GET", SERVING_SECRET).document["data"] == pair["data"]


def policy_maps(client: Client) -> dict[str, dict[str, str]]:
    """Every policy that pods could mount."""
    items = client.api("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps").document["items"]
    return {item["metadata"]["name"]: item["data"] for item in items if item["metadata"]["name"] != "kube-root-ca.crt"}


def test_the_previous_policy_is_kept_for_one_upgrade(helm: Helm) -> None:
    """
    Pods of before may have to be made again while the new ones do not get ready; two upgrades later it is gone.
    """
    helm.install({"mode": "audit"})
    audit = policy_maps(helm.client)
    helm.upgrade({"mode": "warn"})
    with_warn = policy_maps(helm.client)

    helm.upgrade({})
    with_enforce = policy_maps(helm.client)
    helm.upgrade({})

    assert audit.items() < with_warn.items()
    assert with_enforce.keys() & with_warn.keys() == with_warn.keys() - audit.keys()
    assert (len(with_warn), len(with_enforce), len(policy_maps(helm.client))) == (2, 2, 1)
    assert mounted_policy(helm.client) in {
        policy_map["policy.yaml"] for policy_map in policy_maps(helm.client).values()
    }


def test_a_manual_change_stops_an_upgrade_without_force(helm: Helm) -> None:
    """
    Helm 4 applies on the server, where an edit conflicts; `--force-conflicts` puts back what the chart says.
    """
    client = helm.client
    helm.install({"failurePolicy": "Fail"})
    patch = '[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]'
    client.kubectl("patch", "validatingwebhookconfiguration", "migratable-validate", "--type=json", "-p", patch)
    edited = client.api("GET", VALIDATING).document["webhooks"][0]["name"]

    with pytest.raises(AssertionError, match="conflict occurred"):
        helm.upgrade({"failurePolicy": "Fail"})
    helm.upgrade({"failurePolicy": "Fail"}, "--force-conflicts")

    stored = {
        webhook["name"]: webhook["failurePolicy"] for webhook in client.api("GET", VALIDATING).document["webhooks"]
    }
    assert stored[edited] == "Fail"


def test_a_rollback_restores_policy_and_failure_policy(helm: Helm) -> None:
    """
    From `enforce` and Fail to `audit` and Ignore, in one command.
    """
    helm.install({"mode": "audit"})
    audit = (policies(helm.client), mounted_policy(helm.client))
    helm.upgrade({"failurePolicy": "Fail"})
    enforce = (policies(helm.client), mounted_policy(helm.client))

    helm("rollback", "migratable", "1")

    assert "Fail" in enforce[0]
    assert enforce[1] != audit[1]
    assert (policies(helm.client), mounted_policy(helm.client)) == audit
    assert audit[0] == {"Ignore"}


def test_an_upgrade_deletes_objects_that_are_switched_off(helm: Helm) -> None:
    """
    From the rotator to cert-manager, and back: the rights of the one that is not used are gone.
    """
    helm.install({})
    with_rotator = ours(helm.client)

    helm.upgrade({"certificates": {"source": "cert-manager"}})
    with_cert_manager = ours(helm.client)
    helm.upgrade({})

    assert {entry.partition("/")[0] for entry in with_rotator - with_cert_manager} == {
        "clusterrolebindings",
        "clusterroles",
        "deployments",
        "leases",
        "networkpolicies",
        "rolebindings",
        "roles",
        "secrets",
        "serviceaccounts",
    }
    assert {entry.partition("/")[0] for entry in with_cert_manager - with_rotator} == {"certificates", "issuers"}
    assert ours(helm.client) == with_rotator
