"""The remedies for a VMI that cannot be live-migrated, from the rules."""

from msgspec.structs import replace

from webhook.drain.plan import Detail, Machine
from webhook.facts.world import World
from webhook.judging.finding import Finding
from webhook.judging.machines import judge
from webhook.kubevirt.releases import Releases
from webhook.objects.running import RunningVMI
from webhook.rules.rule import Basis


def with_causes(machine: Machine, vmi: RunningVMI, world: World, releases: Releases) -> Machine:
    """
    The machine with a more precise remedy, if its VMI blocks because it cannot be live-migrated and a rule finds the cause.

    KubeVirt's condition stays the reason for the outcome. A rule only explains it.
    """
    if machine.detail is not Detail.NOT_MIGRATABLE:
        return machine
    findings = [
        one
        for one in judge(vmi, world, releases).findings
        if one.basis is Basis.KUBEVIRT and not one.undetermined and _explains(one, vmi)
    ]
    if not findings:
        return machine
    _, _, otherwise = machine.remedy.partition(", or ")
    remedy = findings[0].remedy or findings[0].rule.remediation
    if otherwise:
        remedy = f"{remedy.rstrip('.')}. Or {otherwise}"
    found = tuple(f"{one.rule.id}: {one.message}" for one in findings)
    return replace(machine, remedy=remedy, reasons=tuple(dict.fromkeys((*machine.reasons, *found))))


def _explains(finding: Finding, vmi: RunningVMI) -> bool:
    """Whether KubeVirt's condition has the reason of the rule. KubeVirt names only the first reason."""
    reason = vmi.live_migratable.reason if vmi.live_migratable is not None else ""
    return not reason or finding.rule.reason is None or finding.rule.reason == reason
