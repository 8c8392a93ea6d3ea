"""``migratable explain-settings``: the settings of each VM, their origin, and their effect."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.surfaces.running import migratable
from webhook.check.check import Settings, check
from webhook.check.explain_settings import Request, explain_settings
from webhook.manifests.objects import read_manifests

CR = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    "spec": {"configuration": {"migrations": {"bandwidthPerMigration": "5Mi", "allowPostCopy": False}}},
    "status": {"observedKubeVirtVersion": "v1.9.0"},
}


def cr(**migrations: Any) -> dict[str, Any]:
    return {**CR, "spec": {"configuration": {"migrations": migrations}}}


def policy(name: str, selectors: Any, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": name},
        "spec": {"selectors": selectors, **spec},
    }


def vm(name: str, memory: Any = "8Gi", labels: Any = None, **spec: Any) -> dict[str, Any]:
    domain = {"devices": {"autoattachPodInterface": False}, **({"memory": {"guest": memory}} if memory else {})}
    template = {"metadata": {"labels": labels}, "spec": {"domain": domain, **spec.pop("template", {})}}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"runStrategy": "Always", "template": template, **spec},
    }


def explained(tmp_path: Path, *documents: Any, flags: tuple[str, ...] = ()) -> dict[str, Any]:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(documents))
    ran = migratable("explain-settings", str(tmp_path), "-o", "json", *flags)
    assert ran.status == 0, ran.err
    answer: dict[str, Any] = json.loads(ran.out)
    return answer


def origins(case: dict[str, Any]) -> dict[str, str]:
    return {setting["name"]: setting["origin"] for setting in case["settings"]}


def values(case: dict[str, Any]) -> dict[str, Any]:
    return {setting["name"]: setting["value"] for setting in case["settings"]}


def hyper_converged(spec: Any, version: str = "v1beta1", **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": f"hco.kubevirt.io/{version}",
        "kind": "HyperConverged",
        "metadata": {"name": "hco", "namespace": "cnv", "annotations": annotations},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("version", "spec", "place"),
    [
        ("v1beta1", {"liveMigrationConfig": {"progressTimeout": 60}}, "spec.liveMigrationConfig"),
        (
            "v1",
            {"virtualization": {"liveMigrationConfig": {"progressTimeout": 60}}},
            "spec.virtualization.liveMigrationConfig",
        ),
    ],
)
def test_a_setting_of_hyperconverged_names_its_object_and_field(
    tmp_path: Path, version: str, spec: Any, place: str
) -> None:
    """
    A default of its operator has no field, and a value of the annotation names the annotation.
    """
    patch = '[{"op": "add", "path": "/spec/configuration/migrations/unsafeMigrationOverride", "value": true}]'
    owner = hyper_converged(spec, version, **{"kubevirt.kubevirt.io/jsonpatch": patch})

    report = explained(tmp_path, owner, vm("web"), flags=("--release", "1.9"))

    for case in (report["cluster"], report["machines"][0]["cases"][0]):
        found = origins(case)
        assert found["progressTimeout"] == f"HyperConverged 'hco' ({place}.progressTimeout)"
        assert found["completionTimeoutPerGiB"] == "HyperConverged 'hco' (default)"
        assert found["unsafeMigrationOverride"] == "HyperConverged 'hco' (annotation kubevirt.kubevirt.io/jsonpatch)"
        assert found["nodeDrainTaintKey"] == "KubeVirt 1.9"


def test_a_setting_of_a_kubevirt_cr_that_hyperconverged_writes_names_the_field(tmp_path: Path) -> None:
    owned = {**cr(progressTimeout=60, disableTLS=True)}
    owned["metadata"] = {**owned["metadata"], "labels": {"app.kubernetes.io/managed-by": "hco-operator"}}

    found = origins(explained(tmp_path, owned, hyper_converged({}))["cluster"])

    assert found["progressTimeout"] == "the KubeVirt CR (HyperConverged spec.liveMigrationConfig.progressTimeout)"
    assert found["disableTLS"].startswith("the KubeVirt CR (HyperConverged annotation kubevirt.kubevirt.io/jsonpatch")
    assert set(origins(explained(tmp_path, cr(progressTimeout=60))["cluster"])) >= {"progressTimeout"}


TEXT = """\
KubeVirt 1.9, for a VM that no MigrationPolicy matches
  nodeDrainTaintKey                  kubevirt.io/drain  by KubeVirt 1.9
  parallelOutboundMigrationsPerNode  2                  by KubeVirt 1.9
  parallelMigrationsPerCluster       5                  by KubeVirt 1.9
  allowAutoConverge                  false              by KubeVirt 1.9
  bandwidthPerMigration              5Mi                by the KubeVirt CR
  completionTimeoutPerGiB            150                by KubeVirt 1.9
  progressTimeout                    150                by KubeVirt 1.9
  unsafeMigrationOverride            false              by KubeVirt 1.9
  allowPostCopy                      false              by the KubeVirt CR
  allowWorkloadDisruption            false              follows allowPostCopy
  utilityVolumesTimeout              150                by KubeVirt 1.9
  maxDowntimeMs                      900                by KubeVirt 1.9
  bandwidth     5.00 MiB/s
  on timeout    the migration is cancelled; the guest keeps running on the source node
  can finish    3000Mi at most

VirtualMachine shop/web
  memory        8192Mi (spec.template.spec.domain.memory.guest)
  settings      MigrationPolicy 'slow': it matches 1 label, and no other MigrationPolicy matches
                allowAutoConverge        false  by KubeVirt 1.9
                bandwidthPerMigration    5Mi    by the KubeVirt CR
                completionTimeoutPerGiB  60     by MigrationPolicy 'slow'
                allowPostCopy            false  by the KubeVirt CR
                allowWorkloadDisruption  true   by MigrationPolicy 'slow'
                maxDowntimeMs            900    by KubeVirt 1.9
  bandwidth     5.00 MiB/s
  on timeout    the guest is paused; if the same time passes again, the migration is cancelled
  can finish    1200Mi at most
  time allowed  1080 s (9 GB, rounded up)
  best case     1639 s
  WARNING: this VM cannot finish a migration if it uses all of its memory
"""


def test_the_text_has_settings_reason_times_and_the_warning(tmp_path: Path) -> None:
    """
    For the cluster and for each VM: the settings, their origin, the time limit, and whether it is enough.
    """
    slow = policy(
        "slow",
        {"virtualMachineInstanceSelector": {"role": "web"}},
        completionTimeoutPerGiB=60,
        allowWorkloadDisruption=True,
    )
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([CR, slow, vm("web", labels={"role": "web"})]))

    ran = migratable("explain-settings", str(tmp_path))

    assert (ran.status, ran.err) == (0, "")
    assert ran.out == TEXT


def test_the_outlook_equals_a_calculation_by_hand(tmp_path: Path) -> None:
    """
    8Gi are 8,589,934,592 bytes, 9 GB: 9 x 150 = 1350 s; 8192 / 5 = 1638.4 s; at most 4 x 750 Mi = 3000 Mi.
    """
    answer = explained(tmp_path, CR, vm("web"))

    [machine] = answer["machines"]
    [case] = machine["cases"]
    assert machine["memoryBytes"] == 8_589_934_592
    assert (case["bytesPerSecond"], case["largestBytes"], case["whenTimeIsOver"]) == (5_242_880, 3000 * 2**20, "cancel")
    assert case["outlook"] == {
        "countedGigabytes": 9,
        "allowedSeconds": 1350,
        "bestCaseSeconds": 1639,
        "finishes": False,
        "failsOnceFull": [],
    }
    assert answer["notes"] == ["no MigrationPolicy was provided"]


@pytest.mark.parametrize(
    ("policies", "name", "reason"),
    [
        ([], None, "there is no MigrationPolicy"),
        ([policy("a", {"virtualMachineInstanceSelector": {"x": "y"}})], None, "no MigrationPolicy matches"),
        (
            [policy("a", {"virtualMachineInstanceSelector": {"role": "web"}}), policy("b", {})],
            "a",
            "it matches 1 label, more than 'b'",
        ),
        (
            [
                policy("b", {"virtualMachineInstanceSelector": {"role": "web"}}),
                policy("a", {"namespaceSelector": {"kubernetes.io/metadata.name": "shop"}}),
            ],
            "b",
            "it matches 1 label, as many as 'a', but more labels of the VMI",
        ),
        (
            [
                policy("b", {"virtualMachineInstanceSelector": {"role": "web"}}),
                policy("a", {"virtualMachineInstanceSelector": {"tier": "1"}}),
            ],
            "a",
            "it matches 1 label, as many as 'b', and its name comes first",
        ),
    ],
)
def test_the_applied_policy_is_named_with_the_reason(
    tmp_path: Path, policies: list[Any], name: str | None, reason: str
) -> None:
    """
    First the number of labels decides, then the labels of the VMI, then the name.
    """
    answer = explained(tmp_path, CR, *policies, vm("web", labels={"role": "web", "tier": "1"}))

    [case] = answer["machines"][0]["cases"]
    assert (case["policy"], case["because"]) == (name, reason)


def test_unknown_labels_of_the_namespace_give_several_cases(tmp_path: Path) -> None:
    """
    Without the Namespace, each policy that can apply is a case; with it, one.
    """
    by_team = policy("team", {"namespaceSelector": {"team": "db"}}, allowPostCopy=True)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "db"}}}

    unknown = explained(tmp_path, CR, by_team, vm("web"))["machines"][0]["cases"]
    known = explained(tmp_path, CR, by_team, vm("web"), namespace)["machines"][0]["cases"]

    assert [(case["policy"], case["whenTimeIsOver"]) for case in unknown] == [("team", "post-copy"), (None, "cancel")]
    assert [case["because"] for case in unknown] == [
        "if the namespace has the labels of the selector (it then matches 1 label)",
        "if no MigrationPolicy matches",
    ]
    assert [(case["policy"], origins(case)["allowWorkloadDisruption"]) for case in known] == [
        ("team", "follows allowPostCopy")
    ]


def test_the_release_of_the_cr_decides_unless_another_is_asked_for(tmp_path: Path) -> None:
    """
    1.3 gives 800 s and has no allowWorkloadDisruption; without a release the newest is explained, and a note says so.
    """
    old = explained(tmp_path, CR, vm("web"), flags=("--release", "1.3"))
    unknown = explained(tmp_path, {**CR, "status": {}}, vm("web"))

    [case] = old["machines"][0]["cases"]
    assert old["release"] == "1.3"
    assert values(case)["completionTimeoutPerGiB"] == 800
    assert "allowWorkloadDisruption" not in values(case)
    assert case["outlook"]["finishes"] is True
    assert unknown["release"] == "1.9"
    assert (
        "the KubeVirt release is not known; these are the settings of 1.9. Set a release with --release"
        in unknown["notes"]
    )


def test_without_a_kubevirt_cr_the_defaults_are_explained(tmp_path: Path) -> None:
    """
    A note says that the CR is missing, and each value is KubeVirt's default.
    """
    answer = explained(tmp_path, vm("web"))

    assert set(origins(answer["cluster"]).values()) == {"KubeVirt 1.9", "follows allowPostCopy"}
    assert any(note.startswith("no KubeVirt CR is in the input") for note in answer["notes"])
    assert answer["machines"][0]["cases"][0]["outlook"]["bestCaseSeconds"] is None


def test_a_link_bounds_what_has_no_limit(tmp_path: Path) -> None:
    """
    Two migrations share 10 Gbit/s = 1,250,000,000 bytes/s: 8Gi at 625,000,000 take 13.7 s.
    """
    answer = explained(tmp_path, cr(), vm("web"), flags=("--link", "1250M"))

    [case] = answer["machines"][0]["cases"]
    assert (case["bytesPerSecond"], case["outlook"]["bestCaseSeconds"]) == (625_000_000, 14)


def test_local_disks_and_devices_are_shown(tmp_path: Path) -> None:
    """
    An empty disk is copied without extra time. A host device rules out post-copy.
    """
    volumes = [
        {"name": "root", "containerDisk": {"image": "i"}},
        {"name": "scratch", "emptyDisk": {"capacity": "400Gi"}},
    ]
    judged = vm("web", template={"volumes": volumes})
    judged["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"] = [{"name": "fast", "sriov": {}}]

    answer = explained(tmp_path, cr(bandwidthPerMigration="64Mi", allowPostCopy=True), judged)

    [machine] = answer["machines"]
    [case] = machine["cases"]
    assert [(disk["volume"], disk["mostBytes"], disk["bringsTime"]) for disk in machine["localDisks"]] == [
        ("root", None, True),
        ("scratch", 400 * 2**30, False),
    ]
    assert machine["device"] == "spec.template.spec.domain.devices.interfaces[0]"
    assert case["whenTimeIsOver"] == "pause"
    assert (case["outlook"]["finishes"], case["outlook"]["failsOnceFull"]) == (True, ["scratch"])


@pytest.mark.parametrize(
    ("migrations", "ending"),
    [
        ({}, "cancel"),
        ({"allowPostCopy": True}, "post-copy"),
        ({"allowWorkloadDisruption": True}, "pause"),
        ({"allowPostCopy": True, "allowWorkloadDisruption": False}, "cancel"),
        ({"completionTimeoutPerGiB": 0, "allowPostCopy": True}, "never"),
        ({"completionTimeoutPerGiB": -1}, "at once"),
        ({"completionTimeoutPerGiB": -1, "allowPostCopy": True}, "post-copy"),
        ({"bandwidthPerMigration": "64MB"}, None),
        ({"bandwidthPerMigration": "-1"}, None),
    ],
)
def test_what_happens_when_the_time_is_over(tmp_path: Path, migrations: Any, ending: str | None) -> None:
    """
    Post-copy, a pause, cancellation, or none of them. An invalid bandwidth gives no result.
    """
    [case] = explained(tmp_path, cr(**migrations), vm("web"))["machines"][0]["cases"]

    assert case["whenTimeIsOver"] == ending
    assert (case["outlook"] is None) is (ending is None)


def test_a_vm_that_cannot_migrate_has_its_verdict_first(tmp_path: Path) -> None:
    """
    No setting helps such a VM, so the verdict comes before the settings.
    """
    held = vm("web")
    held["spec"]["template"]["spec"]["domain"]["devices"]["hostDevices"] = [{"name": "usb", "deviceName": "a/b"}]

    [machine] = explained(tmp_path, CR, held)["machines"]
    text = migratable("explain-settings", str(tmp_path)).out

    assert (machine["liveMigratable"], machine["reason"]) == (False, "HostDeviceNotLiveMigratable")
    assert "  verdict       cannot be live-migrated with any settings (HostDeviceNotLiveMigratable)" in text


def test_one_vm_can_be_selected(tmp_path: Path) -> None:
    """
    By name, or by namespace and name. Other VMs are left out.
    """
    names = [
        machine["name"]
        for flag in ("web", "shop/web")
        for machine in explained(tmp_path, CR, vm("db"), vm("web"), flags=("--vm", flag))["machines"]
    ]

    assert names == ["web", "web"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--vm", "nobody"), "unknown VM 'nobody': it is not in the input. VMs in the input: web."),
        (("--link", "fast"), "invalid link 'fast'."),
        (("--link", "-5"), "invalid link '-5'."),
        (("--link", "1m"), "invalid link '1m'."),
        (("--release", "0.5"), "unsupported release '0.5'."),
    ],
)
def test_invalid_options_give_a_remedy(tmp_path: Path, flags: tuple[str, ...], message: str) -> None:
    """
    The status is 2, with one line on stderr and an empty stdout.
    """
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([CR, vm("web")]))

    ran = migratable("explain-settings", str(tmp_path), *flags)

    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_unreadable_input_gives_2_and_the_rest_is_explained(tmp_path: Path) -> None:
    """
    The unreadable input is named on stderr.
    """
    (tmp_path / "good.yaml").write_text(yaml.safe_dump_all([CR, vm("web")]))
    (tmp_path / "bad.yaml").write_text("apiVersion: [")

    ran = migratable("explain-settings", str(tmp_path))

    assert ran.status == 2
    assert "VirtualMachine shop/web" in ran.out
    assert "bad.yaml" in ran.err


def test_no_path_is_a_usage_error() -> None:
    """
    The command does not wait for standard input.
    """
    ran = migratable("explain-settings")

    assert ran.status == 2
    assert "Name files or folders, or - for standard input." in ran.err


NUMBERS = st.integers(-5, 400) | st.sampled_from([2**63, 2**70, -(2**70)])
MIGRATIONS = st.fixed_dictionaries(
    {},
    optional={
        "bandwidthPerMigration": st.sampled_from(["0", "1Mi", "5Mi", "7Mi", "64Mi", "x", "-1", "1e40", "64m"]),
        "completionTimeoutPerGiB": NUMBERS,
        "allowPostCopy": st.booleans(),
        "allowWorkloadDisruption": st.booleans(),
        "parallelMigrationsPerCluster": NUMBERS,
    },
)
RELEASES = st.sampled_from(["1.3", "1.5", "1.8", "1.9"])
MEMORY = st.sampled_from(["1Mi", "512Mi", "1Gi", "2800Mi", "3000Mi", "8Gi", "6Ti", None])


@settings(max_examples=60)
@given(MIGRATIONS, MIGRATIONS, RELEASES, MEMORY)
def test_the_warning_is_the_finding_of_check(cluster: Any, own: Any, release: str, memory: str | None) -> None:
    """
    explain-settings warns of a VM exactly where check does, whatever the settings, and never raises.
    """
    judged = vm("web", memory)
    text = yaml.safe_dump_all([cr(**cluster), policy("p", {}, **own), judged]).encode()
    manifests = [read_manifests(text, "all.yaml")]

    report = explain_settings(manifests, (), Request(release))
    checked = check(manifests, Settings(release=release))

    [case] = report.machines[0].cases
    timeout = next(setting.value for setting in case.settings if setting.name == "completionTimeoutPerGiB")
    warned = case.outlook is not None and not case.outlook.finishes and timeout >= 0
    rules = [finding.rule for obj in checked.objects if obj.kind == "VirtualMachine" for finding in obj.findings]
    assert ("LM642" in rules) is warned
