"""HyperConverged CRs on a real API server: both API versions, defaults of the CRD, and the operator's own writes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.client import Reply
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import install_hooks, serving

pytestmark = pytest.mark.apiserver

GROUP = "/apis/hco.kubevirt.io"
NOTHING_STARTS = {"parallelMigrationsPerCluster": 0}
PLATFORM = "cnv"
"""A short name: a certificate limits the name of the operator's account."""
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("hyperconverged")
    with ControlPlane(crds=crds.OWN) as plane, serving(plane, folder / "tls") as server:
        plane.client.create(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLATFORM}}
        )
        install_hooks(plane, server, timeout_seconds=20)
        yield plane


@pytest.fixture
def namespace(plane: ControlPlane) -> str:
    return plane.client.create_namespace("platform")


def path(version: str, namespace: str) -> str:
    return f"{GROUP}/{version}/namespaces/{namespace}/hyperconvergeds"


def create(plane: ControlPlane, version: str, namespace: str, settings: Any) -> Reply:
    inner = {"liveMigrationConfig": settings}
    raw = {
        "apiVersion": f"hco.kubevirt.io/{version}",
        "kind": "HyperConverged",
        "metadata": {"name": "kubevirt-hyperconverged", "namespace": namespace},
        "spec": {"virtualization": inner} if version == "v1" else inner,
    }
    return plane.client.api("POST", path(version, namespace), raw)


def causes(reply: Reply) -> set[str]:
    return {cause["field"] for cause in reply.document["details"]["causes"]}


@pytest.mark.parametrize(
    ("version", "place"), [("v1beta1", "spec.liveMigrationConfig"), ("v1", "spec.virtualization.liveMigrationConfig")]
)
def test_a_bad_setting_is_denied_at_its_field(plane: ControlPlane, namespace: str, version: str, place: str) -> None:
    """
    The API server sends each version as it was written.
    """
    reply = create(plane, version, namespace, NOTHING_STARTS)

    assert reply.status == 422
    assert causes(reply) == {f"{place}.parallelMigrationsPerCluster"}


@pytest.mark.parametrize("version", ["v1beta1", "v1"])
def test_the_defaults_of_the_crd_are_admitted(plane: ControlPlane, namespace: str, version: str) -> None:
    """
    Labels and annotations can change afterwards, and a new bad setting is denied.
    """
    created = create(plane, version, namespace, {})
    name = f"{path(version, namespace)}/kubevirt-hyperconverged"
    labelled = plane.client.api("PATCH", name, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    inner = {"liveMigrationConfig": NOTHING_STARTS}
    spec = {"virtualization": inner} if version == "v1" else inner
    broken = plane.client.api("PATCH", name, {"spec": spec}, content_type=MERGE)

    assert created.status == 201, created.document
    assert labelled.status == 200, labelled.document
    assert broken.status == 422


def test_the_operator_writes_without_the_webhook(plane: ControlPlane) -> None:
    """
    The operator of another namespace is judged.
    """
    create(plane, "v1beta1", PLATFORM, {})
    patch = json.dumps({"spec": {"liveMigrationConfig": NOTHING_STARTS}})

    foreign, own = (
        plane.client.kubectl(
            *(
                "patch",
                "hyperconvergeds.v1beta1.hco.kubevirt.io",
                "kubevirt-hyperconverged",
                "-n",
                PLATFORM,
                "--type=merge",
                "-p",
                patch,
            ),
            check=False,
            kubeconfig=plane.client.kubeconfig(f"system:serviceaccount:{space}:hyperconverged-cluster-operator"),
        )
        for space in ("other", PLATFORM)
    )

    assert (foreign.returncode, "LM609" in foreign.stderr) == (1, True), foreign.stderr
    assert own.returncode == 0, own.stderr
