"""The audit of existing VMs, as the chart installs it. test_parity compares it with kustomize."""

import json
from typing import Any

import pytest

from tests.deploy.charts import CHART, refusal, template
from tests.deploy.granted import rights_of_account
from tests.deploy.manifests import NAMESPACE, Manifest, find, of_kind
from webhook.objects.kinds import KINDS
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS

pytestmark = pytest.mark.helm

AUDIT = "migratable-audit"
REPORTS = {
    "openreports": {"openreports.io/reports", "openreports.io/clusterreports"},
    "policyreports": {"wgpolicyk8s.io/policyreports", "wgpolicyk8s.io/clusterpolicyreports"},
}
WRITES = {"list", "create", "patch", "delete"}
REMOVES = {"list", "delete"}


def installed(**values: Any) -> tuple[Manifest, ...]:
    """The objects of the chart with the audit enabled."""
    return template({"audit": {"enabled": True, **values}})


def job_of(objects: tuple[Manifest, ...]) -> Manifest:
    job: Manifest = find(objects, "CronJob", AUDIT)["spec"]["jobTemplate"]["spec"]
    return job


def pod_of(objects: tuple[Manifest, ...]) -> Manifest:
    pod: Manifest = job_of(objects)["template"]["spec"]
    return pod


def args_of(objects: tuple[Manifest, ...]) -> list[str]:
    args: list[str] = pod_of(objects)["containers"][0]["args"]
    return args


def reads(*verbs: str) -> set[str]:
    """The rights to read every kind that the audit reads."""
    return {f"{verb} {kind.group}/{kind.plural}" for verb in verbs for kind in KINDS}


def test_nothing_of_the_audit_is_installed_by_default() -> None:
    """
    No object, and no right.
    """
    named = {manifest["metadata"]["name"] for manifest in template({})}

    assert [name for name in named if name.startswith(AUDIT)] == []


@pytest.mark.parametrize(
    ("reports", "written"),
    [
        ("auto", REPORTS["openreports"] | REPORTS["policyreports"]),
        ("openreports", REPORTS["openreports"]),
        ("policyreports", REPORTS["policyreports"]),
        ("none", set()),
    ],
)
def test_the_account_may_list_what_the_audit_reads_and_write_the_chosen_reports(
    reports: str, written: set[str]
) -> None:
    """
    Reports of the other kind can be deleted, because an earlier choice left them. Without reports, there is no right to write.
    """
    objects = installed(reports=reports)

    writes = {f"{verb} {resource}" for verb in WRITES for resource in written}
    others = set().union(*REPORTS.values()) - written if written else set()
    removes = {f"{verb} {resource}" for verb in REMOVES for resource in others}
    assert rights_of_account(objects, AUDIT) == {"": reads("list") | writes | removes}
    assert f"--reports={reports}" in args_of(objects)


def test_the_audit_gives_the_server_no_right() -> None:
    """
    The pods that API servers call have the same rights with and without the audit.
    """
    assert rights_of_account(installed(), "migratable") == rights_of_account(template({}), "migratable")


def test_rights_can_be_limited_to_namespaces() -> None:
    """
    Each namespace has a Role. The only ClusterRole is about cluster-scoped objects and the settings of the cluster.
    """
    objects = installed(namespaces=["team-a", "team-b"])

    granted = rights_of_account(objects, AUDIT)
    settings = {"list kubevirt.io/kubevirts", "list hco.kubevirt.io/hyperconvergeds"}
    whole = {f"list {kind.group}/{kind.plural}" for kind in KINDS if not kind.namespaced} | settings
    assert granted.pop("") == whole
    assert granted.keys() == {"team-a", "team-b"}
    for here in granted.values():
        assert reads("list") - whole < here
        assert not here & whole
        assert "create openreports.io/reports" in here
        assert [right for right in here if "cluster" in right] == []
    assert {"--namespace=team-a", "--namespace=team-b"} <= {*args_of(objects)}


def test_an_account_can_do_without_cluster_roles() -> None:
    """
    With clusterFacts false, all rights are in the audited namespaces.
    """
    granted = rights_of_account(installed(namespaces=["team-a"], clusterFacts=False), AUDIT)

    assert granted.keys() == {"team-a"}


def test_findings_do_not_fail_the_job() -> None:
    """
    A Job fails if the cluster cannot be read. Runs do not overlap, and each run ends.
    """
    objects = installed(timeoutSeconds=100)

    spec = find(objects, "CronJob", AUDIT)["spec"]
    assert {"--fail-on=never", "--timeout=100"} <= {*args_of(objects)}
    assert (spec["concurrencyPolicy"], job_of(objects)["activeDeadlineSeconds"]) == ("Forbid", 300)
    assert pod_of(objects)["restartPolicy"] == "Never"


@pytest.mark.parametrize("mode", ["audit", "warn", "enforce"])
def test_the_audit_applies_the_policy_of_mode_enforce_in_every_mode(mode: str) -> None:
    """
    The audit shows what the last step denies, with the keys of the values.
    """
    (config,) = (
        config
        for config in of_kind(
            template({"mode": mode, "audit": {"enabled": True}, "policy": {"profile": "exact"}}), "ConfigMap"
        )
        if config["metadata"]["name"].startswith(f"{AUDIT}-policy")
    )

    assert "profile: exact" in config["data"]["policy.yaml"]
    assert "atMost" not in config["data"]["policy.yaml"]


def test_pods_of_the_audit_have_restricted_rights() -> None:
    """
    Neither root nor a writable root, no capability, a token that ends soon, memory limited and CPU not.
    """
    pod = pod_of(installed())
    server = find(template({}), "Deployment", "migratable")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"] == server["securityContext"]
    assert container["securityContext"] == server["containers"][0]["securityContext"]
    assert list(container["resources"]["limits"]) == ["memory"]
    assert pod["automountServiceAccountToken"] is False
    assert [volume for volume in pod["volumes"] if volume["name"] in ("token", "tmp")] == [
        volume for volume in server["volumes"] if volume["name"] in ("token", "tmp")
    ]


def test_pods_of_the_audit_reach_only_the_api_server() -> None:
    """
    No pod can connect to them.
    """
    objects = installed()
    policy = find(objects, "NetworkPolicy", AUDIT)["spec"]
    labels = find(objects, "CronJob", AUDIT)["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]

    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert (policy["policyTypes"], policy["ingress"]) == (["Ingress", "Egress"], [])
    assert [[port["port"] for port in rule["ports"]] for rule in policy["egress"]] == [[443, 6443, 8443]]


def test_pods_can_be_placed() -> None:
    """
    On chosen nodes, with a priority. By default the priority is that of other pods, not that of the server.
    """
    tolerations = [{"key": "infra", "operator": "Exists"}]
    pod = pod_of(
        installed(nodeSelector={"role": "infra"}, tolerations=tolerations, priorityClassName="low", release="1.9")
    )

    assert (pod["nodeSelector"], pod["tolerations"], pod["priorityClassName"]) == (
        {"role": "infra"},
        tolerations,
        "low",
    )
    assert "--release=1.9" in pod["containers"][0]["args"]
    assert "priorityClassName" not in pod_of(installed())


def test_objects_of_the_audit_follow_the_namespace_of_the_release() -> None:
    """
    Subjects of bindings as well.
    """
    objects = template({"audit": {"enabled": True}}, namespace="elsewhere")

    ours = [manifest for manifest in objects if manifest["metadata"]["name"].startswith(AUDIT)]
    subjects = [subject for binding in of_kind(objects, "ClusterRoleBinding") for subject in binding["subjects"]]
    assert {manifest["metadata"].get("namespace", "elsewhere") for manifest in ours} == {"elsewhere"}
    assert {subject["namespace"] for subject in subjects} == {"elsewhere"} != {NAMESPACE}


def test_every_format_of_the_command_can_be_chosen() -> None:
    """
    Except exemptions, which need an owner and a last day.
    """
    schema = json.loads((CHART / "values.schema.json").read_text())

    assert schema["properties"]["audit"]["properties"]["format"]["enum"] == [
        name for name in AUDIT_FORMATS if name != "exemptions"
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"format": "xml"}, "value must be one of 'summary', 'text'"),
        ({"reports": "kyverno"}, "value must be one of 'auto', 'openreports', 'policyreports', 'none'"),
        ({"schedule": "hourly"}, "does not match pattern"),
        ({"namespaces": ["Team"]}, "does not match pattern"),
        ({"namespaces": ["a", "a"]}, "items at 0 and 1 are equal"),
        ({"timeoutSeconds": 0}, "minimum: got 0, want 10"),
    ],
)
def test_values_of_the_audit_that_cannot_work_are_refused(values: dict[str, Any], said: str) -> None:
    """
    Before the installation.
    """
    assert said in refusal({"audit": values})
