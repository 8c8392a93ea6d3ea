"""The sources that may connect to the admission port, as helm finds them on a real API server."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.charts import CHART, RELEASE, refusal, template
from tests.deploy.charts import helm as run_helm
from tests.deploy.helming import Helm
from tests.deploy.manifests import NAMESPACE, Manifest, find
from tests.waiting import wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

GROUP = "config.openshift.io"
HOST_NETWORK = {"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/host-network": ""}}}
ROTATOR = {
    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "migratable", "app.kubernetes.io/component": "rotator"}}
}


@pytest.fixture(scope="module")
def helm(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    plane.client.kubectl("create", "namespace", NAMESPACE, check=False)
    return Helm(plane.client, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def openshift(helm: Helm) -> Iterator[Helm]:
    """A cluster with OpenShift's definitions."""
    kinds = {"networks": "Network", "infrastructures": "Infrastructure"}
    for plural, kind in kinds.items():
        helm.client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(plural, kind))
    for plural in kinds:
        wait_until(partial(is_served, helm.client, plural), 30, f"{plural} to be served")
    yield helm
    for plural in kinds:
        helm.client.kubectl("delete", "crd", f"{plural}.{GROUP}")


def is_served(client: Client, plural: str) -> bool:
    return client.api("GET", path(plural)).status == 200


def path(plural: str) -> str:
    return f"/apis/{GROUP}/v1/{plural}"


def definition(plural: str, kind: str) -> Manifest:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Cluster", "names": names, "versions": [version]},
    }


def says(client: Client, plural: str, kind: str, status: dict[str, Any]) -> None:
    """The cluster-wide object of a kind, as OpenShift's operators write it."""
    client.kubectl("delete", f"{plural}.{GROUP}", "cluster", "--ignore-not-found")
    client.create(
        path(plural),
        {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": "cluster"}, "status": status},
    )


def callers(helm: Helm, **network_policy: Any) -> list[Manifest] | None:
    """The peers that the admission port is open to; None where it is open to all."""
    said = helm(
        "install", RELEASE, str(CHART), "--dry-run=server", "--values", "-", values={"networkPolicy": network_policy}
    )
    manifests = [
        document for document in yaml.safe_load_all(said.partition("MANIFEST:")[2].partition("NOTES:")[0]) if document
    ]
    (first, *_) = find(tuple(manifests), "NetworkPolicy", "migratable")["spec"]["ingress"]
    assert first["ports"] == [{"port": 9443, "protocol": "TCP"}]
    peers: list[Manifest] | None = first.get("from")
    return peers


def test_without_known_addresses_the_port_is_open_to_every_api_server(helm: Helm) -> None:
    """
    The port stays open, because a wrong guess is an outage.
    """
    assert callers(helm) is None


def test_the_host_network_of_openshift_is_detected(openshift: Helm) -> None:
    """
    OVN-Kubernetes labels the traffic of the nodes' own network, on which OpenShift's API servers are.
    """
    says(openshift.client, "networks", "Network", {"networkType": "OVNKubernetes"})
    says(openshift.client, "infrastructures", "Infrastructure", {"controlPlaneTopology": "HighlyAvailable"})

    assert callers(openshift) == [HOST_NETWORK, ROTATOR]
    assert callers(openshift, apiServerAddresses=["192.0.2.10/32"]) == [
        {"ipBlock": {"cidr": "192.0.2.10/32"}},
        ROTATOR,
    ]
    assert callers(openshift, apiServers="open") is None


@pytest.mark.parametrize(
    ("network", "topology"),
    [("OVNKubernetes", "External"), ("Calico", "HighlyAvailable"), ("OVNKubernetes", None)],
    ids=["a hosted control plane", "another network plugin", "unknown"],
)
def test_without_a_labelled_host_network_the_port_stays_open(
    openshift: Helm, network: str, topology: str | None
) -> None:
    """
    Hosted API servers come from elsewhere, and other network plugins do not know the label.
    """
    says(openshift.client, "networks", "Network", {"networkType": network})
    says(openshift.client, "infrastructures", "Infrastructure", {"controlPlaneTopology": topology} if topology else {})

    assert callers(openshift) is None


def announce(client: Client, name: str, kind: str, *addresses: str) -> None:
    """An EndpointSlice of the Service kubernetes, as API servers write it where they are not on loopback."""
    body = {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": kind,
        "endpoints": [{"addresses": [address]} for address in addresses],
    }
    client.create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", body)


def test_addresses_of_the_endpoints_are_used_on_request(helm: Helm) -> None:
    """
    Each API server announces its own address in the EndpointSlices of the Service kubernetes.
    """
    announce(helm.client, "ours-v4", "IPv4", "192.0.2.10", "192.0.2.11")
    announce(helm.client, "ours-v6", "IPv6", "2001:db8::10")

    sources = callers(helm, apiServers="endpoints")

    cidrs = ("192.0.2.10/32", "192.0.2.11/32", "2001:db8::10/128")
    assert sources is not None
    assert [source for source in sources if source == ROTATOR or source["ipBlock"]["cidr"] in cidrs] == [
        *({"ipBlock": {"cidr": cidr}} for cidr in cidrs),
        ROTATOR,
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("networkPolicy.apiServers=auto", True),
        ("networkPolicy.enabled=false", True),
        ("networkPolicy.apiServerAddresses={192.0.2.10/32}", False),
        ("networkPolicy.apiServers=openshift", False),
        ("clientCertificates.configMap=ours", False),
    ],
)
def test_the_notes_warn_about_an_open_port(value: str, said: bool) -> None:
    """
    As long as neither addresses nor certificates keep pods out.
    """
    flags = ("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", "--set", value)

    notes = run_helm(*flags).stdout.partition("NOTES:")[2]

    assert ("Every pod can reach the admission port" in notes) == said


def test_endpoints_need_a_cluster() -> None:
    """
    `helm template` sees none, and refuses instead of writing a policy without API servers.
    """
    assert "Run helm against the cluster" in refusal({"networkPolicy": {"apiServers": "endpoints"}})


def test_values_of_an_earlier_chart_are_accepted() -> None:
    """
    `helm upgrade --reuse-values` has no values for new keys.
    """
    values = {"networkPolicy": {"apiServers": None, "apiServerAddresses": ["192.0.2.10/32"]}}

    (first, *_) = find(template(values), "NetworkPolicy", "migratable")["spec"]["ingress"]

    assert first["from"] == [{"ipBlock": {"cidr": "192.0.2.10/32"}}, ROTATOR]


def test_addresses_and_another_source_together_are_refused() -> None:
    """
    Addresses beside a choice that does not use them.
    """
    values = {"networkPolicy": {"apiServers": "open", "apiServerAddresses": ["192.0.2.10/32"]}}

    assert "Set apiServers to auto" in refusal(values)


def test_rendered_without_a_cluster_the_port_is_open() -> None:
    """
    Argo CD and `helm template` look nothing up.
    """
    (first, *_) = find(template({}), "NetworkPolicy", "migratable")["spec"]["ingress"]

    assert first == {"ports": [{"port": 9443, "protocol": "TCP"}]}
