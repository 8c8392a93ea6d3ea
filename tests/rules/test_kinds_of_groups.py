"""LM801 reports only near misses of known kinds; LM808 reports every other unknown kind of a known API group."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.judging.machines import judge_manifest
from webhook.kubevirt.releases import SUPPORTED
from webhook.kubevirt.schema.group_kinds import GROUPS, kinds_of
from webhook.policy.policy import Policy, PolicySubject, Profile, decide_all

KNOWN = sorted((group, kind) for group in GROUPS for kind in kinds_of(group))
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def rules_of(group: str, kind: str, version: str = "v1") -> list[str]:
    """The ids of the rules about kinds that report an object of this kind."""
    judgement = judge_manifest({"apiVersion": f"{group}/{version}", "kind": kind}, SUPPORTED)
    return [finding.rule.id for finding in judgement.findings if finding.rule.id in ("LM801", "LM808")]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("migrations.kubevirt.io/v1alpha1", "VirtualMachineStorageMigrationPlan"),
        ("migrations.kubevirt.io/v1alpha1", "VirtualMachineStorageMigration"),
        ("migrations.kubevirt.io/v1alpha1", "MultiNamespaceVirtualMachineStorageMigration"),
        ("migrations.kubevirt.io/v1alpha1", "MultiNamespaceVirtualMachineStorageMigrationPlanList"),
        ("k8s.cni.cncf.io/v1alpha1", "IPAMClaim"),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy"),
        ("kubevirt.io/v1alpha1", "NodeMaintenance"),
        ("snapshot.kubevirt.io/v1beta1", "VirtualMachineSnapshotContent"),
    ],
)
def test_a_kind_of_another_project_in_a_shared_group_has_no_finding(api_version: str, kind: str) -> None:
    """
    Such a kind exists in a cluster, so a check must not deny it.
    """
    group, _, version = api_version.partition("/")

    assert rules_of(group, kind, version) == []


@pytest.mark.parametrize("known", KNOWN)
def test_a_known_kind_and_its_list_have_no_finding(known: tuple[str, str]) -> None:
    """
    No known kind is a near miss of another one in the same group.
    """
    group, kind = known

    assert rules_of(group, kind) == rules_of(group, f"{kind}List") == []


@given(st.sampled_from([known for known in KNOWN if len(known[1]) > 7]), st.integers(0, 30), st.sampled_from(LETTERS))
def test_a_kind_with_one_wrong_letter_is_misspelt(known: tuple[str, str], at: int, letter: str) -> None:
    """
    One missing, one additional or one replaced letter gives LM801, unless the result is another known kind.
    """
    group, kind = known
    place = at % len(kind)
    for written in (
        kind[:place] + kind[place + 1 :],
        kind[:place] + letter + kind[place:],
        kind[:place] + letter + kind[place + 1 :],
        kind.lower(),
        f"{kind}s",
    ):
        expected = [] if {written, written.removesuffix("List")} & kinds_of(group) else ["LM801"]
        assert rules_of(group, written) == expected, written


@given(st.sampled_from(sorted(GROUPS)), st.text(LETTERS, min_size=1, max_size=40).map(str.capitalize))
def test_no_profile_denies_a_kind_that_is_not_a_near_miss(group: str, kind: str) -> None:
    """
    A newer release or another project can have this kind.
    """
    judgement = judge_manifest({"apiVersion": f"{group}/v1", "kind": kind}, SUPPORTED)
    if "LM801" in {finding.rule.id for finding in judgement.findings}:
        return
    for profile in Profile:
        decisions = decide_all(judgement, Policy(profile=profile), PolicySubject(kind, "", ""), "2026-01-01")
        assert "deny" not in {decision.action for decision in decisions}


@pytest.mark.parametrize("kind", ["VirtualMachineGadget", "MigrationPlan", "NetworkAttachment", "Foo"])
def test_an_unknown_kind_has_a_note(kind: str) -> None:
    """
    The object is not checked, and the finding says so.
    """
    assert rules_of("kubevirt.io", kind) == ["LM808"]
