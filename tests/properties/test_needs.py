"""A rule is called only for VMs with a feature that it needs, and would report nothing about other VMs."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.kubevirt.test_cases import CASES, cases_of, world_of
from tests.properties.supply import PROPERTY, RELEASES, Around, clusters, machines, read
from tests.properties.test_advice import ALWAYS
from webhook.facts.features import Feature, features_of
from webhook.facts.world import World
from webhook.judging import machines as judging
from webhook.judging.machines import judge
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import KNOWN, NEWEST, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes
from webhook.rules.machines import VMI_RULES
from webhook.rules.register import RULES
from webhook.rules.rule import About

EACH_FEATURE = {name: value for name, value in vars(Feature).items() if not name.startswith("_")}
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


def left_out(judged: Kubernetes, world: World, releases: int) -> Iterator[tuple[str, list[object]]]:
    """The rules that are not called for a VM, and their outcomes."""
    subject = subject_of(judged)
    assert subject is not None
    for facts in expand(subject, world, releases):
        features = features_of(facts)
        for rule in VMI_RULES:
            if not rule.needs & features:
                yield rule.id, list(rule.check(facts))


@PROPERTY
@given(machines(), clusters(), st.booleans(), RELEASES)
def test_a_rule_whose_features_are_absent_yields_nothing(
    manifest: Manifest, around: Around, complete: bool, releases: int
) -> None:
    """
    Leaving out a rule never leaves out a finding or an assumption.
    """
    assert [one for one in left_out(read(manifest), around.world(complete), releases) if one[1]] == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_a_rule_whose_features_are_absent_yields_nothing_for_the_cases_of_kubevirt(path: Path) -> None:
    """
    The same holds for the VMIs that KubeVirt's own code has judged.
    """
    for case, vmi in cases_of(path):
        assert [one for one in left_out(vmi, world_of(case, vmi.namespace), KNOWN) if one[1]] == []


def test_a_rule_without_needs_is_called_for_every_vm() -> None:
    """
    A new rule that names no feature is called for a VMI without any other feature.
    """
    world, subject = Around((), ()).world(), subject_of(BARE)
    assert subject is not None
    assert [features_of(facts) for facts in expand(subject, world)] == [Feature.ANY_VMI]

    with patch.object(judging, "VMI_RULES", (ALWAYS,)):
        findings = judge(BARE, world, only(NEWEST)).findings

    assert [finding.rule.id for finding in findings if finding.rule is ALWAYS] == [ALWAYS.id, ALWAYS.id]


def test_only_rules_about_vmis_name_features() -> None:
    """
    The engine chooses among these rules only.
    """
    assert [rule.id for rule in RULES if rule.needs != Feature.ANY_VMI and rule.about is not About.VMI] == []


def test_each_feature_is_a_bit_that_a_rule_needs() -> None:
    """
    A feature that no rule needs would take time for each VM.
    """
    needed = 0
    for rule in VMI_RULES:
        needed |= rule.needs

    assert sorted(EACH_FEATURE.values()) == [1 << bit for bit in range(len(EACH_FEATURE))]
    assert [name for name, value in EACH_FEATURE.items() if not value & (needed | Feature.ANY_VMI)] == []
