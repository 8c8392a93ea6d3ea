"""The explanation of one VM as text for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from webhook.drain.vm_explanation import Destinations, Excluded, Policy, Reason, Verdict, VMExplanation
from webhook.kubevirt.settings.explain import FOLLOWS, Ending
from webhook.report.drain.drain_words import phrase, plural, span
from webhook.report.printable import escaped
from webhook.report.settings_text import BY_POLICY, ENDINGS

WIDTH: Final = 120
"""The maximum number of columns, unless a single word is longer."""
_LABEL: Final = 10


def render(explanation: VMExplanation) -> str:
    """The text with a final newline."""
    return "\n".join(_lines(_safe(explanation))) + "\n"


def _lines(one: VMExplanation) -> Iterator[str]:
    name = "/".join(filter(None, (one.namespace, one.name)))
    yield from _wrap(f"{one.judged} {name}: {_headline(one.verdict)}")
    yield ""
    yield from _row("runs", _place(one))
    yield from _row("verdict", _verdict(one.verdict))
    if one.verdict.source == "condition" and one.verdict_by_rules.live_migratable not in (
        None,
        one.verdict.live_migratable,
    ):
        yield from _row("", f"Migratable computes another verdict from these objects: it {_can(one.verdict_by_rules)}.")
    if one.verdict_after_restart is not None:
        yield from _row("", f"The VirtualMachine has changed: after a restart, it {_can(one.verdict_after_restart)}.")
    for reason in one.reasons:
        if reason.decides:
            yield from _reason(reason)
    yield from _row("volumes", _storage(one))
    yield from _row("eviction", f"evictionStrategy is {one.strategy.value or 'unknown'}: {one.strategy.origin}")
    for policy in one.policies:
        yield from _policy(policy)
    yield from _destinations(one.destinations)
    yield from _row("time", f"{span(one.seconds)} for one live migration" if one.seconds is not None else "unknown")
    yield from _drain(one)
    yield from _closing(one)


def _headline(verdict: Verdict) -> str:
    return _can(verdict) + (f" ({verdict.reason})" if verdict.live_migratable is False and verdict.reason else "")


def _can(verdict: Verdict) -> str:
    if verdict.live_migratable is None:
        return "may or may not be live-migrated: a fact is missing"
    return "can be live-migrated" if verdict.live_migratable else "cannot be live-migrated"


def _place(one: VMExplanation) -> str:
    where = f"on node {one.node}" if one.node else "on no node"
    phase = f", in phase {one.phase}" if one.phase else ""
    return f"{where}{phase}, with KubeVirt {one.release}"


def _verdict(verdict: Verdict) -> str:
    if verdict.source == "condition":
        status = {True: "True", False: "False", None: "Unknown"}[verdict.live_migratable]
        cause = ": ".join(text for text in (verdict.reason, verdict.message) if text)
        return f"KubeVirt's condition LiveMigratable is {status}" + (f" ({cause})" if cause else "")
    return f"computed from the objects: the VM {_headline(verdict)}"


def _reason(reason: Reason) -> Iterator[str]:
    label = "unproven" if reason.unproven else "reason"
    yield from _row(label, f"{_rule(reason)}: {reason.message}")
    yield from _row("", f"fix: {reason.remedy}")


def _rule(reason: Reason) -> str:
    of_vmi = " of the VMI" if reason.kind == "VirtualMachineInstance" else ""
    return f"{reason.rule} {reason.name}, at {reason.path}{of_vmi}"


def _storage(one: VMExplanation) -> str:
    if one.storage is None:
        return f"KubeVirt {one.release} has no condition StorageLiveMigratable"
    if one.storage.live_migratable:
        return "KubeVirt can move the VM to other claims while it runs (StorageLiveMigratable is True)"
    if one.storage.live_migratable is None:
        return f"it is unknown whether KubeVirt can move the VM to other claims: {', '.join(one.storage.possible)}"
    return f"KubeVirt cannot move the VM to other claims while it runs: {', '.join(one.storage.reasons)}"


def _policy(policy: Policy) -> Iterator[str]:
    name = f"MigrationPolicy {policy.name}: " if policy.name else ""
    yield from _row("policy", f"{name}{policy.because}")
    for setting in policy.settings:
        if setting.name in BY_POLICY:
            value = str(setting.value).lower() if isinstance(setting.value, bool) else setting.value
            origin = setting.origin if setting.origin == FOLLOWS else f"by {setting.origin}"
            yield from _row("", f"{setting.name}: {value} ({origin})")
    if policy.on_timeout:
        yield from _row("", f"on timeout: {ENDINGS[Ending(policy.on_timeout)]}")


def _destinations(where: Destinations) -> Iterator[str]:
    is_target = where.pod == "target"
    others = plural(where.others, "other node" if is_target else "node")
    verb = "could receive the VM" if is_target else "could start the VM"
    if where.node_count or where.excluded or where.unknown or not where.message:
        names = f": {_named(where.nodes, where.node_count)}" if where.nodes else ""
        yield from _row("nodes", f"{where.node_count} of {others} {verb}{names}")
    if where.message:
        yield from _row("" if where.nodes or where.excluded else "nodes", where.message)
    for group in where.excluded:
        yield from _row("", _group(group))
    for group in where.unknown:
        yield from _row("", f"not known: {_group(group)}")
    if where.remedy:
        yield from _row("", f"fix: {where.remedy}")


def _group(group: Excluded) -> str:
    return f"{group.node_count} {group.reason}: {_named(group.nodes, group.node_count)}"


def _named(nodes: Sequence[str], count: int) -> str:
    rest = count - len(nodes)
    return ", ".join(nodes) + (f" and {rest} more" if rest > 0 else "")


def _drain(one: VMExplanation) -> Iterator[str]:
    machine = one.drain
    if machine is None:
        yield from _row("drain", "no drain affects the VM, because it does not run on a node")
        return
    yield from _row("drain", f"if node {one.node} is drained, the VM {phrase(machine)}")
    yield from _row("", machine.message)
    if machine.remedy and machine.remedy != one.destinations.remedy:
        yield from _row("", f"fix: {machine.remedy}")


def _closing(one: VMExplanation) -> Iterator[str]:
    advice = [reason for reason in one.reasons if not reason.decides]
    if advice:
        yield ""
    for reason in advice:
        yield from _row("advice", f"{_rule(reason)}: {reason.message}")
        yield from _row("", f"fix: {reason.remedy}")
    if one.assumptions or one.missing:
        yield ""
    for text in one.assumptions:
        yield from _wrap(text, "assumed: ")
    if one.missing:
        yield from _wrap(f"{', '.join(one.missing)}.", "not provided: ")


def _row(label: str, text: str) -> list[str]:
    return _wrap(text, f"{label:<{_LABEL}}") if text else []


def _wrap(text: str, label: str = "") -> list[str]:
    """``text`` after ``label``. Further lines begin below the text."""
    return textwrap.wrap(
        label + text,
        WIDTH,
        subsequent_indent=" " * min(len(label), 14),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _safe(explanation: VMExplanation) -> VMExplanation:
    """The explanation with all unprintable characters escaped."""
    return msgspec.convert(_escaped(msgspec.to_builtins(explanation)), VMExplanation)


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value
