"""``migratable check``: what it judges, and its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from tests.surfaces.running import Ran, migratable
from webhook.surfaces.cli.options import FORMATS

LAB = """\
apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata: {name: migration-network, namespace: kubevirt}
spec:
  config: '{
    "cniVersion": "0.3.1", "name": "migration-bridge", "type": "macvlan", "master": "eth1", "mode": "bridge",
    "ipam": {"type": "whereabouts", "range": "10.1.1.0/24"}}'
---
apiVersion: kubevirt.io/v1
kind: Kubevirt
metadata: {name: kubevirt, namespace: kubevirt}
spec:
  configuration:
    developerConfiguration: {featureGates: [LiveMigration]}
    migrations: {network: migration-network}
"""
FILESYSTEM = GOOD.replace("    devices:\n", "    devices:\n      filesystems: [{name: shared, virtiofs: {}}]\n")
KUBEVIRT = """\
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
status: {observedKubeVirtVersion: v1.4.1}
"""
WARNED = GOOD.replace("spec:\n", "spec:\n  evictionStrategy: External\n", 1)


def checked(*arguments: str | Path, stdin: str | bytes = "", **where: Path) -> dict[str, Any]:
    ran = migratable("check", "-o", "json", *arguments, stdin=stdin, **where)
    report: dict[str, Any] = json.loads(ran.out)
    return report


def rules_of(report: dict[str, Any]) -> dict[str, list[str]]:
    return {
        judged["name"]: sorted(f"{finding['action']} {finding['rule']}" for finding in judged["findings"])
        for judged in report["objects"]
    }


@pytest.mark.parametrize(
    ("manifest", "options", "status"),
    [
        (GOOD, [], 0),
        (GOOD, ["--fail-on", "warn", "--strict"], 0),
        (BAD, [], 1),
        (BAD, ["--fail-on", "warn"], 1),
        (BAD, ["--fail-on", "never"], 0),
        (WARNED, [], 0),
        (WARNED, ["--fail-on", "deny"], 0),
        (WARNED, ["--fail-on", "warn"], 1),
        (UNPROVEN, [], 0),
        (UNPROVEN, ["--strict"], 1),
        (UNPROVEN, ["--strict", "--fail-on", "never"], 1),
        (CLAIM, [], 0),
        ("a: [", ["--fail-on", "never"], 2),
        (f"{GOOD}---\nkind: 5\n", [], 2),
        (f"{GOOD}---\n[1, 2]\n", ["--fail-on", "never"], 2),
        (GOOD.replace("masquerade: {}", "masquerade: 5"), [], 2),
    ],
)
def test_the_exit_status_follows_from_findings_and_problems(manifest: str, options: list[str], status: int) -> None:
    """
    0: no finding at or above ``--fail-on``. 1: findings. 2: unreadable input, with or without findings.
    """
    assert migratable("check", *options, "-", stdin=manifest).status == status


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--no-such-option", "-"],
        ["-o", "xml", "-"],
        ["--fail-on", "sometimes", "-"],
        ["--profile", "lenient", "-"],
        ["--policy", "no-such-file", "-"],
        ["--release", "0.58", "-"],
        ["--release", "newest", "-"],
    ],
)
def test_a_usage_error_is_2_with_nothing_on_standard_output(arguments: list[str]) -> None:
    """
    The error is on stderr, so that no reader takes it for a report.
    """
    ran = migratable("check", *arguments, stdin=GOOD)

    assert (ran.status, ran.out) == (2, "")
    assert "rror: " in ran.err


def test_findings_go_to_standard_output_and_all_else_to_standard_error(tmp_path: Path) -> None:
    """
    The JSON on stdout stays valid if there are also problems and notes.
    """
    (tmp_path / "bad.yaml").write_text(f"{BAD}---\nkind: 5\n")

    ran = migratable("check", "-o", "json", "--release", "9.9", "bad.yaml", cwd=tmp_path)

    assert json.loads(ran.out)["summary"]["problems"] == 1
    assert ran.err.splitlines() == [
        "error: bad.yaml:15:1: not a Kubernetes object: apiVersion is missing or not a string. Add apiVersion.",
        "note: KubeVirt 1.10 is not published: objects are judged for its main branch of 2026-08-22",
        "note: KubeVirt 9.9 is newer than all supported releases and is judged as 1.10",
    ]


def test_nothing_on_standard_input_is_an_error() -> None:
    """
    So a pipe whose first command failed does not pass.
    """
    ran = migratable("check", "-", stdin=" \n")

    assert ran.status == 2
    assert ran.err == "error: stdin: standard input is empty. Check the output of the command before the pipe.\n"


def test_an_empty_list_is_valid_input() -> None:
    """
    ``kubectl get vm -o yaml`` prints an empty List in a namespace without VMs.
    """
    assert migratable("check", "-", stdin="{apiVersion: v1, kind: List, items: []}").status == 0


def test_folders_are_read_flat_or_deep(tmp_path: Path) -> None:
    """
    A folder and its subfolders give their .yaml, .yml and .json files; with ``--no-recursive``, only the folder does.
    """
    (tmp_path / "in" / "side").mkdir(parents=True)
    (tmp_path / "in" / "a.yaml").write_text(GOOD.replace("good", "a"))
    (tmp_path / "in" / "b.YML").write_text(GOOD.replace("good", "b"))
    (tmp_path / "in" / "c.json").write_text('{"apiVersion": "v1", "kind": "List", "items": []}')
    (tmp_path / "in" / "notes.txt").write_text("a: [")
    (tmp_path / "in" / "side" / "d.yaml").write_text(GOOD.replace("good", "d"))

    assert list(rules_of(checked("in", cwd=tmp_path))) == ["a", "b", "d"]
    assert list(rules_of(checked("-R", "in", cwd=tmp_path))) == ["a", "b", "d"]
    assert list(rules_of(checked("--no-recursive", "in", cwd=tmp_path))) == ["a", "b"]
    assert migratable("check", "in", cwd=tmp_path).err.count("not searched") == 0
    assert "note: 1 subfolder was not searched" in migratable("check", "--no-recursive", "in", cwd=tmp_path).err
    (tmp_path / "in" / "other").mkdir()
    assert "note: 2 subfolders were not searched" in migratable("check", "--no-recursive", "in", "in", cwd=tmp_path).err
    assert list(rules_of(checked("-f", "in/side", "in/a.yaml", cwd=tmp_path))) == ["a", "d"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--no-recursive", "empty"],
            "empty: the folder contains no manifests. Name a folder with .yaml, .yml or .json files. Remove --no-recursive",
        ),
        (["-R", "empty"], "empty: the folder contains no manifests. Name a folder with .yaml, .yml or .json files."),
        (["gone.yaml"], "gone.yaml: no such file or folder. Check the path."),
    ],
)
def test_a_path_without_manifests_is_an_error(tmp_path: Path, arguments: list[str], message: str) -> None:
    """
    The check does not pass.
    """
    (tmp_path / "empty").mkdir()

    ran = migratable("check", *arguments, cwd=tmp_path)

    assert ran.status == 2
    assert ran.err.startswith(f"error: {message}")


@pytest.mark.parametrize("kind", ["List", "VirtualMachineInstanceList"])
def test_lists_are_unfolded(kind: str) -> None:
    """
    Items of a List, also nested ones, are judged one by one, each with its own line.
    """
    inner = "\n".join(f"    {line}" for line in BAD.splitlines())
    items = f"apiVersion: v1\nkind: {kind}\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  -\n{inner}\n"

    (judged,) = checked("-", stdin=items)["objects"]

    assert (judged["name"], judged["source"]["line"]) == ("bad", 8)
    assert [(finding["rule"], finding["path"], finding["line"]) for finding in judged["findings"]] == [
        ("LM101", "spec.domain.devices.interfaces[0]", 15),
        ("LM302", "spec.domain.devices.gpus[0]", 18),
        ("LM302", "spec.domain.devices.gpus[0]", 18),  # from 1.9 on it depends on the KubeVirt CR
    ]


def test_the_lab_manifests_are_judged_right() -> None:
    """
    The migration network is sound; kind ``Kubevirt`` is answered with ``KubeVirt``, which an API server knows.
    """
    ran = migratable("check", "-", stdin=LAB)

    assert ran.status == 1
    assert rules_of(checked("-", stdin=LAB)) == {"migration-network": [], "kubevirt": ["deny LM801"]}
    assert "unknown kind 'Kubevirt' in API group kubevirt.io" in ran.out
    assert "fix: Write kind: KubeVirt." in ran.out


def test_the_corrected_lab_manifests_are_denied_nothing() -> None:
    """
    With its kind spelt right the lab's KubeVirt CR passes; the gate it lists is on by itself, which is worth a warning.
    """
    report = checked("-", stdin=LAB.replace("Kubevirt", "KubeVirt"))

    assert report["summary"]["deny"] == 0
    assert rules_of(report)["migration-network"] == []


@pytest.mark.parametrize(
    ("options", "release", "basis", "action"),
    [
        ([], "any", "baseline", "deny"),
        (["--release", "any"], "any", "baseline", "deny"),
        (["--release", "1.4"], "1.4", "kubevirt", "deny"),
        (["--release", "v1.4.1"], "1.4", "kubevirt", "deny"),
        (["--release", "1.5"], "1.5", "baseline", "deny"),
        (["--release", "1.5", "--profile", "strict"], "1.5", "baseline", "deny"),
        (["--release", "1.5", "--profile", "exact"], "1.5", "baseline", "warn"),
        (["--release", "1.4", "--profile", "exact"], "1.4", "kubevirt", "deny"),
    ],
)
def test_release_and_profile_decide_together(options: list[str], release: str, basis: str, action: str) -> None:
    """
    A mounted filesystem is refused by KubeVirt up to 1.4; after that it is the strict profile alone that denies it.
    """
    report = checked(*options, "-", stdin=FILESYSTEM)

    (finding,) = report["objects"][0]["findings"]
    # with any supported release, those up to 1.4 refuse it
    expected = "kubevirt" if release == "any" else basis
    assert (report["release"], finding["basis"], finding["action"]) == (release, expected, action)


def test_the_release_is_that_of_the_kubevirt_cr(tmp_path: Path) -> None:
    """
    Without ``--release``, the status of the CR in the inputs or facts decides; ``any`` overrides it.
    """
    (tmp_path / "kubevirt.yaml").write_text(KUBEVIRT)

    assert checked("--facts", "kubevirt.yaml", "-", stdin=GOOD, cwd=tmp_path)["release"] == "1.4"
    assert checked("-", stdin=f"{GOOD}---\n{KUBEVIRT}")["release"] == "1.4"
    assert checked("--release", "any", "--facts", "kubevirt.yaml", "-", stdin=GOOD, cwd=tmp_path)["release"] == "any"


def test_facts_are_looked_up_and_not_judged(tmp_path: Path) -> None:
    """
    ``--facts`` decides unproven results. Its objects get no findings.
    """
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "claim.yaml").write_text(CLAIM)
    (tmp_path / "facts" / "other.yaml").write_text(BAD)

    report = checked("--strict", "--facts", "facts", "-", stdin=UNPROVEN, cwd=tmp_path)

    assert rules_of(report) == {"unproven": []}


def test_facts_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    """
    The status is 2, and the result is not silently unproven.
    """
    (tmp_path / "claim.yaml").write_text("a: [")

    ran = migratable("check", "--facts", "claim.yaml", "--facts", "gone.yaml", "-", stdin=GOOD, cwd=tmp_path)

    assert ran.status == 2
    assert "error: claim.yaml:1:" in ran.err
    assert "error: gone.yaml: no such file or folder" in ran.err


def test_a_policy_file_decides(tmp_path: Path) -> None:
    """
    Actions and exemptions of the policy file apply. An exempted finding is counted and does not fail.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "actions: {LM302: warn}\n"
        "exemptions: [{rule: LM101, namespace: tenant, reason: old, owner: web, until: '2999-12-31'}]\n"
    )

    report = checked("--policy", policy, "-", stdin=BAD)

    assert migratable("check", "--policy", policy, "-", stdin=BAD).status == 0
    assert rules_of(report) == {"bad": ["audit LM101", "warn LM302", "warn LM302"]}
    assert (report["summary"]["exempted"], report["summary"]["warn"]) == (1, 2)
    assert report["objects"][0]["findings"][0]["exemption"] == {
        "reason": "old",
        "owner": "web",
        "until": "2999-12-31",
        "kind": "policy",
    }


def test_a_profile_on_the_command_line_overrides_the_policy_file(tmp_path: Path) -> None:
    """
    The rest of the policy file still applies.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("profile: exact\n")

    assert checked("--policy", policy, "-", stdin=GOOD)["profile"] == "exact"
    assert checked("--policy", policy, "--profile", "strict", "-", stdin=GOOD)["profile"] == "strict"


def test_a_policy_file_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """
    Its error names file, line and key.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("profile: strict\nunproven: perhaps\n")

    ran = migratable("check", "--policy", policy, "-", stdin=GOOD)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {policy}:2: unproven: ")


def test_piped_output_has_no_colour_unless_requested() -> None:
    """
    ``--color always`` adds colour; ``--color never`` overrides FORCE_COLOR.
    """

    def painted(ran: Ran) -> bool:
        return "\x1b[" in ran.out

    assert not painted(migratable("check", "-", stdin=BAD))
    assert painted(migratable("check", "--color", "always", "-", stdin=BAD))
    assert not painted(migratable("check", "--color", "never", "-", stdin=BAD))


def test_verbose_also_shows_objects_without_findings() -> None:
    """
    ``-v`` also lists assumptions.
    """
    quiet, verbose = migratable("check", "-", stdin=GOOD), migratable("check", "-v", "-", stdin=GOOD)

    assert "tenant/good" not in quiet.out
    assert "tenant/good: can be live-migrated" in verbose.out
    assert "assumed: the VM runs on amd64" in verbose.out


CANARY = "s3cr3t-canary"
SECRETS = f"""\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: bad
  namespace: tenant
  annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{{"userData": "{CANARY}"}}'}}
spec:
  domain: {{devices: {{gpus: [{{name: a, deviceName: b}}], interfaces: 5}}}}
  accessCredentials: [{{userPassword: {{source: {{secret: {{secretName: x}}}}}}}}]
  volumes: [{{name: a, cloudInitNoCloud: {{userData: "password: {CANARY}"}}}}, {{name: b, hostDisk: {{path: /x, type: Disk}}}}]
"""


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(SECRETS, id="wrong type beside it"),
        pytest.param(SECRETS.replace(", interfaces: 5", ""), id="finding beside it"),
        pytest.param(json.dumps({"apiVersion": "v1", "kind": "List", "items": [CANARY]}), id="not an object"),
        pytest.param(f"userData: {CANARY}\nuserData: {CANARY}\n", id="key twice"),
        pytest.param(f"{CANARY}: {{{CANARY}\n", id="not closed"),
        pytest.param(f"userData: !!binary {CANARY}\n", id="bad tag"),
        pytest.param(
            SECRETS.replace("cloudInitNoCloud:", f"{CANARY}: 1, persistentVolumeClaim: 5, x:"), id="bad volume"
        ),
    ],
)
def test_user_data_is_never_repeated(tmp_path: Path, manifest: str) -> None:
    """
    No format and no message contains cloud-init data, even next to a finding.
    """
    outputs = [option for form in FORMATS for option in ("-o", form if form == "text" else f"{form}={form}")]

    ran = migratable("check", "-v", *outputs, "-", stdin=manifest, cwd=tmp_path)

    written = [file.read_text() for file in tmp_path.iterdir()]
    assert ran.status in (1, 2)
    assert len(written) == len(FORMATS) - 1
    assert CANARY not in "".join([ran.out, ran.err, *written])
