"""Tools that audit a running cluster in ``benchmarks.audit``, each with its defaults and the five checks."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.building import built
from tests.apiserver.binaries import find_binary

HERE = Path(__file__).resolve().parent
_NAME = re.compile(r"\bvm-\d{6}\b")
_START = "from webhook.__main__ import main; main()"


@dataclass(frozen=True, slots=True)
class Auditor:
    """A tool: its commands for a kubeconfig and a folder, and the pattern of the lines that name a bad VM."""

    commands: Callable[[Path, Path], Sequence[Sequence[object]]]
    pattern: str

    def found(self, text: str) -> set[str]:
        """The names of the bad VMs in the output of the last command."""
        lines = [line for line in text.splitlines() if re.search(self.pattern, line)]
        return {name for line in lines for name in _NAME.findall(line)[:1]}


def _ours(*options: object) -> Auditor:
    def commands(kubeconfig: Path, _: Path) -> Sequence[Sequence[object]]:
        fixed = ("--kubeconfig", kubeconfig, "-o", "concise", "--fail-on", "never", "--quiet")
        return [[sys.executable, "-c", _START, "audit", *fixed, *options]]

    return Auditor(commands, r"\bdeny\b")


def _gator(kubeconfig: Path, folder: Path) -> Sequence[Sequence[object]]:
    dump = folder / "dump.yaml"
    documents = 'jsonpath={range .items[*]}{@}{"\\n---\\n"}{end}'  # gator does not read the items of a List
    get = ("get", "virtualmachines.kubevirt.io,persistentvolumeclaims", "-A", "-o", documents)
    shell = f'exec "$0" "$@" > {dump}'
    rules = (HERE / "gatekeeper" / "template.yaml", "-f", HERE / "gatekeeper" / "constraint.yaml")
    return [
        ["sh", "-c", shell, find_binary("kubectl"), f"--kubeconfig={kubeconfig}", *get],
        [built("gator"), "test", "-f", *rules, "-f", dump],
    ]


_REPORTS = ("--reports", "openreports", "--writes-per-second", "10000")
ALL: Mapping[str, Auditor] = {
    "migratable audit": _ours(),
    "the same, first run with reports": _ours(*_REPORTS),
    "the same, second run with reports": _ours(*_REPORTS),
    "kubectl get, gator test": Auditor(_gator, "Message:"),
    "kyverno apply --cluster": Auditor(
        lambda kubeconfig, _: [
            [
                *(built("kyverno"), "apply", HERE / "manifests" / "kyverno_cluster.yaml"),
                *("--cluster", f"--kubeconfig={kubeconfig}"),
            ]
        ],
        "failed:",
    ),
}
"""Ours first: ratios are to it."""
