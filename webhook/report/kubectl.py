"""``kubectl patch`` commands for the fixes of objects in a cluster, and what has to follow a change."""

import json
import re
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

import msgspec

from webhook.objects.kinds import find_kind, group_of
from webhook.report.model import FindingReport, FixReport, ObjectReport
from webhook.report.pen import Pen

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_WITH_VERSION: Final = frozenset(("HyperConverged", "VirtualMachinePool"))
"""Kinds with different fields in each version. A patch fits only the version that was read."""
_VMI: Final = "VirtualMachineInstance"
_NO_VMI_CHANGE: Final = (
    "KubeVirt accepts no change to the spec of a VMI. Change and restart its VirtualMachine, or create the VMI again"
)


class Command(msgspec.Struct, frozen=True):
    """A fix of a finding as a command."""

    label: str
    """``safe change``, or ``option 1 of 2`` if the user has to choose."""
    title: str
    """The change, as an instruction."""
    line: str
    """The command. Empty if no command can make the change."""
    remark: str
    """A necessary step besides the command. Empty if the command is enough."""


def patch_command(judged: ObjectReport, fix: FixReport) -> str:
    """The command that makes a change in a cluster. The command fails if the object has changed in the meantime."""
    namespace = ["-n", judged.namespace] if judged.namespace else []
    patch = json.dumps(fix.patch, separators=(",", ":"))
    words = ["kubectl", "patch", _resource(judged), judged.name, *namespace, "--type=json", "-p", patch]
    return " ".join(map(quote, words))


def _resource(judged: ObjectReport) -> str:
    """The resource as kubectl reads it: ``virtualmachines.kubevirt.io``, or with the version in the middle."""
    known = find_kind(judged.api_version, judged.kind)
    plural = known.plural if known is not None else judged.kind.lower()
    group, version = group_of(judged.api_version), judged.api_version.rpartition("/")[2]
    parts = [plural, *([version] if judged.kind in _WITH_VERSION else []), *([group] if group else [])]
    return ".".join(parts)


def commands_for(judged: ObjectReport, finding: FindingReport, *, has_operator: bool = False) -> Sequence[Command]:
    """
    The fixes of a finding about an object in a cluster. An exempted finding has none.

    ``has_operator`` is true if HyperConverged's operator writes the KubeVirt CR.
    """
    if finding.exemption is not None or not _is_addressable(judged):
        return ()
    fixes = finding.fixes
    options = [fix for fix in fixes if not fix.safe]
    return [command_for(judged, fix, _label(fix, options), has_operator=has_operator) for fix in fixes]


def _is_addressable(judged: ObjectReport) -> bool:
    """Whether an API server accepts the names. Names from a file can begin with a dash, which kubectl reads as an option."""
    return all(_NAME.fullmatch(name) for name in (judged.name, judged.namespace or "default"))


def _label(fix: FixReport, options: Sequence[FixReport]) -> str:
    if fix.safe:
        return "safe change"
    return "option" if len(options) == 1 else f"option {options.index(fix) + 1} of {len(options)}"


def command_for(judged: ObjectReport, fix: FixReport, label: str = "", *, has_operator: bool = False) -> Command:
    """The command for a fix, or a remark why there is none."""
    paths = [str(operation["path"]) for operation in fix.patch]
    is_in_spec = any(path.startswith("/spec/") for path in paths)
    where = f"{quote(judged.name)} -n {quote(judged.namespace)}"
    if judged.kind == _VMI and is_in_spec:
        return Command(label, fix.title, "", _NO_VMI_CHANGE)
    if judged.kind == "KubeVirt" and has_operator:
        return Command(
            label, fix.title, "", "HyperConverged's operator resets the KubeVirt CR. Change the HyperConverged CR"
        )
    remarks = {
        "VirtualMachine": f"A running VM needs a restart after the change: virtctl restart {where}",
        "VirtualMachinePool": "Running VMs of the pool need a restart after the change",
        "VirtualMachineInstanceReplicaSet": "Existing VMIs do not change. Delete them one after another",
    }
    is_in_template = any("emplate/" in path for path in paths)
    return Command(label, fix.title, patch_command(judged, fix), remarks.get(judged.kind, "") if is_in_template else "")


def command_lines(
    judged: ObjectReport,
    finding: FindingReport,
    pen: Pen,
    indent: str,
    *,
    subject: str = "",
    has_operator: bool = False,
) -> Iterator[str]:
    """
    The commands as text: title, command, and remark. A command is one line, so that it can be copied.

    ``subject`` is the name of the object, if the text above is about several objects.
    """
    remarks: list[str] = []
    for command in commands_for(judged, finding, has_operator=has_operator):
        yield from pen.wrap(command.title, indent, f"{command.label}{f' for {subject}' if subject else ''}: ")
        if command.line:
            yield f"{indent}  {command.line}"
        if command.remark not in ("", *remarks):
            remarks.append(command.remark)
    for remark in remarks:
        yield from pen.wrap(remark, indent, "note: ")
