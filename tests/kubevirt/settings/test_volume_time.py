"""The time of a volume migration: the sizes of the claims count from KubeVirt 1.7 on, in ``explain-settings`` and LM642."""

from typing import Any

import pytest

from tests.kubevirt.building import judgement, read, vm
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import Release, newest, only
from webhook.kubevirt.settings.explain import Outlook, explain_vm
from webhook.kubevirt.subject import subject_of
from webhook.objects.kubevirt import MigrationPolicy
from webhook.rules.example import claim, kubevirt

Manifest = dict[str, Any]
VOLUMES = "volumes: [{name: a, persistentVolumeClaim: {claimName: a}}, {name: b, dataVolume: {name: b}}]"


def sized(name: str, size: str | None, mode: str = "ReadWriteMany") -> Manifest:
    """A claim of this size."""
    made: Manifest = claim(name, mode)
    made["spec"] |= {"resources": {"requests": {"storage": size}}} if size is not None else {}
    return made


def around(*claims: Manifest, **migrations: Any) -> ObjectsWorld:
    """A cluster with these claims and migration settings, and without MigrationPolicies."""
    network = {"defaultNetworkInterface": "masquerade"}
    objects = [*claims, kubevirt(network=network, migrations=migrations)]
    return ObjectsWorld([read(manifest) for manifest in objects], [MigrationPolicy])


def machine(memory: str, strategy: str = "Migration") -> Manifest:
    """A VM with this memory and two claims."""
    return vm(f"{{memory: {{guest: {memory}}}, {VOLUMES}}}", updateVolumesStrategy=strategy)


def outlook(manifest: Manifest, objects: ObjectsWorld, release: Release) -> Outlook | None:
    subject = subject_of(read(manifest))
    assert subject is not None
    [facts] = expand(subject, objects, only(release))
    explained = explain_vm(facts, objects, newest(only(release)))
    [case] = explained.cases
    return explained.volume_outlook(case)


BIG = sized("a", "500Gi"), sized("b", "4Gi")
F40 = {"bandwidthPerMigration": "64Mi", "completionTimeoutPerGiB": 20}


def test_the_time_of_a_volume_migration_includes_the_claims() -> None:
    """
    16Gi and 504Gi at 64Mi per second take 8320 seconds, and KubeVirt allows 20 seconds for each of 559 GB.
    """
    assert outlook(machine("16Gi"), around(*BIG, **F40), Release(1, 9)) == Outlook(559, 559 * 20, 8320, True, ())


def test_kubevirt_1_6_and_earlier_allows_any_time() -> None:
    """
    These releases multiply the sizes of the claims by 10^9.
    """
    assert outlook(machine("16Gi"), around(*BIG, **F40), Release(1, 6)) == Outlook(559, None, 8320, True, ())


@pytest.mark.parametrize(
    ("manifest", "claims"),
    [
        (machine("16Gi", "Replacement"), BIG),
        (machine("16Gi"), (sized("a", "500Gi"), sized("b", None))),
        (machine("16Gi"), (sized("a", "500Gi"), sized("b", "large"))),
    ],
    ids=["another strategy", "a claim without size", "an invalid size"],
)
def test_an_unknown_size_gives_no_time(manifest: Manifest, claims: tuple[Manifest, ...]) -> None:
    """
    A part of the sum would promise too little time.
    """
    assert outlook(manifest, around(*claims, **F40), Release(1, 9)) is None


@pytest.mark.parametrize("mode", ["ReadWriteMany", "ReadWriteOnce"])
@pytest.mark.parametrize(
    ("memory", "release", "subjects"),
    [
        ("1Gi", Release(1, 9), ["memory and volumes"]),
        ("1Gi", Release(1, 6), []),
        ("16Gi", Release(1, 9), ["memory"]),
    ],
)
def test_a_volume_migration_that_cannot_finish_is_reported(
    memory: str, release: Release, subjects: list[str], mode: str
) -> None:
    """
    At 5Mi per second, 1Gi of memory finishes and 504Gi of volumes do not. If the memory alone fails, one finding suffices.

    A VM on ReadWriteOnce claims moves only together with its volumes, so its memory alone is not reported.
    """
    claims = sized("a", "500Gi", mode), sized("b", "4Gi", mode)
    objects = around(*claims, bandwidthPerMigration="5Mi")

    found = [
        one.subject for one in judgement(machine(memory), objects, only(release)).findings if one.rule.id == "LM642"
    ]

    assert found == [subject for subject in subjects if mode == "ReadWriteMany" or subject != "memory"]
