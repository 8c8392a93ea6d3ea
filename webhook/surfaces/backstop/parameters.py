"""
What a policy file says, as parameters of the policies: ConfigMaps, and bindings that select them by enforcement action.

Whatever a ConfigMap cannot say makes the policies milder, never stricter; ``notes`` lists it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.kubevirt.releases import Releases
from webhook.policy.policy import Account, Action, Exemption, NamespacePolicy, Policy, Profile, rule_ids
from webhook.rules.register import RULES
from webhook.rules.rule import Rule, Severity

ENFORCED: Final = (Action.DENY, Action.WARN, Action.AUDIT)
IN_CEL: Final[tuple[Rule, ...]] = tuple(rule for rule in RULES if rule.cel)


class Parameters(msgspec.Struct, frozen=True):
    """One ConfigMap: some rules, one action, and where they hold."""

    action: Action
    rules: tuple[str, ...] = ()
    where_certain: tuple[str, ...] = ()
    """Rules that hold only where KubeVirt refuses whatever other objects say."""
    namespaces: tuple[str, ...] = ()
    """Names, or labels such as ``env=prod,tier=1``; every namespace where there are none."""
    except_namespaces: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    """``namespace/username``, or ``*/username``; every account where there are none."""
    except_accounts: tuple[str, ...] = ()
    exemptions: tuple[str, ...] = ()
    """``rule/namespace/name/kind``, each of the last three ``*`` where it does not matter."""
    honour_eviction_strategy: bool = False

    @property
    def data(self) -> dict[str, str]:
        """Of the ConfigMap. Words are separated by blanks, accounts by line ends: usernames may hold blanks."""
        said = {
            "rules": " ".join(self.rules),
            "whereCertain": " ".join(self.where_certain),
            "namespaces": " ".join(self.namespaces),
            "exceptNamespaces": " ".join(self.except_namespaces),
            "accounts": "\n".join(self.accounts),
            "exceptAccounts": "\n".join(self.except_accounts),
            "exemptions": " ".join(self.exemptions),
            "honourEvictionStrategy": "true" if self.honour_eviction_strategy else "",
        }
        return {key: text for key, text in said.items() if text}


def parameters(policy: Policy, releases: Releases, today: str) -> list[Parameters]:
    """
    The parameters for each action that the policy takes, in the whole cluster and in each of its ``namespaces`` entries.

    As in the engine, the first entry that covers a namespace applies.
    """
    made: list[Parameters] = []
    taken: tuple[str, ...] = ()
    for entry in policy.namespaces:
        terms = _terms(entry)
        if terms:
            made += _scoped(policy.under(entry), releases, today, terms, taken)
        taken += terms
    return [*made, *_scoped(policy, releases, today, (), taken)]


def notes(policy: Policy, today: str) -> list[str]:
    """One sentence for each key of the policy file that the API server cannot enforce in full."""
    dated: list[Exemption | Account] = [*policy.exemptions, *policy.accounts]
    said = [
        f"{_whom(each)} expires on {each.until}; the API server does not check the date. Print the policies again after it."
        if each.until >= today
        else f"{_whom(each)} expired on {each.until} and is left out"
        for each in dated
    ]
    named = {*policy.actions, *(name for entry in policy.namespaces for name in entry.actions)}
    others = sorted({rule_ids()[name] for name in named} - {rule.id for rule in IN_CEL})
    if others:
        said.append(
            f"actions of {', '.join(others)}: these rules need other objects, so only the webhook enforces them"
        )
    if policy.profile is Profile.EXACT or any(each.profile is Profile.EXACT for each in policy.namespaces):
        said.append(
            "profile exact: a violation whose verdict depends on the KubeVirt CR is not refused. Only the webhook judges it."
        )
    if policy.unproven is not Action.WARN:
        said.append(f"unproven: {policy.unproven} has no effect here")
    if policy.unreadable is not Policy().unreadable:
        said.append(f"unreadable: {policy.unreadable} has no effect here")
    if policy.honour_eviction_strategy:
        said.append("honourEvictionStrategy: a VM with None or External passes without a warning")
    if policy.hotplug is not Action.WARN:
        said.append(f"hotplug: {policy.hotplug} has no effect here. Only the webhook judges hot-plugged volumes.")
    if policy.default_eviction_strategy is not None or policy.migration_settings:
        said.append("defaults are filled in by the webhook only")
    return said


def _whom(each: Exemption | Account) -> str:
    return (
        f"the exemption from {each.rule} ({each.owner})" if isinstance(each, Exemption) else f"account {each.account}"
    )


def _terms(entry: NamespacePolicy) -> tuple[str, ...]:
    """Names, and all labels together: what ``NamespacePolicy.covers`` looks at."""
    labels = ",".join(f"{key}={value}" for key, value in sorted(entry.labels.items()))
    return (*entry.names, *([labels] if labels else []))


def _scoped(
    policy: Policy, releases: Releases, today: str, namespaces: tuple[str, ...], taken: tuple[str, ...]
) -> Iterator[Parameters]:
    """The parameters where one policy holds; accounts whose requests it denies less have parameters of their own."""
    listed = [each for each in policy.accounts if each.until >= today]
    common = Parameters(
        Action.DENY,
        namespaces=namespaces,
        except_namespaces=taken,
        exemptions=tuple(_exemption(each) for each in policy.exemptions if each.until >= today),
        honour_eviction_strategy=policy.honour_eviction_strategy,
    )
    for action in ENFORCED:
        rules, certain = _enforced(policy, action, releases)
        if not rules and not certain:
            continue
        lowered = [each for each in listed if action.at_most(each.at_most) is not action]
        here = replace(common, action=action, rules=rules, where_certain=certain)
        yield replace(here, except_accounts=tuple(map(_account, lowered)))
        for at_most in ENFORCED:
            accounts = tuple(_account(each) for each in lowered if each.at_most is at_most)
            if accounts:
                yield replace(here, action=at_most, accounts=accounts)


def _account(each: Account) -> str:
    return f"{each.namespace or '*'}/{each.account}"


def _exemption(each: Exemption) -> str:
    return "/".join((rule_ids()[each.rule], each.namespace or "*", each.name or "*", each.kind or "*"))


def _enforced(policy: Policy, action: Action, releases: Releases) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rules with this action: always, and where it is certain that KubeVirt refuses."""
    always: list[str] = []
    where_certain: list[str] = []
    for rule in IN_CEL:
        chosen, is_certain = _action(rule, policy, releases)
        if chosen.at_most(policy.at_most) is action:
            (where_certain if is_certain else always).append(rule.id)
    return tuple(always), tuple(where_certain)


def _action(rule: Rule, policy: Policy, releases: Releases) -> tuple[Action, bool]:
    """As ``action_of`` for violations visible in the object itself; whether only where KubeVirt surely refuses."""
    chosen = policy.actions.get(rule.id) or policy.actions.get(rule.name)
    if chosen is not None:
        return chosen, False
    if policy.profile is Profile.STRICT and (rule.baseline or rule.severity is Severity.ERROR):
        return Action.DENY, False
    if releases & ~rule.kubevirt:
        return Action.WARN, False
    return Action.DENY, any(part.unsure_in & releases for part in rule.cel)
