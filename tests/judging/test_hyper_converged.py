"""Findings about a HyperConverged CR are the findings about the KubeVirt CR that its operator writes, at its own fields."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generating.settings import migrations
from webhook.check.check import Settings, check
from webhook.kubevirt.settings.hyper_converged import JSON_PATCH, LIVE_MIGRATION, hyper_converged_place
from webhook.manifests.objects import read_manifests
from webhook.objects.path import FieldPath, dotted
from webhook.report.model import FindingReport

V1BETA1, V1 = "hco.kubevirt.io/v1beta1", "hco.kubevirt.io/v1"
NAMED = {"name": "kubevirt-hyperconverged", "namespace": "cnv"}
Found = set[tuple[str, str]]
UNSERVED: Found = {("LM805", "apiVersion")}
"""HyperConverged serves version v1 from 1.18 on, which deploys KubeVirt 1.8."""


def hyper_converged(version: str, settings: Any, more: Any = None, **top: Any) -> Any:
    """An object with ``liveMigrationConfig`` and other fields of the same place."""
    inner = {"liveMigrationConfig": settings, **(more or {})}
    spec = {"virtualization": inner} if version == V1 else inner
    return {"apiVersion": version, "kind": "HyperConverged", "metadata": NAMED, "spec": {**spec, **top}}


def findings(*objects: Any, release: str = "1.9") -> list[FindingReport]:
    report = check([read_manifests(json.dumps(list_of(objects)).encode(), "in.json")], Settings(release=release))
    assert not report.problems
    return [finding for judged in report.objects for finding in judged.findings]


def list_of(objects: Any) -> Any:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def places(*objects: Any, release: str = "1.9") -> Found:
    return {(finding.rule, finding.path) for finding in findings(*objects, release=release)} - UNSERVED


WRONG = st.sampled_from(("64", "64m", "5Mi", "100M", "x", 5, True, [], -1, 2**63))
NAMES = st.sampled_from(("bandwithPerMigration", "completionTimeoutPerGib", "Network", "compression"))
MISTAKES = st.tuples(
    migrations(wild=True).map(lambda made: {name: value for name, value in made.items() if name in LIVE_MIGRATION}),
    st.dictionaries(NAMES, WRONG, max_size=2),
).map(lambda two: two[0] | two[1])
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "evictionStrategy": st.sampled_from(("LiveMigrate", "livemigrate", "None", "")),
        "workloadUpdateStrategy": st.lists(st.sampled_from(("LiveMigrate", "Evict")), max_size=2, unique=True).map(
            lambda methods: {"workloadUpdateMethods": methods}
        ),
    },
)
EXPLICIT = {"completionTimeoutPerGiB": 20, "parallelOutboundMigrationsPerNode": 1, "allowWorkloadDisruption": False}
"""Settings for which HyperConverged 1.19 has other defaults than KubeVirt. The property is about the same settings."""


def twin(settings: Any, others: Any) -> Any:
    """The KubeVirt CR with the same settings, and with the values that HyperConverged's operator always writes."""
    rest = {name: value for name, value in others.items() if name != "workloadUpdateStrategy"}
    gates = ["VMLiveUpdateFeatures"]
    configuration = {
        "migrations": settings,
        "vmRolloutStrategy": "LiveUpdate",
        "network": {"defaultNetworkInterface": "masquerade"},
        **rest,
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "cnv"},
        "spec": {
            "configuration": {**configuration, "developerConfiguration": {"featureGates": gates}},
            "workloadUpdateStrategy": others.get("workloadUpdateStrategy", {"workloadUpdateMethods": ["LiveMigrate"]}),
        },
    }


def expected_in(version: str, kubevirt: Any, release: str) -> Found:
    """The findings about a KubeVirt CR, at the fields of HyperConverged; without the gates, which only the twin lists."""
    found: Found = set()
    for rule, path in places(kubevirt, release=release):
        if "featureGates" in path:
            continue
        steps: FieldPath = tuple(path.split("."))
        if path == "spec.configuration.vmRolloutStrategy":
            steps = ("spec", "workloadUpdateStrategy", "workloadUpdateMethods")
        elif steps[:3] == ("spec", "configuration", "migrations") and steps[3] not in LIVE_MIGRATION:
            steps = ("spec", "configuration", "migrations", "network")  # a misspelt name, next to the known names
        place = hyper_converged_place(steps)
        assert place is not None
        where = place.v1 if version == V1 else place.v1beta1
        last = path.split(".")[-1] if steps[-1] == "network" else str(where[-1])
        found.add((rule, dotted((*where[:-1], last))))
    return found


@pytest.mark.parametrize("version", [V1BETA1, V1])
@pytest.mark.parametrize("release", ["1.5", "1.8", "1.9"])
@given(settings=MISTAKES, others=OTHERS)
def test_the_same_mistakes_give_the_same_rules_at_hyperconvergeds_fields(
    version: str, release: str, settings: Any, others: Any
) -> None:
    """
    For every generated setting, through the KubeVirt CR and through the HyperConverged CR in both of its versions.
    """
    settings = {name: value for name, value in settings.items() if value is not None}
    if release == "1.9":
        settings = {**EXPLICIT, **settings}
    else:
        settings.pop("allowWorkloadDisruption", None)

    found = findings(hyper_converged(version, settings, others), release=release)

    assert {(finding.rule, finding.path) for finding in found} - UNSERVED == expected_in(
        version, twin(settings, others), release
    )
    assert not any("spec.configuration" in finding.message + finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("version", "base"), [(V1BETA1, "spec.liveMigrationConfig"), (V1, "spec.virtualization.liveMigrationConfig")]
)
def test_a_wrong_network_unit_and_name_are_found(version: str, base: str) -> None:
    """
    F34: each mistake is at its own field.
    """
    wrong = {"bandwidthPerMigration": "64", "network": "missing", "bandwithPerMigration": "1Gi"}

    assert places(hyper_converged(version, wrong)) == {
        ("LM607", f"{base}.bandwidthPerMigration"),
        ("LM615", f"{base}.bandwidthPerMigration"),
        ("LM716", f"{base}.network"),
        ("LM602", f"{base}.bandwithPerMigration"),
    }


@pytest.mark.parametrize("version", [V1BETA1, V1])
@pytest.mark.parametrize("release", ["1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "any"])
def test_the_defaults_give_no_finding(version: str, release: str) -> None:
    """
    Nothing is reported about values that only the operator chooses, such as its feature gates.
    """
    assert places(hyper_converged(version, {}), release=release) == set()


def test_a_setting_in_the_wrong_place_names_the_right_place() -> None:
    """
    Settings of the other version, of the KubeVirt CR, or one level too high.
    """
    right = "Move the field to spec.virtualization.liveMigrationConfig."
    in_v1 = hyper_converged(V1, {}, liveMigrationConfig={"network": "a"})
    in_v1beta1 = hyper_converged(V1BETA1, {}, virtualization={"liveMigrationConfig": {"network": "a"}})
    as_kubevirt = hyper_converged(V1BETA1, {}, configuration={"migrations": {"network": "a"}}, allowPostCopy=True)

    assert ("LM604", "spec.liveMigrationConfig", right) in {(f.rule, f.path, f.remedy) for f in findings(in_v1)}
    assert ("LM604", "spec.virtualization.liveMigrationConfig") in places(in_v1beta1)
    assert {("LM604", "spec.configuration.migrations"), ("LM604", "spec.allowPostCopy")} <= places(as_kubevirt)


def test_a_setting_without_a_field_names_the_annotation() -> None:
    """
    HyperConverged has no field for disableTLS. The annotation sets it, and then the annotation has the finding.
    """
    (missing,) = findings(hyper_converged(V1BETA1, {"disableTLS": True}))
    patch = '[{"op":"add","path":"/spec/configuration/migrations/disableTLS","value":true}]'
    annotated = hyper_converged(V1BETA1, {})
    annotated["metadata"] = {**NAMED, "annotations": {JSON_PATCH: patch}}

    assert (missing.rule, missing.path) == ("LM602", "spec.liveMigrationConfig.disableTLS")
    assert JSON_PATCH in missing.remedy
    assert places(annotated) == {("LM618", f"metadata.annotations[{JSON_PATCH}]")}


def test_workload_disruption_is_too_new_for_hyperconverged_1_18() -> None:
    """
    KubeVirt 1.8 has the setting, but HyperConverged 1.18 does not write it.
    """
    made = hyper_converged(V1BETA1, {"allowWorkloadDisruption": True})

    assert places(made, release="1.8") == {("LM603", "spec.liveMigrationConfig.allowWorkloadDisruption")}
    assert ("LM603", "spec.liveMigrationConfig.allowWorkloadDisruption") not in places(made, release="1.9")


def test_a_misspelt_gate_of_version_v1() -> None:
    """
    HyperConverged ignores it, so the feature keeps its default.
    """
    made = hyper_converged(V1, {}, featureGates=[{"name": "decentralizedLiveMigraton"}, {"name": "ALIGNCPUS"}])

    assert places(made) == {("LM621", "spec.featureGates[0].name")}


@pytest.mark.parametrize("patch", ["{", '[{"op":"test","path":"/spec/infra","value":1}]'])
def test_an_annotation_that_cannot_be_applied_is_undetermined(patch: str) -> None:
    """
    The finding says why. The settings of the object itself are judged without the annotation.
    """
    made = hyper_converged(V1BETA1, {"parallelMigrationsPerCluster": 0})
    made["metadata"] = {**NAMED, "annotations": {JSON_PATCH: patch}}

    found = findings(made)

    assert {(f.rule, f.outcome, f.path) for f in found} == {
        ("LM609", "violation", "spec.liveMigrationConfig.parallelMigrationsPerCluster"),
        ("LM628", "undetermined", f"metadata.annotations[{JSON_PATCH}]"),
    }
    assert any("cannot be applied" in f.message for f in found)


VM = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "vm", "namespace": "lab"},
    "spec": {"runStrategy": "Always", "template": {"spec": {"domain": {"devices": {}}}}},
}


def report_on(*objects: Any) -> Any:
    return check([read_manifests(json.dumps(list_of(objects)).encode(), "in.json")], Settings())


def test_the_hyperconverged_cr_answers_for_a_missing_kubevirt_cr() -> None:
    """
    Its interface binding is masquerade, and its release gives the release of KubeVirt.
    """
    deployed = {**hyper_converged(V1BETA1, {}), "status": {"versions": [{"name": "operator", "version": "1.17.3"}]}}

    alone, answered = report_on(VM), report_on(VM, deployed)

    assert {finding.rule for judged in alone.objects for finding in judged.findings} >= {"LM101"}
    assert [finding for judged in answered.objects for finding in judged.findings] == []
    assert (alone.release, answered.release) == ("any", "1.7")


def test_the_kubevirt_cr_decides_if_both_are_given() -> None:
    """
    A note names each difference, at the HyperConverged field.
    """
    kubevirt = twin({"bandwidthPerMigration": "64Mi"}, {"evictionStrategy": "LiveMigrate"})
    kubevirt["status"] = {"observedKubeVirtVersion": "v1.8.4"}
    same, other = ({"bandwidthPerMigration": value} for value in ("64Mi", "32Mi"))

    assert report_on(kubevirt, hyper_converged(V1BETA1, same)).notes == []
    (note,) = report_on(kubevirt, hyper_converged(V1, other)).notes
    assert note == (
        "the KubeVirt CR has spec.configuration.migrations.bandwidthPerMigration '64Mi', but "
        "spec.virtualization.liveMigrationConfig.bandwidthPerMigration of the HyperConverged CR gives '32Mi'; VMs are "
        "judged with the KubeVirt CR"
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"infrastructureHighlyAvailable": True}, {"LM501"}),
        ({"infrastructureHighlyAvailable": False}, set()),
        ({}, set()),
    ],
)
def test_the_drain_of_a_vm_follows_hyperconvergeds_strategy(status: Any, expected: set[str]) -> None:
    """
    Without a strategy, the number of worker nodes decides. If it is unknown, the result of a drain is unknown.
    """
    disk = {"name": "h", "hostDisk": {"path": "/d", "type": "Disk"}}
    spec = {"volumes": [disk], "domain": {"devices": {"disks": [{"name": "h", "disk": {}}]}}}
    tied = {**VM, "spec": {"runStrategy": "Always", "template": {"spec": spec}}}

    report = report_on(tied, {**hyper_converged(V1BETA1, {}), "status": status})

    found = {finding.rule for judged in report.objects for finding in judged.findings}
    assert found & {"LM501", "LM504"} == expected


def test_a_finding_at_the_annotation_has_no_fix() -> None:
    """
    A fix would remove the whole patch. The same finding at a field has a fix.
    """
    patch = '[{"op":"add","path":"/spec/configuration/migrations/disableTLS","value":true}]'
    annotated = hyper_converged(V1BETA1, {"allowWorkloadDisruption": True})
    annotated["metadata"] = {**NAMED, "annotations": {JSON_PATCH: patch}}

    fixes = {finding.rule: len(finding.fixes) for finding in findings(annotated, release="1.8")}

    assert fixes == {"LM618": 0, "LM603": 1}
