"""The outcome for attachment pods, and for launchers and VMIs of which one is missing."""

import msgspec

from tests.drain.building import NAMESPACE, attachment, launcher, vmi
from tests.drain.test_outcome import ALWAYS, firsts, machine, owned
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.kubevirt.releases import Version
from webhook.objects.pods import Pod


def test_an_attachment_pod_is_not_protected_before_1_6_1() -> None:
    """
    The VMI moves, but the message names the risk.
    """
    pods = [launcher(), attachment(launcher())]

    [old] = firsts(vmi(), pods=[*pods, attachment(launcher("vm2"), name="hp-volume-other")], version=Version(1, 6, 0))
    [new] = firsts(vmi(), pods=pods, version=Version(1, 6, 1))

    assert old.machine == machine(
        Outcome.MOVES,
        message="KubeVirt 1.6.0 does not protect the attachment pod hp-volume-xyz12, so its eviction can detach a volume during "
        "the migration.",
    )
    assert new.machine == machine(Outcome.MOVES)


def test_an_attachment_pod_without_its_launcher_on_the_node_blocks() -> None:
    """
    The launcher runs on another node and its VMI exists, so KubeVirt refuses the eviction.
    """
    owner = launcher(node="n2")

    assert [first.machine for first in firsts(vmi(nodeName="n2"), pods=[owner, attachment(owner)])] == [
        Machine(
            NAMESPACE,
            "hp-volume-xyz12",
            Outcome.BLOCKS,
            Detail.HOTPLUG,
            "KubeVirt refuses the eviction of this attachment pod: cannot evict hotplug pod: hp-volume-xyz12 associated with "
            "running vmi: vm1 in namespace tenant.",
            "Unplug the volume, or run kubectl delete pod hp-volume-xyz12 -n tenant if no VM uses the volume on this node.",
        )
    ]
    assert firsts(vmi(nodeName="n2"), pods=[owner, attachment(owner)], version=Version(1, 6, 0)) == []
    assert firsts(pods=[owner, attachment(owner)]) == []


def test_a_finished_pod_hides_no_other_pod() -> None:
    """
    Finished pods are left out of the drain.
    """
    [first] = firsts(vmi(), pods=[launcher(phase="Failed", suffix="old"), launcher()])

    assert first.launcher == launcher()


def test_a_launcher_without_its_vmi_is_unknown() -> None:
    """
    The message names the missing VMI. A launcher that names no VMI is not protected.
    """
    value = msgspec.to_builtins(launcher("vm2"))
    value["metadata"]["annotations"] = {}

    missing, nameless = firsts(pods=[launcher(), msgspec.convert(value, Pod)])

    assert missing.machine == machine(
        Outcome.UNKNOWN,
        Detail.MISSING_FACT,
        "VirtualMachineInstance tenant/vm1 of launcher virt-launcher-vm1-abcde is not in the input.",
        "Add VirtualMachineInstance tenant/vm1 to the input.",
        strategy="",
    )
    assert missing.launcher == launcher()
    assert nameless.machine == Machine(
        NAMESPACE,
        "virt-launcher-vm2-abcde",
        Outcome.STOPS,
        Detail.GONE,
        "The launcher names no VMI, so KubeVirt does not protect it and the drain deletes it.",
    )


def test_a_vmi_whose_launcher_was_not_given_has_an_outcome_too() -> None:
    """
    The status of the VMI names its node. Finished launchers do not count.
    """
    [first] = firsts(owned(vmi(strategy="None")), pods=[launcher(phase="Failed")])

    assert (first.machine.outcome, first.machine.detail) == (Outcome.STOPS, Detail.RESTARTS)
    assert first.launcher is None
    assert first.owner is ALWAYS
