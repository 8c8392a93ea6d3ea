"""P12: advice never changes the verdict."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from unittest.mock import patch

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.properties.supply import EVERY_KIND, PROPERTY, RELEASES, Around, clusters, every_machine, machines, read
from webhook.facts.features import Features
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.releases import NEWEST, only
from webhook.rules import budget, storage_advice
from webhook.rules.chosen import ChosenRules
from webhook.rules.register import RULES
from webhook.rules.rule import Basis, Outcome, Rule, Undetermined, Violation

REGISTERS: tuple[tuple[ModuleType, str], ...] = ((budget, "BUDGET_RULES"), (storage_advice, "STORAGE_RULES"))
"""The groups of rules that ``judge`` applies to a VM as a whole."""
FOR_FEATURES = ChosenRules.for_features


def is_advice(rule: Rule) -> bool:
    """Whether every finding of the rule has basis ``advice``."""
    return not rule.kubevirt and not rule.baseline


ADVICE = frozenset(rule.id for rule in RULES if is_advice(rule))


def judge_without_advice(manifest: Manifest, world: World, releases: int) -> Judgement:
    """The judgement without the rules of advice."""
    return judge_with(lambda rules: tuple(rule for rule in rules if not is_advice(rule)), manifest, world, releases)


def judge_with(
    changed: Callable[[tuple[Rule, ...]], tuple[Rule, ...]], manifest: Manifest, world: World, releases: int
) -> Judgement:
    """The judgement with other rules in each register."""

    def chosen(rules: ChosenRules, features: Features) -> tuple[Rule, ...]:
        return changed(FOR_FEATURES(rules, features))

    with ExitStack() as stack:
        stack.enter_context(patch.object(ChosenRules, "for_features", chosen))
        for module, name in REGISTERS:
            stack.enter_context(patch.object(module, name, changed(getattr(module, name))))
        return judge(read(manifest), world, releases)


def report_everything(facts: object) -> Iterator[Outcome]:
    """A violation and an undetermined outcome about any facts."""
    yield Violation(("spec",), "a problem", "violation")
    yield Undetermined(("spec",), "a fact is missing", "provide it", "undetermined")


ALWAYS = msgspec.structs.replace(
    next(rule for rule in RULES if rule.id == "LM501"), id="LM299", name="always", check=report_everything
)
"""A rule of advice that is violated and undetermined for every VM."""


@PROPERTY
@given(machines(), clusters(), st.booleans(), RELEASES)
def test_p12_advice_changes_neither_the_verdict_nor_another_finding(
    manifest: Manifest, around: Around, complete: bool, releases: int
) -> None:
    """
    P12: without the rules of advice, a VM has the same verdict, reason, possible reasons and storage verdict, and the same
    other findings.
    """
    world = around.world(complete)

    with_advice = judge(read(manifest), world, releases)
    without = judge_without_advice(manifest, world, releases)

    assert with_advice.verdict == without.verdict
    others = tuple(finding for finding in with_advice.findings if finding.rule.id not in ADVICE)
    assert others == without.findings


@PROPERTY
@given(machines(), clusters(), st.booleans(), RELEASES)
def test_p12_a_rule_of_advice_that_always_reports_changes_no_verdict(
    manifest: Manifest, around: Around, complete: bool, releases: int
) -> None:
    """P12: more advice, violated or undetermined, never changes the verdict."""
    world = around.world(complete)

    with_more = judge_with(lambda rules: (ALWAYS, *rules), manifest, world, releases)

    assert with_more.verdict == judge(read(manifest), world, releases).verdict
    assert [finding.basis for finding in with_more.findings if finding.rule is ALWAYS][:2] == [Basis.ADVICE] * 2


def test_rules_of_each_register_are_removed() -> None:
    """Otherwise, the property would compare a judgement with itself."""
    removed = {name: [rule.id for rule in getattr(module, name) if is_advice(rule)] for module, name in REGISTERS}

    assert all(removed.values()), removed


@PROPERTY
@given(machines(), clusters(), st.booleans(), RELEASES)
def test_p12_a_finding_of_an_advice_rule_has_basis_advice(
    manifest: Manifest, around: Around, complete: bool, releases: int
) -> None:
    """P12: no finding of an advice rule refuses a migration or is on the fixed list."""
    findings = judge(read(manifest), around.world(complete), releases).findings

    assert {finding.basis for finding in findings if finding.rule.id in ADVICE} <= {Basis.ADVICE}


QUOTA: Manifest = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "q"},
    "spec": {"hard": {"pods": "1", "requests.memory": "1Gi", "limits.memory": "1Gi"}},
}
SMALL: Manifest = {"status": {"allocatable": {"cpu": "1", "memory": "1Gi"}}}


@PROPERTY
@given(machines(), clusters(), st.booleans(), RELEASES)
def test_p12_quotas_and_the_sizes_of_nodes_change_no_verdict(
    manifest: Manifest, around: Around, complete: bool, releases: int
) -> None:
    """P12: quotas and the resources of nodes add only findings about room for the target pod."""
    sized = [read(one | SMALL) if one["kind"] == "Node" else read(one) for one in around.manifests]
    kinds = EVERY_KIND if complete else ()

    with_room = judge(read(manifest), ObjectsWorld([*sized, read(QUOTA)], kinds), releases)
    without = judge(read(manifest), around.world(complete), releases)

    assert with_room.verdict == without.verdict
    others = tuple(finding for finding in with_room.findings if finding.rule.id not in {"LM517", "LM518"})
    assert others == without.findings


def test_quotas_are_exceeded_by_some_of_these_vms() -> None:
    """Otherwise, the property would say nothing about the rules."""
    reported = [
        judge(read(manifest), ObjectsWorld([read(QUOTA)]), only(NEWEST)).findings for manifest in every_machine()
    ]

    assert sum("LM517" in {finding.rule.id for finding in findings} for findings in reported) > 5
