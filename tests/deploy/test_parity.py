"""Helm and kustomize install the same objects for all options."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.charts import CHART, template, without_helms_labels
from tests.deploy.manifests import KUSTOMIZE, Manifest, built_with, of_kind

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]  # for kubectl, which comes with the one

BASE, AUDIT, WARN, ENFORCE = "base", "overlays/audit", "overlays/warn", "overlays/enforce"
FAIL = {"failurePolicy": "Fail"}
Identity = tuple[str, str, str]
MONITORING = {name: {"enabled": True} for name in ("serviceMonitor", "prometheusRule", "dashboard")}
EVICTION_STRATEGY = {"defaultEvictionStrategy": "LiveMigrate"}
CONSOLE = {"console": {"enabled": True}}
BOTH_AUDITS = {"enabled": True, "watch": {"enabled": True}}
SHARDS = {
    "enabled": True,
    "shards": 4,
    "reportVolume": {"persistentVolumeClaim": {"claimName": "migratable-audit"}},
    "mergeSchedule": "47 * * * *",
}
POLICY_NAME = re.compile(r"^(migratable-(?:audit-|audit-watch-)?policy)-[0-9a-z]{10}$")
ADDRESSES = ["192.0.2.10/32", "192.0.2.11/32"]


def values_file(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((CHART / name).read_text())
    return document


CHOICES = [
    pytest.param(BASE, [], {}, id="as it comes"),
    pytest.param(AUDIT, [], {"mode": "audit"}, id="audit"),
    pytest.param(WARN, [], {"mode": "warn"}, id="warn"),
    pytest.param(ENFORCE, [], FAIL, id="enforce"),
    pytest.param(ENFORCE, ["cert-manager"], FAIL | {"certificates": {"source": "cert-manager"}}, id="cert-manager"),
    pytest.param(WARN, ["monitoring"], {"mode": "warn", "monitoring": MONITORING}, id="monitoring"),
    pytest.param(ENFORCE, ["autoscaling"], FAIL | {"autoscaling": {"enabled": True}}, id="autoscaling"),
    pytest.param(
        ENFORCE,
        ["excluded-namespaces"],
        FAIL | {"webhooks": {"platformNamespaces": ["cdi"]}},
        id="excluded namespaces",
    ),
    pytest.param(
        ENFORCE,
        ["backstop", "excluded-namespaces"],
        FAIL | {"backstop": {"enabled": True}, "webhooks": {"platformNamespaces": ["cdi"]}},
        id="excluded namespaces of the backstop",
    ),
    pytest.param(
        ENFORCE,
        ["client-certificates"],
        FAIL | {"clientCertificates": {"configMap": "migratable-client-ca"}},
        id="client certificates",
    ),
    pytest.param(
        ENFORCE,
        ["api-server-addresses"],
        FAIL | {"networkPolicy": {"apiServerAddresses": ADDRESSES}},
        id="addresses of API servers",
    ),
    pytest.param(
        ENFORCE,
        ["openshift-host-network"],
        FAIL | {"networkPolicy": {"apiServers": "openshift"}},
        id="host network of OpenShift",
    ),
    pytest.param(ENFORCE, ["backstop"], FAIL | {"backstop": {"enabled": True}}, id="backstop"),
    pytest.param(AUDIT, ["openshift"], {"mode": "audit"} | values_file("values-openshift.yaml"), id="OpenShift"),
    pytest.param(
        AUDIT, ["hyperconverged"], {"mode": "audit"} | values_file("values-hyperconverged.yaml"), id="HyperConverged"
    ),
    pytest.param(AUDIT, ["audit"], {"mode": "audit", "audit": {"enabled": True}}, id="audit of existing VMs"),
    pytest.param(BASE, ["audit", "audit-shards"], {"audit": SHARDS}, id="shards of an audit"),
    pytest.param(BASE, ["audit-watch"], {"audit": {"watch": {"enabled": True}}}, id="watch"),
    pytest.param(AUDIT, ["console"], {"mode": "audit"} | CONSOLE, id="pages for operators"),
    pytest.param(
        ENFORCE,
        ["cert-manager", "console"],
        FAIL | CONSOLE | {"certificates": {"source": "cert-manager"}},
        id="pages for operators, cert-manager",
    ),
    pytest.param(
        BASE,
        ["audit", "audit-watch"],
        {"audit": BOTH_AUDITS},
        id="audit of existing VMs, and watch",
    ),
    pytest.param(
        ENFORCE,
        [
            "cert-manager",
            "monitoring",
            "autoscaling",
            "client-certificates",
            "audit",
            "audit-shards",
            "audit-watch",
            "audit-monitoring",
            "console",
            "openshift",
        ],
        FAIL
        | CONSOLE
        | {"certificates": {"source": "cert-manager"}, "monitoring": MONITORING, "autoscaling": {"enabled": True}}
        | {"clientCertificates": {"configMap": "migratable-client-ca"}, "audit": BOTH_AUDITS | SHARDS}
        | values_file("values-openshift.yaml"),
        id="together",
    ),
]


@pytest.mark.parametrize(("folder", "components", "values"), CHOICES)
def test_chart_and_kustomize_create_the_same_objects(
    tmp_path: Path, folder: str, components: Sequence[str], values: dict[str, Any]
) -> None:
    """
    Object by object and field by field; Helm has labels besides, and leaves the namespace to --create-namespace.
    """
    by_helm = template(values)
    by_kustomize = [
        manifest for manifest in built_with(tmp_path, components, folder) if manifest["kind"] != "Namespace"
    ]

    expected = {identity(manifest): same_named(manifest, by_kustomize) for manifest in by_kustomize}
    actual = {identity(manifest): same_named(without_helms_labels(manifest), by_helm) for manifest in by_helm}

    assert sorted(actual) == sorted(expected)
    assert differences(actual, expected) == ""
    assert len(by_helm) == len(actual)


def differences(actual: dict[Identity, Manifest], expected: dict[Identity, Manifest]) -> str:
    """Line by line, where there are any."""
    left, right = (
        [line for key in sorted(side) for line in yaml.safe_dump(side[key], width=200).splitlines()]
        for side in (actual, expected)
    )
    return "\n".join(difflib.unified_diff(left, right, "helm", "kustomize", lineterm="", n=8))


def test_every_component_has_a_value_in_the_chart() -> None:
    """
    So no component is left out of the comparison.
    """
    compared = {component for choice in CHOICES for component in choice.values[1]}

    assert compared | {"fail-closed", "default-eviction-strategy"} == {
        path.name for path in (KUSTOMIZE / "components").iterdir()
    }


@pytest.mark.parametrize(
    ("components", "policy"),
    [([], {}), ([], {"defaultEvictionStrategy": None}), (["default-eviction-strategy"], EVICTION_STRATEGY)],
)
def test_the_webhook_of_a_default_is_installed_only_with_its_policy_key(
    tmp_path: Path, components: Sequence[str], policy: dict[str, Any]
) -> None:
    """
    Without the key it would be called at each creation of a VM and change nothing; kustomize adds it by a component.
    """
    kind = "MutatingWebhookConfiguration"

    (by_helm,) = of_kind(tuple(template({"policy": policy})), kind)
    (by_kustomize,) = of_kind(built_with(tmp_path, components, BASE), kind)

    webhooks = {webhook["name"]: webhook for webhook in by_kustomize["webhooks"]}
    assert {webhook["name"]: webhook for webhook in by_helm["webhooks"]} == webhooks
    assert ("virtualmachine.default.migratable" in webhooks) is bool(components)


def identity(manifest: Manifest) -> Identity:
    """The identity of an object. The name of a policy ends in a hash, which each tool computes differently."""
    metadata = manifest["metadata"]
    name = POLICY_NAME.sub(r"\1", metadata["name"]) if manifest["kind"] == "ConfigMap" else metadata["name"]
    return manifest["kind"], metadata.get("namespace", ""), name


def same_named(manifest: Manifest, among: Sequence[Manifest]) -> Manifest:
    """The object with policies by names that both tools share."""
    text = yaml.safe_dump(manifest)
    for config in of_kind(tuple(among), "ConfigMap"):
        name = config["metadata"]["name"]
        text = text.replace(name, POLICY_NAME.sub(r"\1", name))
    changed: Manifest = yaml.safe_load(text)
    return changed
