"""P5, P6 and P9 to P11: the content of responses."""

import copy
import random
import re
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.generating import Manifest
from tests.properties.edits import METADATA, Edit, edited
from tests.properties.faults import SEEDS
from tests.properties.supply import (
    PROPERTY,
    TODAY,
    Terms,
    anything,
    create,
    denials,
    identities,
    machines,
    policies,
    terms,
    update,
)
from webhook.policy.policy import Account, Action, Policy
from webhook.rules.rule import Basis
from webhook.surfaces.admission.kubevirt_accounts import ACCOUNTS, CONTROLLER, WORKLOADS
from webhook.surfaces.admission.validate import Outcome

INDEX = re.compile(r"\[\d+\]")


def shuffled(value: Any, order: random.Random) -> Any:
    """The same with all keys, and all lists whose order means nothing, in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        made = {key: shuffled(value[key], order) for key in keys}
        for key in ("volumes", "interfaces", "networks", "disks", "filesystems", "gpus", "hostDevices"):
            if isinstance(made.get(key), list):
                order.shuffle(made[key])
        return made
    return [shuffled(one, order) for one in value] if isinstance(value, list) else value


def told(outcome: Outcome) -> list[tuple[str, ...]]:
    """The content of a response, without list indexes."""
    return sorted(
        (decision.finding.rule.id, decision.action, decision.finding.message, decision.finding.remedy)
        for decision in outcome.decisions
    ) + sorted((INDEX.sub("[]", cause.field), cause.message) for cause in outcome.causes)


def verdict(outcome: Outcome) -> object:
    """The verdict, whose open questions come in the order of the object."""
    assert outcome.judgement is not None
    decided = outcome.judgement.verdict
    return decided and replace(decided, unproven=tuple(sorted(decided.unproven)))


@PROPERTY
@given(machines(), SEEDS, terms())
def test_p5_order_does_not_matter(manifest: Manifest, seed: int, now: Terms) -> None:
    """
    P5: volumes, networks, devices, labels and keys in another order get the same verdict in the same words.
    """
    context = now.context()

    one, other = (
        create(variant, context) for variant in (manifest, shuffled(copy.deepcopy(manifest), random.Random(seed)))
    )

    assert told(one) == told(other)
    assert verdict(one) == verdict(other)


@PROPERTY
@given(anything(), policies(), terms(), st.lists(METADATA, max_size=1))
def test_p6_a_stricter_policy_blocks_no_unchanged_object(
    manifest: Manifest, more: Policy, now: Terms, metadata: list[Edit]
) -> None:
    """
    P6: whatever denials a policy gains, and whatever leniency it loses, what is stored may be written again.
    """
    grown = Policy(
        profile=more.profile,
        actions={**now.policy.actions, **dict.fromkeys(more.actions, Action.DENY)},
        unproven=Action.DENY,
    )
    context = Terms(now.around, now.complete, grown, now.releases).context()

    assert update(manifest, edited(manifest, *metadata), context).allowed


@PROPERTY
@given(anything(), terms())
def test_p9_a_milder_mode_denies_less_and_has_the_same_findings(manifest: Manifest, now: Terms) -> None:
    """
    P9: what enforcing denies, warning warns of and auditing audits, by the same rules; what a mode lets pass, every milder
    one lets pass too.
    """
    outcomes = {
        mode: create(manifest, Terms(now.around, now.complete, held(now.policy, mode), now.releases).context())
        for mode in Action
    }

    denied = denials(outcomes[Action.DENY])
    warned = identities(outcomes[Action.DENY], Action.WARN)
    assert identities(outcomes[Action.WARN], Action.WARN) == denied | warned
    assert identities(outcomes[Action.AUDIT], Action.AUDIT) == identities(outcomes[Action.DENY], *Action)
    assert identities(outcomes[Action.OFF], *Action) <= identities(outcomes[Action.AUDIT], Action.AUDIT)
    assert [outcomes[mode].allowed for mode in (Action.WARN, Action.AUDIT, Action.OFF)] == [True] * 3


def held(policy: Policy, mode: Action) -> Policy:
    """The policy, which does nothing stronger anywhere."""
    namespaces = [msgspec.structs.replace(override, at_most=mode) for override in policy.namespaces]
    return msgspec.structs.replace(policy, at_most=mode, namespaces=namespaces)


@PROPERTY
@given(anything(), terms())
def test_p10_every_denial_has_a_reason_at_an_existing_path(manifest: Manifest, now: Terms) -> None:
    """
    P10: each finding has a message, a remedy and a path into the sent object. Every verdict other than True has a finding,
    and True has no finding for which KubeVirt itself would refuse the migration. A verdict False has its reason, or all
    possible reasons.
    """
    outcome = create(manifest, now.context())

    for decision in outcome.decisions:
        finding = decision.finding
        assert finding.message
        assert finding.remedy or finding.rule.remediation
        assert is_place(manifest, finding.path), finding.path
    assert all(cause.field and cause.message for cause in outcome.causes)
    assert outcome.allowed == (Action.DENY not in {decision.action for decision in outcome.decisions})
    judgement = outcome.judgement
    assert judgement is not None
    if judgement.verdict is not None:
        deciding = [reported for reported in judgement.findings if reported.basis is Basis.KUBEVIRT]
        verdict = judgement.verdict
        assert verdict.live_migratable is True or deciding
        assert (verdict.live_migratable is False) == (verdict.reason is not None or bool(verdict.possible))
        assert verdict.reason is None or not verdict.possible
        assert verdict.live_migratable is not None or verdict.unproven


def is_place(value: Any, path: tuple[str | int, ...]) -> bool:
    """Whether a path leads to something, or to a field that an object there does not have yet."""
    for number, step in enumerate(path):
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return False
            value = value[step]
        elif isinstance(value, dict):
            if step not in value:
                return number == len(path) - 1
            value = value[step]
        else:
            return False
    return True


USERS = st.one_of(
    st.sampled_from(
        (
            "system:admin",
            "system:serviceaccount:tenant:kubevirt-controller",
            "system:serviceaccount:kubevirt:default",
            "system:serviceaccount:kubevirt:kubevirt-controller2",
            "system:serviceaccount:kubevirt:",
            "system:serviceaccount:kubevirt:kubevirt-controller:x",
            "kubevirt-controller",
            "",
        )
    ),
    st.text(max_size=12),
)


@PROPERTY
@given(anything(), terms(), USERS, st.lists(METADATA, max_size=2))
def test_p11_the_account_matters_only_for_kubevirt(
    manifest: Manifest, now: Terms, user: str, metadata: list[Edit]
) -> None:
    """
    P11: no username, and nothing in metadata, turns a denial into an allow. An account in KubeVirt's own namespace is only
    warned about what it writes for itself, and judged like anybody when it creates a workload that no user's object owns.
    """
    context = now.context()
    account = random.Random(len(user)).choice(sorted(ACCOUNTS))

    one, other = create(manifest, context), create(manifest, context, user)
    trusted = create(manifest, context, f"system:serviceaccount:kubevirt:{account}")
    started = create(owned(manifest), context, f"system:serviceaccount:kubevirt:{CONTROLLER}")

    assert other.decisions == one.decisions
    assert other.account is None
    if manifest["kind"] in WORKLOADS:
        assert trusted.decisions == one.decisions
    else:
        assert_only_warned(trusted, one)
    if manifest["kind"] in ("VirtualMachine", "VirtualMachineInstance"):
        assert_only_warned(started, one)


def owned(manifest: Manifest) -> Manifest:
    """The object as virt-controller makes it: a VM of a pool, or a VMI of that."""
    owner = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "p", "uid": "1"}
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [owner | {"controller": True}]}}


def assert_only_warned(outcome: Outcome, one: Outcome) -> None:
    """Nothing is denied, and each denial of ``one`` is a warning."""
    assert outcome.allowed
    assert identities(outcome, Action.WARN) == identities(one, Action.WARN, Action.DENY)


ENTRIES = st.lists(
    st.builds(
        Account,
        account=st.sampled_from(("system:serviceaccount:backup:velero", "jane")),
        reason=st.just("tested"),
        owner=st.just("backup"),
        until=st.sampled_from(("2020-01-01", "2026-05-31", TODAY, "2099-01-01")),
        at_most=st.sampled_from((Action.WARN, Action.AUDIT)),
        namespace=st.sampled_from((None, "tenant", "neighbour")),
    ),
    min_size=1,
    max_size=3,
)


@PROPERTY
@given(anything(), terms(), USERS | st.sampled_from(("jane", "system:serviceaccount:backup:velero")), ENTRIES)
def test_p11_a_listed_account_is_warned_and_others_are_denied(
    manifest: Manifest, now: Terms, user: str, entries: list[Account]
) -> None:
    """
    P11: an entry under ``accounts`` never turns an allow into a deny or a finding into none; it changes nothing for other
    users, in other namespaces, or after its last day.
    """
    namespace = manifest["metadata"].get("namespace", "")
    listed = [
        candidate
        for candidate in entries
        if candidate.account == user and candidate.until >= TODAY and candidate.namespace in (None, namespace)
    ]
    policy = msgspec.structs.replace(now.policy, accounts=entries)
    without = create(manifest, now.context(), user)

    outcome = create(manifest, Terms(now.around, now.complete, policy, now.releases).context(), user)

    assert [decision.finding for decision in outcome.decisions] == [decision.finding for decision in without.decisions]
    if listed:
        assert outcome.allowed
        assert all(
            result.action is before.action.at_most(most.at_most)
            for result, before in zip(outcome.decisions, without.decisions, strict=True)
            for most in [max(listed, key=lambda entry: entry.at_most is Action.AUDIT)]
        )
    else:
        assert outcome == without
