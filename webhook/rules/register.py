"""All rules, for code that lists, names or counts them. The engine imports only the rules that it needs."""

from webhook.rules import budget, cluster, machines, other_kinds, storage_advice, target_pod
from webhook.rules.rule import About, Rule

_BY_SUBJECT: dict[About, tuple[Rule, ...]] = {
    About.VMI: tuple(machines.VMI_RULES),
    About.DRAIN: tuple(machines.DRAIN_RULES),
    About.BUDGET: budget.BUDGET_RULES,
    About.STORAGE: storage_advice.STORAGE_RULES,
    About.TARGET: tuple(target_pod.TARGET_RULES),
    About.MANIFEST: other_kinds.OTHER_KIND_RULES,
    About.SETTINGS: tuple(cluster.SETTINGS_RULES),
    About.POLICY: tuple(cluster.POLICY_RULES),
    About.NETWORK: tuple(cluster.NETWORK_RULES),
    About.MIGRATION_NETWORK: tuple(cluster.MIGRATION_NETWORK_RULES),
    About.VM_CHANGE: tuple(cluster.VM_CHANGE_RULES),
    About.NETWORK_CHANGE: tuple(cluster.NETWORK_CHANGE_RULES),
    About.MIGRATION_NETWORK_CHANGE: tuple(cluster.MIGRATION_NETWORK_CHANGE_RULES),
}

RULES: tuple[Rule, ...] = tuple(
    sorted((rule for rules in _BY_SUBJECT.values() for rule in rules), key=lambda rule: rule.id)
)
"""Sorted by id."""

BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}


def about(subject: About) -> tuple[Rule, ...]:
    """The rules about ``subject``, in the order of their registration."""
    return _BY_SUBJECT[subject]
