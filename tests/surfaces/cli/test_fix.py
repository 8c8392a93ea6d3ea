"""``--fix``, ``--diff`` and ``--options``: safe fixes are written, others are offered, and nothing else changes."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml

from tests.surfaces.manifests import BAD
from tests.surfaces.running import migratable
from tests.wrapping import every_example
from webhook.check.check import Settings, check
from webhook.fixes import machines, settings, spelling
from webhook.fixes.register import fixes_for_rule
from webhook.manifests import replacements as replacing
from webhook.manifests.objects import Manifests, read_manifests
from webhook.report.model import Report
from webhook.rules.register import RULES
from webhook.surfaces.cli.fix import Fixed, fix, options_of

MISSPELT = """\
# a cluster
apiVersion: kubevirt.io/v1
kind: Kubevirt      # one capital too few
metadata: {name: kubevirt, namespace: kubevirt}
spec:
  configuration:
    # what is said of migrations
    migrations:
      allowPostCopy: "false"   # quoted
      completionTimeoutPerGib: 300
"""
SPELT = MISSPELT.replace("Kubevirt", "KubeVirt").replace('"false"', "false").replace("PerGib", "PerGiB")


def commented(manifest: dict[str, Any]) -> str:
    """Block YAML with a comment above and behind each line."""
    lines = yaml.safe_dump(manifest, sort_keys=False, width=1000).splitlines()
    remarked = [
        f"{' ' * (len(line) - len(line.lstrip()))}# above {at}\n{line}  # behind {at}" for at, line in enumerate(lines)
    ]
    return "\n".join(remarked) + "\n"


def fixed(text: str, world: Sequence[dict[str, Any]], choices: dict[str, int]) -> tuple[Fixed, str]:
    background = [manifest for obj in world for manifest in read_manifests(json.dumps(obj).encode(), "w").objects]

    def judge(inputs: Sequence[Manifests]) -> Report:
        return check(inputs, Settings(release="any"), background)

    content = text.encode()
    done = fix([read_manifests(content, "x.yaml")], {"x.yaml": content}, judge, choices)
    return done, done.texts.get("x.yaml", content).decode()


def fixable() -> list[Any]:
    """Each rule example with fixes, in each wrapping."""
    pairs = []
    for rule, example, wrap in every_example():
        if fixes_for_rule(rule.id) and example.violates:
            pairs.append(
                pytest.param(wrap(example), example.world, rule.id, id=f"{rule.id}-{wrap.__name__}-{example.title}")
            )
    return pairs


@pytest.mark.parametrize(("manifest", "world", "rule"), fixable())
def test_every_example_is_fixed_completely(manifest: dict[str, Any], world: Any, rule: str) -> None:
    """
    After a fix, no fixable finding is left, a second fix changes nothing, and comments and other lines stay.
    """
    if "# " in yaml.safe_dump(manifest) or "|" in yaml.safe_dump(manifest):
        pytest.skip("text in several lines takes no remarks")
    text = commented(manifest)

    for choices in ({}, {rule: 1}):
        done, once = fixed(text, world, choices)
        again, twice = fixed(once, world, choices)

        left = [finding for judged in done.report.objects for finding in judged.findings]
        assert not [item.rule for item in left if any(option.safe for option in item.fixes)]
        assert rule not in choices or not [item for item in left if item.rule == rule and options_of(item)]
        assert (twice, again.count) == (once, 0)
        kept = once.splitlines()
        assert [line for line in kept if line in text.splitlines()] == [
            line for line in text.splitlines() if line in kept
        ]
        above = [line.strip() for line in kept if line.strip().startswith("# above")]
        assert len(kept) - len(above) >= len(above) - 4


def test_every_fix_belongs_to_a_rule() -> None:
    """
    Each table names existing rules, and no rule is in two tables.
    """
    tables = [machines.FIXES, settings.FIXES, spelling.FIXES]
    known = [rule for table in tables for rule in table]

    assert sorted(known) == sorted(set(known) & {one_rule.id for one_rule in RULES})
    assert all(fixes_for_rule(rule) is table[rule] for table in tables for rule in table)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kv.yaml").write_text(MISSPELT)
    (tmp_path / "vm.yaml").write_text(BAD)
    return tmp_path


def test_fix_writes_safe_fixes_and_reports_the_rest(folder: Path) -> None:
    """
    Wrong capitals and quoted booleans are corrected. A change of the VM needs a choice.
    """
    ran = migratable("check", ".", "--fix", cwd=folder)

    assert ran.status == 1
    assert "note: fixed 3 findings in 1 file" in ran.err
    assert (folder / "kv.yaml").read_text() == SPELT
    assert (folder / "vm.yaml").read_text() == BAD
    assert "LM101" in ran.out
    assert sorted(path.name for path in folder.iterdir()) == ["kv.yaml", "vm.yaml"]


def test_the_diff_equals_the_changes_of_fix(folder: Path) -> None:
    """
    ``--diff`` writes nothing. Its patch, applied with git, gives the result of ``--fix``.
    """
    shown = migratable("check", ".", "--diff", "--choose", "LM101=1", "--choose", "gpu=1", cwd=folder)
    unchanged = (folder / "kv.yaml").read_text(), (folder / "vm.yaml").read_text()
    (folder / "fix.patch").write_text(shown.out)
    patched = folder / "patched"
    patched.mkdir()
    for name in ("kv.yaml", "vm.yaml"):
        shutil.copy(folder / name, patched)

    subprocess.run(
        ["git", "apply", "../fix.patch"], cwd=patched, check=True, env={"GIT_DIR": "none", "PATH": "/usr/bin:/bin"}
    )
    migratable("check", ".", "--fix", "--choose", "LM101=1", "--choose", "gpu=1", cwd=folder)

    assert shown.status == 1
    assert unchanged == (MISSPELT, BAD)
    for name in ("kv.yaml", "vm.yaml"):
        assert (patched / name).read_text() == (folder / name).read_text()
    assert "masquerade: {}" in (folder / "vm.yaml").read_text()
    assert "gpus" not in (folder / "vm.yaml").read_text()


def test_sarif_has_the_safe_fixes(folder: Path) -> None:
    """
    Each safe fix has the deleted and the inserted text.
    """
    (folder / "kv.yaml").write_text(MISSPELT.replace("Kubevirt", "KubeVirt"))

    migratable("check", ".", "-o", "sarif=out.sarif", cwd=folder)

    results = json.loads((folder / "out.sarif").read_text())["runs"][0]["results"]
    changes = [fix["artifactChanges"][0] for result in results for fix in result.get("fixes", [])]
    assert {change["artifactLocation"]["uri"] for change in changes} == {"kv.yaml"}
    new = {change["replacements"][0]["deletedRegion"]["startLine"]: change["replacements"][0] for change in changes}
    assert {line: item["insertedContent"]["text"] for line, item in new.items()} == {
        9: "false",
        10: "completionTimeoutPerGiB",
    }


def test_nothing_to_fix_is_success(folder: Path) -> None:
    """
    Without safe fixes, ``--diff`` prints nothing and gives status 0. Unreadable input is still an error.
    """
    nothing = migratable("check", "vm.yaml", "--diff", cwd=folder)
    (folder / "kv.yaml").write_text("a: [\n")
    unread = migratable("check", ".", "--diff", cwd=folder)

    assert (nothing.status, nothing.out) == (0, "")
    assert unread.status == 2


def test_options_are_numbered_and_have_patches(folder: Path) -> None:
    """
    Each fix that needs a choice has a place, a number and a patch.
    """
    ran = migratable("check", "vm.yaml", "--options", cwd=folder)

    assert ran.status == 1
    assert ran.out.startswith(
        "vm.yaml:8:9 LM101 bridge-on-pod-network, VirtualMachineInstance tenant/bad\n"
        "option 1: write masquerade: {} instead of bridge (the guest then has its own IP address)\n"
        "--- a/vm.yaml\n+++ b/vm.yaml\n"
    )


def live_vm(name: str) -> dict[str, Any]:
    """A VM of a cluster with a bridge on the pod network, as kubectl prints it."""
    interface = {"name": "default", "bridge": {}}
    spec = {"domain": {"devices": {"interfaces": [interface]}}, "networks": [{"name": "default", "pod": {}}]}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "tenant", "uid": "4c9b", "resourceVersion": "7"},
        "spec": {"runStrategy": "Always", "template": {"spec": spec}},
    }


def test_live_objects_are_patched_with_kubectl(folder: Path) -> None:
    """
    For an object of a cluster, the option is a kubectl command whose JSON Patch tests the old value, and a remark.
    """
    raw = live_vm("it's")

    ran = migratable("check", "-", "--options", stdin=json.dumps(raw))

    (line,) = [line for line in ran.out.splitlines() if line.startswith("kubectl")]
    words = shlex.split(line)
    assert words[:-1] == [
        *("kubectl", "patch", "virtualmachines.kubevirt.io", "it's", "-n", "tenant", "--type=json", "-p")
    ]
    patched = jsonpatch.apply_patch(raw, json.loads(words[-1]))
    devices = patched["spec"]["template"]["spec"]["domain"]["devices"]
    assert devices["interfaces"] == [{"name": "default", "masquerade": {}}]
    devices["interfaces"][0]["name"] = "renamed"
    with pytest.raises(jsonpatch.JsonPatchException):
        jsonpatch.apply_patch(patched, json.loads(words[-1]))
    assert "(A running VM needs a restart after the change: virtctl restart " in ran.out


def test_a_live_vmi_gets_no_command(folder: Path) -> None:
    """
    KubeVirt accepts no change to the spec of a VMI, so the output says what to do instead.
    """
    live = BAD.replace("namespace: tenant", "namespace: tenant, uid: 4c9b, resourceVersion: '7'")

    ran = migratable("check", "-", "--options", stdin=live)

    assert "kubectl" not in ran.out
    assert ran.out.count("(KubeVirt accepts no change to the spec of a VMI. Change and restart its ") == 2


def test_exempted_findings_are_not_fixed(folder: Path) -> None:
    """
    The text of an exempted finding stays the same.
    """
    (folder / "kv.yaml").write_text(
        SPELT.replace("300", "300\n      # migratable: allow LM601: an experiment\n      allowAutoConverge: 'true'")
    )
    before = (folder / "kv.yaml").read_text()

    migratable("check", "kv.yaml", "--fix", cwd=folder)

    assert (folder / "kv.yaml").read_text() == before


def test_comments_still_apply_after_lines_are_removed(folder: Path) -> None:
    """
    A fix that removes lines does not separate a comment from its finding.
    """
    spec, at = BAD.split("      interfaces:\n"), "      # migratable: allow LM101: an appliance\n"
    gpus = "      gpus:\n      - {name: card, deviceName: nvidia.com/A10}\n"
    (folder / "vm.yaml").write_text(spec[0] + gpus + "      interfaces:\n" + at + spec[1].replace(gpus, ""))

    ran = migratable("check", "vm.yaml", "--fix", "--choose", "gpu=1", "--choose", "LM101=1", cwd=folder)

    assert "gpus" not in (folder / "vm.yaml").read_text()
    assert "bridge: {}" in (folder / "vm.yaml").read_text()
    assert "exempted by vm.yaml:8: an appliance" in ran.out


def test_permissions_and_links_stay(folder: Path) -> None:
    """
    A fixed file keeps its mode, and a link stays a link.
    """
    (folder / "kv.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to("kv.yaml")

    migratable("check", "link.yaml", "--fix", cwd=folder)

    assert (folder / "link.yaml").is_symlink()
    assert (folder / "kv.yaml").read_text() == SPELT
    assert (folder / "kv.yaml").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--fix", "-"], "--fix cannot write to standard input"),
        (["--diff", "--choose", "LM1O1=1", "vm.yaml"], "did you mean LM101?"),
        (["--diff", "--choose", "LM101", "vm.yaml"], "write RULE=NUMBER"),
        (["--diff", "--choose", "LM101=0", "vm.yaml"], "write RULE=NUMBER"),
        (["--diff", "--choose", f"LM101={'9' * 5000}", "vm.yaml"], "write RULE=NUMBER"),
    ],
)
def test_impossible_requests_are_usage_errors(folder: Path, flags: list[str], message: str) -> None:
    """
    Standard input cannot be written, and a choice needs a rule and a number.
    """
    ran = migratable("check", *flags, cwd=folder, stdin=BAD)

    assert (ran.status, message in " ".join(ran.err.split())) == (2, True)


MACHINE = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: vm}\nspec:\n"
SHARED = (
    f"{MACHINE}  runStrategy: &word always\n  template:\n    metadata: {{labels: {{a: *word}}}}\n    spec: {{}}\n"
    f"---\n{MACHINE}  runStrategy: &own halted\n  template: {{spec: {{domain: {{}}}}}}\n"
)
OFFERED = "--fix can fix 1 finding; --diff shows the changes."


def test_a_value_with_an_alias_is_not_fixed(tmp_path: Path) -> None:
    """
    A value that an alias repeats cannot be corrected alone, so it is neither counted nor written.
    """
    path = tmp_path / "vm.yaml"
    path.write_text(SHARED)

    before = migratable("check", "--isolated", "vm.yaml", cwd=tmp_path)
    ran = migratable("check", "--isolated", "--fix", "vm.yaml", cwd=tmp_path)

    assert before.out.count("LM804 unknown-value") == 2
    assert OFFERED in before.out
    assert path.read_text() == SHARED.replace("&own halted", "&own Halted")
    assert ran.out.count("LM804 unknown-value") == 1
    assert "--fix" not in ran.out


def test_fixes_of_a_large_file_are_offered_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A trial of each fix would take too long, and most fixes can be written.
    """
    report = check([read_manifests(SHARED.encode(), "x.yaml")], Settings(release="any"))
    pairs = [(judged, finding.fixes[0]) for judged in report.objects for finding in judged.findings if finding.fixes]
    texts = {"x.yaml": SHARED.encode()}

    exact = replacing.FixWritable(texts)
    monkeypatch.setattr(replacing, "MOST_COUNTED", len(SHARED))
    hasty = replacing.FixWritable(texts)

    assert [exact(*item) for item in pairs] == [False, True]
    assert [hasty(*item) for item in (*pairs[:1], *pairs)] == [False, True, True]
