"""
The explanation of one VM: its verdict, the settings in force, the nodes that fit, and the effect of a drain.

The names of the fields and values are those of ``VMExplanation`` (``migratable/v1``), which only grows.
"""

import msgspec

from webhook.drain.plan import Machine, Seconds


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the explanation. Every field is always present."""


class Verdict(_Part, frozen=True):
    """Whether KubeVirt can live-migrate the VM."""

    live_migratable: bool | None
    """None if it is not known."""
    source: str
    """``condition``: virt-handler has set the condition LiveMigratable of the VMI. ``rules``: computed from the objects."""
    reason: str = ""
    """KubeVirt's reason, such as ``DisksNotLiveMigratable``."""
    message: str = ""
    """The message of the condition. Empty if the rules decide."""


class Reason(_Part, frozen=True):
    """A finding of a rule."""

    rule: str
    name: str
    kind: str
    """The kind of the object with the field: the VirtualMachine if it has the same finding, otherwise the VMI."""
    path: str
    message: str
    remedy: str
    decides: bool
    """Whether KubeVirt's verdict depends on the finding. Other findings are advice."""
    unproven: bool
    """Whether a fact is missing."""


class Storage(_Part, frozen=True):
    """The condition StorageLiveMigratable: whether KubeVirt can move the VM to other claims while it runs."""

    live_migratable: bool | None
    reasons: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    """The reasons that cannot be decided because a fact is missing."""


class Strategy(_Part, frozen=True):
    """The eviction strategy in force."""

    value: str
    """Empty if it is not known."""
    origin: str
    """The field and the object that set the strategy, or the reason why it is not known."""


class Setting(_Part, frozen=True):
    """A migration setting in force, and the object that sets it."""

    name: str
    value: str | int | float | bool | None
    origin: str


class Policy(_Part, frozen=True):
    """The settings under one MigrationPolicy. There are several cases if it is unknown which policy applies."""

    name: str
    """Empty if no MigrationPolicy applies."""
    because: str
    settings: tuple[Setting, ...]
    on_timeout: str
    """``post-copy``, ``pause``, ``cancel``, ``never`` or ``at once``. Empty if KubeVirt does not accept the bandwidth."""


class Excluded(_Part, frozen=True):
    """Nodes that do not fit, or of which this is not known, for the same first reason."""

    reason: str
    """In kube-scheduler's words."""
    node_count: int
    nodes: tuple[str, ...]
    """At most ``MOST_NODES`` of them, sorted."""


class Destinations(_Part, frozen=True):
    """The nodes that could run the VM, without its own node."""

    pod: str
    """``target``: the target pod of a live migration. ``launcher``: the launcher of a VM that does not run."""
    others: int
    """The number of nodes without the node of the VM."""
    node_count: int = 0
    """The number of nodes that fit."""
    nodes: tuple[str, ...] = ()
    """At most ``MOST_NODES`` of them, sorted."""
    excluded: tuple[Excluded, ...] = ()
    """The reason that excludes the most nodes is first."""
    unknown: tuple[Excluded, ...] = ()
    message: str = ""
    """Why the pod is unknown, or why it cannot be created. Empty otherwise."""
    remedy: str = ""


class VMExplanation(_Part, frozen=True):
    """The explanation of one VM."""

    judged: str
    """The kind of the judged object: the VMI if the VM runs, otherwise the VirtualMachine."""
    namespace: str
    name: str
    phase: str
    """The phase of the VMI. Empty if there is no VMI."""
    node: str
    """The node on which the VM runs. Empty if it does not run."""
    release: str
    """The patch release of KubeVirt."""
    verdict: Verdict
    verdict_by_rules: Verdict
    """The verdict that Migratable computes from the given objects."""
    verdict_after_restart: Verdict | None
    """The verdict for the VirtualMachine as it is written now, if it differs from that of the running VMI."""
    reasons: tuple[Reason, ...]
    storage: Storage | None
    """None up to KubeVirt 1.3, which has no such condition."""
    strategy: Strategy
    policies: tuple[Policy, ...]
    destinations: Destinations
    seconds: Seconds | None
    """The time of one live migration, or None if it is not known."""
    drain: Machine | None
    """The effect of a drain of the node. None if the VM does not run."""
    assumptions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """The kinds of objects that were not provided and could change the result."""
