"""The policy file as parameters of the backstop."""

import pytest

from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, only
from webhook.policy.policy import Account, Action, Exemption, NamespacePolicy, Policy, Profile
from webhook.surfaces.backstop.parameters import Parameters, notes, parameters

TODAY = "2026-06-01"
SIGNED = {"reason": "ticket 42", "owner": "storage team"}
LISTED = ("LM101", "LM103", "LM203", "LM301", "LM302")
SETTINGS = ("LM609", "LM610", "LM614")


def test_profile_strict_denies_every_rule() -> None:
    """
    The fixed list, and settings that are out of range.
    """
    assert parameters(Policy(), SUPPORTED, TODAY) == [Parameters(Action.DENY, (*LISTED, *SETTINGS))]


@pytest.mark.parametrize(
    ("releases", "rules", "where_certain"),
    [
        (only(NEWEST), ("LM301",), ("LM101", "LM302")),
        (SUPPORTED, ("LM301",), ("LM101", "LM302")),
        (only(Release(1, 4)), ("LM203", "LM301", "LM302"), ("LM101",)),
    ],
)
def test_profile_exact_denies_what_every_release_refuses(
    releases: int, rules: tuple[str, ...], where_certain: tuple[str, ...]
) -> None:
    """
    Without conditions where the release never looks at other objects.
    """
    denied, warned = parameters(Policy(profile=Profile.EXACT), releases, TODAY)

    assert (denied.action, denied.rules, denied.where_certain) == (Action.DENY, rules, where_certain)
    assert {*denied.rules, *denied.where_certain, *warned.rules} == {*LISTED, *SETTINGS}


def test_rules_that_are_off_are_in_no_parameters() -> None:
    """
    The others are listed by action, deny first.
    """
    policy = Policy(
        actions={"gpu": Action.OFF, "LM301": Action.AUDIT, "host-device": Action.AUDIT}, at_most=Action.WARN
    )

    listed = [(parameter.action, parameter.rules) for parameter in parameters(policy, SUPPORTED, TODAY)]

    assert listed == [(Action.WARN, ("LM101", "LM103", "LM203", *SETTINGS)), (Action.AUDIT, ("LM301",))]


def test_an_entry_applies_where_no_earlier_one_does() -> None:
    """
    By names, and by all of its labels together; an entry without either covers nothing.
    """
    policy = Policy(
        namespaces=[
            NamespacePolicy(names=["one"], labels={"tier": "a", "env": "dev"}, at_most=Action.WARN),
            NamespacePolicy(at_most=Action.OFF),
            NamespacePolicy(names=["two"], actions={"LM302": Action.OFF}),
        ]
    )

    listed = [
        (parameter.action, parameter.namespaces, parameter.except_namespaces)
        for parameter in parameters(policy, SUPPORTED, TODAY)
    ]

    first = ("one", "env=dev,tier=a")
    assert listed == [
        (Action.WARN, first, ()),
        (Action.DENY, ("two",), first),
        (Action.DENY, (), (*first, "two")),
    ]


def test_accounts_have_parameters_of_their_own() -> None:
    """
    Those whose requests are denied are warned of or audited instead; entries of the past are left out.
    """
    policy = Policy(
        accounts=[
            Account("backup", until="2026-06-01", **SIGNED),
            Account("jane", namespace="team", at_most=Action.AUDIT, until="2099-01-01", **SIGNED),
            Account("past", until="2026-05-31", **SIGNED),
        ]
    )

    listed = [
        (parameter.action, parameter.accounts, parameter.except_accounts)
        for parameter in parameters(policy, SUPPORTED, TODAY)
    ]

    assert listed == [
        (Action.DENY, (), ("*/backup", "team/jane")),
        (Action.WARN, ("*/backup",), ()),
        (Action.AUDIT, ("team/jane",), ()),
    ]


def test_exemptions_are_listed_by_rule_namespace_name_and_kind() -> None:
    """
    By the id of the rule, however the policy file spells it, until their last day.
    """
    policy = Policy(
        exemptions=[
            Exemption("gpu", namespace="team", until="2026-06-01", **SIGNED),
            Exemption("LM301", name="db", kind="VirtualMachine", until="2099-01-01", **SIGNED),
            Exemption("LM101", until="2026-05-31", **SIGNED),
        ]
    )

    (parameter,) = parameters(policy, SUPPORTED, TODAY)

    assert parameter.data["exemptions"] == "LM302/team/*/* LM301/*/db/VirtualMachine"


def test_keys_that_the_policies_cannot_enforce_produce_a_note() -> None:
    """
    Days, rules that need other objects, and keys that only the webhook reads.
    """
    policy = Policy(
        profile=Profile.EXACT,
        actions={"LM201": Action.WARN, "LM302": Action.WARN},
        unproven=Action.DENY,
        unreadable=Action.AUDIT,
        hotplug=Action.DENY,
        honour_eviction_strategy=True,
        default_eviction_strategy="LiveMigrate",
        exemptions=[Exemption("gpu", until="2026-06-01", **SIGNED)],
        accounts=[Account("past", until="2026-05-31", **SIGNED)],
    )

    said = notes(policy, TODAY)

    expiring = "the exemption from gpu (storage team) expires on 2026-06-01; the API server does not check the date."
    assert [line.partition(":")[0] for line in said] == [
        f"{expiring} Print the policies again after that date.",
        "account past expired on 2026-05-31 and is left out",
        "actions of LM201",
        "profile exact",
        "unproven",
        "unreadable",
        "honourEvictionStrategy",
        "hotplug",
        "defaults are filled in by the webhook only",
    ]
    assert notes(Policy(), TODAY) == []
