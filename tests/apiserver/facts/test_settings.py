"""A real API server enforces the rules about migration settings, MigrationPolicies and migration networks."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import ROOT, install_hooks, serving
from tests.apiserver.settings_cluster import (
    CR,
    ELSEWHERE,
    POLICIES,
    WRAPS,
    Cluster,
    Done,
    Manifest,
    cases,
    denied,
    shown,
    warned,
)
from tests.waiting import PATIENCE_SECONDS, wait_until
from tests.wrapping import as_kubevirt, as_nad, before_of
from webhook.rules.example import NAMESPACE
from webhook.rules.register import RULES
from webhook.rules.rule import Example

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With the project's own small definitions, which let more through to us, and the hooks as deployed."""
    folder: Path = tmp_path_factory.mktemp("settings")
    with ControlPlane(crds=crds.OWN) as plane, serving(plane, folder / "tls") as server:
        for name in ("kubevirt", NAMESPACE):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            plane.client.create("/api/v1/namespaces", body)
        install_hooks(plane, server)
        ready = Cluster(plane, server)
        ready.store_kubevirt({"configuration": {"migrations": {}}})
        yield ready


def test_kubectl_shows_the_findings_of_each_rule(cluster: Cluster) -> None:
    """
    A rejected example of every rule about settings, policies and networks is denied or gives a warning with its field.
    An accepted example in the same cluster passes without a message of that rule.
    """
    all_cases, wrong = cases(), list[str]()
    world = ""
    for case in all_cases:
        if case.world != world:
            cluster.enter(case)
            world = case.world
        manifest = case.manifest(case.rejected)
        try:
            wait_until(lambda: shown(case, cluster.apply(manifest)), PATIENCE_SECONDS, "")  # noqa: B023 - asked at once
        except TimeoutError:
            wrong.append(f"{case.rule.id} {case.rejected.title}: {cluster.apply(manifest)}")
        if case.accepted is not None:
            passed = cluster.apply(case.manifest(case.accepted))
            if f"[{case.rule.id}" in passed.stderr:
                wrong.append(f"{case.rule.id} {case.accepted.title}: {passed}")

    assert wrong == []
    about = {rule.id for rule in RULES if rule.about in WRAPS}
    assert {case.rule.id for case in all_cases} | set(ELSEWHERE) == about
    assert len([case for case in all_cases if case.accepted is not None]) > len(all_cases) * 3 // 4


def test_a_network_that_does_not_exist_or_does_not_fit_is_refused_in_the_cr(cluster: Cluster) -> None:
    """
    A CR may name only a network that exists, and can carry migrations; the message says what is wrong with it.
    """
    cluster.store_kubevirt({"configuration": {"migrations": {}}})
    plain = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
    plain |= {
        "metadata": {"name": "unfit", "namespace": "kubevirt"},
        "spec": {"config": '{"type": "macvlan", "master": "eth1"}'},
    }
    stored = cluster.apply(plain, flags=())

    absent, unfit = (wait_for_network(cluster, name, rule) for name, rule in (("nowhere", "LM716"), ("unfit", "LM718")))

    assert stored.returncode == 0, stored.stderr
    assert "namespace 'kubevirt' has no NetworkAttachmentDefinition 'nowhere'" in absent.stderr
    assert "network 'unfit' is unfit for migrations: ipam is missing" in unfit.stderr


def wait_for_network(cluster: Cluster, name: str, rule: str) -> Done:
    manifest = as_kubevirt(Example("", json.dumps({"configuration": {"migrations": {"network": name}}})))

    def refused() -> Done | None:
        done = cluster.apply(manifest)
        return done if denied(done, rule, "spec.configuration.migrations.network") else None

    return wait_until(refused, PATIENCE_SECONDS, f"{rule} about {name}") or pytest.fail("unreachable")


def test_a_migration_network_may_not_use_addresses_of_services(cluster: Cluster) -> None:
    """
    A migration network that contains the Service of the API server is denied. A network elsewhere in the range of
    Services gives a warning.
    """
    [cidr] = cluster.client.api("GET", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes").document["spec"]["cidrs"]
    prefix = cidr.rpartition(".")[0]
    cluster.store_kubevirt({"configuration": {"migrations": {"network": "over-services"}}})

    def network(text: str) -> Manifest:
        config = {"type": "macvlan", "master": "eth1", "ipam": {"type": "whereabouts", "range": text}}
        made = as_nad(Example("", json.dumps({"config": json.dumps(config)})))
        made["metadata"]["name"] = "over-services"
        return made

    wait_until(lambda: denied(cluster.apply(network(cidr)), "LM721", "spec.config"), PATIENCE_SECONDS, "LM721")
    beside, elsewhere = cluster.apply(network(f"{prefix}.128/25")), cluster.apply(network("192.168.7.0/24"))

    assert warned(beside, "LM722", "spec.config")
    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")


def test_check_reads_stored_policies(cluster: Cluster, tmp_path: Path) -> None:
    """
    `migratable check` reads the output of `kubectl get -o yaml` and reports a policy that selects no VM.
    """
    policy = {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": "fast"},
        "spec": {"selectors": {"virtualMachineInstanceSelector": {"speed": "fast"}}, "allowAutoConverge": True},
    }
    vm = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "db", "namespace": "default", "labels": {"speed": "fast"}},
        "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}},
    }
    cluster.client.create(POLICIES, policy)
    printed = yaml.safe_load(cluster.client.kubectl("get", "migrationpolicy", "fast", "-o", "yaml").stdout)
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([printed, vm]))

    done = migratable("check", str(tmp_path), "-o", "json")

    [result] = [
        finding
        for one in json.loads(done.stdout)["objects"]
        for finding in one["findings"]
        if finding["rule"] == "LM644"
    ]
    assert result["path"] == "spec.selectors"
    assert result["remedy"].startswith("VirtualMachine 'db' has these labels in its own metadata")


def migratable(*args: str) -> Done:
    return subprocess.run(
        [sys.executable, "-m", "webhook", *args], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_update_of_the_migration_network_warns_of_restarts(cluster: Cluster) -> None:
    """
    An update that names another network gives a warning about the restart of virt-handler. A new configuration gives a
    warning that a restart is needed. Other updates give no warning.
    """
    [restart] = [rule for rule in RULES if rule.id == "LM719"]
    [config] = [rule for rule in RULES if rule.id == "LM720"]
    first = next(example for example in restart.examples if example.title == "a first migration network")
    another = next(example for example in config.examples if example.violates)
    cluster.store_kubevirt({"configuration": {"migrations": {}}})
    old = as_nad(before_of(another))
    assert cluster.apply(old, flags=()).returncode == 0
    named = as_kubevirt(first)

    wait_until(
        lambda: warned(cluster.apply(named), "LM719", "spec.configuration.migrations.network"),
        PATIENCE_SECONDS,
        "LM719",
    )
    assert cluster.apply(named, flags=()).returncode == 0
    again = cluster.apply(named)
    wait_until(lambda: warned(cluster.apply(as_nad(another)), "LM720", "spec.config"), PATIENCE_SECONDS, "LM720")
    labelled = copy.deepcopy(old)
    labelled["metadata"]["labels"] = {"team": "a"}
    touched = cluster.apply(labelled)

    assert (again.returncode, again.stderr) == (0, "")
    assert (touched.returncode, touched.stderr) == (0, "")


def test_a_network_in_use_can_neither_be_deleted_nor_made_invalid(cluster: Cluster) -> None:
    """
    While the CR names the network, a DELETE and an update that makes it invalid are denied. Afterwards both pass.
    """
    cluster.store_kubevirt({"configuration": {"migrations": {}}})
    config = '{"type": "macvlan", "master": "eth1", "ipam": {"type": "whereabouts", "range": "10.1.1.0/24"}}'
    sound = as_nad(Example("", json.dumps({"config": config})))
    broken = as_nad(Example("", json.dumps({"config": '{"type": "macvlan", "master": "eth1"}'})))
    broken["metadata"]["name"] = sound["metadata"]["name"] = "guarded"
    assert cluster.apply(sound, flags=()).returncode == 0
    cluster.store_kubevirt({"configuration": {"migrations": {"network": "guarded"}}})
    delete = ("delete", "net-attach-def", "guarded", "-n", "kubevirt")

    wait_until(lambda: denied(cluster.apply(broken), "LM711", "spec.config"), PATIENCE_SECONDS, "LM711")
    kept = cluster.client.kubectl(*delete, check=False)
    cluster.store_kubevirt({"configuration": {"migrations": {}}})
    wait_until(lambda: cluster.apply(broken).returncode == 0, PATIENCE_SECONDS, "the network to be free")
    gone = cluster.client.kubectl(*delete, check=False)

    assert kept.returncode == 1
    assert "is KubeVirt's migration network" in kept.stderr
    assert "First change or remove spec.configuration.migrations.network" in kept.stderr
    assert gone.returncode == 0, gone.stderr


def test_a_bad_cr_may_stay_and_be_improved_but_not_get_worse(cluster: Cluster) -> None:
    """
    All writes of virt-operator pass. An update by a user that keeps the bad field or improves it passes with a warning.
    An update that makes it worse, or adds another bad field, is denied. Updates of status and labels always pass.
    """
    updates = {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate", "Evict"]}}
    written = cluster.store_kubevirt({"configuration": {"migrations": {"bandwidthPerMigration": "5Mi"}}, **updates})

    def patch(*more: str, **migrations: Any) -> Done:
        body = json.dumps({"spec": {"configuration": {"migrations": migrations}}})
        flags = ("-n", "kubevirt", "--type=merge", "-p", body, *more)
        return cluster.client.kubectl("patch", "kubevirt", "kubevirt", *flags, check=False)

    field = "spec.configuration.migrations.bandwidthPerMigration"
    untouched = patch(allowAutoConverge=True)
    worse = patch(bandwidthPerMigration="2Mi")
    second = patch(progressTimeout=-1)
    better = patch(bandwidthPerMigration="6Mi")
    back = patch(bandwidthPerMigration="5Mi")
    label = cluster.client.kubectl("label", "kubevirt", "kubevirt", "-n", "kubevirt", "team=a", check=False)
    by_operator = cluster.as_operator(
        *("patch", "kubevirt", "kubevirt", "-n", "kubevirt", "--type=merge", "-p"),
        json.dumps(
            {"spec": {"configuration": {"migrations": {"bandwidthPerMigration": "1Mi", "progressTimeout": -1}}}}
        ),
    )
    repaired = patch(bandwidthPerMigration="64Mi", progressTimeout=150)

    assert [run.returncode for run in (written, by_operator, label, untouched, better)] == [0] * 5
    assert (by_operator.stderr, label.stderr) == ("", "")
    assert warned(untouched, "LM615", field)
    assert denied(worse, "LM615", field)
    assert denied(second, "LM614", "spec.configuration.migrations.progressTimeout")
    assert warned(better, "LM615", field)
    assert denied(back, "LM615", field)
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert cluster.migrations()["bandwidthPerMigration"] == "64Mi"


GIT = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "from-git", "namespace": "kubevirt"},
    "spec": {"configuration": {"migrations": {"allowAutoConverge": True, "parallelMigrationsPerCluster": 3}}},
}


def test_defaults_cause_no_difference_in_git(cluster: Cluster) -> None:
    """
    Defaults are not in git: server-side apply of the same manifest changes no resourceVersion, and neither `kubectl
    diff` nor client-side apply shows a difference. A field that git gives up later gets its default.
    """
    cluster.store_kubevirt({"configuration": {"migrations": {}}})
    by_git = ("--server-side", "--field-manager=git")

    def version() -> str:
        version: str = cluster.client.api("GET", f"{CR}/from-git").document["metadata"]["resourceVersion"]
        return version

    first = cluster.apply(GIT, flags=by_git)
    before = version()
    second = cluster.apply(GIT, flags=by_git)
    after = version()
    diff = cluster.client.kubectl("diff", "-f", "-", stdin=json.dumps(GIT), check=False)
    diff_of_git = cluster.client.kubectl("diff", *by_git, "-f", "-", stdin=json.dumps(GIT), check=False)
    stored = cluster.client.api("GET", f"{CR}/from-git").document
    fewer = copy.deepcopy(GIT)
    del fewer["spec"]["configuration"]["migrations"]["parallelMigrationsPerCluster"]  # type: ignore[index]
    given_up = cluster.apply(fewer, flags=by_git)
    now = cluster.client.api("GET", f"{CR}/from-git").document["spec"]["configuration"]["migrations"]

    assert [run.returncode for run in (first, second, diff, diff_of_git, given_up)] == [0] * 5
    assert (diff.stdout, diff_of_git.stdout) == ("", "")
    assert after == before
    migrations = stored["spec"]["configuration"]["migrations"]
    assert (migrations["allowAutoConverge"], migrations["parallelMigrationsPerCluster"]) == (True, 3)
    assert (migrations["parallelOutboundMigrationsPerNode"], migrations["completionTimeoutPerGiB"]) == (2, 150)
    assert "maxDowntimeMs" not in migrations
    assert now["parallelMigrationsPerCluster"] == 5


def test_defaults_are_the_same_after_reinvocation(cluster: Cluster) -> None:
    """
    A second mutating webhook makes the API server call the first one again within one request. The result is the same.
    """
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    once = cluster.client.api("GET", f"{path}/migratable-default").document
    manifest = copy.deepcopy(GIT)
    manifest["metadata"]["name"] = "asked"  # type: ignore[index]
    plain = cluster.client.api("POST", f"{CR}?dryRun=All", manifest).document["spec"]
    twice = copy.deepcopy(once)
    twice["metadata"] = {"name": "zz-again"}
    for hook in twice["webhooks"]:
        hook["name"] = f"again.{hook['name']}"
    before = _mutations(cluster)
    cluster.client.create(path, twice)

    def asked_twice() -> bool:
        at = _mutations(cluster)
        reply = cluster.client.api("POST", f"{CR}?dryRun=All", manifest)
        assert reply.status == 201, reply.document
        assert reply.document["spec"] == plain
        return _mutations(cluster) - at >= 2

    wait_until(asked_twice, PATIENCE_SECONDS, "both configurations to be asked")
    cluster.client.api("DELETE", f"{path}/zz-again")

    assert _mutations(cluster) > before
    assert plain["configuration"]["migrations"]["parallelOutboundMigrationsPerNode"] == 2


def _mutations(cluster: Cluster) -> float:
    lines = [
        line
        for line in cluster.server.metrics().splitlines()
        if line.startswith("migratable_reviews_total{") and 'door="mutate"' in line and 'kind="KubeVirt"' in line
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
