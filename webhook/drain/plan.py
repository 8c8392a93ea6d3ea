"""
The result of a rehearsal: the outcome for each VMI of a drained node, and the time.

The names of the fields and values are those of ``DrainReport`` (``migratable/v1``), which only grows.
"""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """The effect of a drain on a VMI, or on a node as a whole."""

    MOVES = "moves"
    """The VMI is live-migrated."""
    BLOCKS = "blocks"
    """KubeVirt or a budget refuses the eviction until an administrator acts."""
    STOPS = "stops"
    """The VMI is shut down."""
    WAITS = "waits"
    """The VMI has to be live-migrated, but its target pod cannot be created or scheduled."""
    UNKNOWN = "unknown"
    """A fact is missing, or the order of the migrations decides."""


class Detail(StrEnum):
    """Why a VMI has its outcome, or what follows."""

    RESTARTS = "restarts"
    """Stops: starts again on another node."""
    WAITS_FOR_NODE = "waitsForNode"
    """Stops: its new pod fits no other node, so it stays down until this node is back."""
    STAYS_DOWN = "staysDown"
    """Stops: nothing starts it again."""
    GONE = "gone"
    """Stops: the VMI has no owner that creates it again."""
    NOT_MIGRATABLE = "notMigratable"
    """Blocks: ``evictionStrategy`` is LiveMigrate and the condition LiveMigratable is not True."""
    EXTERNAL = "external"
    """Blocks: an outside controller has to act."""
    TARGET = "target"
    """Blocks: the pod is the target of a migration that has not ended."""
    HOTPLUG = "hotplug"
    """Blocks: an attachment pod of a hotplugged volume."""
    MARKED = "marked"
    """Blocks: the VMI is marked for the evacuation of a node on which it does not run."""
    BUDGET = "budget"
    """Blocks: a PodDisruptionBudget refuses the eviction."""
    QUOTA = "quota"
    """Waits: a ResourceQuota refuses the target pod."""
    LIMIT_RANGE = "limitRange"
    """Waits: a LimitRange refuses the target pod."""
    NO_NODE = "noNode"
    """Waits: no other node fits."""
    STARVED = "starved"
    """Waits: VMIs without a node hold all slots of the node, 300 seconds at a time."""
    MIGRATION_FAILS = "migrationFails"
    """Waits: virt-controller cannot create the target pod."""
    MAY_NOT_FIT = "mayNotFit"
    """Unknown: the target pod fits in one order of the migrations and not in another."""
    MISSING_FACT = "missingFact"
    """Unknown: a fact that decides was not provided."""


class Seconds(msgspec.Struct, frozen=True):
    """A range of time in seconds. ``worst`` is None if nothing limits the time."""

    best: int
    worst: int | None = None


class Machine(msgspec.Struct, frozen=True, rename="camel"):
    """The outcome for one VMI."""

    namespace: str
    name: str
    outcome: Outcome
    detail: Detail | None = None
    message: str = ""
    """One or more sentences that give the reason."""
    remedy: str = ""
    """The action to take before the drain, in the imperative; empty if no action is needed."""
    nodes: tuple[str, ...] = ()
    """The nodes that could run the VMI, sorted. At most ``MOST_NODES`` of them."""
    node_count: int = 0
    """The number of nodes that could run the VMI."""
    strategy: str = ""
    """The eviction strategy in force."""
    policy: str = ""
    """The MigrationPolicy in force; empty if none applies."""
    reasons: tuple[str, ...] = ()
    """All reasons why the VMI cannot be live-migrated, or why nodes are excluded."""
    seconds: Seconds | None = None
    """The time of its migration alone, or None if the VMI is not migrated or the time is not known."""


MOST_NODES = 10
"""The maximum number of nodes that are named for one VMI."""


class NodePlan(msgspec.Struct, frozen=True, rename="camel"):
    """The drain of one node."""

    name: str
    outcome: Outcome
    """The worst outcome among the VMIs; moves if the node has no VMI."""
    machines: tuple[Machine, ...] = ()
    """The VMIs of the node. Those that need an action are first."""
    seconds: Seconds | None = None
    """The time until the last VMI has left, or None if the drain does not end or a time is not known."""
    assumptions: tuple[str, ...] = ()
    slots: int = 0
    """The number of migrations that can leave the node at the same time."""
    slots_taken: int = 0
    """The number of these that other migrations take now, on the node or in the cluster."""
    other_pods: int = 0
    """The number of pods on the node that are not launchers. They are not judged."""
    left: tuple[str, ...] = ()
    """The free CPU, memory and pods of the other nodes after the drain, such as ``cpu: 12``. Only in a rolling drain."""
    seconds_without: Seconds | None = None
    """If the drain does not end or this is not known: the time without the VMIs that block, wait or are unknown."""


SEVERITY = (Outcome.MOVES, Outcome.STOPS, Outcome.UNKNOWN, Outcome.WAITS, Outcome.BLOCKS)
"""The outcomes, from the best to the worst. A node has the worst outcome of its VMIs."""


def worst(machines: tuple[Machine, ...]) -> Outcome:
    """The worst outcome of the VMIs, or moves if there is none."""
    return max((machine.outcome for machine in machines), key=SEVERITY.index, default=Outcome.MOVES)


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """An action to take before the drain."""

    text: str
    """The action in the imperative, with the reason."""
    machines: tuple[str, ...]
    """The VMIs that the action concerns, as ``namespace/name``."""
    nodes: tuple[str, ...]
    """The nodes of these VMIs."""


class Readiness(msgspec.Struct, frozen=True, rename="camel"):
    """A VMI that an upgrade of KubeVirt leaves behind, or that has selectors no other node satisfies."""

    namespace: str
    name: str
    node: str
    problem: str
    """
    ``staleSelector``: no other schedulable node satisfies a node selector of the target pod. ``outdated``: the launcher is not
    from this release, and no workload update method replaces it. ``rareMachineType``: few other nodes support the machine type.
    ``leftBehind``: no workload update method replaces the launcher after the next upgrade.
    """
    message: str
    remedy: str
    is_cured_by_restart: bool = False


class DrainReport(msgspec.Struct, frozen=True, rename="camel"):
    """The rehearsal of the drain of one or more nodes."""

    nodes: tuple[NodePlan, ...]
    mode: str = "together"
    """
    ``together``: the nodes are drained at the same time. ``each``: each node alone, from the present state. ``rolling``: one
    after the other, from the state that the steps before leave. ``upgrade``: no node is drained, and only ``upgrade`` matters.
    """
    release: str = ""
    """The patch release of KubeVirt."""
    first: tuple[Step, ...] = ()
    """The most urgent step is first."""
    upgrade: tuple[Readiness, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """The kinds of objects that were not provided and could change the result, each with the reason."""
    missing_kinds: tuple[str, ...] = ()
    """The kinds without which no outcome is certain, and that were not provided: Node, Pod, VirtualMachineInstance."""
    source: str = ""
    """
    The source of the objects: the API server with the time, or the files. It is empty in JSON, so that equal objects give equal
    documents.
    """
