"""A rule is called only for VMs with a feature that it needs, and would report nothing about other VMs."""

from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.kubevirt.test_cases import CASES, cases_of, world_of
from tests.properties.supply import EVERY_KIND, PROPERTY, RELEASES, Around, clusters, machines, read
from tests.properties.test_advice import ALWAYS, QUOTA, SMALL
from tests.rules.test_examples import report_of
from tests.wrapping import wraps
from webhook.facts.drain import DrainFeature
from webhook.facts.features import Feature, features_of
from webhook.facts.manifest import ManifestFeature
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.target import TargetFeature
from webhook.facts.world import World
from webhook.judging import machines as judging
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import KNOWN, NEWEST, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes
from webhook.rules import chosen
from webhook.rules.chosen import ChosenRules, rule_of
from webhook.rules.machines import DRAIN_RULES, MANIFEST_RULES, VMI_RULES
from webhook.rules.register import RULES
from webhook.rules.rule import Rule
from webhook.rules.target_pod import TARGET_RULES

BARE = read(
    {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "vm"},
        "spec": {
            "domain": {
                "cpu": {"model": "Haswell"},
                "devices": {"interfaces": [{"name": "default", "masquerade": {}}]},
            },
            "networks": [{"name": "default", "pod": {}}],
        },
    }
)
"""A VMI with the feature of every VMI only."""


def every_rule() -> AbstractContextManager[object]:
    """Lets the engine call each rule."""
    return patch.object(ChosenRules, "for_features", lambda rules, _features: tuple(map(rule_of, rules.needs)))


def judge_with_all_rules(judged: Kubernetes, world: World, releases: int) -> Judgement:
    """The judgement if each rule is called."""
    with every_rule():
        return judge(judged, world, releases)


@PROPERTY
@given(machines(), clusters(), st.booleans(), st.booleans(), RELEASES)
def test_rules_whose_features_are_absent_change_no_judgement(
    manifest: Manifest, around: Around, complete: bool, sized: bool, releases: int
) -> None:
    """
    Leaving out these rules changes no finding, no assumption, no verdict and no order.
    """
    objects = [read(one | SMALL) if sized and one["kind"] == "Node" else read(one) for one in around.manifests]
    world = ObjectsWorld([*objects, read(QUOTA)] if sized else objects, EVERY_KIND if complete else ())

    assert judge(read(manifest), world, releases) == judge_with_all_rules(read(manifest), world, releases)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_rules_whose_features_are_absent_change_no_judgement_of_the_cases_of_kubevirt(path: Path) -> None:
    """
    The same holds for the VMIs that KubeVirt's own code has judged.
    """
    for case, vmi in cases_of(path):
        world = world_of(case, vmi.namespace)

        assert judge(vmi, world, KNOWN) == judge_with_all_rules(vmi, world, KNOWN), case["id"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rules_whose_features_are_absent_change_no_report_of_an_example(rule: Rule) -> None:
    """
    The same holds for the examples of all rules, which have each feature, with the objects that they need.
    """
    for example in rule.examples:
        for wrap in wraps(rule, example):
            report = report_of(wrap(example), example)

            with every_rule():
                assert report == report_of(wrap(example), example), example.title


def test_a_rule_that_needs_no_feature_is_called_for_every_vm() -> None:
    """
    A new rule that names no feature is called for a VMI without any other feature.
    """
    world, subject = Around((), ()).world(), subject_of(BARE)
    assert subject is not None
    assert [features_of(facts) for facts in expand(subject, world)] == [Feature.ANY]

    with (
        patch.object(judging, "VMI_RULES", ChosenRules({"always": Feature.ANY})),
        patch.object(chosen, "rule_of", {"always": ALWAYS}.__getitem__),
    ):
        findings = judge(BARE, world, only(NEWEST)).findings

    assert [finding.rule.id for finding in findings if finding.rule is ALWAYS] == [ALWAYS.id, ALWAYS.id]


@pytest.mark.parametrize(
    ("rules", "features"),
    [
        (VMI_RULES, Feature),
        (TARGET_RULES, TargetFeature),
        (DRAIN_RULES, DrainFeature),
        (MANIFEST_RULES, ManifestFeature),
    ],
    ids=["vmi", "target", "drain", "manifest"],
)
def test_each_feature_is_a_bit_that_a_rule_needs(rules: ChosenRules, features: type) -> None:
    """
    A feature that no rule needs would take time for each VM.
    """
    named = {value: name for name, value in vars(features).items() if not name.startswith("_")}
    needed = Feature.ANY
    for needs in rules.needs.values():
        needed |= needs

    assert sorted({Feature.ANY, *named}) == [1 << bit for bit in range(len({Feature.ANY, *named}))]
    assert [name for value, name in named.items() if not value & needed] == []
