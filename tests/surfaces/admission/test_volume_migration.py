"""Updates with ``updateVolumesStrategy: Migration``: a VM may return to its old claims, and new claims are judged as usual."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, refused, review, vm
from webhook.policy.policy import Action, Lowered, Policy

FACTS = (claim("local", "ReadWriteOnce"), claim("local-2", "ReadWriteOnce"), claim("shared", "ReadWriteMany"))
MIGRATION = {"updateVolumesStrategy": "Migration"}
REPLACEMENT = {"updateVolumesStrategy": "Replacement"}
UNDER_WAY = {"type": "VolumesChange", "status": "True"}
FAILED = {"type": "ManualRecoveryRequired", "status": "True"}


def record(*sources: tuple[str, str], conditions: tuple[Manifest, ...] = (UNDER_WAY,)) -> Manifest:
    """A status as virt-controller writes it while it replaces these claims behind these volumes."""
    volumes = [
        {"volumeName": volume, "sourcePVCInfo": {"claimName": name}, "destinationPVCInfo": {"claimName": "shared"}}
        for volume, name in sources
    ]
    state = {"volumeMigrationState": {"migratedVolumes": volumes}}
    return {"created": True, "ready": True, "volumeUpdateState": state, "conditions": list(conditions)}


def on(*claims: str, outer: Manifest | None = None, status: Manifest | None = None) -> Manifest:
    """A VM with a volume on each of these claims."""
    return vm(
        volumes=[on_claim(name, f"v{index}") for index, name in enumerate(claims)], outer=outer or {}, status=status
    )


@pytest.mark.parametrize(
    "status",
    [None, {"printableStatus": "Stopped"}, {"created": True, "ready": True, "printableStatus": "Running"}],
    ids=["no status", "stopped", "running"],
)
def test_the_strategy_alone_lowers_nothing(status: Manifest | None) -> None:
    """
    A destination that one node alone can use is refused, whether the VM runs or not.
    """
    outcome = decided(review("UPDATE", on("local", outer=MIGRATION), on("shared", status=status)), *FACTS)

    assert list(refused(outcome)) == ["spec.template.spec.volumes[0]"]


def test_a_vm_that_is_created_with_the_strategy_is_judged_like_any_other() -> None:
    """
    Without an old object nothing is being replaced.
    """
    assert not decided(review("CREATE", on("local", outer=MIGRATION, status=record(("v0", "local")))), *FACTS).allowed


def test_a_migration_to_shared_claims_passes() -> None:
    """
    The replaced claim is not part of the new object, so no denial is lowered.
    """
    outcome = decided(review("UPDATE", on("shared", outer=MIGRATION), on("local")), *FACTS)

    assert outcome.decisions == ()


@pytest.mark.parametrize(
    ("outer", "status"),
    [
        (MIGRATION, record(("v0", "local"))),
        (MIGRATION, record(("v0", "local"), conditions=(FAILED,))),
        (REPLACEMENT, record(("v0", "local"), conditions=(FAILED,))),
    ],
    ids=["cancelled", "failed", "failed, without the strategy"],
)
def test_a_migration_in_progress_or_failed_can_be_cancelled(outer: Manifest, status: Manifest) -> None:
    """
    The claim that is being replaced comes back with a warning that says why; another claim and an unrelated violation are refused
    as ever.
    """
    old = on("shared", outer=MIGRATION, status=status)

    outcome = decided(review("UPDATE", on("local", outer=outer), old), *FACTS)

    assert outcome.allowed
    assert [(decision.finding.rule.id, decision.lowered) for decision in outcome.decisions] == [
        ("LM201", Lowered.VOLUME_MIGRATION)
    ]
    also = decided(review("UPDATE", on("local", "local-2", outer=outer), old), *FACTS)
    assert list(refused(also)) == ["spec.template.spec.volumes[1]"]
    worse = on("local", outer=outer)
    worse["spec"]["template"]["spec"]["domain"]["devices"]["hostDevices"] = [{"name": "a", "deviceName": "b/c"}]
    assert list(refused(decided(review("UPDATE", worse, old), *FACTS))) == [
        "spec.template.spec.domain.devices.hostDevices[0]"
    ]


@pytest.mark.parametrize(
    ("new", "outer", "status"),
    [
        (("local",), MIGRATION, record(("v0", "local"), conditions=())),
        (("local",), MIGRATION, record(("v0", "local"), conditions=({"type": "VolumesChange", "status": "False"},))),
        (("local",), REPLACEMENT, record(("v0", "local"))),
        (("local",), {}, record(("v0", "local"))),
        (("local-2",), MIGRATION, record(("v0", "local"))),
        (("local",), MIGRATION, record(("other", "local"))),
        (("local", "shared"), MIGRATION, record(("v0", "local"), ("v1", "local-2"))),
        (("local",), MIGRATION, record()),
        (("local",), MIGRATION, {"conditions": [UNDER_WAY]}),
        (("local",), MIGRATION, {"conditions": [UNDER_WAY], "volumeUpdateState": {}}),
    ],
    ids=[
        "completed",
        "cancelled before",
        "another strategy",
        "no strategy",
        "another claim",
        "another volume",
        "only one of two",
        "no volume",
        "no record",
        "an empty record",
    ],
)
def test_no_other_change_is_a_cancellation(new: tuple[str, ...], outer: Manifest, status: Any) -> None:
    """
    KubeVirt takes the old claims back only while it replaces them, and only all at once; anything else starts another migration.
    """
    old = on(*["shared"] * len(new), outer=MIGRATION, status=status)

    assert not decided(review("UPDATE", on(*new, outer=outer), old), *FACTS).allowed


def test_only_the_finding_about_the_claim_is_lowered() -> None:
    """
    A policy can deny an ephemeral overlay on the claim that comes back (LM205), which is a finding of its own.
    """
    old = on("shared", outer=MIGRATION, status=record(("v0", "local")))
    overlay = {"name": "v0", "ephemeral": {"persistentVolumeClaim": {"claimName": "local"}}}
    new = vm(volumes=[on_claim("local", "v0"), overlay], outer=MIGRATION)
    policy = Policy(actions={"LM205": Action.DENY})

    outcome = decided(review("UPDATE", new, old), *FACTS, policy=policy)

    assert sorted((decision.finding.rule.id, decision.action) for decision in outcome.decisions) == [
        ("LM201", Action.WARN),
        ("LM205", Action.DENY),
    ]
