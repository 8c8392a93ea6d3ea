"""The pages show what kubectl prints with the webhook installed."""

import shlex
import subprocess
from collections.abc import Iterator

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.guarded import KUBEVIRT, Guarded
from tests.apiserver.serving import install_hooks, serving
from tests.docs.blocks import Block, blocks, steps
from tests.surfaces.running import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

BLOCKS = [
    block
    for page in ("docs/tenants.md", "docs/kind.md")
    for block in blocks(page, "console")
    if block.text.startswith("$ kubectl apply ")
]
"""Of these pages, each block that begins with kubectl apply."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster in which namespace `tenant` has no VM, and the KubeVirt CR sets no release."""
    with ControlPlane(crds=crds.OWN) as plane, serving(plane, tmp_path_factory.mktemp("serve") / "tls") as server:
        for name in ("kubevirt", "tenant"):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            plane.client.create("/api/v1/namespaces", namespace)
        install_hooks(plane, server)
        ready = Guarded(plane, server)
        cr = {**KUBEVIRT, "spec": {"configuration": {}}}
        wait_until(lambda: ready.apply(cr).returncode == 0, PATIENCE_SECONDS, "the KubeVirt CR to be admitted")
        yield plane


def remove_objects(cluster: ControlPlane) -> None:
    """Finalizers too, which no controller removes here."""
    kubectl = cluster.client.kubectl
    kubectl("delete", "vm,pvc", "--all", "-n", "tenant", "--wait=false")
    kubectl(
        "patch", "pvc", "web-os", "-n", "tenant", "--type=merge", '-p={"metadata":{"finalizers":null}}', check=False
    )


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_page_shows_the_output_of_kubectl(cluster: ControlPlane, block: Block) -> None:
    """
    With warnings in the order of a terminal. Each command finds no object of an earlier one.
    """
    [(command, output)] = steps(block)
    words = [f"{ROOT}/{word}" if "/" in word else word for word in shlex.split(command)[1:]]

    done = cluster.client.kubectl(*words, check=False, stderr=subprocess.STDOUT)

    remove_objects(cluster)
    assert done.stdout.replace(f"{ROOT}/", "") == output, f"{block}: $ {command}"
