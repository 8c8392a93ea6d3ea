"""What differs from namespace to namespace, and VMs that say they are not to be moved."""

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, refused, review, vm, warned
from webhook.policy import Action, NamespacePolicy, Policy, Profile
from webhook.resolve.policy_faults import faults_of

SINGLE = claim("single", "ReadWriteOnce")
PORTS = {"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 49152}]}]}
TENANT: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": {"env": "dev"}}}


def test_a_named_namespace_has_its_own_profile() -> None:
    """
    The fixed list is denied everywhere but where profile ``exact`` holds.
    """
    body = review("CREATE", vm(devices=PORTS))
    policy = Policy(namespaces=[NamespacePolicy(names=["tenant"], profile=Profile.EXACT)])
    elsewhere = Policy(namespaces=[NamespacePolicy(names=["other"], profile=Profile.EXACT)])

    assert warned(decided(body, policy=policy)) == [("LM103", "warn")]
    assert list(refused(decided(body, policy=elsewhere))) == [
        "spec.template.spec.domain.devices.interfaces[0].ports[0]"
    ]


def test_labels_choose_namespaces_where_they_are_known() -> None:
    """
    All labels must match, and of a namespace that nobody showed us nothing matches: the stricter answer.
    """
    body = review("CREATE", vm(volumes=[on_claim("single")]))
    policy = Policy(namespaces=[NamespacePolicy(labels={"env": "dev"}, actions={"LM201": Action.WARN})])
    more = Policy(namespaces=[NamespacePolicy(labels={"env": "dev", "a": "b"}, actions={"LM201": Action.WARN})])

    assert decided(body, SINGLE, TENANT, policy=policy).allowed
    assert not decided(body, SINGLE, TENANT, policy=more).allowed
    assert not decided(body, SINGLE, policy=policy).allowed


def test_the_first_that_covers_holds() -> None:
    """
    What an override does not say stays as it is for all.
    """
    policy = Policy(
        unproven=Action.DENY,
        actions={"LM103": Action.OFF},
        namespaces=[
            NamespacePolicy(names=["tenant"], actions={"LM201": Action.AUDIT}),
            NamespacePolicy(names=["tenant"], profile=Profile.EXACT),
        ],
    )

    here = policy.within("tenant")

    assert (here.profile, here.unproven) == (Profile.STRICT, Action.DENY)
    assert here.actions == {"LM103": Action.OFF, "LM201": Action.AUDIT}
    assert policy.within("other") is policy


def test_an_override_holds_however_the_rule_is_spelt() -> None:
    """
    Id and name are the same rule.
    """
    policy = Policy(
        actions={"LM201": Action.DENY},
        namespaces=[NamespacePolicy(names=["a"], actions={"claim-not-shared": Action.OFF})],
    )

    assert policy.within("a").actions == {"claim-not-shared": Action.OFF}


@pytest.mark.parametrize(
    ("strategy", "allowed"), [("None", True), ("External", True), ("LiveMigrate", False), (None, False)]
)
def test_a_vm_that_is_not_to_be_moved_is_only_warned_of(strategy: str | None, allowed: bool) -> None:
    """
    ``honourEvictionStrategy`` lets VMs pass that say in their spec that a drain does not migrate them.
    """
    spec = {"evictionStrategy": strategy} if strategy else {}
    body = review("CREATE", vm(volumes=[on_claim("single")], **spec))

    assert decided(body, SINGLE, policy=Policy(honour_eviction_strategy=True)).allowed is allowed
    assert not decided(body, SINGLE).allowed


def test_an_override_of_nothing_is_an_error() -> None:
    """
    Without names and labels it would hold nowhere; a rule that does not exist is named with its place.
    """
    policy = Policy(namespaces=[NamespacePolicy(), NamespacePolicy(names=["a"], actions={"LM999": Action.WARN})])

    assert faults_of(policy) == [
        (("namespaces", 1, "actions", "LM999"), "there is no rule 'LM999'"),
        (("namespaces", 0), "names or labels must be given, else it holds nowhere"),
    ]
