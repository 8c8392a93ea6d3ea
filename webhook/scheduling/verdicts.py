"""The answers to the question whether a pod fits a node, in the words of kube-scheduler's filter plugins."""

from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

UNTOLERATED: Final = "node(s) had untolerated taint"
"""The beginning of a reason. Kubernetes up to 1.33 appends the taint, and 1.34 appends ``(s)``."""


class Refusal(msgspec.Struct, frozen=True):
    """A filter plugin that excludes a node, and the reason in kube-scheduler's words."""

    plugin: str
    reason: str

    @property
    def kind(self) -> str:
        """The reason without the taint, as Kubernetes 1.34 prints it."""
        return f"{UNTOLERATED}(s)" if self.reason.startswith(UNTOLERATED) else self.reason


class Fits(msgspec.Struct, frozen=True):
    """The node passes all filter plugins."""


class Refused(msgspec.Struct, frozen=True):
    """
    A filter plugin excludes the node.

    There is more than one refusal only for the resources that are insufficient and for the reasons of VolumeBinding.
    """

    refusals: tuple[Refusal, ...]


class Unknown(msgspec.Struct, frozen=True):
    """It is not known whether the pod fits. ``reason`` names the missing input or the part that is not modelled."""

    reason: str


Verdict: TypeAlias = Fits | Refused | Unknown
FITS: Final = Fits()


def refused(plugin: str, *reasons: str) -> Refused:
    """A refusal by one plugin."""
    return Refused(tuple(Refusal(plugin, reason) for reason in reasons))


def grouped(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """The number of nodes for each reason, sorted like the reasons in kube-scheduler's message."""
    counts: dict[str, int] = {}
    for verdict in verdicts:
        if isinstance(verdict, Refused):
            for refusal in verdict.refusals:
                counts[refusal.reason] = counts.get(refusal.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: f"{item[1]} {item[0]}"))


def listed(reasons: dict[str, int]) -> str:
    """The reasons in one line, such as ``3 node(s) were unschedulable, 2 Insufficient memory``."""
    return ", ".join(f"{count} {reason}" for reason, count in reasons.items())
