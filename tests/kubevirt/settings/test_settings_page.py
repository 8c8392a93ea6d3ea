"""docs/settings.md and docs/strategies.md are correct: every setting, every relation, every rule."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.cluster import judge_change
from webhook.judging.machines import judge
from webhook.kubevirt.owners import owner_of
from webhook.kubevirt.releases import TABLE, Release, only
from webhook.kubevirt.settings.settings import ALLOW_WORKLOAD_DISRUPTION, SETTINGS, built_in
from webhook.objects.kinds import find_kind
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.rules.example import kubevirt, nad, node, service_cidr
from webhook.rules.register import BY_ID, RULES

DOCS = Path(__file__).resolve().parents[3] / "docs"
SETTINGS_PAGE = (DOCS / "settings.md").read_text(encoding="utf-8")
STRATEGIES_PAGE = (DOCS / "strategies.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in SETTINGS_PAGE.splitlines()
    if line.startswith("| ")
]
NEWEST = TABLE[-1]


def row_of(first: str) -> list[str]:
    [result] = [row for row in ROWS if row[0] == first]
    return result


@pytest.mark.parametrize("name", SETTINGS)
def test_the_table_of_settings_is_true(name: str) -> None:
    """
    First release, KubeVirt's default, whether a policy may set it, and where HyperConverged has it.
    """
    setting = SETTINGS[name]
    since = next(behaviour.release for behaviour in TABLE if setting.releases & only(behaviour.release))
    own = built_in(NEWEST).get(name)
    hyper_converged = owner_of(
        read({**kubevirt(), "metadata": {"name": "k", "labels": {"app": "kubevirt-hyperconverged"}}})
    )
    assert hyper_converged is not None
    place = hyper_converged.place(("spec", "configuration", "migrations", name))

    _, first, value, policy, hco = row_of(name)

    assert first == str(since)
    assert policy == ("yes" if setting.policy else "no")
    assert ("liveMigrationConfig" if f"spec.liveMigrationConfig.{name}" in place else "jsonpatch") == hco
    if own is not None and name != ALLOW_WORKLOAD_DISRUPTION:
        assert str(own).lower() in value.lower()


def test_the_page_names_the_release_of_the_changed_default() -> None:
    """
    800 seconds up to 1.3, 150 later.
    """
    by_release = {behaviour.release: behaviour.completion_timeout_per_gib for behaviour in TABLE}

    assert {release for release, seconds in by_release.items() if seconds == 800} == {
        behaviour.release for behaviour in TABLE if behaviour.release <= Release(1, 3)
    }
    assert row_of("completionTimeoutPerGiB")[2] == "800 up to 1.3, 150 from 1.4 on"


def test_the_tables_list_every_rule_and_only_existing_rules() -> None:
    """
    The tables name all rules of families 6 and 7 and no others. strategies.md names only existing rules.
    """
    named = re.findall(r"LM\d{3}", "".join("".join(row[2:]) for row in ROWS))

    assert sorted(named) == sorted(rule.id for rule in RULES if rule.id[2] in "67")
    assert set(re.findall(r"LM\d{3}", STRATEGIES_PAGE)) <= BY_ID.keys()


def test_pages_link_to_existing_pages() -> None:
    """
    Relative links lead to files of the repository.
    """
    for page in (SETTINGS_PAGE, STRATEGIES_PAGE):
        for target in re.findall(r"\]\(([^)#:]+)\)", page):
            assert (DOCS / target).is_file(), target


def read(value: dict[str, Any]) -> Kubernetes:
    kind = find_kind(value["apiVersion"], value["kind"])
    assert kind is not None
    return msgspec.convert(value, kind.reads)


def policy(name: str = "p", **spec: Any) -> dict[str, Any]:
    spec = {"selectors": {"virtualMachineInstanceSelector": {"a": "b"}}, **spec}
    body = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy", "metadata": {"name": name}}
    return {**body, "spec": spec}


def vm(**domain: Any) -> dict[str, Any]:
    devices = {"autoattachPodInterface": False, **domain.pop("devices", {})}
    metadata = {"name": "vm", "namespace": "tenant"}
    body = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": metadata}
    return {**body, "spec": {"domain": {"devices": devices, **domain}}}


def cr(**migrations: Any) -> dict[str, Any]:
    result: dict[str, Any] = kubevirt(migrations=migrations)
    return result


def net(config: str, name: str = "m") -> dict[str, Any]:
    result: dict[str, Any] = nad(name, config)
    return result


MACVLAN = '"type": "macvlan", "master": "eth1"'
SRIOV = {"devices": {"interfaces": [{"name": "s", "sriov": {}}]}}
NONE = policy("none")

RELATIONS: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    # KubeVirt's checks of spec.configuration.migrations that are not there
    "both parallel limits are 1 or more": (cr(parallelMigrationsPerCluster=0), [], "LM609"),
    "parallelOutboundMigrationsPerNode is not above parallelMigrationsPerCluster": (
        cr(parallelOutboundMigrationsPerNode=6),
        [],
        "LM612",
    ),
    "completionTimeoutPerGiB and progressTimeout are above 0": (cr(completionTimeoutPerGiB=0), [], "LM613"),
    "no timeout is negative": (cr(progressTimeout=-1), [], "LM614"),
    "progressTimeout is not above the time allowed for a small VM": (cr(progressTimeout=151), [], "LM616"),
    "bandwidthPerMigration is a quantity of 0 or more": (cr(bandwidthPerMigration="-1"), [], "LM605"),
    "bandwidthPerMigration is 0, or at least 1Mi": (cr(bandwidthPerMigration="1000Ki"), [], "LM606"),
    "bandwidthPerMigration has a unit": (cr(bandwidthPerMigration=64), [], "LM607"),
    "the unit of bandwidthPerMigration is binary (Ki, Mi, Gi)": (cr(bandwidthPerMigration="64M"), [], "LM608"),
    "bandwidthPerMigration times completionTimeoutPerGiB is at least a GB": (
        cr(bandwidthPerMigration="6Mi"),
        [],
        "LM615",
    ),
    "a VM's memory can be copied in the allowed time": (
        vm(memory={"guest": "64Gi"}),
        [cr(bandwidthPerMigration="6Mi"), NONE],
        "LM642",
    ),
    "post-copy is not allowed for VMs that use devices of the node": (
        vm(**SRIOV),
        [cr(allowPostCopy=True), NONE],
        "LM643",
    ),
    "allowWorkloadDisruption is not false if allowPostCopy is true": (
        cr(allowPostCopy=True, allowWorkloadDisruption=False),
        [],
        "LM617",
    ),
    "disableTLS is off, especially without a migration network": (cr(disableTLS=True), [], "LM618"),
    "unsafeMigrationOverride is off": (cr(unsafeMigrationOverride=True), [], "LM619"),
    "post-copy is allowed only for VMs that tolerate a restart": (cr(allowPostCopy=True), [], "LM620"),
    "evictionStrategy LiveMigrate is used with masquerade as the default binding": (
        kubevirt(evictionStrategy="LiveMigrate"),
        [],
        "LM624",
    ),
    "vmRolloutStrategy LiveUpdate is used with LiveMigrate": (kubevirt(vmRolloutStrategy="LiveUpdate"), [], "LM627"),
    # what KubeVirt and Multus do with the network
    "the value of `network` is a name, or namespace/name": (cr(network="a.b"), [], "LM715"),
    "the NetworkAttachmentDefinition exists": (cr(network="m"), ["complete"], "LM716"),
    "the NetworkAttachmentDefinition is in KubeVirt's own namespace": (cr(network="elsewhere/m"), [], "LM717"),
    "the network is usable for migrations": (cr(network="m"), [net("{}")], "LM718"),
    "spec.config is present and valid JSON": (net("no JSON"), [], "LM701"),
    "the interface leads to other nodes": (
        net('{"type": "dummy", "ipam": {"type": "dhcp"}}'),
        [cr(network="m")],
        "LM708",
    ),
    "macvlan and ipvlan name their master": (net('{"type": "macvlan"}'), [cr(network="m")], "LM710"),
    "an IPAM plugin assigns addresses that virt-handler accepts": (net(f"{{{MACVLAN}}}"), [cr(network="m")], "LM711"),
    "addresses are unique over all nodes": (
        net(f'{{{MACVLAN}, "ipam": {{"type": "host-local", "subnet": "10.1.1.0/24"}}}}'),
        [cr(network="m")],
        "LM712",
    ),
    "there are enough addresses for all nodes": (
        net(f'{{{MACVLAN}, "ipam": {{"type": "whereabouts", "range": "10.1.1.0/30"}}}}'),
        [cr(network="m"), *(node(name, **{"kubevirt.io/schedulable": "true"}) for name in "abc")],
        "LM713",
    ),
    "the API server's address is not in the range": (
        net(f'{{{MACVLAN}, "ipam": {{"type": "whereabouts", "range": "10.96.0.0/24"}}}}'),
        [cr(network="m"), service_cidr("10.96.0.0/12")],
        "LM721",
    ),
    # how a MigrationPolicy is chosen and checked
    "every field has the correct type and range, and selectors are plain maps": (
        policy(completionTimeoutPerGiB=-1),
        [],
        "LM631",
    ),
    "cluster-wide settings are in the KubeVirt CR": (policy(progressTimeout=1), [], "LM632"),
    "every field exists in MigrationPolicies": (policy(bandwith="1Mi"), [], "LM646"),
    "the policy has selectors": (policy(selectors=None), [], "LM634"),
    "selectors are not empty": (policy(selectors={}), [], "LM635"),
    "selectors match a known VM": (policy(), [vm()], "LM644"),
    "no other policy matches the same VM equally well": (policy("p"), [policy("q")], "LM636"),
    "migrations have time to finish with the values of the policy and the cluster": (
        policy(bandwidthPerMigration="6Mi"),
        [cr()],
        "LM637",
    ),
    "settings of stall detection are set only with their feature gate": (policy(maxDowntimeMs=1), [cr()], "LM645"),
}


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_relation_is_held_by_the_rule_that_the_page_names(relation: str) -> None:
    """
    An object that breaks the relation is found by exactly the rule in the relation's row.
    """
    judged, world, rule = RELATIONS[relation]
    complete = (NetworkAttachmentDefinition,) if "complete" in world else ()
    known = ObjectsWorld([read(manifest) for manifest in world if manifest != "complete"], complete=complete)

    reported = judge(read(judged), known, only(NEWEST.release)).findings

    assert rule in row_of(relation)[2]
    assert rule in [finding.rule.id for finding in reported if not finding.undetermined]


@pytest.mark.parametrize(
    ("old", "new", "rule", "relation"),
    [
        (cr(), cr(network="m"), "LM719", "a change of the network is intended"),
        (net("{}"), net(f"{{{MACVLAN}}}"), "LM720", "a new configuration is rolled out"),
    ],
)
def test_a_relation_of_an_update_is_held_too(
    old: dict[str, Any], new: dict[str, Any], rule: str, relation: str
) -> None:
    """
    A finding about an update comes from the rule in its row.
    """
    known = ObjectsWorld([read(cr(network="m"))])

    reported = judge_change(read(old), read(new), known, only(NEWEST.release))

    assert [finding.rule.id for finding in reported] == [rule]
    assert row_of(relation)[2] == rule
