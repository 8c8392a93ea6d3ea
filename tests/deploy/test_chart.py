"""The effects and the limits of the chart's values."""

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml

from certs.authority import service_names
from tests.deploy.charts import CHART, helm, refusal, template
from tests.deploy.manifests import Manifest, find, of_kind
from webhook import __version__
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Action, Policy

pytestmark = pytest.mark.helm

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
HOOKED = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def pods(objects: tuple[Manifest, ...]) -> dict[str, Manifest]:
    """The pods that the Deployments make, by name."""
    return {
        deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"]
        for deployment in of_kind(objects, "Deployment")
    }


def policy_of(objects: tuple[Manifest, ...]) -> Policy:
    (config,) = (
        config_map
        for config_map in of_kind(objects, "ConfigMap")
        if config_map["metadata"]["name"].startswith("migratable-p")
    )
    return parse_policy(config["data"]["policy.yaml"].encode(), "policy.yaml")


def leaves(schema: dict[str, Any], above: str = "") -> set[str]:
    """The paths of all values that a schema knows."""
    names = set()
    for key, inner in schema["properties"].items():
        open_ended = inner.get("additionalProperties") is not False
        names |= {f"{above}{key}"} if open_ended else leaves(inner, f"{above}{key}.")
    return names


def written(values: dict[str, Any], schema: dict[str, Any], above: str = "") -> set[str]:
    """The paths of all values that are written, as deep as the schema knows them."""
    names = set()
    for key, inner in values.items():
        below = schema["properties"].get(key, {})
        deeper = isinstance(inner, dict) and below.get("additionalProperties") is False
        names |= written(inner, below, f"{above}{key}.") if deeper else {f"{above}{key}"}
    return names


@pytest.mark.parametrize("values", ["mode=enforce", "audit.enabled=true,audit.shards=2,audit.watch.enabled=true"])
def test_the_linter_finds_nothing_wrong(values: str) -> None:
    """
    Nor anything to warn of.
    """
    done = helm("lint", "--strict", str(CHART), "--set", f"image.repository=migratable,{values}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout + done.stderr


def test_every_value_is_described_and_has_a_default() -> None:
    """
    The schema and values.yaml have the same keys. Other keys belong to a parent chart.
    """
    known = leaves(SCHEMA) - {"global", "podSecurityContext.seccompProfile.localhostProfile"}

    assert known == written(VALUES, SCHEMA)
    assert jsonschema_rs.Draft7Validator(SCHEMA).is_valid(VALUES)


def test_the_schema_is_closed() -> None:
    """
    A misspelt key is an error at each level that is ours.
    """

    def open_objects(schema: dict[str, Any], path: str) -> list[str]:
        inner = schema.get("properties", {})
        here = [path] if inner and schema.get("additionalProperties") is not False else []
        return here + [place for key, below in inner.items() for place in open_objects(below, f"{path}.{key}")]

    assert open_objects(SCHEMA, "") == []


def test_the_chart_has_the_version_of_the_program() -> None:
    """
    Without a tag it installs the image of its own version.
    """
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    images = {pod["containers"][0]["image"] for pod in pods(template({})).values()}

    assert (chart["appVersion"], images) == (__version__, {f"migratable:{__version__}"})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"serverr": {}}, "additional properties 'serverr' not allowed"),
        ({"server": {"replica": 3}}, "additional properties 'replica' not allowed"),
        ({"mode": "off"}, "value must be one of 'audit', 'warn', 'enforce'"),
        ({"failurePolicy": "Fail", "server": {"replicas": 1}}, "failurePolicy Fail requires at least two replicas"),
        (
            {"failurePolicy": "Fail", "autoscaling": {"enabled": True, "minReplicas": 1}},
            "failurePolicy Fail requires at least two replicas",
        ),
        ({"failurePolicy": "Fail", "mode": "warn"}, "failurePolicy Fail in mode warn"),
        ({"podDisruptionBudget": {"minAvailable": 2}}, "so node drains would never finish"),
        ({"image": {"digest": "latest"}}, "does not match pattern"),
        ({"policy": {"profile": "lenient"}}, "value must be one of 'exact', 'strict'"),
        ({"policy": {"actions": {"LM999": "off"}}}, "invalid propertyName 'LM999'"),
        ({"policy": {"exemptions": [{"rule": "LM201"}]}}, "missing properties 'reason', 'owner', 'until'"),
        ({"podSecurityContext": {"runAsNonRoot": False}}, "value must be true"),
        ({"podSecurityContext": {"runAsUser": 0}}, "minimum: got 0, want 1"),
        ({"server": {"release": "v1.9.0"}}, "does not match pattern"),
        ({"networkPolicy": {"apiServerAddresses": ["apiserver"]}}, "does not match pattern"),
        ({"certificates": {"source": "openssl"}}, "value must be one of 'rotator', 'cert-manager'"),
        ({"podSecurityContext": {"runAsNonRoot": None}}, "missing property 'runAsNonRoot'"),
        ({"podSecurityContext": {"seccompProfile": None}}, "missing property 'seccompProfile'"),
        (
            {"autoscaling": {"enabled": True, "minReplicas": 8}},
            "minReplicas (8) is greater than autoscaling.maxReplicas (6)",
        ),
        ({"priorityClass": {"name": "system-cluster-critical"}}, "Set priorityClass.create to false to use this class"),
        ({"rotator": {"leafLifetime": "59m59s"}}, "Set it to 1h or more"),
        ({"rotator": {"leafLifetime": "0s"}}, "Set it to 1h or more"),
        (
            {"rotator": {"authorityLifetime": "6d23h59m"}},
            "a CA must be valid as long as the certificates that it signs",
        ),
        (
            {"rotator": {"leafLifetime": "400d"}},
            "rotator.authorityLifetime (8760h) is shorter than rotator.leafLifetime (400d)",
        ),
        ({"monitoring": {"serviceMonitor": {"interval": "0s"}}}, "does not match pattern"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], said: str) -> None:
    """
    Before the installation, with the key and the accepted values.
    """
    assert said in refusal(values)


@pytest.mark.parametrize(
    "values",
    [{"leafLifetime": "1h"}, {"authorityLifetime": "7d"}, {"leafLifetime": "1.5h", "authorityLifetime": "1h30m"}],
)
def test_valid_lifetimes_are_accepted(values: dict[str, str]) -> None:
    """
    In any format.
    """
    assert template({"rotator": values})


ALONE = [
    {"server": {"replicas": 1}},
    {"autoscaling": {"enabled": True, "minReplicas": 1}},
]


@pytest.mark.parametrize("values", ALONE)
def test_the_node_of_the_only_replica_can_be_drained(values: dict[str, Any]) -> None:
    """
    A budget of one with one replica would block the drain for ever.
    """
    objects = template(values | {"monitoring": {"prometheusRule": {"enabled": True}}})

    budget = find(objects, "PodDisruptionBudget", "migratable")["spec"]
    (group,) = find(objects, "PrometheusRule", "migratable")["spec"]["groups"]
    alerts = {rule["alert"] for rule in group["rules"]}
    assert (budget.get("minAvailable"), budget.get("maxUnavailable")) == (None, 1)
    assert "MigratableDown" in alerts
    assert "MigratableOneReplica" not in alerts


def test_one_replica_is_enough_with_failure_policy_ignore() -> None:
    """
    For a cluster of one node.
    """
    server = find(template({"server": {"replicas": 1}}), "Deployment", "migratable")

    assert server["spec"]["replicas"] == 1


def test_a_digest_takes_precedence_over_the_tag() -> None:
    """
    Signatures are for digests.
    """
    digest = "sha256:" + "0" * 64

    objects = template({"image": {"repository": "registry.example/migratable", "tag": "x", "digest": digest}})

    assert {pod["containers"][0]["image"] for pod in pods(objects).values()} == {
        f"registry.example/migratable@{digest}"
    }


@pytest.mark.parametrize("mode", ["audit", "warn", "enforce"])
def test_policy_values_override_those_of_the_mode(mode: str) -> None:
    """
    Exemptions and actions can be had in each mode, and stay when the mode changes.
    """
    exemption = {"rule": "LM201", "reason": "ticket 42", "owner": "storage", "until": "2027-01-31"}
    policy = {"profile": "exact", "exemptions": [exemption], "migrationSettings": {"completionTimeoutPerGiB": 1000000}}

    policy_in_force = policy_of(template({"mode": mode, "policy": policy}))

    plain = policy_of(template({"mode": mode}))
    assert (policy_in_force.profile, len(policy_in_force.exemptions)) == ("exact", 1)
    assert policy_in_force.migration_settings == {"completionTimeoutPerGiB": 1_000_000}
    assert (policy_in_force.at_most, policy_in_force.default_migration_settings) == (
        plain.at_most,
        plain.default_migration_settings,
    )
    assert policy_in_force.at_most is (Action.DENY if mode == "enforce" else Action(mode))


def test_a_changed_policy_restarts_the_server() -> None:
    """
    Its ConfigMap has another name, which the Deployment mounts.
    """
    names = []
    for values in ({}, {"mode": "warn"}, {"policy": {"profile": "exact"}}):
        objects = template(values)
        (volume,) = (candidate for candidate in pods(objects)["migratable"]["volumes"] if candidate["name"] == "policy")
        names.append(volume["configMap"]["name"])
        assert find(objects, "ConfigMap", names[-1])

    assert len(set(names)) == 3


@pytest.mark.parametrize("source", ["rotator", "cert-manager"])
def test_it_may_be_installed_in_any_namespace(source: str) -> None:
    """
    Services, selectors, bindings and certificates follow it.
    """
    objects = template({"certificates": {"source": source}}, namespace="elsewhere")

    hooks = [webhook for manifest in of_kind(objects, *HOOKED) for webhook in manifest["webhooks"]]
    subjects = [subject for binding in of_kind(objects, "ClusterRoleBinding") for subject in binding["subjects"]]
    excluded = [
        hook["namespaceSelector"]["matchExpressions"][0]["values"] for hook in hooks if "namespaceSelector" in hook
    ]
    names = [
        certificate["spec"]["dnsNames"]
        for certificate in of_kind(objects, "Certificate")
        if "dnsNames" in certificate["spec"]
    ]
    notes = [manifest["metadata"].get("annotations") for manifest in of_kind(objects, *HOOKED)]
    assert {hook["clientConfig"]["service"]["namespace"] for hook in hooks} == {"elsewhere"}
    assert {subject["namespace"] for subject in subjects} == {"elsewhere"}
    assert all("elsewhere" in namespaces and "migratable" not in namespaces for namespaces in excluded)
    assert {manifest["metadata"].get("namespace", "elsewhere") for manifest in objects} == {"elsewhere"}
    if source == "cert-manager":
        services = ("migratable", "migratable-api")
        assert names == [[name for service in services for name in service_names(service, "elsewhere")]]
        assert notes == [{"cert-manager.io/inject-ca-from": "elsewhere/migratable-serving-cert"}] * 2


def test_both_sources_of_certificates_serve_the_same_names() -> None:
    """
    cert-manager's certificate has the names that the rotator is told to sign.
    """
    args = pods(template({}))["migratable-rotator"]["containers"][0]["args"]
    services = [arg.removeprefix("--service=") for arg in args if arg.startswith("--service=")]

    objects = template({"certificates": {"source": "cert-manager"}})

    certificate = find(objects, "Certificate", "migratable-serving-cert")["spec"]
    assert certificate["dnsNames"] == [name for service in services for name in service_names(service, "migratable")]
    assert certificate["secretName"] in args[1]
    assert "migratable-rotator" not in pods(objects)


def test_settings_reach_the_command_line() -> None:
    """
    Of server and rotator.
    """
    values = {
        "server": {
            "release": "1.9",
            "drainSeconds": 30,
            "replicas": 3,
            "nodeSelector": {"role": "infra"},
            "allowedHosts": ["vm.example.com", "*.apps.example.com"],
        },
        "rotator": {"leafLifetime": "48h", "authorityLifetime": "720h"},
        "clientCertificates": {"configMap": "ours", "names": ["kube-apiserver", "front-proxy"]},
    }

    specs = pods(template(values))

    server, rotator = specs["migratable"], specs["migratable-rotator"]["containers"][0]["args"]
    args = server["containers"][0]["args"]
    assert {"--release=1.9", "--drain-seconds=30", "--client-name=kube-apiserver", "--client-name=front-proxy"} <= {
        *args
    }
    assert {"--allowed-host=vm.example.com", "--allowed-host=*.apps.example.com"} <= {*args}
    assert {"--leaf-lifetime=48h", "--authority-lifetime=720h"} <= {*rotator}
    assert (server["terminationGracePeriodSeconds"], server["nodeSelector"]) == (50, {"role": "infra"})


def test_notes_show_the_next_step() -> None:
    """
    From audit to warn, from warn to enforce, from there to Fail; and how to stop it all.
    """
    flags = ("install", "migratable", str(CHART), "--namespace", "migratable", "--dry-run=client", "--set")

    said = {mode: helm(*flags, f"mode={mode}").stdout.partition("NOTES:")[2] for mode in ("audit", "warn", "enforce")}

    assert "--set mode=warn" in said["audit"]
    assert "--set mode=enforce" in said["warn"]
    assert "--set failurePolicy=Fail" in said["enforce"]
    assert all("kubectl delete validatingwebhookconfiguration migratable-validate" in notes for notes in said.values())


@pytest.mark.parametrize(
    ("values", "reminded"),
    [("mode=audit", False), ("mode=warn", True), ("mode=enforce", True), ("mode=enforce,policy.help=#vms", False)],
)
def test_notes_remind_of_the_help_for_users(values: str, reminded: bool) -> None:
    """
    Users see messages in modes warn and enforce.
    """
    flags = ("install", "migratable", str(CHART), "--namespace", "migratable", "--dry-run=client", "--set")

    notes = helm(*flags, values).stdout.partition("NOTES:")[2]

    assert ("Set policy.help to a line" in notes) is reminded


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("mode=enforce", ""),
        ("backstop.enabled=true", "API servers still deny what the backstop covers: bridges on the pod network"),
        ("backstop.enabled=true,mode=warn", "backstop.enabled has no effect"),
    ],
)
def test_notes_describe_the_backstop(values: str, said: str) -> None:
    """
    They say what it denies and how to stop it, or why it has no effect.
    """
    flags = ("install", "migratable", str(CHART), "--namespace", "migratable", "--dry-run=client", "--set")

    notes = helm(*flags, values).stdout.partition("NOTES:")[2]

    assert ("backstop" in notes) is bool(said)
    assert said in notes
    assert ("kubectl delete validatingadmissionpolicybinding" in notes) is ("still deny" in said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("audit.reports=auto", []),
        ("audit.enabled=true", ["A CronJob audits", "kubectl get reports.openreports.io -A", "create job --from"]),
        ("audit.enabled=true,audit.namespaces={a,b}", ["A CronJob audits the VMs that exist in a, b."]),
        ("audit.watch.enabled=true,audit.reports=policyreports", ["A Deployment watches", "kubectl get policyreports"]),
        ("audit.watch.enabled=true,audit.reports=none", ["A Deployment watches the VMs that exist.\n"]),
    ],
)
def test_notes_show_where_the_reports_are(values: str, said: list[str]) -> None:
    """
    And how to run the CronJob at once.
    """
    flags = ("install", "migratable", str(CHART), "--namespace", "migratable", "--dry-run=client", "--set")

    notes = helm(*flags, values).stdout.partition("NOTES:")[2]

    assert [text for text in said if text not in notes] == []
    assert ("VMs that exist" in notes) is bool(said)
    assert ("kubectl get" in notes) is ("none" not in values and bool(said))


@pytest.mark.parametrize(("namespace", "said"), [("default", True), ("migratable", False)])
def test_notes_warn_about_the_default_namespace(namespace: str, said: bool) -> None:
    """
    VMs in the namespace of the release are not checked. Without --namespace, that is `default`.
    """
    done = helm("install", "migratable", str(CHART), "--namespace", namespace, "--dry-run=client")

    assert ("VMs in namespace default are not checked" in done.stdout) is said
