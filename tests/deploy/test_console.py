"""The pages for operators, as the chart installs them. test_parity compares them with kustomize."""

from typing import Any

import pytest

from tests.deploy.charts import refusal, template
from tests.deploy.granted import rights_of_account
from tests.deploy.manifests import Manifest, find, of_kind
from webhook.objects.fleet_kinds import DRAIN_KINDS
from webhook.objects.kinds import KINDS
from webhook.surfaces.api.console.sight import RESOURCES

pytestmark = pytest.mark.helm

CONSOLE = "migratable-console"
FACTS = {f"{verb} {kind.group}/{kind.plural}" for verb in ("list", "watch") for kind in KINDS}
NODES = {f"list {kind.group}/{kind.plural}" for kind in DRAIN_KINDS} - FACTS
REVIEWS = {
    "create authentication.k8s.io/tokenreviews",
    "create authorization.k8s.io/subjectaccessreviews",
}


def installed(**console: Any) -> tuple[Manifest, ...]:
    return template({"console": {"enabled": True, **console}})


def pod_of(objects: tuple[Manifest, ...]) -> Manifest:
    pod: Manifest = find(objects, "Deployment", CONSOLE)["spec"]["template"]["spec"]
    return pod


def test_the_chart_installs_no_pages_for_operators_by_default() -> None:
    """
    They need rights that admission does not need.
    """
    names = {manifest["metadata"]["name"] for manifest in template({})}

    assert not any("console" in name for name in names)


def test_the_account_may_read_what_the_pages_show_and_review_visitors() -> None:
    """
    It may write nothing, and read no Secret and no ConfigMap.
    """
    assert rights_of_account(installed(), CONSOLE) == {"": FACTS | NODES | REVIEWS}


def test_the_server_gets_no_right() -> None:
    """
    Each Deployment has an account of its own.
    """
    objects = installed()

    accounts = {
        deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"]["serviceAccountName"]
        for deployment in of_kind(objects, "Deployment")
    }
    assert rights_of_account(objects, "migratable") == rights_of_account(template({}), "migratable")
    assert accounts == {name: name for name in ("migratable", "migratable-rotator", CONSOLE)}


def test_the_role_for_people_has_the_permissions_that_decide_what_they_see() -> None:
    """
    Nothing is bound to it.
    """
    objects = installed()

    viewer = find(objects, "ClusterRole", "migratable-console-viewer")
    rights = {
        (group, plural) for rule in viewer["rules"] for group in rule["apiGroups"] for plural in rule["resources"]
    }
    bound = {binding["roleRef"]["name"] for binding in of_kind(objects, "ClusterRoleBinding", "RoleBinding")}
    assert rights == {(resource["group"], resource["resource"]) for resource in RESOURCES}
    assert {verb for rule in viewer["rules"] for verb in rule["verbs"]} == {"list"}
    assert "migratable-console-viewer" not in bound


def test_pods_of_the_pages_have_restricted_rights() -> None:
    """
    The same as those of the server.
    """
    pod, objects = pod_of(installed()), template({})
    server = find(objects, "Deployment", "migratable")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"] == server["securityContext"]
    assert container["securityContext"] == server["containers"][0]["securityContext"]
    assert list(container["resources"]["limits"]) == ["memory"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["volumes"] == server["volumes"]


def test_no_request_of_an_api_server_reaches_the_pages() -> None:
    """
    The pods have no admission port, and webhook configurations lead to the Service of the server.
    """
    objects = installed()

    (container,) = pod_of(objects)["containers"]
    hooks = of_kind(objects, "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
    called = {hook["clientConfig"]["service"]["name"] for one in hooks for hook in one["webhooks"]}
    selected = find(objects, "Service", "migratable")["spec"]["selector"]
    labels = find(objects, "Deployment", CONSOLE)["spec"]["template"]["metadata"]["labels"]
    assert "--admission-port=0" in container["args"]
    assert [port["name"] for port in container["ports"]] == ["api", "health"]
    assert called == {"migratable"}
    assert not selected.items() <= labels.items()


def test_only_labelled_namespaces_reach_the_pages() -> None:
    """
    Operators and ingress controllers reach the pages, and Prometheus the metrics.
    """
    ingress = find(installed(), "NetworkPolicy", CONSOLE)["spec"]["ingress"]

    sources = {
        port["port"]: source["namespaceSelector"]["matchLabels"]
        for rule in ingress
        for port in rule["ports"]
        for source in rule["from"]
    }
    assert sources == {8443: {"migratable/api-access": "true"}, 8080: {"migratable/metrics-access": "true"}}


def test_the_certificate_has_the_name_of_the_service() -> None:
    """
    Also with cert-manager.
    """
    rotator = find(installed(), "Deployment", "migratable-rotator")["spec"]["template"]["spec"]["containers"][0]
    objects = template({"console": {"enabled": True}, "certificates": {"source": "cert-manager"}})
    certificate = find(objects, "Certificate", "migratable-serving-cert")

    assert f"--service={CONSOLE}" in rotator["args"]
    assert f"{CONSOLE}.migratable.svc" in certificate["spec"]["dnsNames"]


def test_settings_reach_the_pods() -> None:
    """
    The release is that of the server, so that both judge alike.
    """
    objects = template(
        {
            "console": {"enabled": True, "replicas": 2, "allowedHosts": ["fleet.example"], "priorityClassName": "low"},
            "server": {"release": "1.9"},
        }
    )

    (container,) = pod_of(objects)["containers"]
    assert find(objects, "Deployment", CONSOLE)["spec"]["replicas"] == 2
    assert pod_of(objects)["priorityClassName"] == "low"
    assert {"--allowed-host=fleet.example", "--release=1.9", "--fleet-from-cluster"} <= {*container["args"]}


@pytest.mark.parametrize("values", [{"replicas": 0}, {"hosts": []}, {"allowedHosts": ["https://a"]}])
def test_values_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    """
    Before the installation.
    """
    assert "values don't meet the specifications" in refusal({"console": values})
