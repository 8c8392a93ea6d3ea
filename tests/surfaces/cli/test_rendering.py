"""`migratable check -k` and `--helm`: rendered input."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.cli.charts import GOOD_VM, VM, put_fake, put_programs, write, write_chart, write_overlays
from tests.surfaces.running import Ran, migratable
from webhook.surfaces.cli import rendering

pytestmark = pytest.mark.helm
BOTH = ("-k", "overlays/prod", "--helm", "charts/desktop", "--only", "LM101")
PLACES = {"overlays/prod/kustomization.yaml", "charts/desktop/templates/vm.yaml"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with overlays and a chart, and kubectl and helm on PATH."""
    put_programs(monkeypatch, tmp_path / "bin", "kubectl", "helm")
    write_overlays(tmp_path / "repo")
    write_chart(tmp_path / "repo")
    return tmp_path / "repo"


def check(root: Path, *arguments: str) -> Ran:
    return migratable("check", *arguments, "--isolated", "--release", "1.9", cwd=root)


def report(root: Path, *arguments: str) -> Any:
    return json.loads(check(root, *arguments, "-o", "json").out)


def line_of(text: str, *command: str | Path) -> int:
    """The line of the output of a program that contains the text."""
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return next(number for number, line in enumerate(printed.splitlines(), 1) if text in line)


def chart_line(root: Path, text: str = "bridge") -> int:
    """The line of the output of helm."""
    return line_of(text, "helm", "template", root / "charts/desktop")


def test_findings_name_the_overlay_and_the_template(root: Path) -> None:
    """
    The line is that of the output, and a note names the command that prints it.
    """
    ran = check(root, *BOTH)
    text = " ".join(ran.out.split())
    overlay, template = line_of("bridge", "kubectl", "kustomize", root / "overlays/prod"), chart_line(root) - 1

    assert ran.status == 1
    assert "VirtualMachine prod-web" in text
    assert f"overlays/prod/kustomization.yaml (rendered):{overlay}:13 spec" in text
    assert f"charts/desktop/templates/vm.yaml (rendered):{template}:13 spec" in text
    assert f"{template} | - name: default" in text
    for command in ("kubectl kustomize overlays/prod", "helm template charts/desktop"):
        assert f"is the output of `{command}`. Line numbers refer to this output" in text


def test_the_json_has_the_place_in_the_repository(root: Path) -> None:
    """
    ``renderedFrom`` is a file that exists, and ``file`` is no file.
    """
    sources = [judged["source"] for judged in report(root, *BOTH)["objects"]]

    assert {source["renderedFrom"] for source in sources} == PLACES
    assert all((root / source["renderedFrom"]).is_file() for source in sources)
    assert not any((root / source["file"]).exists() for source in sources)


def test_several_overlays_and_paths_are_checked_together(root: Path) -> None:
    """
    A folder that is named twice is rendered once.
    """
    write(root, **{"plain/vm.yaml": VM})

    found = report(root, "plain", "-k", "overlays/prod", "-k", "./overlays/dev/", "-k", "overlays/prod/")

    assert [judged["name"] for judged in found["objects"]] == ["web", "prod-web", "dev-web"]


def test_values_and_settings_reach_helm(root: Path) -> None:
    """
    A later values file takes precedence, as in helm.
    """
    write(root, **{"a.yaml": "vmName: a\n", "b.yaml": "vmName: b\n"})

    def names(*flags: str) -> list[str]:
        return [judged["name"] for judged in report(root, "--helm", "charts/desktop", *flags)["objects"]]

    assert names("--values", "a.yaml", "--values", "b.yaml") == ["b"]
    assert names("--values", "a.yaml", "--set", "vmName=c") == ["c"]


def test_a_template_of_a_subchart_is_named(root: Path) -> None:
    """
    A subchart lies in charts/ of its parent.
    """
    write_chart(root, folder="charts/desktop/charts/sub", name="sub")

    found = report(root, "--helm", "charts/desktop")

    places = {judged["source"]["renderedFrom"] for judged in found["objects"]}
    assert places == {"charts/desktop/templates/vm.yaml", "charts/desktop/charts/sub/templates/vm.yaml"}


def test_a_vm_is_judged_with_the_claim_of_its_rendering(root: Path) -> None:
    """
    Both overlays have a PVC of this name. The PVC of prod is RWX, so only dev is denied.
    """
    volumes = "      volumes:\n      - name: os\n        persistentVolumeClaim: {claimName: os}\n"
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: os}\nspec: {accessModes: [MODE]}\n"
    write(root, **{"base/vm.yaml": GOOD_VM + volumes})
    for name, mode in (("dev", "ReadWriteOnce"), ("prod", "ReadWriteMany")):
        kustomization = "resources: [../../base, pvc.yaml]\n"
        write(
            root, **{f"{name}/c/kustomization.yaml": kustomization, f"{name}/c/pvc.yaml": claim.replace("MODE", mode)}
        )

    for order in (("dev/c", "prod/c"), ("prod/c", "dev/c")):
        found = report(root, "-k", order[0], "-k", order[1], "--only", "LM201")
        denied = [judged["source"]["renderedFrom"] for judged in found["objects"] if judged["findings"]]
        assert denied == ["dev/c/kustomization.yaml"]


def test_a_baseline_holds_rendered_findings_from_any_folder(root: Path) -> None:
    """
    It contains no path of this machine, and a new finding of another overlay fails.
    """
    written = check(root, "-k", "overlays/prod", "--helm", "charts/desktop", "--baseline", "b.yaml", "--write-baseline")
    text = (root / "b.yaml").read_text()
    here = check(root, "-k", "overlays/prod", "--helm", "charts/desktop", "--baseline", "b.yaml")
    inside = check(root / "overlays", "-k", "prod", "--helm", "../charts/desktop", "--baseline", "../b.yaml")
    more = check(root, "-k", "overlays/dev", "-k", "overlays/prod", "--helm", "charts/desktop", "--baseline", "b.yaml")

    assert [ran.status for ran in (written, here, inside, more)] == [0, 0, 0, 1]
    assert str(root) not in text
    assert "/tmp" not in text


def test_exemptions_work_in_rendered_input(root: Path) -> None:
    """
    Helm keeps comments of a template, and kustomize keeps annotations.
    """
    annotation = '  name: web\n  annotations: {migratable.dev/allow: "LM101: known"}\n'
    write_overlays(root, VM.replace("  name: web\n", annotation))
    write_chart(root, VM.replace("bridge: {}", "bridge: {} # migratable: allow LM101: known"))

    ran = check(root, *BOTH)

    assert ran.status == 0
    assert "2 exempted in 2 objects" in ran.out


@pytest.mark.parametrize("flag", ["--fix", "--diff"])
def test_fix_does_not_change_what_is_rendered(root: Path, flag: str) -> None:
    """
    A note names the source of each fix that is not written, and the text does not offer the fix.
    """
    before = {path: path.read_bytes() for path in root.rglob("*.yaml")}

    ran = check(root, "-k", "overlays/prod", "--helm", "charts/desktop", flag)

    assert {path: path.read_bytes() for path in root.rglob("*.yaml")} == before
    for place in PLACES:
        assert f"--fix does not write rendered manifests. Change {place}." in " ".join(ran.err.split())
    assert "--fix can fix" not in check(root, "-k", "overlays/prod").out


def test_options_name_the_source(root: Path) -> None:
    """
    A patch of the output would apply to no file.
    """
    ran = check(root, "--helm", "charts/desktop", "--options")

    assert "make this change in charts/desktop/templates/vm.yaml or its sources" in ran.out
    assert "+++" not in ran.out


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (("-k", "none"), "none: no such folder. Name a folder with a kustomization after -k."),
        (
            ("-k", "charts"),
            "charts: no kustomization.yaml in this folder. Name a folder with a kustomization after -k.",
        ),
        (("--helm", "base"), "base: no Chart.yaml in this folder. Name the folder of a chart."),
        (("--helm", "oci://a/b"), "oci:/a/b: no such chart. Name the folder of a chart."),
        (("--helm", "charts/desktop", "--set", "enabled=false,password=null"), "the rendered output"),
    ],
)
def test_what_cannot_be_rendered_is_one_error(root: Path, flags: tuple[str, ...], error: str) -> None:
    """
    The error names the folder and what to do; other inputs are judged.
    """
    if "the rendered output" in error:
        (root / "charts/desktop/templates/secret.yaml").unlink()

    ran = check(root, "base/vm.yaml", *flags)

    assert ran.status == 2
    assert error in ran.err
    assert ran.err.count("error:") == 1
    assert "LM101" in ran.out


@pytest.mark.parametrize(
    ("kustomization", "flags"),
    [
        ("generators: [ksops.yaml]\n", "--enable-alpha-plugins --enable-exec"),
        ("helmCharts: [{name: vms}]\n", "--enable-helm"),
        ("resources: [../base/vm.yaml]\n", "--load-restrictor LoadRestrictionsNone"),
    ],
)
def test_a_kustomization_that_needs_flags_has_the_command(root: Path, kustomization: str, flags: str) -> None:
    """
    Plugins start programs, such as ksops, so `check` never enables them.
    """
    exec_plugin = "annotations: {config.kubernetes.io/function: 'exec: {path: ksops}'}"
    ksops = f"apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {{name: a, {exec_plugin}}}\n"
    write(root, **{"app/kustomization.yaml": kustomization, "app/ksops.yaml": ksops})

    ran = check(root, "-k", "app")

    assert ran.status == 2
    assert f"Render it yourself: kustomize build {flags} app | migratable check -\n" in ran.err


@pytest.mark.parametrize("entry", ["https://example.com/vm.yaml", "github.com/a/b?ref=v1", "missing.yaml"])
def test_remote_and_missing_resources_are_errors_without_a_network(root: Path, entry: str) -> None:
    """
    The error names the entry and the kustomization, also of a base.
    """
    write(root, **{"base/kustomization.yaml": f"resources:\n- vm.yaml\n- {entry}\n"})

    ran = check(root, "-k", "overlays/prod")

    assert ran.status == 2
    what = "does not exist" if entry == "missing.yaml" else "is remote, and Migratable does not use the network"
    assert f"base/kustomization.yaml: '{entry}' {what}" in ran.err


@pytest.mark.parametrize(("flag", "tools"), [("-k", "kustomize or kubectl"), ("--helm", "helm")])
def test_a_missing_program_is_named(root: Path, monkeypatch: pytest.MonkeyPatch, flag: str, tools: str) -> None:
    """
    The remedy says which program to install.
    """
    monkeypatch.setenv("PATH", "/nonexistent")

    ran = check(root, flag, "overlays/prod" if flag == "-k" else "charts/desktop")

    assert ran.status == 2
    assert ran.err.startswith(f"error: {flag} needs {tools}. Install ")


def test_kustomize_is_used_before_kubectl(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The note shows the command.
    """
    put_fake(monkeypatch, tmp_path / "fake", "kustomize", "print('kind: List\\napiVersion: v1\\nitems: []')")

    ran = check(root, "-k", "overlays/prod")

    assert "`kustomize build overlays/prod`" in ran.out


def test_a_program_that_does_not_end_is_stopped(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error names the limit, and the program does not run on.
    """
    monkeypatch.setattr(rendering, "MAX_SECONDS", 1)
    code = "import os, signal\nopen('pid', 'w').write(str(os.getpid()))\nsignal.pause()"
    put_fake(monkeypatch, tmp_path / "fake", "kustomize", code)

    ran = check(root, "-k", "overlays/prod")

    assert "kustomize build took more than 1 s" in ran.err
    assert ran.status == 2
    assert not Path("/proc", (root / "pid").read_text()).exists()


def test_problems_in_the_output_name_its_source(root: Path) -> None:
    """
    GitHub gets the template without a line.
    """
    write_chart(root, VM.replace("memory: {guest: 1Gi}", "memory: 1Gi"))

    line = chart_line(root, "memory")
    text = check(root, "--helm", "charts/desktop")
    github = check(root, "--helm", "charts/desktop", "-o", "github").out

    assert text.status == 2
    assert f"error: charts/desktop/templates/vm.yaml (rendered):{line}:9: spec.template.spec.domain.memory" in text.err
    assert "::error title=unreadable input,file=charts/desktop/templates/vm.yaml::" in github
    assert f"(line {line} of the rendered output)" in github


@pytest.mark.parametrize("flags", [("--values", "base/vm.yaml"), ("--set", "a=b")])
def test_values_need_a_chart(root: Path, flags: tuple[str, str]) -> None:
    """
    Otherwise they would have no effect.
    """
    ran = check(root, "base", *flags)

    assert ran.status == 2
    assert f"{flags[0]} needs --helm" in ran.err
