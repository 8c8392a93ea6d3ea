"""Updates of a running VM that KubeVirt carries out by a live migration."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, review, vm

RUNNING = {"created": True, "ready": True, "printableStatus": "Running"}
ONE_NODE, SHARED = claim("data", "ReadWriteOnce"), claim("data", "ReadWriteMany")
SPEC = "spec.template.spec."


def kubevirt(**configuration: Any) -> Manifest:
    """The KubeVirt CR."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": configuration},
    }


LIVE, STAGE = kubevirt(vmRolloutStrategy="LiveUpdate"), kubevirt(vmRolloutStrategy="Stage")


def machine(
    sockets: int = 1, memory: str = "2Gi", extra: str = "", interfaces: int = 1, status: Manifest | None = RUNNING
) -> Manifest:
    """A VM on claim ``data``."""
    volumes = [on_claim("data"), *([on_claim(extra, "extra")] if extra else [])]
    made = vm(volumes=volumes, status=status)
    spec = made["spec"]["template"]["spec"]
    spec["domain"] |= {"cpu": {"sockets": sockets}, "memory": {"guest": memory}}
    for index in range(1, interfaces):
        spec["domain"]["devices"]["interfaces"].append({"name": f"net{index}", "bridge": {}})
        spec["networks"].append({"name": f"net{index}", "multus": {"networkName": "lan"}})
    return made


def waiting(new: Manifest, *facts: Manifest, old: Manifest | None = None) -> list[str]:
    """The paths of the changes that wait for a restart. None of them is denied."""
    outcome = decided(review("UPDATE", new, old or machine()), *facts)
    mine = [decision for decision in outcome.decisions if decision.finding.rule.id == "LM508"]
    assert {decision.action.value for decision in mine} <= {"warn"}
    return [".".join(map(str, decision.finding.path)) for decision in mine]


@pytest.mark.parametrize(
    ("new", "paths"),
    [
        (machine(sockets=2), [SPEC + "domain.cpu.sockets"]),
        (machine(memory="4Gi"), [SPEC + "domain.memory.guest"]),
        (machine(interfaces=2), [SPEC + "domain.devices.interfaces.1"]),
        (machine(sockets=2, memory="4Gi"), [SPEC + "domain.cpu.sockets", SPEC + "domain.memory.guest"]),
        (machine(), []),
        (machine(memory="2048Mi"), []),
    ],
    ids=["sockets", "memory", "interface", "two", "nothing", "unit"],
)
def test_a_change_of_a_running_vm_that_cannot_migrate_waits_for_a_restart(new: Manifest, paths: list[str]) -> None:
    """
    The warning is at the changed field (F49).
    """
    assert waiting(new, LIVE, ONE_NODE) == paths


def test_a_changed_volume_waits_for_a_restart() -> None:
    """
    Only a hotplugged volume, or a volume migration, reaches the running VM.
    """
    new = machine(extra="more")

    assert waiting(new, LIVE, ONE_NODE, claim("more", "ReadWriteMany")) == [SPEC + "volumes.1"]
    new["spec"]["updateVolumesStrategy"] = "Migration"
    assert waiting(new, LIVE, ONE_NODE, claim("more", "ReadWriteMany")) == []


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((LIVE, SHARED), RUNNING),
        ((STAGE, ONE_NODE), RUNNING),
        ((LIVE, ONE_NODE), None),
        ((LIVE, ONE_NODE), {"created": False}),
    ],
    ids=["can migrate", "staged", "no status", "stopped"],
)
def test_a_change_of_another_vm_has_no_warning(facts: tuple[Manifest, ...], status: Manifest | None) -> None:
    """
    The change reaches the VM by a migration, at the next start, or as the cluster's strategy says.
    """
    assert waiting(machine(sockets=2, status=status), *facts, old=machine(status=status)) == []
