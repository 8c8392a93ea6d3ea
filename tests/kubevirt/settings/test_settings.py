"""The rules about migration settings and MigrationPolicies, and their facts."""

from typing import Any

import msgspec
import pytest

from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.finding import Finding
from webhook.judging.machines import judge
from webhook.kubevirt.releases import KNOWN, SUPPORTED, TABLE, Release, only, parse_release
from webhook.kubevirt.settings.settings import SETTINGS, built_in
from webhook.objects.kinds import find_kind
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import Kubernetes
from webhook.objects.path import dotted
from webhook.policy.policy import Action, Policy, PolicySubject, decide_all
from webhook.policy.ratchet import ratchet
from webhook.rules.register import RULES
from webhook.rules.rule import About, Example, Rule, Severity
from webhook.yaml.document import read_documents

MINE = [rule for rule in RULES if rule.about in (About.SETTINGS, About.POLICY)]
LAB = """
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
spec:
  configuration:
    developerConfiguration: {featureGates: [LiveMigration]}
    migrations: {network: migration-network}
  workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate, Evict]}
"""


def read(value: dict[str, Any]) -> Kubernetes:
    """An object as the product reads it."""
    kind = find_kind(value["apiVersion"], value["kind"])
    assert kind is not None
    return msgspec.convert(value, kind.reads)


def cr(spec: Any, **metadata: Any) -> Kubernetes:
    """A KubeVirt CR whose workload updater migrates VMs, so that LM627 has nothing to report."""
    return as_written(
        {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate", "Evict"]}, **spec}, **metadata
    )


def as_written(spec: Any, **metadata: Any) -> Kubernetes:
    """A KubeVirt CR with exactly this spec."""
    return read(
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "KubeVirt",
            "metadata": {"name": "kubevirt", "namespace": "kubevirt", **metadata},
            "spec": spec,
        }
    )


def migrations(**settings: Any) -> Kubernetes:
    """A KubeVirt CR with these migration settings."""
    return cr({"configuration": {"migrations": settings}})


def policy(name: str, spec: Any) -> Kubernetes:
    """A MigrationPolicy."""
    api = "migrations.kubevirt.io/v1alpha1"
    return read({"apiVersion": api, "kind": "MigrationPolicy", "metadata": {"name": name}, "spec": spec})


def findings(judged: Kubernetes, releases: int = SUPPORTED, *known: Kubernetes) -> list[Finding]:
    """Those of the rules that this file is about."""
    reported = judge(judged, ObjectsWorld((judged, *known)), releases).findings
    return [finding for finding in reported if finding.rule in MINE]


def said(judged: Kubernetes, releases: int = SUPPORTED, *known: Kubernetes) -> list[tuple[str, str, str]]:
    """Rule, path and message of each finding."""
    return [(finding.rule.id, dotted(finding.path), finding.message) for finding in findings(judged, releases, *known)]


def every_example() -> list[Any]:
    return [pytest.param(rule, example, id=f"{rule.id} {example.title}") for rule in MINE for example in rule.examples]


@pytest.mark.parametrize(("rule", "example"), every_example())
def test_an_example_gives_its_verdict(rule: Rule, example: Example) -> None:
    """
    Each example on a rule's page gives its findings.
    """
    spec = read_documents(example.spec.encode(), "example")[0].value
    judged = as_written(spec) if rule.about is About.SETTINGS else policy("m-policy", spec)
    release = parse_release(example.release)
    assert release is not None

    reported = findings(judged, only(release), *(read(manifest) for manifest in example.world))

    own = [finding for finding in reported if finding.rule is rule]
    assert tuple(dotted(finding.path[1:]) for finding in own if not finding.undetermined) == example.violates
    assert tuple(dotted(finding.path[1:]) for finding in own if finding.undetermined) == example.undetermined


@pytest.mark.parametrize("rule", MINE, ids=lambda rule: rule.id)
def test_every_rule_shows_both_sides(rule: Rule) -> None:
    """
    A rule has at least one accepted and one rejected example, and stays in its family.
    """
    assert any(example.violates for example in rule.examples)
    assert any(not example.violates and not example.undetermined for example in rule.examples)
    assert rule.id.startswith("LM6")


def test_an_impossible_budget_is_reported_with_its_numbers() -> None:
    """
    Settings under which no migration can finish are an error, with the numbers in the message and the releases.
    """
    reported = findings(migrations(bandwidthPerMigration="5Mi"))

    assert [(finding.rule.id, finding.rule.severity, finding.message, finding.releases) for finding in reported] == [
        (
            "LM615",
            Severity.ERROR,
            (
                "at 5Mi per second, a GiB takes 205 s, but KubeVirt cancels the migration after 150 s per GB. "
                "Unless post-copy is allowed, a VM with more than 3000Mi to transfer cannot finish a migration"
            ),
            SUPPORTED & ~only(Release(1, 3)),
        )
    ]


def test_the_corrected_lab_cr_has_no_errors() -> None:
    """
    The lab's CR with its kind spelt right is sound; its feature gate is merely not needed any more.
    """
    judged = read(read_documents(LAB.encode(), "lab")[0].value)

    reported = findings(judged)

    assert [(finding.rule.id, finding.rule.severity, dotted(finding.path)) for finding in reported] == [
        ("LM623", Severity.INFO, "spec.configuration.developerConfiguration.featureGates[0]")
    ]


def test_settings_outside_of_spec_are_reported() -> None:
    """
    Settings at the top level of the object are found and sent to their place.
    """
    judged = read(
        {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "k"}, "migrations": {"network": "m"}}
    )

    reported = findings(judged, only(Release(1, 5)))

    assert [(finding.rule.id, dotted(finding.path), finding.remedy) for finding in reported] == [
        ("LM604", "migrations", "Move the field to spec.configuration.migrations.")
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        {
            "ownerReferences": [
                {"apiVersion": "hco.kubevirt.io/v1beta1", "kind": "HyperConverged", "name": "h", "uid": "1"}
            ]
        },
        {"labels": {"app.kubernetes.io/managed-by": "hco-operator"}},
        {"labels": {"app": "kubevirt-hyperconverged"}},
    ],
    ids=["owner", "managed-by", "app"],
)
def test_the_remedy_for_an_owned_cr_names_the_field_of_the_owner(metadata: dict[str, Any]) -> None:
    """
    On a CR that HyperConverged writes, the remedy names the object and the field where the change lasts.
    """
    judged = cr({"configuration": {"migrations": {"parallelMigrationsPerCluster": 0}}}, **metadata)

    remedies = [finding.remedy for finding in findings(judged)]

    assert remedies == [
        (
            "Write 1 or more, or remove the field. HyperConverged manages this CR and undoes changes in it: set "
            "spec.liveMigrationConfig.parallelMigrationsPerCluster of the HyperConverged object (version v1: "
            "spec.virtualization.liveMigrationConfig.parallelMigrationsPerCluster)."
        )
    ]


@pytest.mark.parametrize(
    ("cluster", "own", "blamed"),
    [
        ("64Mi", "5Mi", True),
        ("5Mi", "5Mi", False),
        ("2Mi", "5Mi", False),
        ("5Mi", "2Mi", True),
        ("5Mi", "64Mi", False),
    ],
)
def test_a_policy_is_reported_where_it_allows_less_than_the_cluster(cluster: str, own: str, blamed: bool) -> None:
    """
    Where the cluster's own settings allow too little time, a policy is reported only if it allows even less.
    """
    judged = policy("p", {"selectors": {"namespaceSelector": {"a": "b"}}, "bandwidthPerMigration": own})

    result = [finding.rule.id for finding in findings(judged, SUPPORTED, migrations(bandwidthPerMigration=cluster))]

    assert ("LM637" in result) is blamed


HCO = {"labels": {"app.kubernetes.io/managed-by": "hco-operator"}}
HARVESTER = {"namespace": "harvester-system"}


@pytest.mark.parametrize(
    ("metadata", "spec", "place"),
    [
        (
            HCO,
            {"configuration": {"migrations": {"disableTLS": True}}},
            "use annotation kubevirt.kubevirt.io/jsonpatch of",
        ),
        (HCO, {"configuration": {"migrations": {"network": "A"}}}, "set spec.liveMigrationConfig.network of"),
        (
            HCO,
            {"configuration": {"evictionStrategy": "x"}},
            "set spec.evictionStrategy of the HyperConverged object (version v1: spec.virtualization.evictionStrategy).",
        ),
        (
            HCO,
            {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}},
            "set spec.workloadUpdateStrategy.workloadUpdateMethods of the HyperConverged object (version v1: ",
        ),
        (
            HCO,
            {"configuration": {"developerConfiguration": {"featureGates": ["LiveMigration"]}}},
            "use annotation kubevirt.kubevirt.io/jsonpatch of the HyperConverged object.",
        ),
        (HARVESTER, {"configuration": {"migrations": {"network": "A"}}}, "Harvester's setting vm-migration-network"),
        (
            HARVESTER,
            {"configuration": {"migrations": {"progressTimeout": -1}}},
            "Harvester's setting kubevirt-migration",
        ),
        (
            HARVESTER,
            {"configuration": {"migrations": {"nodeDrainTaintKey": 5}}},
            "change kubevirt.spec.configuration.migrations.nodeDrainTaintKey in the values of Harvester's chart.",
        ),
        (
            HARVESTER,
            {"configuration": {"evictionStrategy": "x"}},
            "change kubevirt.spec.configuration.evictionStrategy in the values of Harvester's chart.",
        ),
    ],
)
def test_the_owners_own_field_is_named(metadata: dict[str, Any], spec: Any, place: str) -> None:
    """
    HyperConverged and Harvester overwrite the CR, so each remedy names their own field.
    """
    judged = cr(spec, **metadata)

    remedies = [finding.remedy for finding in judge(judged, ObjectsWorld(()), SUPPORTED).findings]

    assert len(remedies) == 1
    assert place in remedies[0]


def test_the_owner_of_a_network_is_named() -> None:
    """
    A network that Harvester made from a setting is mended there.
    """
    marked = {"vm-migration-network.settings.harvesterhci.io": "true"}
    network = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "n", "namespace": "harvester-system", "annotations": marked},
        "spec": {"config": "broken"},
    }

    [finding] = judge(read(network), ObjectsWorld(()), SUPPORTED).findings

    assert finding.remedy.endswith(
        "Harvester manages this network and undoes changes in it: change Harvester's setting vm-migration-network."
    )


@pytest.mark.parametrize(
    ("before", "after", "denied"),
    [
        ({"bandwidthPerMigration": "5Mi"}, {"bandwidthPerMigration": "5Mi", "allowAutoConverge": True}, []),
        ({"bandwidthPerMigration": "5Mi"}, {"bandwidthPerMigration": "2Mi"}, ["LM615"]),
        ({"bandwidthPerMigration": "2Mi"}, {"bandwidthPerMigration": "5Mi"}, []),
        (
            {"bandwidthPerMigration": "5Mi"},
            {"bandwidthPerMigration": "5Mi", "completionTimeoutPerGiB": 100},
            ["LM615"],
        ),
        ({"bandwidthPerMigration": "64Mi"}, {"bandwidthPerMigration": "5Mi"}, ["LM615"]),
        ({"bandwidthPerMigration": "5Mi"}, {"bandwidthPerMigration": "64Mi"}, []),
        ({"parallelOutboundMigrationsPerNode": 8}, {"parallelOutboundMigrationsPerNode": 7}, []),
        ({"parallelOutboundMigrationsPerNode": 8}, {"parallelOutboundMigrationsPerNode": 9}, ["LM612"]),
        ({"parallelMigrationsPerCluster": 0}, {"parallelMigrationsPerCluster": 0, "allowAutoConverge": True}, []),
        (
            {"parallelMigrationsPerCluster": 0},
            {"parallelMigrationsPerCluster": 0, "progressTimeout": -1},
            ["LM614"],
        ),
        ({"progressTimeout": -1}, {"completionTimeoutPerGiB": -1}, ["LM614"]),
    ],
)
def test_a_bad_field_may_stay_and_be_improved_and_not_be_made_worse(
    before: dict[str, Any], after: dict[str, Any], denied: list[str]
) -> None:
    """
    An update that keeps or improves a bad setting passes; one that makes it worse is denied.
    """
    old, new = migrations(**before), migrations(**after)

    decisions = ratchet(
        *(
            decide_all(
                judge(item, ObjectsWorld(()), SUPPORTED),
                Policy(),
                PolicySubject("KubeVirt", "kubevirt", "kubevirt"),
                "2026-01-01",
            )
            for item in (new, old)
        )
    )

    assert [decision.finding.rule.id for decision in decisions if decision.action is Action.DENY] == denied


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], {}, [1], {"a": 1}, -(2**70), 2**70, "9" * 300])
@pytest.mark.parametrize("name", SETTINGS)
def test_no_value_of_any_type_makes_a_rule_fail(name: str, value: Any) -> None:
    """
    The rules handle any JSON in a setting of a CR or policy, and report a wrong type with its path.
    """
    in_cr = said(migrations(**{name: value}), KNOWN)
    said(policy("p", {"selectors": {}, name: value}), KNOWN)

    if isinstance(value, list | dict | float):
        path = f"spec.configuration.migrations.{name}"
        assert ("LM601", path) in [(rule, at) for rule, at, _ in in_cr]


@pytest.mark.parametrize("value", [[], "x", 5, True, 1.5])
def test_settings_that_are_no_object_are_one_finding(value: Any) -> None:
    """
    ``migrations`` itself may be of any type.
    """
    reported = findings(cr({"configuration": {"migrations": value}}))

    assert [(finding.rule.id, dotted(finding.path)) for finding in reported] == [
        ("LM601", "spec.configuration.migrations")
    ]


def test_all_of_several_problems_are_reported() -> None:
    """
    No problem hides another one.
    """
    judged = migrations(
        parallelMigrationsPerCluster=0,
        progressTimeout=-1,
        bandwidthPerMigration="64MB",
        allowPostCopy="yes",
        bandwithPerMigration="64Mi",
    )

    assert [(rule, at) for rule, at, _ in said(judged)] == [
        ("LM601", "spec.configuration.migrations.allowPostCopy"),
        ("LM602", "spec.configuration.migrations.bandwithPerMigration"),
        ("LM605", "spec.configuration.migrations.bandwidthPerMigration"),
        ("LM609", "spec.configuration.migrations.parallelMigrationsPerCluster"),
        ("LM614", "spec.configuration.migrations.progressTimeout"),
    ]


@pytest.mark.parametrize("behaviour", TABLE, ids=lambda behaviour: str(behaviour.release))
def test_the_defaults_of_a_release_have_no_findings(behaviour: Any) -> None:
    """
    KubeVirt's defaults, written out, have no finding in their release, except for the gate of maxDowntimeMs.
    """
    values = built_in(behaviour)
    values.pop("maxDowntimeMs", None)

    reported = said(migrations(**values), only(behaviour.release))

    assert reported == []


def test_kinds_are_read_by_these_classes() -> None:
    """
    The objects of these tests are the product's own.
    """
    assert isinstance(migrations(), KubeVirt)
    assert isinstance(policy("p", {}), MigrationPolicy)
