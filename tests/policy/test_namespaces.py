"""Overrides for namespaces, and VMs with an evictionStrategy that never migrates them."""

from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instructions import instructions
from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, read, refused, review, vm, warned
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Found, Unknown
from webhook.facts.unknown_world import UnknownWorld
from webhook.facts.world import World
from webhook.kubevirt.releases import SUPPORTED
from webhook.manifests.policy_faults import faults_of
from webhook.objects.meta import Kubernetes
from webhook.policy.policy import Action, NamespacePolicy, Policy, Profile
from webhook.surfaces.admission.validate import JudgingContext

K = TypeVar("K", bound=Kubernetes)
SINGLE = claim("single", "ReadWriteOnce")
PORTS = {"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 49152}]}]}
TENANT: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": {"env": "dev"}}}


def test_a_named_namespace_has_its_own_profile() -> None:
    """
    The fixed list is denied except in the namespaces with profile ``exact``.
    """
    body = review("CREATE", vm(devices=PORTS))
    policy = Policy(namespaces=[NamespacePolicy(names=["tenant"], profile=Profile.EXACT)])
    other = Policy(namespaces=[NamespacePolicy(names=["other"], profile=Profile.EXACT)])

    assert warned(decided(body, policy=policy)) == [("LM103", "warn")]
    assert list(refused(decided(body, policy=other))) == ["spec.template.spec.domain.devices.interfaces[0].ports[0]"]


def test_labels_select_namespaces_where_they_are_known() -> None:
    """
    All labels must match. The labels of an unknown namespace match nothing, which gives the stricter result.
    """
    body = review("CREATE", vm(volumes=[on_claim("single")]))
    policy = Policy(namespaces=[NamespacePolicy(labels={"env": "dev"}, actions={"LM201": Action.WARN})])
    more = Policy(namespaces=[NamespacePolicy(labels={"env": "dev", "a": "b"}, actions={"LM201": Action.WARN})])

    assert decided(body, SINGLE, TENANT, policy=policy).allowed
    assert not decided(body, SINGLE, TENANT, policy=more).allowed
    assert not decided(body, SINGLE, policy=policy).allowed


def test_the_first_matching_entry_applies() -> None:
    """
    Keys that the entry lacks keep the value of the policy.
    """
    policy = Policy(
        unproven=Action.DENY,
        actions={"LM103": Action.OFF},
        namespaces=[
            NamespacePolicy(names=["tenant"], actions={"LM201": Action.AUDIT}),
            NamespacePolicy(names=["tenant"], profile=Profile.EXACT),
        ],
    )

    local = policy.within("tenant")

    assert (local.profile, local.unproven) == (Profile.STRICT, Action.DENY)
    assert local.actions == {"LM103": Action.OFF, "LM201": Action.AUDIT}
    assert policy.within("other") is policy


def test_an_override_applies_to_a_rule_by_id_or_name() -> None:
    """
    Id and name mean the same rule.
    """
    policy = Policy(
        actions={"LM201": Action.DENY},
        namespaces=[NamespacePolicy(names=["a"], actions={"claim-not-shared": Action.OFF})],
    )

    assert policy.within("a").actions == {"claim-not-shared": Action.OFF}


@pytest.mark.parametrize(
    ("strategy", "allowed"), [("None", True), ("External", True), ("LiveMigrate", False), (None, False)]
)
def test_a_vm_that_a_drain_never_migrates_only_gets_warnings(strategy: str | None, allowed: bool) -> None:
    """
    ``honourEvictionStrategy`` allows VMs with evictionStrategy None or External.
    """
    spec = {"evictionStrategy": strategy} if strategy else {}
    body = review("CREATE", vm(volumes=[on_claim("single")], **spec))

    assert decided(body, SINGLE, policy=Policy(honour_eviction_strategy=True)).allowed is allowed
    assert not decided(body, SINGLE).allowed


def test_an_entry_without_names_and_labels_is_an_error() -> None:
    """
    It would apply nowhere. An unknown rule is reported with its field path.
    """
    policy = Policy(namespaces=[NamespacePolicy(), NamespacePolicy(names=["a"], actions={"LM999": Action.WARN})])

    assert faults_of(policy) == [
        (("namespaces", 1, "actions", "LM999"), "unknown rule 'LM999'"),
        (("namespaces", 0), "missing names or labels: the entry selects no namespace"),
    ]


FIELDS = {
    "profile": Profile.EXACT,
    "unproven": Action.DENY,
    "unreadable": Action.AUDIT,
    "hotplug": Action.OFF,
    "at_most": Action.WARN,
}


@pytest.mark.parametrize("field", FIELDS)
def test_an_entry_overrides_the_fields_that_it_sets(field: str) -> None:
    """
    A field of an entry overrides the policy's. A field that the entry lacks keeps the policy's value.
    """
    everywhere, here = Policy(), Policy(**FIELDS)  # type: ignore[arg-type]
    entry = NamespacePolicy(names=["tenant"], **{field: FIELDS[field]})  # type: ignore[arg-type]

    overridden = everywhere.under(entry)
    kept = here.under(NamespacePolicy(names=["tenant"]))

    assert {name: getattr(overridden, name) for name in FIELDS} == {
        **{name: getattr(everywhere, name) for name in FIELDS},
        field: FIELDS[field],
    }
    assert {name: getattr(kept, name) for name in FIELDS} == FIELDS


@pytest.mark.parametrize(
    ("entry", "labels", "covered"),
    [
        (NamespacePolicy(names=["tenant"]), None, True),
        (NamespacePolicy(names=["other"]), {"env": "dev"}, False),
        (NamespacePolicy(labels={"env": "dev"}), {"env": "dev", "a": "b"}, True),
        (NamespacePolicy(labels={"env": "dev"}), {"env": "prod"}, False),
        (NamespacePolicy(labels={"env": "dev"}), {}, False),
        (NamespacePolicy(labels={"env": "dev"}), None, False),
        (NamespacePolicy(names=["tenant"], labels={"env": "dev"}), {}, True),
    ],
)
def test_an_entry_matches_by_name_or_by_all_labels(
    entry: NamespacePolicy, labels: dict[str, str] | None, covered: bool
) -> None:
    """
    An entry without labels matches only the names that it lists.
    """
    assert entry.covers("tenant", labels) is covered


class LookedUp(Exception):
    """An unnecessary lookup."""


class RaisingWorld(UnknownWorld):  # type: ignore[misc]  # a msgspec struct, not a dataclass
    """A world that raises on each lookup."""

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        raise LookedUp


BY_LABELS = NamespacePolicy(labels={"env": "dev"}, at_most=Action.WARN)
BY_NAME = NamespacePolicy(names=["other"])


def limit_in(namespace: str, policy: Policy, world: World) -> Action:
    """The policy's ``atMost`` in a namespace."""
    return JudgingContext(world, SUPPORTED, policy, "2026-01-01", "kubevirt").limit_in(namespace)


@pytest.mark.parametrize(("namespace", "entries"), [("tenant", [BY_NAME]), ("", [BY_LABELS])])
def test_a_namespace_is_looked_up_only_for_its_labels(namespace: str, entries: list[NamespacePolicy]) -> None:
    """
    Without an entry with labels, and for cluster-scoped objects, no Namespace is read.
    """
    assert limit_in(namespace, Policy(namespaces=entries), RaisingWorld(Unknown("not read"))) is Action.DENY


def test_one_entry_with_labels_is_enough_to_look_up_a_namespace() -> None:
    """
    The other entries may match by name.
    """
    policy = Policy(namespaces=[BY_NAME, BY_LABELS])

    assert limit_in("tenant", policy, ObjectsWorld([read(TENANT)])) is Action.WARN
    with pytest.raises(LookedUp):
        limit_in("tenant", policy, RaisingWorld(Unknown("not read")))


def test_another_profile_changes_nothing_else() -> None:
    """
    A profile of a request or an option replaces the policy's. Its actions and exemptions stay.
    """
    policy = Policy(actions={"LM103": Action.OFF}, unproven=Action.DENY)

    assert policy.with_profile(Profile.EXACT) == Policy(
        profile=Profile.EXACT, actions={"LM103": Action.OFF}, unproven=Action.DENY
    )


_LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)
_ENTRIES = st.lists(
    st.builds(
        NamespacePolicy,
        names=st.lists(st.sampled_from(["db", "web", ""]), max_size=2),
        labels=_LABELS,
        at_most=st.sampled_from(Action),
        unproven=st.sampled_from(Action),
    ),
    max_size=6,
)


@given(_ENTRIES, st.sampled_from(["db", "web", "shop", ""]), st.none() | _LABELS)
def test_the_first_entry_that_covers_a_namespace_applies(
    entries: list[NamespacePolicy], namespace: str, labels: dict[str, str] | None
) -> None:
    """
    Entries are found by name and by label, not one after another.
    """
    policy = Policy(namespaces=entries)

    first = next((entry for entry in entries if entry.covers(namespace, labels)), None)

    assert policy.within(namespace, labels) == (policy if first is None else policy.under(first))


def test_the_work_for_a_namespace_does_not_grow_with_the_number_of_entries() -> None:
    """
    A policy file can have an entry for each namespace of a cluster.
    """

    def work(count: int) -> int:
        entries = [NamespacePolicy(names=[f"n{at}"], labels={"team": f"t{at}"}) for at in range(count)]
        policy = Policy(namespaces=entries)
        policy.within("n0")
        return instructions(lambda: [policy.within(f"n{count - 1}"), policy.within("other", {"team": f"t{count - 1}"})])

    assert work(400) == work(20)
