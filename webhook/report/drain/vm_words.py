"""The sentences about one VM that the text for a terminal and the page share."""

from collections.abc import Iterator, Sequence

from webhook.drain.vm_explanation import Destinations, Excluded, Policy, Reason, Setting, Verdict, VMExplanation
from webhook.kubevirt.settings.explain import FOLLOWS, Ending
from webhook.report.drain.drain_words import phrase
from webhook.report.phrases import plural
from webhook.report.settings_text import BY_POLICY, ENDINGS


def headline(verdict: Verdict) -> str:
    """The verdict with KubeVirt's reason, such as ``cannot be live-migrated (DisksNotLiveMigratable)``."""
    return can(verdict) + (f" ({verdict.reason})" if verdict.live_migratable is False and verdict.reason else "")


def can(verdict: Verdict) -> str:
    """The verdict as the end of a sentence about the VM."""
    if verdict.live_migratable is None:
        return "may or may not be live-migrated: a fact is missing"
    return "can be live-migrated" if verdict.live_migratable else "cannot be live-migrated"


def place(one: VMExplanation) -> str:
    """The node, the phase and the release of KubeVirt."""
    where = f"on node {one.node}" if one.node else "on no node"
    phase = f", in phase {one.phase}" if one.phase else ""
    return f"{where}{phase}, with KubeVirt {one.release}"


def verdicts(one: VMExplanation) -> Iterator[str]:
    """The source of the verdict, and the verdicts that differ from it."""
    yield verdict_of(one.verdict)
    if one.verdict.source == "condition" and one.verdict_by_rules.live_migratable not in (
        None,
        one.verdict.live_migratable,
    ):
        yield f"Migratable computes another verdict from these objects: it {can(one.verdict_by_rules)}."
    if one.verdict_after_restart is not None:
        yield f"The VirtualMachine has changed: after a restart, it {can(one.verdict_after_restart)}."


def verdict_of(verdict: Verdict) -> str:
    """Where the verdict is from: the condition that KubeVirt set, or the objects."""
    if verdict.source == "condition":
        status = {True: "True", False: "False", None: "Unknown"}[verdict.live_migratable]
        cause = ": ".join(text for text in (verdict.reason, verdict.message) if text)
        return f"KubeVirt's condition LiveMigratable is {status}" + (f" ({cause})" if cause else "")
    return f"computed from the objects: the VM {headline(verdict)}"


def rule_of(reason: Reason) -> str:
    """The rule and the place of a finding."""
    of_vmi = " of the VMI" if reason.kind == "VirtualMachineInstance" else ""
    return f"{reason.rule} {reason.name}, at {reason.path}{of_vmi}"


def storage_of(one: VMExplanation) -> str:
    """Whether KubeVirt can move the VM to other claims while it runs."""
    if one.storage is None:
        return f"KubeVirt {one.release} has no condition StorageLiveMigratable"
    if one.storage.live_migratable:
        return "KubeVirt can move the VM to other claims while it runs (StorageLiveMigratable is True)"
    if one.storage.live_migratable is None:
        return f"it is unknown whether KubeVirt can move the VM to other claims: {', '.join(one.storage.possible)}"
    return f"KubeVirt cannot move the VM to other claims while it runs: {', '.join(one.storage.reasons)}"


def strategy_of(one: VMExplanation) -> str:
    """The eviction strategy in force, and the object that sets it."""
    return f"evictionStrategy is {one.strategy.value or 'unknown'}: {one.strategy.origin}"


def policy_of(policy: Policy) -> str:
    """The MigrationPolicy in force, and why."""
    return f"MigrationPolicy {policy.name}: {policy.because}" if policy.name else policy.because


def settings_of(policy: Policy) -> Iterator[tuple[Setting, str, str]]:
    """The settings that a MigrationPolicy can set, each with its value and its origin in words."""
    for setting in policy.settings:
        if setting.name in BY_POLICY:
            value = str(setting.value).lower() if isinstance(setting.value, bool) else str(setting.value)
            yield setting, value, setting.origin if setting.origin == FOLLOWS else f"by {setting.origin}"


def ending_of(policy: Policy) -> str:
    """The end of a migration that does not finish in time. Empty if it is not known."""
    return ENDINGS[Ending(policy.on_timeout)] if policy.on_timeout else ""


def fitting(where: Destinations) -> str:
    """How many nodes fit, and which. Empty if no node was compared with the pod."""
    is_target = where.pod == "target"
    others = plural(where.others, "other node" if is_target else "node")
    verb = "could receive the VM" if is_target else "could start the VM"
    if not (where.node_count or where.excluded or where.unknown or not where.message):
        return ""
    names = f": {_named(where.nodes, where.node_count)}" if where.nodes else ""
    return f"{where.node_count} of {others} {verb}{names}"


def group_of(group: Excluded) -> str:
    """Nodes with the same reason, such as ``2 Insufficient memory: node-a, node-b``."""
    return f"{group.node_count} {group.reason}: {_named(group.nodes, group.node_count)}"


def groups_of(where: Destinations) -> Iterator[str]:
    """The nodes that do not fit, then those of which this is not known."""
    yield from map(group_of, where.excluded)
    yield from (f"not known: {group_of(group)}" for group in where.unknown)


def _named(nodes: Sequence[str], count: int) -> str:
    rest = count - len(nodes)
    return ", ".join(nodes) + (f" and {rest} more" if rest > 0 else "")


def drain_of(one: VMExplanation) -> str:
    """The effect of a drain of the VM's node."""
    if one.drain is None:
        return "no drain affects the VM, because it does not run on a node"
    return f"if node {one.node} is drained, the VM {phrase(one.drain)}"


def drain_remedy(one: VMExplanation) -> str:
    """The remedy for the drain, unless it is that for the nodes."""
    return one.drain.remedy if one.drain is not None and one.drain.remedy != one.destinations.remedy else ""
