"""Updates of a running VM that KubeVirt carries out by a live migration."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, review, vm
from webhook.kubevirt.releases import Release, only

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


def test_a_new_volume_waits_for_a_restart() -> None:
    """
    Only a hotplugged volume reaches the running VM. A volume migration moves volumes, but adds none.
    """
    new = machine(extra="more")

    assert waiting(new, LIVE, ONE_NODE, claim("more", "ReadWriteMany")) == [SPEC + "volumes.1"]
    new["spec"]["updateVolumesStrategy"] = "Migration"
    assert waiting(new, LIVE, ONE_NODE, claim("more", "ReadWriteMany")) == [SPEC + "volumes.1"]
    new["spec"]["template"]["spec"]["volumes"][1]["persistentVolumeClaim"]["hotpluggable"] = True
    assert waiting(new, LIVE, ONE_NODE, claim("more", "ReadWriteMany")) == []


def test_another_claim_waits_for_a_restart_unless_kubevirt_moves_the_volume() -> None:
    new, facts = machine(), (LIVE, ONE_NODE, claim("more", "ReadWriteMany"))
    new["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "more"

    assert waiting(new, *facts) == [SPEC + "volumes.0"]
    new["spec"]["updateVolumesStrategy"] = "Migration"
    assert waiting(new, *facts) == []


@pytest.mark.parametrize("strategy", ["Migration", "Replacement"])
def test_a_removed_volume_waits_for_a_restart_unless_it_was_hotplugged(strategy: str) -> None:
    old, new = machine(extra="more"), machine()
    old["spec"]["updateVolumesStrategy"] = new["spec"]["updateVolumesStrategy"] = strategy

    assert waiting(new, LIVE, ONE_NODE, old=old) == [SPEC + "volumes"]
    old["spec"]["template"]["spec"]["volumes"][1]["persistentVolumeClaim"]["hotpluggable"] = True
    assert waiting(new, LIVE, ONE_NODE, old=old) == []


@pytest.mark.parametrize("strategy", [LIVE, STAGE], ids=["LiveUpdate", "Stage"])
def test_a_removed_interface_waits_for_a_restart_unless_it_was_unplugged(strategy: Manifest) -> None:
    """
    KubeVirt unplugs an interface with state ``absent``, after which its entry may be removed.
    """
    old, new = machine(interfaces=2), machine()

    assert waiting(new, strategy, ONE_NODE, old=old) == [SPEC + "domain.devices.interfaces"]
    old["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"][1]["state"] = "absent"
    assert waiting(new, strategy, ONE_NODE, old=old) == []


@pytest.mark.parametrize(("change", "count"), [({"masquerade": {}}, 1), ({"bridge": {}, "state": "absent"}, 0)])
def test_a_changed_interface_waits_for_a_restart_unless_only_its_state_changes(change: Manifest, count: int) -> None:
    old, new = machine(interfaces=2), machine(interfaces=2)
    new["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"][1] = {"name": "net1", **change}

    assert waiting(new, LIVE, ONE_NODE, old=old) == [SPEC + "domain.devices.interfaces.1"] * count


@pytest.mark.parametrize(
    ("releases", "reason"),
    [(only(Release(1, 8)), "does not apply it"), (only(Release(1, 9)), "needs a live migration")],
)
def test_another_network_of_an_interface_waits_for_a_restart(releases: int, reason: str) -> None:
    """
    From 1.9 on, KubeVirt connects a running VM to another network by a live migration.
    """
    old, new = machine(interfaces=2), machine(interfaces=2)
    new["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] = "other"

    outcome = decided(review("UPDATE", new, old), LIVE, ONE_NODE, releases=releases)

    (finding,) = (decision.finding for decision in outcome.decisions if decision.finding.rule.id == "LM508")
    assert finding.path == ("spec", "template", "spec", "networks", 1)
    assert reason in finding.message


@pytest.mark.parametrize(
    ("field", "former", "wanted", "paths"),
    [
        ("instancetype", {"name": "small"}, {"name": "large"}, ["spec.instancetype"]),
        (
            "instancetype",
            {"name": "small"},
            {"name": "small", "kind": "VirtualMachineInstancetype"},
            ["spec.instancetype"],
        ),
        ("instancetype", {"name": "small"}, {"name": "small", "kind": "virtualmachineclusterinstancetypes"}, []),
        ("instancetype", {"name": "small"}, {"name": "small", "revisionName": "vm-small-1"}, []),
        ("instancetype", {"name": "small", "revisionName": "vm-small-1"}, {"name": "small"}, ["spec.instancetype"]),
        ("preference", {"name": "linux"}, {"name": "windows"}, ["spec.preference"]),
        ("preference", None, {"name": "windows"}, ["spec.preference"]),
        ("preference", {"name": "linux"}, None, []),
    ],
)
def test_another_instancetype_or_preference_waits_for_a_restart(
    field: str, former: Manifest | None, wanted: Manifest | None, paths: list[str]
) -> None:
    """
    virt-controller writes the name of the revision itself. A removed reference may have become the same fields of the VM.
    """
    old, new = machine(), machine()
    for made, reference in ((old, former), (new, wanted)):
        del made["spec"]["template"]["spec"]["domain"]["cpu"], made["spec"]["template"]["spec"]["domain"]["memory"]
        if reference is not None:
            made["spec"][field] = reference

    assert waiting(new, LIVE, ONE_NODE, old=old) == paths


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [
        ("memory", "maxGuest", "8Gi"),
        ("cpu", "cores", 4),
        ("cpu", "model", "Haswell"),
        ("cpu", "dedicatedCpuPlacement", True),
    ],
)
def test_fields_beside_sockets_and_guest_memory_wait_for_a_restart(place: str, field: str, value: Any) -> None:
    new = machine()
    new["spec"]["template"]["spec"]["domain"][place][field] = value

    assert waiting(new, LIVE, ONE_NODE) == [f"{SPEC}domain.{place}.{field}"]


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
