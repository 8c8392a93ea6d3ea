"""Rehearsals of drains that every format must render: a made fleet of six nodes, and generated ones."""

from hypothesis import strategies as st

from tests.report.answers import NASTY
from webhook.drain.plan import (
    Detail,
    DrainReport,
    Machine,
    NodePlan,
    Outcome,
    Readiness,
    Seconds,
    Step,
    worst,
)

MODES = ("together", "each", "rolling")
ASSUMED = (
    "The configuration of KubeVirt does not change during the drain.",
    "Each migration uses 64 MiB/s, the default bandwidth of Migratable.",
)


def moving(name: str, *nodes: str, best: int = 40, limit: int | None = 600) -> Machine:
    """A VMI that is live-migrated to one of ``nodes``."""
    seconds = Seconds(best, limit)
    return Machine(
        "shop", name, Outcome.MOVES, nodes=nodes, node_count=len(nodes), strategy="LiveMigrate", seconds=seconds
    )


def restarting(name: str, *nodes: str) -> Machine:
    """A VMI that is shut down and starts again on another node."""
    message = "evictionStrategy is None."
    return Machine(
        "build", name, Outcome.STOPS, Detail.RESTARTS, message, nodes=nodes, node_count=len(nodes), strategy="None"
    )


def failing(namespace: str, name: str, outcome: Outcome, detail: Detail | None, message: str, remedy: str) -> Machine:
    """A VMI that needs an action."""
    return Machine(namespace, name, outcome, detail, message, remedy)


def node(name: str, *machines: Machine, seconds: Seconds | None = None, left: tuple[str, ...] = ()) -> NodePlan:
    """The drain of one node with two slots."""
    return NodePlan(name, worst(machines), machines, seconds, ASSUMED[1:], slots=2, other_pods=9, left=left)


GPU = failing(
    "ml", "trainer", Outcome.BLOCKS, Detail.NOT_MIGRATABLE,
    "evictionStrategy is LiveMigrate, but the VMI cannot be live-migrated: it has a GPU (HostDeviceNotLiveMigratable).",
    "Stop the VM before the drain: virtctl stop trainer -n ml.",
)  # fmt: skip
PINNED = failing(
    "db", "oracle", Outcome.WAITS, Detail.NO_NODE,
    "No other node fits: 4 node(s) didn't match Pod's node affinity/selector, 1 Insufficient memory.",
    "Remove the node selector kubernetes.io/hostname, or stop the VM before the drain.",
)  # fmt: skip
STALE = failing(
    "db", "ledger", Outcome.WAITS, Detail.NO_NODE,
    "No other node has the label cpu-feature.node.kubevirt.io/mpx, which the running launcher demands.",
    "Restart the VM, so that its launcher gets new selectors.",
)  # fmt: skip
QUOTAS = tuple(
    failing(
        "team-a", name, Outcome.WAITS, Detail.QUOTA,
        f"exceeded quota: compute, requested: requests.memory=4372Mi, used: requests.memory={used}Gi, "
        "limited: requests.memory=32Gi.",
        "Raise requests.memory of ResourceQuota team-a/compute by 4372Mi for the time of the drain.",
    )
    for name, used in (("web-1", 29), ("web-2", 30), ("web-3", 31))
)  # fmt: skip
LOCAL = failing(
    "ci", "runner", Outcome.STOPS, Detail.WAITS_FOR_NODE,
    "Its PersistentVolume pv-7 is on node n5 only.",
    "Accept that the VM is down until the node is back, or move its disk to shared storage.",
)  # fmt: skip
MANUAL = failing(
    "ci", "once", Outcome.STOPS, Detail.STAYS_DOWN,
    "evictionStrategy is None and runStrategy is Manual.",
    "Start the VM after the drain: virtctl start once -n ci.",
)  # fmt: skip
UNSURE = failing(
    "shop", "cart", Outcome.UNKNOWN, Detail.MISSING_FACT,
    "PersistentVolume pv-9 was not provided, so the nodes that can mount it are not known.",
    "Provide the PersistentVolumes.",
)  # fmt: skip
MAY_NOT = failing(
    "shop", "search", Outcome.UNKNOWN, Detail.MAY_NOT_FIT,
    "The target pod fits if VMI shop/cart moves after it, and not otherwise.",
    "Free 4Gi of memory on one of the nodes n2, n3.",
)  # fmt: skip
NODES = (
    node("n1", GPU, *QUOTAS[:2], moving("a1", "n2", "n3", "n4"), moving("a2", "n2"), restarting("c1", "n2", "n3"),
         left=("cpu: 12", "memory: 40Gi", "pods: 210")),
    node("n2", PINNED, STALE, moving("b1", "n3", "n4"), moving("b2", "n3", "n4"), moving("b3", "n4"),
         left=("cpu: 14", "memory: 44Gi", "pods: 214")),
    node("n3", *(moving(f"d{at}", "n4", "n5") for at in range(6)), seconds=Seconds(120, 1805),
         left=("cpu: 11", "memory: 36Gi", "pods: 205")),
    node("n4", QUOTAS[2], UNSURE, MAY_NOT, moving("e1", "n5"), left=("cpu: 13", "memory: 42Gi", "pods: 209")),
    node("n5", LOCAL, MANUAL, restarting("c2", "n1"), moving("f1", "n1", best=90, limit=None), seconds=Seconds(90),
         left=("cpu: 15", "memory: 50Gi", "pods: 216")),
    node("n6", *(moving(f"g{at}", "n1", "n2", "n3", "n4", "n5") for at in range(5)), seconds=Seconds(120, 1505),
         left=("cpu: 10", "memory: 30Gi", "pods: 200")),
)  # fmt: skip
FIRST = (
    Step("Stop ml/trainer: it has a GPU and blocks the drain.", ("ml/trainer",), ("n1",)),
    Step(
        "Give db/oracle and db/ledger a second node: they hold both slots of n2.", ("db/ledger", "db/oracle"), ("n2",)
    ),
    Step(
        "Raise requests.memory of ResourceQuota team-a/compute by 13116Mi: 3 target pods are refused.",
        ("team-a/web-1", "team-a/web-2", "team-a/web-3"),
        ("n1", "n4"),
    ),
    Step("Start ci/once after the drain.", ("ci/once",), ("n5",)),
)
UPGRADE = (
    Readiness(
        "db", "ledger", "n2", "staleSelector",
        "No other node has the label cpu-feature.node.kubevirt.io/mpx.", "Restart the VM.", is_cured_by_restart=True,
    ),
)  # fmt: skip
FLEET = DrainReport(NODES, "each", "1.9.0", FIRST, assumptions=ASSUMED[:1], missing=("PersistentVolumes", "CSINodes"))
ONE = DrainReport(NODES[:1], "together", "1.9.0", (FIRST[0], FIRST[2]), UPGRADE, ASSUMED[:1], ("CSINodes",))
ROLLING = DrainReport(NODES, "rolling", "1.9.0", FIRST, assumptions=ASSUMED[:1], missing=("CSINodes",))
CLEAN = DrainReport((NODES[2],), "together", "1.9.0")
EXAMPLES = {"fleet": FLEET, "one": ONE, "rolling": ROLLING, "clean": CLEAN}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.sampled_from(["web", "db-1", "n1", "node-2.example.org", NASTY]) | TEXT.filter(bool)
SENTENCES = st.sampled_from(["", "It has a GPU.", "Stop the VM.", NASTY]) | TEXT
SECONDS = st.builds(Seconds, st.integers(0, 200_000), st.none() | st.integers(0, 900_000))
MANY = st.lists(SENTENCES, max_size=3).map(tuple)
MACHINES = st.builds(
    Machine,
    namespace=NAMES,
    name=NAMES,
    outcome=st.sampled_from(Outcome),
    detail=st.none() | st.sampled_from(Detail),
    message=SENTENCES,
    remedy=SENTENCES,
    nodes=st.lists(NAMES, max_size=4).map(tuple),
    node_count=st.integers(0, 12),
    strategy=SENTENCES,
    policy=SENTENCES,
    reasons=MANY,
    seconds=st.none() | SECONDS,
)
PLANS = st.builds(
    lambda name, machines, *rest: NodePlan(name, worst(machines), machines, *rest),
    NAMES,
    st.lists(MACHINES, max_size=6).map(tuple),
    st.none() | SECONDS,
    MANY,
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 40),
    MANY,
)
REPORTS = st.builds(
    DrainReport,
    nodes=st.lists(PLANS, max_size=5).map(tuple),
    mode=st.sampled_from(MODES),
    release=SENTENCES,
    first=st.lists(
        st.builds(Step, SENTENCES, st.lists(NAMES, max_size=3).map(tuple), st.lists(NAMES, max_size=3).map(tuple)),
        max_size=5,
    ).map(tuple),
    upgrade=st.lists(
        st.builds(
            Readiness, NAMES, NAMES, NAMES,
            st.sampled_from(["staleSelector", "outdated", "rareMachineType"]), SENTENCES, SENTENCES, st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    assumptions=MANY,
    missing=MANY,
)  # fmt: skip
