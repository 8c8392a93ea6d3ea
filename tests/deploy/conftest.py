"""A separate control plane for these tests, because their objects would affect other tests."""

import json
from collections.abc import Iterator

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.deploy.manifests import CRDS, built_with, of_kind, overlay
from tests.deploy.recorder import recording
from tests.deploy.webhook_calls import DEFAULT, KUBEVIRT_NAMESPACE, NAD, TENANT, Cluster, install, rights


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other module of tests has seen."""
    with ControlPlane(crds=CRDS) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The webhooks of overlay enforce in force, accounts of KubeVirt, and a tenant's account of the same name."""
    client = plane.client
    for namespace in (TENANT, KUBEVIRT_NAMESPACE):
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    client.kubectl("apply", "-f", "-", stdin=json.dumps(rights()))
    with recording(plane.ca) as recorder:
        for configuration in of_kind(overlay("enforce"), "ValidatingWebhookConfiguration"):
            install(client, recorder, configuration, "validating", NAD)
        defaulting = built_with(tmp_path_factory.mktemp("kustomize"), ["default-eviction-strategy"])
        for configuration in of_kind(defaulting, "MutatingWebhookConfiguration"):
            install(client, recorder, configuration, "mutating", DEFAULT)
        yield Cluster(client, recorder)
