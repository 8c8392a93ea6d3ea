"""The state of a large cluster by hand: 10,000 VMs in 300 namespaces on 200 nodes."""

from functools import cache

from tests.console.states import (
    DISKS,
    MIGRATABLE,
    REFUSED,
    UNPROVEN,
    Fixed,
    audited,
    drains,
    finding,
    machine,
    vm,
)
from webhook.console.state import VM, MatchedPolicy, State
from webhook.drain.plan import NodePlan, Outcome, Seconds, worst
from webhook.report.model import ProblemReport

VMS, NAMESPACES, NODES, POLICIES = 10_000, 300, 200, 40
_VERDICTS = (MIGRATABLE, MIGRATABLE, MIGRATABLE, REFUSED, UNPROVEN)
_OUTCOMES = (Outcome.MOVES, Outcome.STOPS, Outcome.UNKNOWN, Outcome.WAITS, Outcome.BLOCKS)
_RULES = ("LM101", "LM201", "LM302", "LM501", "LM504", "LM507", "LM517", "LM601")
_REASONS = (DISKS, "HostDeviceNotLiveMigratable", "InterfaceNotLiveMigratable", "VirtIOFSNotLiveMigratable")


def _vm(number: int) -> VM:
    verdict = _VERDICTS[number % len(_VERDICTS)]
    rules = () if verdict is MIGRATABLE else tuple(sorted({_RULES[number % 8], _RULES[number * 7 % 8]}))
    reason = _REASONS[number % 4] if verdict is REFUSED else ""
    return vm(
        f"tenant-with-a-long-name-{number % NAMESPACES:04}",
        f"virtual-machine-with-a-long-name-{number:06}",
        verdict,
        *rules,
        reason=reason,
        is_running=number % 10 != 9,
    )


@cache
def large() -> Fixed:
    """The source. Nine of ten VMs run; those of every fifth node all move."""
    vms = sorted(map(_vm, range(VMS)), key=lambda one: (one.namespace, one.name))
    running = [one for one in vms if one.is_running]
    nodes = []
    for number in range(NODES):
        machines = tuple(
            machine(
                one.namespace,
                one.name,
                _OUTCOMES[index % 5] if number % 5 else Outcome.MOVES,
                message="No other node fits its target pod: 40 node(s) had untolerated taint {dedicated: gpu}.",
                remedy=f"Add memory for {one.namespace}/{one.name}.",
                seconds=Seconds(10, 60 + index),
            )
            for index, one in enumerate(running[number::NODES])
        )
        nodes.append(NodePlan(f"node-with-a-long-name-{number:04}", worst(machines), machines, slots=2))
    keys = [(one.namespace, one.name) for one in vms]
    policies = tuple(
        MatchedPolicy(
            f"policy-with-a-long-name-{number:03}",
            (("allowPostCopy", "true"), ("bandwidthPerMigration", "64Mi")),
            (("namespace", "kubernetes.io/metadata.name", "tenant"), ("vmi", "tier", f"gold-{number}")),
            decides=tuple(keys[number::POLICIES]),
            loses=tuple((*key, "policy-with-a-long-name-000") for key in keys[number + 1 :: POLICIES]),
        )
        for number in range(POLICIES)
    )
    problems = tuple(
        ProblemReport("cannot read it", "Mend it.", f"VirtualMachine tenant/broken-{number}", None, None, None, "")
        for number in range(1000)
    )
    others = tuple(
        audited("", f"policy-{number}", finding("LM601", "warn"), verdict=None, kind="MigrationPolicy")
        for number in range(100)
    )
    state = State(
        "1",
        "cluster-1",
        "1.9",
        "strict",
        tuple(vms),
        others,
        policies,
        drains(*nodes, rehearsed_at=1_800_000_000.0),
        problems=problems,
        judged_at=1_800_000_010.0,
    )
    objects = {key: (audited(*key, finding(), verdict=REFUSED),) for key in keys[:100]}
    return Fixed(state, objects)
