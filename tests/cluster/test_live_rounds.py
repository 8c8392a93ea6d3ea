"""The order in which objects are read to confirm a denial."""

from collections.abc import Mapping
from typing import Any

from webhook.cluster.live_rounds import FEW, FIRST, GROWTH, rounds
from webhook.cluster.lookups import Question
from webhook.facts.unknown import Found, Unknown
from webhook.objects.instancetype import VirtualMachineInstancetype
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import ObjectMeta
from webhook.objects.storage import DataVolume, PersistentVolumeClaim

CLAIM = PersistentVolumeClaim(metadata=ObjectMeta(name="a"))
MISSING = Unknown("it does not exist yet")


def claims(**answers: Found[Any]) -> dict[Question, Found[Any]]:
    return {Question(PersistentVolumeClaim, "shop", name): answer for name, answer in answers.items()}


def names(answers: Mapping[Question, Found[Any]], *causes: str) -> list[list[str | None]]:
    return [[question.name for question in some] for some in rounds(answers, causes)]


def test_names_in_causes_are_read_before_objects_that_exist() -> None:
    """
    A claim that the denial names comes before an existing claim, and that before a missing one.
    """
    missing = {f"m{number:03}": MISSING for number in range(40)}
    answers = claims(**missing, there=CLAIM, bad=MISSING)
    answers[Question(DataVolume, "shop", "bad")] = MISSING

    first, *_ = names(answers, "PVC 'bad' will be ReadWriteOnce (from dataVolumeTemplate 'bad')")

    assert first[:3] == ["bad", "bad", "there"]


def test_kinds_with_few_names_come_before_claims() -> None:
    """
    An instancetype is read in the first round, because what a claim means may depend on it.
    """
    answers = claims(**{f"c{number:03}": CLAIM for number in range(FEW + 1)})
    answers[Question(VirtualMachineInstancetype, "shop", "small")] = CLAIM

    assert names(answers)[0][0] == "small"


def test_rounds_grow_and_hold_each_name_once() -> None:
    """
    An ordinary VM needs one round; of 500 names no round is more than so many times larger than the one before.
    """
    every = [f"c{number:03}" for number in range(500)]

    many = names(claims(**dict.fromkeys(every, MISSING)))

    assert [len(group) for group in many[:-1]] == [FIRST * GROWTH**number for number in range(len(many) - 1)]
    assert sorted(str(name) for some in many for name in some) == every
    assert len(names(claims(**dict.fromkeys(every[:FIRST], MISSING)))) == 1


def test_lists_are_not_read_in_rounds() -> None:
    """
    Without names there is one empty round.
    """
    assert names({Question(KubeVirt, "", None): ()}) == [[]]
