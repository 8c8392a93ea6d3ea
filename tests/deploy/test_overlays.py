"""The objects that kustomize renders from base and overlays."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.manifests import KUSTOMIZE, NAMESPACE, OVERLAYS, Manifest, find, of_kind, overlay, rendered
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Action, Policy, Profile

pytestmark = pytest.mark.apiserver  # for kubectl, which comes with it

FAILING_CLOSED = {
    "virtualmachine",
    "virtualmachineinstancereplicaset",
    "virtualmachinepool",
    "virtualmachineinstance",
    "kubevirt",
    "hyperconverged",
    "migrationpolicy",
    "networkattachmentdefinition",
}
ALWAYS_OPEN = {
    "kubevirt-by-hyperconverged",
    "networkattachmentdefinition-delete",
    "patched-virtualmachine",
    "virtualmachine-hotplug",
    "virtualmachine-on-behalf",
    "virtualmachineinstance-update",
}


def deployments(objects: tuple[Manifest, ...]) -> dict[str, Manifest]:
    return {deployment["metadata"]["name"]: deployment for deployment in of_kind(objects, "Deployment")}


def pod_of(objects: tuple[Manifest, ...], name: str) -> Manifest:
    spec: Manifest = deployments(objects)[name]["spec"]["template"]["spec"]
    return spec


def policy_of(name: str) -> Policy:
    (config,) = of_kind(overlay(name), "ConfigMap")
    return parse_policy(config["data"]["policy.yaml"].encode(), name)


@pytest.mark.parametrize("name", OVERLAYS)
def test_only_enforce_fails_closed(name: str) -> None:
    """
    Only requests of users can be refused without a response: no status, deletion or default.
    """
    policies = {
        webhook["name"].partition(".")[0]: webhook["failurePolicy"]
        for webhook in find(overlay(name), "ValidatingWebhookConfiguration", "migratable-validate")["webhooks"]
    }
    (mutating,) = of_kind(overlay(name), "MutatingWebhookConfiguration")

    closed = FAILING_CLOSED if name == "enforce" else set()
    assert policies == {
        hook_name: "Fail" if hook_name in closed else "Ignore" for hook_name in FAILING_CLOSED | ALWAYS_OPEN
    }
    assert {webhook["failurePolicy"] for webhook in mutating["webhooks"]} == {"Ignore"}


@pytest.mark.parametrize("name", ["audit", "warn"])
def test_before_enforce_no_rule_denies(name: str) -> None:
    """
    It is the strict policy, held back: so metrics tell what `enforce` will refuse.
    """
    expected = Policy(profile=Profile.STRICT, at_most=Action(name), default_migration_settings=False)

    assert policy_of(name) == expected


def test_enforce_has_the_built_in_policy() -> None:
    """
    The same that the command line has without a policy file.
    """
    assert policy_of("enforce") == Policy()


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_server_reads_the_policy_of_its_overlay(name: str) -> None:
    """
    Another policy is a ConfigMap of another name, so the Deployment rolls.
    """
    (config,) = of_kind(overlay(name), "ConfigMap")

    volumes = {volume["name"]: volume for volume in pod_of(overlay(name), "migratable")["volumes"]}

    others = {of_kind(overlay(other), "ConfigMap")[0]["metadata"]["name"] for other in OVERLAYS if other != name}
    assert volumes["policy"]["configMap"]["name"] == config["metadata"]["name"]
    assert config["metadata"]["name"] not in others


def test_overlays_differ_in_nothing_else() -> None:
    """
    Going from audit to enforce changes when the webhooks fail and what the policy says.
    """
    deciding = ("ValidatingWebhookConfiguration", "ConfigMap")

    def rest(name: str) -> list[str]:
        (config,) = of_kind(overlay(name), "ConfigMap")
        others = [manifest for manifest in overlay(name) if manifest["kind"] not in deciding]
        return [yaml.safe_dump(manifest).replace(config["metadata"]["name"], "policy") for manifest in others]

    assert rest("audit") == rest("warn") == rest("enforce") == rest_of_base()


def rest_of_base() -> list[str]:
    base = rendered("base")
    (config,) = of_kind(base, "ConfigMap")
    others = [manifest for manifest in base if manifest["kind"] not in ("ValidatingWebhookConfiguration", "ConfigMap")]
    return [yaml.safe_dump(manifest).replace(config["metadata"]["name"], "policy") for manifest in others]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_object_has_the_name_and_the_namespace_of_migratable(name: str) -> None:
    """
    One label finds all that was installed.
    """
    cluster_wide = {
        "Namespace",
        "PriorityClass",
        "ClusterRole",
        "ClusterRoleBinding",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    }

    marks = {
        (manifest["metadata"].get("namespace"), manifest["metadata"]["labels"]["app.kubernetes.io/name"])
        for manifest in overlay(name)
        if manifest["kind"] not in cluster_wide
    }
    labels = {
        manifest["metadata"]["labels"]["app.kubernetes.io/name"] for manifest in of_kind(overlay(name), *cluster_wide)
    }

    assert marks == {(NAMESPACE, "migratable")}
    assert labels == {"migratable"}


@pytest.mark.parametrize("name", ["migratable", "migratable-rotator"])
def test_pods_have_restricted_rights(name: str) -> None:
    """
    Neither root nor a writable root, no capability, a token that ends soon, memory limited and CPU not.
    """
    pod = pod_of(overlay("enforce"), name)
    (container,) = pod["containers"]
    tokens = [
        source["serviceAccountToken"]["expirationSeconds"]
        for volume in pod["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
        if "serviceAccountToken" in source
    ]

    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert list(container["resources"]["limits"]) == ["memory"]
    assert (pod["automountServiceAccountToken"], tokens) == (False, [3600])


def test_the_server_stays_available_during_rollouts_and_drains() -> None:
    """
    Two replicas on two nodes, one of which may go, and a rollout that adds before it takes.
    """
    server = deployments(overlay("enforce"))["migratable"]["spec"]
    (budget,) = of_kind(overlay("enforce"), "PodDisruptionBudget")
    pod = server["template"]["spec"]

    assert (server["replicas"], server["strategy"]["rollingUpdate"]["maxUnavailable"]) == (2, 0)
    assert budget["spec"]["minAvailable"] == 1
    assert budget["spec"]["selector"] == server["selector"]
    assert [constraint["topologyKey"] for constraint in pod["topologySpreadConstraints"]] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert all(constraint["labelSelector"] == server["selector"] for constraint in pod["topologySpreadConstraints"])
    # drain: 10 s of answers, then what is left of the work
    assert pod["terminationGracePeriodSeconds"] == 30


def test_the_rotator_has_no_port() -> None:
    """
    It mounts no certificate, opens no port, and admits no ingress.
    """
    objects = overlay("enforce")
    pod = pod_of(objects, "migratable-rotator")
    (container,) = pod["containers"]
    policy = find(objects, "NetworkPolicy", "migratable-rotator")["spec"]

    assert "ports" not in container
    assert [volume["name"] for volume in pod["volumes"]] == ["token", "tmp"]
    assert (policy["policyTypes"], policy.get("ingress")) == (["Ingress", "Egress"], [])


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("migratable", [(None, [("TCP", 443), ("TCP", 6443), ("TCP", 8443)])]),
        (
            "migratable-rotator",
            [
                (None, [("TCP", 443), ("TCP", 6443), ("TCP", 8443)]),
                ("server", [("TCP", 9443)]),
                (None, [("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)]),
            ],
        ),
    ],
)
def test_pods_have_restricted_egress(name: str, places: list[Any]) -> None:
    """
    To the API server, by its usual ports; the rotator to the servers besides, whose names it has to look up.
    """
    rules = find(overlay("enforce"), "NetworkPolicy", name)["spec"]["egress"]

    allowed = []
    for rule in rules:
        pods = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule.get("to", [])]
        allowed.append((pods[0] if pods else None, [(port["protocol"], port["port"]) for port in rule["ports"]]))

    assert allowed == places


def test_network_policies_name_ports_by_number() -> None:
    """
    Those of the container, each once; what enforces NetworkPolicies takes a name for every port, or for none.
    """
    objects = overlay("enforce")
    (container,) = pod_of(objects, "migratable")["containers"]

    opened = [
        port["port"]
        for rule in find(objects, "NetworkPolicy", "migratable")["spec"]["ingress"]
        for port in rule["ports"]
    ]

    assert opened == [port["containerPort"] for port in container["ports"]]
    for policy in of_kind(objects, "NetworkPolicy"):
        rules = (*policy["spec"]["ingress"], *policy["spec"]["egress"])
        assert {type(port["port"]) for rule in rules for port in rule["ports"]} == {int}


def test_services_lead_to_the_ports_of_the_server() -> None:
    """
    Two are called at 443; the third is for asking each replica, where it is.
    """
    objects = overlay("enforce")
    (container,) = pod_of(objects, "migratable")["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    reached = {
        service["metadata"]["name"]: [(port["port"], ports[port["targetPort"]]) for port in service["spec"]["ports"]]
        for service in of_kind(objects, "Service")
    }

    assert reached == {
        "migratable": [(443, 9443)],
        "migratable-api": [(443, 8443)],
        "migratable-replicas": [(9443, 9443), (8080, 8080)],
    }


def test_secrets_are_installed_empty() -> None:
    """
    A key in a manifest would be put back by each `kubectl apply`, over the one that the rotator wrote.
    """
    secrets = of_kind(overlay("enforce"), "Secret")

    assert {secret["metadata"]["name"]: secret.get("data") for secret in secrets} == {
        "migratable-ca": None,
        "migratable-serving-cert": None,
    }


def test_the_component_of_addresses_restricts_the_admission_port(tmp_path: Path) -> None:
    """
    Addresses are written into the first door, which is that of admission, and into no other; the rotator may look in.
    """
    component: dict[str, Any] = yaml.safe_load(
        (KUSTOMIZE / "components" / "api-server-addresses" / "kustomization.yaml").read_text()
    )
    (patch,) = component["patches"]
    (operation,) = yaml.safe_load(patch["patch"])

    (first, *others) = find(overlay("enforce"), "NetworkPolicy", "migratable")["spec"]["ingress"]

    let_in = [source["podSelector"]["matchLabels"] for source in operation["value"] if "podSelector" in source]
    rotator = find(overlay("enforce"), "Deployment", "migratable-rotator")["spec"]["template"]["metadata"]["labels"]
    assert operation["path"] == "/spec/ingress/0/from"
    assert [labels.items() <= rotator.items() for labels in let_in] == [True]
    assert first == {"ports": [{"port": 9443, "protocol": "TCP"}]}
    assert all("from" in other for other in others)
