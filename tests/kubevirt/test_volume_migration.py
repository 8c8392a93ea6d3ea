"""The claims to which a VM may return during a volume migration, by its status."""

from typing import Any

import pytest

from tests.kubevirt import building
from webhook.kubevirt.volume_migration import restored_claims
from webhook.objects.vm import VirtualMachine

UNDER_WAY = {"type": "VolumesChange", "status": "True"}
FAILED = {"type": "ManualRecoveryRequired", "status": "True"}
OS, DATA = ("os", "old-os"), ("data", "old-data")


def vm(*volumes: tuple[str, str], status: Any = None, strategy: str | None = "Migration") -> VirtualMachine:
    """A VM with these claims behind its volumes."""
    listed = [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in volumes]
    made = building.vm("{}", status=status, updateVolumesStrategy=strategy)
    made["spec"]["template"]["spec"]["volumes"] = listed
    read = building.read(made)
    assert isinstance(read, VirtualMachine)
    return read


def status(*sources: tuple[str, str], conditions: tuple[Any, ...] = (UNDER_WAY,)) -> Any:
    """As virt-controller writes it while it replaces these claims."""
    volumes = [{"volumeName": name, "sourcePVCInfo": {"claimName": claim}} for name, claim in sources]
    return {"volumeUpdateState": {"volumeMigrationState": {"migratedVolumes": volumes}}, "conditions": list(conditions)}


@pytest.mark.parametrize("extra", [(), (("more", "claim"),)])
def test_all_claims_that_are_replaced_may_come_back(extra: tuple[tuple[str, str], ...]) -> None:
    """
    Volume and claim of each; volumes outside the volume migration are not among them.
    """
    old = vm(("os", "new"), ("data", "new"), *extra, status=status(OS, DATA))

    assert restored_claims(old, vm(OS, DATA, *extra)) == {OS, DATA}


@pytest.mark.parametrize("strategy", ["Migration", "Replacement", None])
def test_after_a_failure_the_strategy_does_not_matter(strategy: str | None) -> None:
    """
    With condition ManualRecoveryRequired the VM does not start before the old claims are back.
    """
    old = vm(("os", "new"), status=status(OS, conditions=({"type": "Ready", "status": "False"}, FAILED)))

    assert restored_claims(old, vm(OS, strategy=strategy)) == {OS}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(status(OS), vm(OS, strategy="Replacement"), id="another strategy"),
        pytest.param(status(OS), vm(OS, strategy=None), id="no strategy"),
        pytest.param(status(OS), vm(("os", "other")), id="another claim"),
        pytest.param(status(OS), vm(("other", "old-os")), id="another volume"),
        pytest.param(status(OS, DATA), vm(OS, ("data", "new")), id="only one of two"),
        pytest.param(status(OS, conditions=()), vm(OS), id="completed"),
        pytest.param(status(OS, conditions=({**UNDER_WAY, "status": "False"},)), vm(OS), id="cancelled"),
        pytest.param(status(OS, conditions=({**FAILED, "status": "False"},)), vm(OS), id="recovered"),
        pytest.param({**status(OS), "conditions": None}, vm(OS), id="no conditions"),
        pytest.param(status(), vm(OS), id="no volume"),
        pytest.param({"conditions": [UNDER_WAY]}, vm(OS), id="no record"),
        pytest.param({"conditions": [UNDER_WAY], "volumeUpdateState": {}}, vm(OS), id="an empty record"),
        pytest.param(None, vm(OS), id="no status"),
        pytest.param(status(OS), vm(), id="no volumes"),
    ],
)
def test_anything_else_is_no_return(old: Any, new: VirtualMachine) -> None:
    """
    KubeVirt accepts the old claims again only during or after a failed volume migration, and only all at once.
    """
    assert restored_claims(vm(("os", "new"), status=old), new) == frozenset()


@pytest.mark.parametrize("claim", ["new", "XX"])
def test_a_source_that_is_not_known_never_returns(claim: str) -> None:
    """
    KubeVirt refuses a record without a source and accepts no old claim.
    """
    record = status(OS)
    record["volumeUpdateState"]["volumeMigrationState"]["migratedVolumes"].append({"volumeName": "data"})

    assert restored_claims(vm(("os", "new"), status=record), vm(OS, ("data", claim))) == frozenset()


def test_a_template_without_a_spec_has_no_volumes() -> None:
    """
    Nothing returns in a VM that has lost its template.
    """
    bare = building.read({**building.vm("{}"), "spec": {"updateVolumesStrategy": "Migration"}})
    assert isinstance(bare, VirtualMachine)

    assert restored_claims(vm(("os", "new"), status=status(OS)), bare) == frozenset()
