"""Faults of a policy that types do not show: unknown names, invalid dates, harmful defaults."""

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
from webhook.policy.policy import Account, Action, Exemption, Policy, action_of, rule_ids

Fault: TypeAlias = tuple[FieldPath, str]
"""A place in the policy file, and what is wrong there."""

EVICTION_STRATEGIES = ("LiveMigrate", "LiveMigrateIfPossible", "None", "External")
"""All that KubeVirt knows (``staging/src/kubevirt.io/api/core/v1/types.go``, v1.9.0); it refuses a VM with another."""
CAPS: Final = (Action.WARN.value, Action.AUDIT.value)
"""What ``atMost`` of an account may be."""
ANONYMOUS: Final = "system:anonymous"
GROUPS: Final = frozenset(
    f"system:{each}"
    for each in (
        "masters",
        "authenticated",
        "unauthenticated",
        "serviceaccounts",
        "nodes",
        "bootstrappers",
        "monitoring",
    )
)
"""Built-in groups (Kubernetes ``staging/src/k8s.io/apiserver/pkg/authentication/user/user.go``, v1.34)."""
SERVICE_ACCOUNT: Final = "system:serviceaccount:"
SERVICE_ACCOUNT_GROUP: Final = "system:serviceaccounts:"
_SERVICE_ACCOUNT_NAME: Final = re.compile(
    SERVICE_ACCOUNT + r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
)


def faults_of(policy: Policy) -> list[Fault]:
    """All of them, in the order of the keys."""
    return [
        *_of_actions(policy),
        *_of_namespaces(policy),
        *_of_defaults(policy),
        *_of_exemptions(policy),
        *_of_accounts(policy),
    ]


def _of_actions(policy: Policy) -> Iterator[Fault]:
    places: list[tuple[FieldPath, dict[str, Action]]] = [(("actions",), policy.actions)]
    places += [(("namespaces", index, "actions"), each.actions) for index, each in enumerate(policy.namespaces)]
    for place, actions in places:
        for rule in actions:
            if rule not in rule_ids():
                yield (*place, rule), _no_such("rule", rule, rule_ids())


def _of_namespaces(policy: Policy) -> Iterator[Fault]:
    for index, each in enumerate(policy.namespaces):
        if not each.names and not each.labels:
            yield ("namespaces", index), "names or labels must be given, else it holds nowhere"


def _of_defaults(policy: Policy) -> Iterator[Fault]:
    """What would be filled into objects must be what KubeVirt takes: else every object that gets it would be refused."""
    strategy = policy.default_eviction_strategy
    if strategy is not None and strategy not in EVICTION_STRATEGIES:
        yield ("defaultEvictionStrategy",), _no_such("eviction strategy", strategy, EVICTION_STRATEGIES)
    wanted = policy.migration_settings
    for name in wanted:
        if name not in SETTINGS:
            yield ("migrationSettings", name), _no_such("migration setting", name, SETTINGS)
    gates = DeveloperConfiguration(feature_gates=[MIGRATION_STALL_DETECTION])  # maxDowntimeMs is filled in only with it
    migrations = {name: value for name, value in wanted.items() if name in SETTINGS}
    configuration = Configuration(migrations=migrations, developer_configuration=gates)
    for finding in judge(
        KubeVirt(spec=KubeVirtSpec(configuration=configuration)), ObjectsWorld(()), SUPPORTED
    ).findings:
        about_them = finding.path[: len(MIGRATIONS)] == MIGRATIONS
        if about_them and not finding.undetermined and action_of(finding, Policy()) is Action.DENY:
            yield ("migrationSettings", *finding.path[len(MIGRATIONS) :]), finding.message


def _of_exemptions(policy: Policy) -> Iterator[Fault]:
    for index, each in enumerate(policy.exemptions):
        if each.rule not in rule_ids():
            yield ("exemptions", index, "rule"), _no_such("rule", each.rule, rule_ids())
        yield from _of_expiring(("exemptions", index), each)


def _of_accounts(policy: Policy) -> Iterator[Fault]:
    for index, each in enumerate(policy.accounts):
        wrong = _wrong_account(each.account)
        if wrong:
            yield ("accounts", index, "account"), wrong
        if each.at_most not in CAPS:
            yield ("accounts", index, "atMost"), f"invalid value {each.at_most.value!r}, expected {' or '.join(CAPS)}"
        yield from _of_expiring(("accounts", index), each)


def _wrong_account(name: str) -> str:
    """An entry names one authenticated user: no group, no pattern, and not the user of unauthenticated requests."""
    if name == ANONYMOUS:
        return f"{name!r} is the username of all unauthenticated requests. Name one account."
    if name in GROUPS or name.startswith(SERVICE_ACCOUNT_GROUP):
        return f"{name!r} is a group. Name one account."
    if not name or not name.isprintable() or any(mark in name for mark in "*? \t"):
        return f"{name!r} is not a username. Patterns are not supported."
    if name.startswith(SERVICE_ACCOUNT) and not _SERVICE_ACCOUNT_NAME.fullmatch(name):
        return f"{name!r}: invalid service account username. Use {SERVICE_ACCOUNT}NAMESPACE:NAME."
    return ""


def _of_expiring(place: FieldPath, each: Exemption | Account) -> Iterator[Fault]:
    """Faults of the keys that exemptions and accounts share: ``until``, ``reason`` and ``owner``."""
    if not _is_day(each.until):
        yield (*place, "until"), f"{each.until!r} is not a date in the form YYYY-MM-DD"
    for key, text in (("reason", each.reason), ("owner", each.owner)):
        if not text.strip():
            yield (*place, key), "must not be empty"


def _no_such(what: str, name: str, known: Iterable[str]) -> str:
    close = close_matches(name, known, 0.75)
    return f"there is no {what} {name!r}" + (f"; did you mean {close[0]}?" if close else "")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
