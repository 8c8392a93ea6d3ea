"""
The policy file as parameters of the ValidatingAdmissionPolicies: one ConfigMap for each action and scope.

Keys that a ConfigMap cannot express make the policies weaker, never stricter. ``notes`` lists them.
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
    """One ConfigMap: some rules, one action, and their scope."""

    action: Action
    rules: tuple[str, ...] = ()
    where_certain: tuple[str, ...] = ()
    """Rules that apply only if KubeVirt refuses migration regardless of other objects."""
    namespaces: tuple[str, ...] = ()
    """Names of namespaces, or labels such as ``env=prod,tier=1``. An empty list means every namespace."""
    except_namespaces: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    """``namespace/username``, or ``*/username``. An empty list means every account."""
    except_accounts: tuple[str, ...] = ()
    exemptions: tuple[str, ...] = ()
    """``rule/namespace/name/kind``. ``*`` in one of the last three parts matches every value."""
    honour_eviction_strategy: bool = False
    help: str = ""
    """The help line at the end of each message: a URL or a contact."""

    @property
    def data(self) -> dict[str, str]:
        """The data of the ConfigMap. Blanks separate words; line ends separate accounts, because usernames may contain blanks."""
        data = {
            "rules": " ".join(self.rules),
            "whereCertain": " ".join(self.where_certain),
            "namespaces": " ".join(self.namespaces),
            "exceptNamespaces": " ".join(self.except_namespaces),
            "accounts": "\n".join(self.accounts),
            "exceptAccounts": "\n".join(self.except_accounts),
            "exemptions": " ".join(self.exemptions),
            "honourEvictionStrategy": "true" if self.honour_eviction_strategy else "",
            "help": self.help,
        }
        return {key: text for key, text in data.items() if text}


def parameters(policy: Policy, releases: Releases, today: str) -> list[Parameters]:
    """
    The parameters for each action: in the whole cluster, and in the namespaces of each ``namespaces`` entry.

    As in admission, the first entry that covers a namespace applies.
    """
    config_maps: list[Parameters] = []
    taken: tuple[str, ...] = ()
    for entry in policy.namespaces:
        terms = _terms(entry)
        if terms:
            config_maps += _scoped(policy.under(entry), releases, today, terms, taken)
        taken += terms
    return [*config_maps, *_scoped(policy, releases, today, (), taken)]


def notes(policy: Policy, today: str) -> list[str]:
    """One sentence for each key of the policy file that the API server cannot enforce in full."""
    dated: list[Exemption | Account] = [*policy.exemptions, *policy.accounts]
    sentences = [
        f"{_described(entry)} expires on {entry.until}; the API server does not check the date."
        " Print the policies again after that date."
        if entry.until >= today
        else f"{_described(entry)} expired on {entry.until} and is left out"
        for entry in dated
    ]
    named = {*policy.actions, *(name for entry in policy.namespaces for name in entry.actions)}
    others = sorted({rule_ids()[name] for name in named} - {rule.id for rule in IN_CEL})
    if others:
        sentences.append(
            f"actions of {', '.join(others)}: these rules need other objects, so only the webhook enforces them"
        )
    if policy.profile is Profile.EXACT or any(entry.profile is Profile.EXACT for entry in policy.namespaces):
        sentences.append(
            "profile exact: violations are not denied if the verdict depends on the KubeVirt CR. Only the webhook denies them."
        )
    if policy.unproven is not Action.WARN:
        sentences.append(f"unproven: {policy.unproven} has no effect here")
    if policy.unreadable is not Policy().unreadable:
        sentences.append(f"unreadable: {policy.unreadable} has no effect here")
    if policy.honour_eviction_strategy:
        sentences.append("honourEvictionStrategy: a VM with None or External passes without a warning")
    if policy.hotplug is not Action.WARN:
        sentences.append(f"hotplug: {policy.hotplug} has no effect here. Only the webhook judges hot-plugged volumes.")
    if policy.default_eviction_strategy is not None or policy.migration_settings:
        sentences.append("defaults are filled in by the webhook only")
    return sentences


def _described(entry: Exemption | Account) -> str:
    if isinstance(entry, Exemption):
        return f"the exemption from {entry.rule} ({entry.owner})"
    return f"account {entry.account}"


def _terms(entry: NamespacePolicy) -> tuple[str, ...]:
    """
    The words that select the namespaces of an entry: one word for each name, and one word for all labels together. They select
    the same namespaces as ``NamespacePolicy.covers``.
    """
    labels = ",".join(f"{key}={value}" for key, value in sorted(entry.labels.items()))
    return (*entry.names, *([labels] if labels else []))


def _scoped(
    policy: Policy, releases: Releases, today: str, namespaces: tuple[str, ...], taken: tuple[str, ...]
) -> Iterator[Parameters]:
    """The parameters for the scope of one policy. Accounts with weaker actions have separate parameters."""
    active = [account for account in policy.accounts if account.until >= today]
    common = Parameters(
        Action.DENY,
        namespaces=namespaces,
        except_namespaces=taken,
        exemptions=tuple(_exemption(entry) for entry in policy.exemptions if entry.until >= today),
        honour_eviction_strategy=policy.honour_eviction_strategy,
        help=policy.help,
    )
    for action in ENFORCED:
        rules, certain = _enforced(policy, action, releases)
        if not rules and not certain:
            continue
        lowered = [account for account in active if action.at_most(account.at_most) is not action]
        scoped = replace(common, action=action, rules=rules, where_certain=certain)
        yield replace(scoped, except_accounts=tuple(map(_account, lowered)))
        for at_most in ENFORCED:
            accounts = tuple(_account(account) for account in lowered if account.at_most is at_most)
            if accounts:
                yield replace(scoped, action=at_most, accounts=accounts)


def _account(account: Account) -> str:
    return f"{account.namespace or '*'}/{account.account}"


def _exemption(entry: Exemption) -> str:
    return "/".join((rule_ids()[entry.rule], entry.namespace or "*", entry.name or "*", entry.kind or "*"))


def _enforced(policy: Policy, action: Action, releases: Releases) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rules with this action: rules that always apply, and rules that apply only if KubeVirt certainly refuses."""
    always: list[str] = []
    where_certain: list[str] = []
    for rule in IN_CEL:
        chosen, is_certain = _action(rule, policy, releases)
        if chosen.at_most(policy.at_most) is action:
            (where_certain if is_certain else always).append(rule.id)
    return tuple(always), tuple(where_certain)


def _action(rule: Rule, policy: Policy, releases: Releases) -> tuple[Action, bool]:
    """The action, as in ``action_of``, and whether it applies only where KubeVirt certainly refuses."""
    chosen = policy.actions.get(rule.id) or policy.actions.get(rule.name)
    if chosen is not None:
        return chosen, False
    if policy.profile is Profile.STRICT and (rule.baseline or rule.severity is Severity.ERROR):
        return Action.DENY, False
    if releases & ~rule.kubevirt:
        return Action.WARN, False
    return Action.DENY, any(part.unsure_in & releases for part in rule.cel)
