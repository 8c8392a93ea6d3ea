"""The webhook configurations, field by field: whatever changes here changes what a cluster waits for."""

import itertools
from typing import Any

import pytest

from tests.deploy.manifests import written

DELETING = "not-being-deleted"
CHANGED = "judged-part-changed"
OPERATOR = "not-by-the-operator"
SETTINGS = "configuration-changed"
RECEIVER = "not-a-receiver"

TENANTS = ["kube-system", "migratable", "kubevirt", "kubevirt-hyperconverged", "openshift-cnv", "cdi"]
EVERYWHERE = ["kube-system", "migratable"]

VMS = ("kubevirt.io", ["v1"])
POOLS = ("pool.kubevirt.io", ["v1beta1", "v1alpha1"])
NADS = ("k8s.cni.cncf.io", ["v1"])

VM, VMI, VMIRS = "virtualmachines", "virtualmachineinstances", "virtualmachineinstancereplicasets"
POOL, KUBEVIRT, NAD = "virtualmachinepools", "kubevirts", "network-attachment-definitions"
WRITES = ["CREATE", "UPDATE"]

# name: rules, excluded namespaces, conditions, seconds
VALIDATING = {
    "virtualmachine": ([(*VMS, [VM], WRITES)], TENANTS, [DELETING, CHANGED, "not-kept-by-kubevirt"], 5),
    "virtualmachineinstancereplicaset": ([(*VMS, [VMIRS], WRITES)], TENANTS, [DELETING, CHANGED], 5),
    "virtualmachinepool": ([(*POOLS, [POOL], WRITES)], TENANTS, [DELETING, CHANGED], 5),
    "virtualmachineinstance": ([(*VMS, [VMI], ["CREATE"])], TENANTS, ["not-made-by-kubevirt", RECEIVER], 5),
    "kubevirt": ([(*VMS, [KUBEVIRT], WRITES)], EVERYWHERE, [DELETING, OPERATOR, SETTINGS], 5),
    "networkattachmentdefinition": ([(*NADS, [NAD], WRITES)], EVERYWHERE, [DELETING, "config-changed"], 5),
    "networkattachmentdefinition-delete": (
        [(*NADS, [NAD], ["DELETE"])],
        EVERYWHERE,
        [DELETING, "not-cleaning-up"],
        2,
    ),
    "virtualmachine-hotplug": (
        [(*VMS, ["virtualmachines/status"], ["UPDATE"])],
        TENANTS,
        [DELETING, "volume-requested"],
        2,
    ),
}
MUTATING = {
    "virtualmachine": ([(*VMS, [VM, VMI, VMIRS], ["CREATE"]), (*POOLS, [POOL], ["CREATE"])], TENANTS, [RECEIVER], 2),
    "kubevirt": ([(*VMS, [KUBEVIRT], WRITES)], EVERYWHERE, [DELETING, OPERATOR, SETTINGS], 2),
}

EXPECTED = [("validating", VALIDATING), ("mutating", MUTATING)]
CONFIGURATIONS = ("validating", "mutating")


def configuration(which: str) -> dict[str, Any]:
    return written(f"webhooks/{which}.yaml")


@pytest.mark.parametrize(("which", "expected"), EXPECTED)
def test_each_webhook_matches_exactly_what_it_should(which: str, expected: dict[str, Any]) -> None:
    """
    Kinds, versions, operations, namespaces, conditions and seconds are those of the table.
    """
    webhooks = configuration(which)["webhooks"]

    found = {
        webhook["name"].partition(".")[0]: (
            [
                (*rule["apiGroups"], rule["apiVersions"], rule["resources"], rule["operations"])
                for rule in webhook["rules"]
            ],
            webhook["namespaceSelector"]["matchExpressions"][0]["values"],
            [condition["name"] for condition in webhook["matchConditions"]],
            webhook["timeoutSeconds"],
        )
        for webhook in webhooks
    }

    assert found == expected


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_what_all_webhooks_have_in_common(which: str) -> None:
    """
    Installed they fail open, have no side effects, see every served version, and name our Service.
    """
    webhooks = configuration(which)["webhooks"]
    path = {"validating": "/validate", "mutating": "/mutate"}[which]
    door = {"service": {"name": "migratable", "namespace": "migratable", "path": path, "port": 443}}

    found = [
        (
            webhook["clientConfig"],
            webhook["failurePolicy"],
            webhook["sideEffects"],
            webhook["matchPolicy"],
            webhook["admissionReviewVersions"],
            {rule["scope"] for rule in webhook["rules"]},
            [(each["key"], each["operator"]) for each in webhook["namespaceSelector"]["matchExpressions"]],
            webhook.get("objectSelector"),
            webhook.get("reinvocationPolicy"),
        )
        for webhook in webhooks
    ]

    again = "IfNeeded" if which == "mutating" else None
    # the label is the API server's own: unlike any other it cannot be given or taken by who may edit a namespace
    by_name = [("kubernetes.io/metadata.name", "NotIn")]
    common = (door, "Ignore", "None", "Equivalent", ["v1"], {"Namespaced"}, by_name, None, again)
    assert found == [common] * len(webhooks)


def test_defaults_are_filled_in_before_kubevirt_fills_in_its_own() -> None:
    """
    Mutating webhook configurations run in the order of their names.
    """
    assert configuration("mutating")["metadata"]["name"] < "virt-api-mutator"


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_a_condition_says_the_same_wherever_its_name_stands(which: str) -> None:
    """
    Who knows a condition knows it in each webhook; only the judged part is another one for each kind.
    """
    said = {
        (condition["name"], condition["expression"].replace("request.operation == 'CREATE' || ", ""))
        for webhook in configuration(which)["webhooks"]
        for condition in webhook["matchConditions"]
    }

    repeated = [name for name, group in itertools.groupby(sorted(name for name, _ in said)) if len(list(group)) > 1]

    assert repeated == ([CHANGED] if which == "validating" else [])


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_the_rotator_alone_writes_the_bundle(which: str) -> None:
    """
    A caBundle in a manifest would be put back by each `kubectl apply`.
    """
    webhooks = configuration(which)["webhooks"]

    assert [webhook["name"] for webhook in webhooks if "caBundle" in webhook["clientConfig"]] == []
