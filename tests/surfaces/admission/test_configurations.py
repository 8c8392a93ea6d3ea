"""The parts of a webhook configuration other than rules and conditions."""

from typing import Any

import pytest

from webhook.surfaces.admission.configurations import LATE_DENIES, Installation, mutating, validating
from webhook.surfaces.admission.hooks import VALIDATING_HOOKS

ELSEWHERE = Installation(namespace="there", fail=True, platform=("cdi",))
IN_PLATFORM = {
    "hyperconverged",
    "kubevirt",
    "kubevirt-by-hyperconverged",
    "networkattachmentdefinition",
    "networkattachmentdefinition-delete",
}


def by_name(configuration: dict[str, Any]) -> dict[str, Any]:
    return {webhook["name"].partition(".")[0]: webhook for webhook in configuration["webhooks"]}


@pytest.mark.parametrize(
    ("made", "kind", "name"),
    [
        (validating, "ValidatingWebhookConfiguration", "migratable-validate"),
        (mutating, "MutatingWebhookConfiguration", "migratable-default"),
    ],
)
def test_a_configuration_is_an_object_of_the_stable_api(made: Any, kind: str, name: str) -> None:
    """
    ``kubectl apply`` finds group, kind and name, and nothing but webhooks beside them.
    """
    configuration = made(Installation())

    assert configuration.pop("webhooks")
    assert configuration == {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
    }


@pytest.mark.parametrize(("made", "path"), [(validating, "/validate"), (mutating, "/mutate")])
def test_webhooks_call_the_service_of_the_installation(made: Any, path: str) -> None:
    """
    In its namespace, at port 443, under the path of the configuration, or that where lateness denies.
    """
    late = {hook.name for hook in VALIDATING_HOOKS if hook.late_denies}

    for webhook in made(ELSEWHERE)["webhooks"]:
        called = LATE_DENIES if webhook["name"] in late else path
        service = {"name": "migratable", "namespace": "there", "path": called, "port": 443}
        assert webhook["clientConfig"] == {"service": service}


@pytest.mark.parametrize("made", [validating, mutating])
def test_an_installation_fails_open_in_its_usual_namespace_by_default(made: Any) -> None:
    """
    An administrator must choose failurePolicy Fail, or another namespace than ``migratable``.
    """
    webhooks = made(Installation())["webhooks"]

    assert {webhook["failurePolicy"] for webhook in webhooks} == {"Ignore"}
    assert {webhook["clientConfig"]["service"]["namespace"] for webhook in webhooks} == {"migratable"}


def test_excluded_namespaces_are_excluded_by_their_names() -> None:
    """
    kube-system and the installation's own namespace; those of the platform, except where cluster settings are judged.
    """
    for name, webhook in [*by_name(validating(ELSEWHERE)).items(), *by_name(mutating(ELSEWHERE)).items()]:
        if name == "migrationpolicy":
            assert "namespaceSelector" not in webhook
            continue
        values = ["kube-system", "there", *([] if name in IN_PLATFORM else ["cdi"])]
        unless = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": values}
        assert webhook["namespaceSelector"] == {"matchExpressions": [unless]}


def test_only_webhooks_that_may_fail_fail_closed() -> None:
    """
    ``fail`` closes creations and updates by users; deletions, statuses, defaults and KubeVirt's own writes stay open.
    """
    webhooks = by_name(validating(ELSEWHERE))

    assert {name for name, webhook in webhooks.items() if webhook["failurePolicy"] == "Fail"} == {
        "virtualmachine",
        "virtualmachineinstancereplicaset",
        "virtualmachinepool",
        "virtualmachineinstance",
        "kubevirt",
        "hyperconverged",
        "migrationpolicy",
        "networkattachmentdefinition",
    }
    assert {webhook["failurePolicy"] for webhook in mutating(ELSEWHERE)["webhooks"]} == {"Ignore"}
    assert {webhook["failurePolicy"] for webhook in validating(Installation())["webhooks"]} == {"Ignore"}


def test_a_webhook_is_left_out_without_its_policy_key() -> None:
    """
    Defaults of workloads are installed only with ``defaultEvictionStrategy``; another key adds nothing.
    """
    names = [
        {*by_name(mutating(Installation(policy_keys=frozenset(keys))))}
        for keys in ((), ("defaultEvictionStrategy",), ("hotplug",))
    ]

    assert names == [{"kubevirt"}, {"kubevirt", "virtualmachine"}, {"kubevirt"}]
