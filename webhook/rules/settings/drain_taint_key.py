"""KubeVirt moves all VMs away from a node that has the drain taint."""

import re
from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import NODE_DRAIN_TAINT_KEY, written
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import cr, setting, setting_path

_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
"""The syntax of a taint's key (``IsQualifiedName`` of k8s.io/apimachinery, v0.34.2)."""
_CORDON = "node.kubernetes.io/unschedulable"
_ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_CONDITIONS = (
    *("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "node.kubernetes.io/memory-pressure"),
    *("node.kubernetes.io/disk-pressure", "node.kubernetes.io/pid-pressure", "node.kubernetes.io/network-unavailable"),
    "node.cloudprovider.kubernetes.io/uninitialized",
)
"""Taints with effect NoSchedule that Kubernetes sets itself."""


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    key = written(facts.migrations).get(NODE_DRAIN_TAINT_KEY)
    if key is not None and (problem := _problem(key)):
        yield setting(NODE_DRAIN_TAINT_KEY, key, f"{NODE_DRAIN_TAINT_KEY} is {shown(key)}. {problem}")


def _problem(key: str) -> str:
    if not _KEY.fullmatch(key):
        return "A taint cannot have this key, so KubeVirt never starts migrations because of a taint"
    if key == _CORDON:
        return "`kubectl cordon` sets this taint, so every cordon of a node migrates the node's VMs"
    if key in _ROLES:
        return (
            "Control-plane nodes always have this taint, so KubeVirt migrates every VM on these nodes again and again"
        )
    if key in _CONDITIONS:
        return "Kubernetes sets this taint itself, so KubeVirt migrates all VMs of a node that already has a problem"
    return ""


def _taint(key: str) -> str:
    return cr(f"{NODE_DRAIN_TAINT_KEY}: {key}")


_AT = (setting_path(NODE_DRAIN_TAINT_KEY),)
RULE = Rule(
    id="LM630",
    name="drain-taint-key",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="The drain taint does not match any node, or matches nodes that are not drained.",
    rationale=(
        "A taint with this key and effect NoSchedule makes KubeVirt migrate the VMs of the node at once, without a request to "
        "evict them. The field holds a key only, without value and effect. `kubectl drain` does not need the taint."
    ),
    remediation="Remove the field, or write a key that only your drain procedure sets, such as kubevirt.io/drain.",
    source="pkg/virt-controller/watch/drain/evacuation/evacuation.go vmisToMigrate, nodeHasTaint, v1.3.1 to v1.9.0",
    reference="https://kubevirt.io/user-guide/cluster_admin/node_maintenance/",
    check=check,
    examples=(
        Example("the default", _taint("kubevirt.io/drain")),
        Example("a key of its own", _taint("maintenance")),
        Example("no key", cr("allowPostCopy: false")),
        Example("the taint of kubectl cordon", _taint(_CORDON), violates=_AT),
        Example("a permanent taint", _taint(_ROLES[0]), violates=_AT),
        Example("a key with its effect", _taint("'kubevirt.io/drain:NoSchedule'"), violates=_AT),
        Example("an empty key", _taint("''"), violates=_AT, release="1.3"),
    ),
)
