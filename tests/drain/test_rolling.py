"""Rolling drains: each step begins with the VMs where the step before has left them."""

from tests.drain.fleets import as_fleet, kubevirt, node, owned, vmi
from webhook.drain.plan import Detail
from webhook.drain.rehearsal import Request, rehearse

NODES = [*(node(name) for name in ("n1", "n2", "n3")), kubevirt()]


def test_a_vm_can_restart_in_several_steps() -> None:
    """
    The launcher of the first restart ends before the launcher of the second one starts.
    """
    stopping = owned(*(vmi(f"vm{name}", name, strategy="None") for name in ("n1", "n2", "n3")))
    report = rehearse(as_fleet([*NODES, *stopping]), Request((), "rolling", max_unavailable=2))

    assert [len(plan.machines) for plan in report.nodes] == [1, 1, 3]
    assert {machine.detail for plan in report.nodes for machine in plan.machines} == {Detail.RESTARTS}


def test_a_restart_does_not_need_room_beside_its_old_launcher() -> None:
    """
    A VM that excludes others with its label from its zone can restart in this zone.
    """
    zone = {"topology.kubernetes.io/zone": "a"}
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "topology.kubernetes.io/zone"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    stopping = owned(vmi("vm", "n1", strategy="None", labels={"app": "db"}, affinity=affinity))
    objects = [node("n1", labels=zone), node("n2", labels=zone), kubevirt(), *stopping]
    report = rehearse(as_fleet(objects), Request(("n1",)))

    assert [machine.detail for machine in report.nodes[0].machines] == [Detail.RESTARTS]
