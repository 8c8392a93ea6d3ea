"""Writes to a KubeVirt CR that HyperConverged owns: its operator is warned, everyone else is judged as usual."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, decided, refused, review, warned
from webhook.policy.policy import Action, Lowered
from webhook.surfaces.admission.responses import warnings_of

OPERATOR = "system:serviceaccount:kubevirt-hyperconverged:hyperconverged-cluster-operator"
BAD = {"migrations": {"parallelMigrationsPerCluster": 0}}
OWNER = {
    "apiVersion": "hco.kubevirt.io/v1beta1",
    "kind": "HyperConverged",
    "name": "kubevirt-hyperconverged",
    "uid": "1",
}
OWNED = {"ownerReferences": [OWNER]}


def kubevirt(configuration: Any, namespace: str = "kubevirt-hyperconverged", **metadata: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt-kubevirt-hyperconverged", "namespace": namespace, **metadata},
        "spec": {"configuration": configuration},
    }


def test_the_operator_is_warned_with_the_field_of_its_own_object() -> None:
    """
    A refusal would be repeated for ever, and the author of the HyperConverged object would not see it.
    """
    outcome = decided(review("UPDATE", kubevirt(BAD, **OWNED), kubevirt({}, **OWNED), user=OPERATOR))

    assert outcome.allowed
    assert ("LM609", "warn") in warned(outcome)
    assert {decision.lowered for decision in outcome.decisions if decision.finding.rule.id == "LM609"} == {
        Lowered.HYPER_CONVERGED
    }
    (line,) = [warning for warning in warnings_of(outcome.decisions) if "LM609" in warning]
    assert line.startswith("Migratable [LM609]: ")
    assert line.endswith(" (HyperConverged spec.liveMigrationConfig.parallelMigrationsPerCluster)")


def test_the_operator_may_create_its_resource() -> None:
    """
    The labels that the operator writes are enough where nothing is stored yet.
    """
    labelled = kubevirt(BAD, labels={"app.kubernetes.io/managed-by": "hco-operator"})

    assert decided(review("CREATE", labelled, user=OPERATOR)).allowed


def test_a_user_is_denied_and_gets_the_field_to_change() -> None:
    """
    The operator reverts an edit of the KubeVirt CR by any user.
    """
    outcome = decided(review("UPDATE", kubevirt(BAD, **OWNED), kubevirt({}, **OWNED)))

    told = refused(outcome)["spec.configuration.migrations.parallelMigrationsPerCluster"]
    assert "HyperConverged manages this CR and undoes changes in it" in told
    assert "spec.liveMigrationConfig.parallelMigrationsPerCluster" in told


@pytest.mark.parametrize(
    ("user", "new", "old"),
    [
        ("system:serviceaccount:tenant:hyperconverged-cluster-operator", OWNED, OWNED),
        ("system:serviceaccount:kubevirt-hyperconverged:default", OWNED, OWNED),
        ("hyperconverged-cluster-operator", OWNED, OWNED),
        (OPERATOR, {}, {}),
        (OPERATOR, OWNED, {}),
    ],
    ids=["another namespace", "another account", "no service account", "not owned", "the request claims to be owned"],
)
def test_no_other_account_counts_as_the_operator(user: str, new: Manifest, old: Manifest) -> None:
    """
    The account must be the operator's, in the CR's own namespace, and the CR that is stored must be HyperConverged's.
    """
    outcome = decided(review("UPDATE", kubevirt(BAD, **new), kubevirt({}, **old), user=user))

    assert not outcome.allowed
    assert {decision.lowered for decision in outcome.decisions} == {None}


def test_the_operator_has_no_privilege_for_other_objects() -> None:
    """
    The exception is about the KubeVirt CR only.
    """
    vm = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "web", "namespace": "kubevirt-hyperconverged", **OWNED},
        "spec": {"template": {"spec": {"domain": {"devices": {"hostDevices": [{"name": "a", "deviceName": "b/c"}]}}}}},
    }

    assert Action.DENY in {decision.action for decision in decided(review("CREATE", vm, user=OPERATOR)).decisions}


def test_an_operator_of_that_name_does_not_own_harvesters_resource() -> None:
    """
    Harvester writes the KubeVirt CR in its namespace, so an account of that name gets no lowered denials there.
    """
    space = "harvester-system"
    user = f"system:serviceaccount:{space}:hyperconverged-cluster-operator"

    assert not decided(review("UPDATE", kubevirt(BAD, space), kubevirt({}, space), user=user)).allowed


def hyper_converged(settings: Any, version: str = "v1beta1") -> Manifest:
    inner = {"liveMigrationConfig": settings}
    return {
        "apiVersion": f"hco.kubevirt.io/{version}",
        "kind": "HyperConverged",
        "metadata": {"name": "kubevirt-hyperconverged", "namespace": "kubevirt-hyperconverged"},
        "spec": {"virtualization": inner} if version == "v1" else inner,
    }


NOTHING_STARTS = {"parallelMigrationsPerCluster": 0}


@pytest.mark.parametrize(
    ("version", "place"), [("v1beta1", "spec.liveMigrationConfig"), ("v1", "spec.virtualization.liveMigrationConfig")]
)
def test_a_bad_setting_of_the_hyperconverged_object_is_denied(version: str, place: str) -> None:
    """
    The cause is at the HyperConverged field, in both versions.
    """
    outcome = decided(review("CREATE", hyper_converged(NOTHING_STARTS, version)))

    assert f"{place}.parallelMigrationsPerCluster" in refused(outcome)


def test_an_old_bad_setting_of_the_hyperconverged_object_stays() -> None:
    """
    An update that does not add a finding passes.
    """
    other = {**NOTHING_STARTS, "allowAutoConverge": True}

    assert decided(review("UPDATE", hyper_converged(other), hyper_converged(NOTHING_STARTS))).allowed
    assert not decided(review("UPDATE", hyper_converged(NOTHING_STARTS), hyper_converged({}))).allowed


def test_the_operators_write_of_its_own_object_is_never_denied() -> None:
    """
    The operator changes old fields during its upgrade. Other accounts are denied.
    """
    update = hyper_converged(NOTHING_STARTS), hyper_converged({})
    other = "system:serviceaccount:tenant:hyperconverged-cluster-operator"

    outcome = decided(review("UPDATE", *update, user=OPERATOR))
    (line,) = [warning for warning in warnings_of(outcome.decisions) if "LM609" in warning]

    assert outcome.allowed
    assert line.endswith(" (spec.liveMigrationConfig.parallelMigrationsPerCluster)")
    assert not decided(review("UPDATE", *update, user=other)).allowed
