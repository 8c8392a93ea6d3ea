"""
The Grafana dashboard of the audit, generated from a table of panels.

Several replicas of ``migratable audit --watch`` export the same numbers, so each query first takes the maximum over replicas.
A number is 0 only if an audit has counted: ``or 0 * ...`` adds the zero, and never hides an audit that is down.
"""

from typing import Final

from deploy.panels import Panel, graph, number, rendered

ZERO: Final = "0 * max(migratable_audit_timestamp_seconds)"
NODES: Final = "max by (node, outcome) (migratable_node_drain)"
VMS: Final = "max by (namespace, verdict, reason) (migratable_vms)"
REFUSED: Final = 'max by (namespace, verdict, reason) (migratable_vms{verdict="not-migratable"})'
MIGRATED: Final = 'max by (namespace, verdict, reason) (migratable_vms{verdict="migratable"})'
FINDINGS: Final = "max by (namespace, rule, action) (migratable_findings)"
BLOCKING: Final = 'max by (node, outcome) (migratable_node_drain_vms{outcome=~"blocks|waits"})'
RUNNING: Final = 'max by (strategy, verdict, running) (migratable_vms_by_eviction_strategy{running="true"})'

PANELS: Final = (
    number(
        "Nodes that can be drained",
        "Nodes whose VMs all move to other nodes, or are shut down as configured.",
        'sum(max by (node, outcome) (migratable_node_drain{outcome=~"moves|stops"}))',
        width=4,
    ),
    number(
        "Nodes that cannot be drained",
        "Nodes with a VM that blocks the drain, or whose target pod cannot be scheduled.",
        'sum(max by (node, outcome) (migratable_node_drain{outcome=~"blocks|waits"}))',
        width=4,
    ),
    number(
        "VMs that can be live-migrated",
        "Share of all VMs. A VM whose verdict is unproven does not count as migratable.",
        f"(sum({MIGRATED}) or {ZERO}) / sum({VMS})",
        width=4,
        unit="percentunit",
    ),
    number(
        "VMs that cannot be live-migrated",
        "KubeVirt refuses to live-migrate these VMs.",
        f"sum({REFUSED}) or {ZERO}",
        width=4,
    ),
    number(
        "Conditions that differ",
        "VMIs whose condition differs from the verdict. The report on the cluster names them.",
        "sum(max by (condition) (migratable_verdict_disagreements))",
        width=4,
    ),
    number(
        "Age of the audit",
        "Time since the numbers were last complete and current.",
        "min(migratable_audit_age_seconds)",
        width=4,
        unit="s",
    ),
    graph(
        "Nodes by outcome of a drain",
        "The worst outcome of the VMs of each node, if the node is drained alone.",
        f"sum by (outcome) ({NODES})",
        "{{outcome}}",
    ),
    graph("VMs by verdict", "KubeVirt's verdict on live migration.", f"sum by (verdict) ({VMS})", "{{verdict}}"),
    Panel(
        "Nodes to prepare",
        "Nodes that cannot be drained, or whose outcome is unknown. `migratable drain NODE` names the VMs and the remedies.",
        (('max by (node, outcome) (migratable_node_drain{outcome=~"blocks|waits|unknown"}) == 1', ""),),
        kind="table",
    ),
    graph(
        "VMs that keep a node from being drained",
        "VMs that block or wait, by node.",
        f"topk(15, sum by (node) ({BLOCKING}))",
        "{{node}}",
    ),
    graph(
        "Why VMs cannot be live-migrated",
        "VMs by KubeVirt's reason. The reason is empty if an earlier reason is unproven.",
        f"sum by (reason) ({REFUSED})",
        "{{reason}}",
    ),
    graph(
        "Namespaces with most of these VMs",
        "VMs that cannot be live-migrated, by namespace.",
        f"topk(15, sum by (namespace) ({REFUSED}))",
        "{{namespace}}",
    ),
    graph(
        "Findings by rule and action",
        "Findings that exist now. `migratable explain RULE` describes a rule.",
        f"topk(15, sum by (rule, action) ({FINDINGS}))",
        "{{rule}} {{action}}",
    ),
    graph(
        "Running VMs by eviction strategy",
        "VMs with LiveMigrate that cannot be live-migrated block a drain. VMs without a strategy are shut down.",
        f"sum by (strategy, verdict) ({RUNNING})",
        "{{strategy}} {{verdict}}",
    ),
    graph(
        "Writes of reports",
        "Report objects written and deleted, and failed writes, per second.",
        "sum by (result) (rate(migratable_audit_report_writes_total[$__rate_interval]))",
        "{{result}}",
        unit="ops",
    ),
    Panel(
        "Inputs that are missing",
        "Kinds and objects that could not be read. Their VMs are unproven, or not counted.",
        (
            ("max(migratable_audit_unread_kinds)", "kinds"),
            ("max(migratable_audit_unreadable_objects)", "objects"),
            ("max by (kind) (migratable_node_drain_unread)", "{{kind}} (drain)"),
        ),
    ),
)


def audit_dashboard() -> str:
    """The dashboard as JSON for Grafana."""
    return rendered("migratable-audit", "Can this cluster be maintained?", PANELS)
