"""Finds faults of a policy other than wrong types: unknown names, invalid dates, harmful defaults."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, TypeAlias

from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.settings import MIGRATIONS
from webhook.judging.machines import judge
from webhook.kubevirt.feature_gates import MIGRATION_STALL_DETECTION
from webhook.kubevirt.releases import SUPPORTED
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.objects.kubevirt import Configuration, DeveloperConfiguration, KubeVirt, KubeVirtSpec
from webhook.objects.path import FieldPath
from webhook.policy.policy import MAX_HELP, Account, Action, Exemption, Policy, action_of, rule_ids

Fault: TypeAlias = tuple[FieldPath, str]
"""A path in the policy file, and a message."""

EVICTION_STRATEGIES = ("LiveMigrate", "LiveMigrateIfPossible", "None", "External")
"""KubeVirt rejects a VM with any other value (``staging/src/kubevirt.io/api/core/v1/types.go``, v1.9.0)."""
CAPS: Final = (Action.WARN.value, Action.AUDIT.value)
"""The values of ``atMost`` of an account."""
ANONYMOUS: Final = "system:anonymous"
GROUPS: Final = frozenset(
    f"system:{name}"
    for name in (
        "masters",
        "authenticated",
        "unauthenticated",
        "serviceaccounts",
        "nodes",
        "bootstrappers",
        "monitoring",
    )
)
"""The names of built-in groups (Kubernetes ``staging/src/k8s.io/apiserver/pkg/authentication/user/user.go``, v1.34)."""
SERVICE_ACCOUNT: Final = "system:serviceaccount:"
SERVICE_ACCOUNT_GROUP: Final = "system:serviceaccounts:"
_SERVICE_ACCOUNT_NAME: Final = re.compile(
    SERVICE_ACCOUNT + r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
)


def faults_of(policy: Policy) -> list[Fault]:
    """Returns all faults, in the order of the keys."""
    return [
        *_of_actions(policy),
        *_of_namespaces(policy),
        *_of_defaults(policy),
        *_of_exemptions(policy),
        *_of_accounts(policy),
        *_of_help(policy),
    ]


def _of_actions(policy: Policy) -> Iterator[Fault]:
    places: list[tuple[FieldPath, dict[str, Action]]] = [(("actions",), policy.actions)]
    places += [(("namespaces", index, "actions"), entry.actions) for index, entry in enumerate(policy.namespaces)]
    for place, actions in places:
        for rule in actions:
            if rule not in rule_ids():
                yield (*place, rule), _unknown("rule", rule, rule_ids())


def _of_namespaces(policy: Policy) -> Iterator[Fault]:
    for index, entry in enumerate(policy.namespaces):
        if not entry.names and not entry.labels:
            yield (
                ("namespaces", index),
                "missing names or labels: the entry selects no namespace",
            )


def _of_defaults(policy: Policy) -> Iterator[Fault]:
    """Yields defaults that KubeVirt does not accept. KubeVirt would reject every object that gets such a default."""
    strategy = policy.default_eviction_strategy
    if strategy is not None and strategy not in EVICTION_STRATEGIES:
        yield ("defaultEvictionStrategy",), _unknown("eviction strategy", strategy, EVICTION_STRATEGIES)
    settings = policy.migration_settings
    for name in settings:
        if name not in SETTINGS:
            yield ("migrationSettings", name), _unknown("migration setting", name, SETTINGS)
    gates = DeveloperConfiguration(
        feature_gates=[MIGRATION_STALL_DETECTION]
    )  # without this gate, maxDowntimeMs has no default
    migrations = {name: value for name, value in settings.items() if name in SETTINGS}
    configuration = Configuration(migrations=migrations, developer_configuration=gates)
    for finding in judge(
        KubeVirt(spec=KubeVirtSpec(configuration=configuration)), ObjectsWorld(()), SUPPORTED
    ).findings:
        is_about_settings = finding.path[: len(MIGRATIONS)] == MIGRATIONS
        if is_about_settings and not finding.undetermined and action_of(finding, Policy()) is Action.DENY:
            yield ("migrationSettings", *finding.path[len(MIGRATIONS) :]), finding.message


def _of_exemptions(policy: Policy) -> Iterator[Fault]:
    for index, exemption in enumerate(policy.exemptions):
        if exemption.rule not in rule_ids():
            yield ("exemptions", index, "rule"), _unknown("rule", exemption.rule, rule_ids())
        yield from _of_expiring(("exemptions", index), exemption)


def _of_accounts(policy: Policy) -> Iterator[Fault]:
    for index, entry in enumerate(policy.accounts):
        wrong = _wrong_account(entry.account)
        if wrong:
            yield ("accounts", index, "account"), wrong
        if entry.at_most not in CAPS:
            yield ("accounts", index, "atMost"), f"invalid value {entry.at_most.value!r}, expected {' or '.join(CAPS)}"
        yield from _of_expiring(("accounts", index), entry)


def _of_help(policy: Policy) -> Iterator[Fault]:
    if len(policy.help) > MAX_HELP or not policy.help.isprintable():
        yield ("help",), f"must be one printable line of at most {MAX_HELP} characters, such as a URL"


def _wrong_account(name: str) -> str:
    """Returns the fault of a username, or ''. An entry must name one authenticated user, not a group or a pattern."""
    if name == ANONYMOUS:
        return f"{name!r} is the username of all unauthenticated requests. Name one account."
    if name in GROUPS or name.startswith(SERVICE_ACCOUNT_GROUP):
        return f"{name!r} is a group. Name one account."
    if not name or not name.isprintable() or any(mark in name for mark in "*? \t"):
        return f"{name!r} is not a username. Patterns are not supported."
    if name.startswith(SERVICE_ACCOUNT) and not _SERVICE_ACCOUNT_NAME.fullmatch(name):
        return f"{name!r}: invalid service account username. Use {SERVICE_ACCOUNT}NAMESPACE:NAME."
    return ""


def _of_expiring(place: FieldPath, entry: Exemption | Account) -> Iterator[Fault]:
    """Yields faults of the keys ``until``, ``reason`` and ``owner``, which both exemptions and accounts have."""
    if not _is_date(entry.until):
        yield (*place, "until"), f"{entry.until!r} is not a date in the form YYYY-MM-DD"
    for key, text in (("reason", entry.reason), ("owner", entry.owner)):
        if not text.strip():
            yield (*place, key), "must not be empty"


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    close = close_matches(name, known, 0.75)
    return f"unknown {kind} {name!r}" + (f"; did you mean {close[0]}?" if close else "")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
