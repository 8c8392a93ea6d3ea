"""
The roles of drains, audits and the pages for operators, from the kinds that they read. No role contains Secrets or ConfigMaps.

``list`` is enough for one audit. ``audit --watch`` also needs ``watch``.
"""

from collections.abc import Iterable
from typing import Any, Final

from webhook.objects.fleet_kinds import DRAIN_KINDS
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kinds import BY_CLASS, KINDS, Kind
from webhook.objects.kubevirt import KubeVirt
from webhook.surfaces.api.console.sight import RESOURCES

Role = dict[str, Any]

READ_ONCE: Final = ("list",)
FOLLOWED: Final = ("list", "watch")
REPORTS: Final = {
    "openreports": ("openreports.io", ("reports", "clusterreports")),
    "policyreports": ("wgpolicyk8s.io", ("policyreports", "clusterpolicyreports")),
}
"""The API group of each kind of report, and its resources: in namespaces, and for the cluster."""
WRITE: Final = ("list", "create", "patch", "delete")
"""A server-side apply that creates an object needs ``create`` and ``patch``."""
REMOVE: Final = ("list", "delete")
"""For reports of the kind that is not chosen, which an earlier choice left."""

REVIEWS: Final = [
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]
"""Authenticates visitors, and checks what they may list. The API server does not store these reviews."""

_GROUP: Final = "rbac.authorization.k8s.io"
_SETTINGS: Final = (BY_CLASS[KubeVirt], BY_CLASS[HyperConverged])
"""Kinds in namespaces that contain settings of the whole cluster, and nothing of a tenant."""


def of_namespaces(verbs: Iterable[str]) -> list[Role]:
    """The rules for the kinds that tenants write. A Role in each audited namespace can contain them."""
    return _rules((kind for kind in KINDS if kind.namespaced and kind not in _SETTINGS), verbs)


def of_cluster(verbs: Iterable[str]) -> list[Role]:
    """The rules for cluster-scoped kinds and for the settings of the cluster."""
    return _rules((kind for kind in KINDS if not kind.namespaced or kind in _SETTINGS), verbs)


def of_nodes(verbs: Iterable[str]) -> list[Role]:
    """The rules for the kinds from which the drain of a node is rehearsed, without the rules above."""
    known = {(kind.group, kind.plural) for kind in KINDS}
    return _rules((kind for kind in DRAIN_KINDS if (kind.group, kind.plural) not in known), verbs)


def of_reports(choice: str = "auto", *, in_namespace: bool = False) -> list[Role]:
    """The rules for reports. A Role in a namespace has no rule for reports on the cluster."""
    return [
        _rule(group, names[:1] if in_namespace else names, WRITE if choice in (name, "auto") else REMOVE)
        for name, (group, names) in REPORTS.items()
    ]


def of_drain() -> Role:
    """A role that may read each kind of a rehearsal."""
    return _role("migratable-drain", _rules(DRAIN_KINDS, ("get", "list")))


def of_audit() -> list[Role]:
    """The roles of the CronJob's account in all namespaces, with their bindings."""
    return _of_account("migratable-audit", "audit", READ_ONCE)


def of_audit_in_namespace() -> list[Role]:
    """A Role for the CronJob's account in one namespace, with its binding. kustomize sets the namespace."""
    account = "migratable-audit"
    return _granted(account, account, "audit", of_namespaces(READ_ONCE), "Role")


def of_watch() -> list[Role]:
    """The roles of the account of ``audit --watch`` in all namespaces, with their bindings."""
    account, component = "migratable-audit-watch", "audit-watch"
    nodes = _granted(f"{account}-nodes", account, component, of_nodes(READ_ONCE))
    return [*_of_account(account, component, FOLLOWED), *nodes]


def of_console() -> list[Role]:
    """
    The roles of the account of the pages for operators, with their bindings, and a role for people, which nothing is bound to.
    """
    account, component = "migratable-console", "console"
    viewers = _role(f"{account}-viewer", of_viewers(), {"labels": {"app.kubernetes.io/component": component}})
    return [
        *_granted(account, account, component, _of_console()),
        *_granted(f"{account}-reviews", account, component, REVIEWS),
        viewers,
    ]


def _of_console() -> list[Role]:
    return of_namespaces(FOLLOWED) + of_cluster(FOLLOWED) + of_nodes(READ_ONCE)


def of_viewers() -> list[Role]:
    """The rules for people who may see all pages for operators."""
    groups: dict[str, list[str]] = {}
    for resource in RESOURCES:
        groups.setdefault(resource["group"], []).append(resource["resource"])
    return [_rule(group, sorted(names), READ_ONCE) for group, names in sorted(groups.items())]


def for_helm() -> dict[str, Any]:
    """The rules of each role, for the templates of the chart."""
    verbs = {"audit": READ_ONCE, "audit-watch": FOLLOWED}
    return {
        "namespaces": {component: of_namespaces(of) for component, of in verbs.items()},
        "cluster": {component: of_cluster(of) for component, of in verbs.items()},
        "nodes": of_nodes(READ_ONCE),
        "console": _of_console(),
        "reviews": REVIEWS,
        "viewers": of_viewers(),
        "reports": {choice: of_reports(choice) for choice in ("auto", *REPORTS)},
        "reportsInNamespace": {choice: of_reports(choice, in_namespace=True) for choice in ("auto", *REPORTS)},
    }


def _of_account(account: str, component: str, verbs: Iterable[str]) -> list[Role]:
    return [
        *_granted(account, account, component, of_namespaces(verbs) + of_cluster(verbs)),
        *_granted(f"{account}-reports", account, component, of_reports()),
    ]


def _granted(name: str, account: str, component: str, rules: list[Role], kind: str = "ClusterRole") -> list[Role]:
    """A role, and its binding to an account."""
    role = _role(name, rules, {"labels": {"app.kubernetes.io/component": component}}) | {"kind": kind}
    binding = {key: role[key] for key in ("apiVersion", "kind", "metadata")} | {
        "kind": f"{kind}Binding",
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "migratable"}],
    }
    return [role, binding]


def _role(name: str, rules: list[Role], metadata: Role | None = None) -> Role:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name} | (metadata or {}),
        "rules": rules,
    }


def _rules(kinds: Iterable[Kind], verbs: Iterable[str]) -> list[Role]:
    plurals: dict[str, list[str]] = {}
    for kind in kinds:
        plurals.setdefault(kind.group, []).append(kind.plural)
    return [_rule(group, sorted(names), verbs) for group, names in sorted(plurals.items())]


def _rule(group: str, names: Iterable[str], verbs: Iterable[str]) -> Role:
    return {"apiGroups": [group], "resources": list(names), "verbs": list(verbs)}
