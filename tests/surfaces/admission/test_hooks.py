"""The webhooks as data: the installed ones equal those of the code, and their conditions compare the judged fields."""

from pathlib import Path

import pytest
import yaml

from webhook.surfaces.admission.configurations import Installation, mutating, validating
from webhook.surfaces.admission.hooks import CREATE, MUTATING_HOOKS, POLICY_GROUP, VALIDATING_HOOKS, Hook, rule

KUSTOMIZE = Path(__file__).resolve().parents[3] / "deploy" / "kustomize"
WITH_EVICTION_STRATEGY = Installation(policy_keys=frozenset({"defaultEvictionStrategy"}))


def hook(name: str) -> Hook:
    return next(webhook for webhook in (*VALIDATING_HOOKS, *MUTATING_HOOKS) if webhook.name.startswith(f"{name}."))


def condition(of: str, name: str) -> str:
    return next(match_condition.expression for match_condition in hook(of).conditions if match_condition.name == name)


def test_the_installed_webhooks_match_the_code() -> None:
    """
    Each rule, condition, selector and timeout of the manifests comes from the code.
    """
    files = ("base/webhooks/validating", "base/webhooks/mutating", "components/default-eviction-strategy/webhook")
    base = [yaml.safe_load((KUSTOMIZE / f"{file}.yaml").read_text())["webhooks"] for file in files]

    made = [
        validating(Installation())["webhooks"],
        mutating(Installation())["webhooks"],
        [
            webhook
            for webhook in mutating(WITH_EVICTION_STRATEGY)["webhooks"]
            if webhook["name"] == hook("virtualmachine.default").name
        ],
    ]

    assert made == base


@pytest.mark.parametrize("field", ["dataVolumeTemplates", "instancetype", "preference"])
@pytest.mark.parametrize(
    ("of", "place"),
    [
        ("virtualmachine.validate", "spec"),
        ("virtualmachine-on-behalf", "spec"),
        ("virtualmachinepool", "spec.virtualMachineTemplate.spec"),
    ],
)
def test_a_field_that_is_added_removed_or_changed_is_sent(of: str, place: str, field: str) -> None:
    """
    A preference, as each of the others, is judged when it is added, removed or changed, in a VM and in a pool's VM.
    """
    new, old = f"object.{place}.{field}", f"oldObject.{place}.{field}"

    expression = condition(of, "judged-part-changed")

    assert f"has({new}) != has({old}) || (has({new}) && {new} != {old})" in expression


def test_a_pool_that_gains_or_loses_its_vm_is_sent() -> None:
    """
    The schema does not demand the spec of a pool's VM.
    """
    path = "spec.virtualMachineTemplate.spec"

    expression = condition("virtualmachinepool", "judged-part-changed")

    assert expression.startswith(
        f"request.operation == 'CREATE' || has(object.{path}) != has(oldObject.{path}) || (has(object.{path}) && ("
        f"object.{path}.template != oldObject.{path}.template || "
    )


def test_a_receiver_is_recognized_by_its_annotation_and_its_creator() -> None:
    """
    KubeVirt compares the annotation with `true`; only virt-controller, which may write every VMI, is believed.
    """
    annotations = "object.metadata.annotations"

    assert condition("virtualmachine.default", "not-a-receiver") == (
        f"!(request.resource.resource == 'virtualmachineinstances' && has({annotations})"
        f" && 'kubevirt.io/create-migration-target' in {annotations}"
        f" && {annotations}['kubevirt.io/create-migration-target'] == 'true'"
        " && request.userInfo.username.matches('^system:serviceaccount:[^:]+:kubevirt-controller$')"
        " && authorizer.group('kubevirt.io').resource('virtualmachineinstances').check('update').allowed())"
    )


def test_each_requested_volume_that_is_new_is_sent() -> None:
    """
    Not the number of requests counts: one may take the place of another.
    """
    requests = "status.volumeRequests"

    assert condition("virtualmachine-hotplug", "volume-requested") == (
        f"has(object.status) && has(object.{requests})"
        f" && object.{requests}.exists(wanted, has(wanted.addVolumeOptions)"
        f" && (object.{requests}.size() > 100"
        f" || !has(oldObject.status) || !has(oldObject.{requests})"
        f" || !(wanted in oldObject.{requests})))"
    )


@pytest.mark.parametrize("of", ["virtualmachine-hotplug", "virtualmachineinstance-update"])
def test_plugging_into_a_vm_that_is_being_deleted_is_not_sent(of: str) -> None:
    """
    Such a VM stops anyway.
    """
    assert condition(of, "not-being-deleted") == "!has(oldObject.metadata.deletionTimestamp)"


def test_no_heartbeat_of_a_vmi_is_sent() -> None:
    """
    An UPDATE of a VMI is in one webhook, whose condition is false unless its volumes or one annotation change.
    """
    updating = [
        webhook
        for webhook in VALIDATING_HOOKS
        if any(rule.resource == "virtualmachineinstances" and "UPDATE" in rule.operations for rule in webhook.rules)
    ]
    key = "kubevirt.io/allow-pod-bridge-network-live-migration"
    old, new = (
        f"(has({which}.metadata.annotations) && '{key}' in {which}.metadata.annotations)"
        for which in ("oldObject", "object")
    )

    assert [webhook.name for webhook in updating] == ["virtualmachineinstance-update.validate.migratable"]
    assert condition("virtualmachineinstance-update", "verdict-may-change") == (
        "(has(object.spec.volumes) != has(oldObject.spec.volumes)"
        " || (has(object.spec.volumes) && object.spec.volumes != oldObject.spec.volumes)"
        f" || ({old} && !{new}))"
        " && !(request.userInfo.username.matches('^system:serviceaccount:[^:]+:kubevirt-controller$')"
        " && authorizer.group('kubevirt.io').resource('virtualmachineinstances').check('update').allowed())"
    )


@pytest.mark.parametrize("of", [webhook.name for webhook in (*VALIDATING_HOOKS, *MUTATING_HOOKS)])
def test_the_authorizer_is_called_only_for_accounts_with_kubevirt_names(of: str) -> None:
    """
    All conditions are evaluated at each request: a heartbeat or a label must not cost an access review.
    """
    for match_condition in next(hook for hook in (*VALIDATING_HOOKS, *MUTATING_HOOKS) if hook.name == of).conditions:
        before, _, _ = match_condition.expression.partition("authorizer")
        assert before == match_condition.expression or before.rstrip("( ").endswith("&&")
        assert before == match_condition.expression or "username.matches(" in before


def test_a_webhook_with_one_namespaced_kind_is_not_cluster_wide() -> None:
    """
    Its namespaces are then excluded by a selector, which an API server does not apply to cluster-scoped objects.
    """
    mixed = Hook("a", (rule("MigrationPolicy", CREATE, group=POLICY_GROUP), rule("VirtualMachine", CREATE)), (), 5)

    assert not mixed.cluster_wide


def test_the_reason_of_a_webhook_consists_of_sentences() -> None:
    """
    It comes before the webhook in the manifests. A webhook whose rules and conditions say everything has none.
    """
    comments = [webhook.why for webhook in (*VALIDATING_HOOKS, *MUTATING_HOOKS)]

    assert "" in comments
    assert all(comment.endswith(".") for comment in comments if comment)
