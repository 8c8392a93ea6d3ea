"""The effect of a node drain on a VM: advice, which never changes the verdict."""

import pytest

from tests.kubevirt.building import judgement, vmi, world
from webhook.kubevirt.releases import NEWEST, SUPPORTED, only
from webhook.rules.example import kubevirt

POD = "networks: [{name: p, pod: {}}]"
MOVABLE = f"interfaces: [{{name: p, masquerade: {{}}}}], {POD}"
BOUND = f"interfaces: [{{name: p, bridge: {{}}}}], {POD}"
DRAIN = ("LM501", "LM502", "LM503", "LM504")


@pytest.mark.parametrize(
    ("own", "cluster", "movable", "bound"),
    [
        ("", "", [], []),
        ("None", "LiveMigrate", [], []),
        ("LiveMigrate", "", [], ["LM501"]),
        ("", "LiveMigrate", [], ["LM501"]),
        ("LiveMigrateIfPossible", "", [], ["LM504"]),
        ("", "LiveMigrateIfPossible", [], ["LM504"]),
        ("External", "", ["LM503"], ["LM503"]),
        ("", "External", ["LM503"], ["LM503"]),
        ("livemigrate", "", ["LM502"], ["LM502"]),
        ("", "livemigrate", [], []),
    ],
)
def test_the_strategy_in_force_is_held_against_the_verdict(
    own: str, cluster: str, movable: list[str], bound: list[str]
) -> None:
    """
    The VMI's own, else the cluster's. An invalid value is reported only where the object itself sets it.
    """
    around = world(kubevirt(evictionStrategy=cluster or None))
    for devices, migrates, expected in ((MOVABLE, True, movable), (BOUND, False, bound)):
        written = f", evictionStrategy: {own}" if own else ""

        result = judgement(vmi(f"{{{devices}{written}}}"), around, only(NEWEST))

        assert result.verdict is not None
        assert result.verdict.live_migratable is migrates
        assert [finding.rule.id for finding in result.findings if finding.rule.id in DRAIN] == expected


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("livemigrate", "Write LiveMigrate."),
        ("LiveMigrateIfPosible", "Write LiveMigrateIfPossible."),
        ("none", "Write None."),
        ("external", "Write External."),
        ("Always", "Write LiveMigrate, LiveMigrateIfPossible, None or External."),
    ],
)
def test_an_unknown_strategy_gets_the_closest_known_one_as_remedy(word: str, remedy: str) -> None:
    """
    KubeVirt's comparison is case-sensitive, and it refuses the object.
    """
    result = judgement(vmi(f"{{{MOVABLE}, evictionStrategy: {word}}}"), world(kubevirt()), SUPPORTED)

    assert [(finding.rule.id, finding.remedy) for finding in result.findings] == [("LM502", remedy)]


def test_a_drain_has_no_findings_with_an_unknown_strategy() -> None:
    """
    Without the KubeVirt CR the strategy is unknown, and so is a verdict that depends on the CR.
    """
    around = world(complete=())

    result = judgement(vmi("{evictionStrategy: LiveMigrate}"), around, SUPPORTED)

    assert [finding.rule.id for finding in result.findings] == ["LM101"]
    assert [finding.rule.id for finding in judgement(vmi(f"{{{BOUND}}}"), around, SUPPORTED).findings] == ["LM101"]
