"""The webhook configurations, field by field, because a change here changes the requests that wait for the webhook."""

import itertools
from typing import Any

import pytest

from tests.deploy.manifests import written
from webhook.objects.kinds import KINDS, PATCHED_COPIES
from webhook.surfaces.admission.configurations import LATE_DENIES
from webhook.surfaces.admission.hooks import VALIDATING_HOOKS

DELETING = "not-being-deleted"
CHANGED = "judged-part-changed"
OPERATOR = "not-by-the-operator"
SETTINGS = "configuration-changed"

NAMESPACES = ["kube-system", "migratable"]

VMS = ("kubevirt.io", ["v1"])
POOLS = ("pool.kubevirt.io", ["v1beta1", "v1alpha1"])
NADS = ("k8s.cni.cncf.io", ["v1"])
POLICIES = ("migrations.kubevirt.io", ["v1alpha1"])

VM, VMI, VMIRS = "virtualmachines", "virtualmachineinstances", "virtualmachineinstancereplicasets"
POOL, KUBEVIRT, NAD = "virtualmachinepools", "kubevirts", "network-attachment-definitions"
POLICY = "migrationpolicies"
WRITES = ["CREATE", "UPDATE"]

# name: rules, excluded namespaces (none for what is in no namespace), conditions, seconds
VALIDATING = {
    "virtualmachine": (
        [(*VMS, [VM], WRITES)],
        NAMESPACES,
        [CHANGED, "not-only-removing-volumes", "not-written-by-kubevirt"],
        5,
    ),
    "virtualmachine-on-behalf": ([(*VMS, [VM], WRITES)], NAMESPACES, [CHANGED, "asked-of-kubevirt"], 2),
    "virtualmachineinstancereplicaset": ([(*VMS, [VMIRS], WRITES)], NAMESPACES, [CHANGED], 5),
    "virtualmachinepool": ([(*POOLS, [POOL], WRITES)], NAMESPACES, [CHANGED], 5),
    "virtualmachineinstance": ([(*VMS, [VMI], ["CREATE"])], NAMESPACES, ["not-made-by-kubevirt"], 5),
    "patched-virtualmachine": (
        [
            ("clone.kubevirt.io", ["v1beta1", "v1alpha1"], ["virtualmachineclones"], ["CREATE"]),
            ("snapshot.kubevirt.io", ["v1beta1", "v1alpha1"], ["virtualmachinerestores"], ["CREATE"]),
        ],
        NAMESPACES,
        ["has-patches", "not-made-for-a-clone"],
        2,
    ),
    "virtualmachineinstance-update": ([(*VMS, [VMI], ["UPDATE"])], NAMESPACES, [DELETING, "verdict-may-change"], 2),
    "kubevirt": (
        [(*VMS, [KUBEVIRT], WRITES)],
        NAMESPACES,
        [OPERATOR, "not-by-hyperconverged", CHANGED],
        5,
    ),
    "kubevirt-by-hyperconverged": (
        [(*VMS, [KUBEVIRT], WRITES)],
        NAMESPACES,
        ["by-hyperconverged", CHANGED],
        2,
    ),
    "hyperconverged": (
        [("hco.kubevirt.io", ["v1", "v1beta1"], ["hyperconvergeds"], WRITES)],
        NAMESPACES,
        ["not-by-hyperconverged", "spec-changed"],
        5,
    ),
    "migrationpolicy": ([(*POLICIES, [POLICY], WRITES)], None, ["spec-changed"], 5),
    "networkattachmentdefinition": ([(*NADS, [NAD], WRITES)], NAMESPACES, ["config-changed"], 5),
    "networkattachmentdefinition-delete": (
        [(*NADS, [NAD], ["DELETE"])],
        NAMESPACES,
        [DELETING, "not-cleaning-up"],
        2,
    ),
    "virtualmachine-hotplug": (
        [(*VMS, ["virtualmachines/status"], ["UPDATE"])],
        NAMESPACES,
        [DELETING, "volume-requested"],
        2,
    ),
}
MUTATING = {
    "kubevirt": ([(*VMS, [KUBEVIRT], WRITES)], NAMESPACES, [DELETING, OPERATOR, SETTINGS], 2),
}

EXPECTED = [("validating", VALIDATING), ("mutating", MUTATING)]
CONFIGURATIONS = ("validating", "mutating")


def configuration(which: str) -> dict[str, Any]:
    return written(f"webhooks/{which}.yaml")


def scope(webhook: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Whether its objects are in namespaces, and by what those that are not judged are told."""
    (extent,) = {rule["scope"] for rule in webhook["rules"]}
    selector = webhook.get("namespaceSelector", {"matchExpressions": []})
    return extent, [(expression["key"], expression["operator"]) for expression in selector["matchExpressions"]]


@pytest.mark.parametrize(("which", "expected"), EXPECTED)
def test_each_webhook_matches_exactly_what_it_should(which: str, expected: dict[str, Any]) -> None:
    """
    Kinds, versions, operations, namespaces, conditions and seconds are those of the table.
    """
    webhooks = configuration(which)["webhooks"]

    installed = {
        webhook["name"].partition(".")[0]: (
            [
                (*rule["apiGroups"], rule["apiVersions"], rule["resources"], rule["operations"])
                for rule in webhook["rules"]
            ],
            webhook["namespaceSelector"]["matchExpressions"][0]["values"] if "namespaceSelector" in webhook else None,
            [condition["name"] for condition in webhook["matchConditions"]],
            webhook["timeoutSeconds"],
        )
        for webhook in webhooks
    }

    assert installed == expected


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_all_webhooks_have_these_settings(which: str) -> None:
    """
    Installed they fail open, have no side effects, see every served version, and name our Service.
    """
    webhooks = configuration(which)["webhooks"]
    path = {"validating": "/validate", "mutating": "/mutate"}[which]
    late = {hook.name for hook in VALIDATING_HOOKS if hook.late_denies}

    installed = [
        (
            webhook["clientConfig"],
            webhook["failurePolicy"],
            webhook["sideEffects"],
            webhook["matchPolicy"],
            webhook["admissionReviewVersions"],
            scope(webhook),
            webhook.get("objectSelector"),
            webhook.get("reinvocationPolicy"),
        )
        for webhook in webhooks
    ]

    once = "Never" if which == "mutating" else None
    # the label is the API server's own: unlike any other it cannot be given or taken by who may edit a namespace
    by_name = ("Namespaced", [("kubernetes.io/metadata.name", "NotIn")])

    def expected(name: str) -> tuple[object, ...]:
        called = LATE_DENIES if name in late else path
        door = {"service": {"name": "migratable", "namespace": "migratable", "path": called, "port": 443}}
        where = ("Cluster", []) if name.startswith("migrationpolicy.") else by_name
        return (door, "Ignore", "None", "Equivalent", ["v1"], where, None, once)

    assert installed == [expected(webhook["name"]) for webhook in webhooks]


def test_every_checked_kind_is_in_a_webhook_rule() -> None:
    """
    No webhook rule has a kind that is not checked.
    """
    judged = {(kind.group, kind.plural) for kind in (*KINDS, *PATCHED_COPIES) if kind.judged or kind in PATCHED_COPIES}

    asked = {
        (group, resource.partition("/")[0])
        for webhook in configuration("validating")["webhooks"]
        for rule in webhook["rules"]
        for group, resource in itertools.product(rule["apiGroups"], rule["resources"])
    }

    assert asked == judged


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_every_resource_of_a_rule_is_served_by_a_release(which: str) -> None:
    """
    Versions are those that the kinds are read in.
    """
    versions = {(kind.group, kind.plural): set(kind.versions) for kind in (*KINDS, *PATCHED_COPIES)}

    asked = [
        (group, resource.partition("/")[0], set(rule["apiVersions"]))
        for webhook in configuration(which)["webhooks"]
        for rule in webhook["rules"]
        for group, resource in itertools.product(rule["apiGroups"], rule["resources"])
    ]

    assert [row for *row, wanted in asked if not wanted <= versions[row[0], row[1]]] == []


def test_defaults_are_set_before_those_of_kubevirt() -> None:
    """
    Mutating webhook configurations run in the order of their names.
    """
    assert configuration("mutating")["metadata"]["name"] < "virt-api-mutator"


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_conditions_with_one_name_have_one_expression(which: str) -> None:
    """
    Only the condition on the checked part differs by kind.
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
