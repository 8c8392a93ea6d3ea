"""What a drain of the node will do to a VM: advice beside the verdict, which it never changes."""

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
    The VMI's own, else the cluster's; a wrong word is told only where the object itself writes it.
    """
    around = world(kubevirt(evictionStrategy=cluster or None))
    for devices, migrates, expected in ((MOVABLE, True, movable), (BOUND, False, bound)):
        written = f", evictionStrategy: {own}" if own else ""

        found = judgement(vmi(f"{{{devices}{written}}}"), around, only(NEWEST))

        assert found.verdict is not None
        assert found.verdict.live_migratable is migrates
        assert [each.rule.id for each in found.findings if each.rule.id in DRAIN] == expected


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
def test_a_word_that_is_none_of_the_four_is_met_with_the_nearest(word: str, remedy: str) -> None:
    """
    KubeVirt compares letter by letter and refuses the object.
    """
    found = judgement(vmi(f"{{{MOVABLE}, evictionStrategy: {word}}}"), world(kubevirt()), SUPPORTED)

    assert [(each.rule.id, each.remedy) for each in found.findings] == [("LM502", remedy)]


def test_nothing_is_said_of_a_drain_where_nobody_knows() -> None:
    """
    Without the KubeVirt CR neither the strategy in force nor, where it hangs on it, the verdict is known.
    """
    around = world(complete=())

    found = judgement(vmi("{evictionStrategy: LiveMigrate}"), around, SUPPORTED)

    assert [each.rule.id for each in found.findings] == ["LM101"]
    assert [each.rule.id for each in judgement(vmi(f"{{{BOUND}}}"), around, SUPPORTED).findings] == ["LM101"]
