"""`migratable check -k` and `--helm` in CI: findings are at the lines of the repository that made the rendered fields."""

import json
import xml.etree.ElementTree as Xml
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.cli.charts import GOOD_VM, VM, put_programs, write, write_chart, write_overlays
from tests.surfaces.running import migratable

pytestmark = pytest.mark.helm
BASE, OVERLAY, TEMPLATE = "base/vm.yaml", "overlays/prod/kustomization.yaml", "charts/desktop/templates/vm.yaml"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with overlays and a chart, and kubectl and helm on PATH."""
    put_programs(monkeypatch, tmp_path / "bin", "kubectl", "helm")
    write_overlays(tmp_path / "repo")
    write_chart(tmp_path / "repo")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "repo"))
    return tmp_path / "repo"


def check(folder: Path, *arguments: str) -> str:
    return migratable("check", *arguments, "--isolated", "--release", "1.9", cwd=folder).out


def places_of(form: str, out: str) -> list[tuple[str, Any]]:
    """The file and the first line of each denied finding. A format that requires a line has line 1 for an unknown line."""
    match form:
        case "github":
            errors = [
                line.partition("::error ")[2].partition("::")[0] for line in out.splitlines() if "::error" in line
            ]
            properties = [dict(pair.split("=") for pair in error.split(",")) for error in errors]
            return [(each["file"], int(each.get("line", 0)) or None) for each in properties]
        case "gitlab":
            places = [issue["location"] for issue in json.loads(out)]
            return [
                (
                    place["path"],
                    place["positions"]["begin"]["line"] if "positions" in place else place["lines"]["begin"],
                )
                for place in places
            ]
        case "sarif":
            places = [result["locations"][0]["physicalLocation"] for result in json.loads(out)["runs"][0]["results"]]
            return [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places]
        case "rdjson":
            places = [item["location"] for item in json.loads(out)["diagnostics"]]
            return [(place["path"], place["range"]["start"]["line"] if "range" in place else None) for place in places]
        case _:
            files = Xml.fromstring(out).findall("file")
            return [(file.attrib["name"], int(error.attrib["line"])) for file in files for error in file]


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif", "checkstyle", "rdjson"])
@pytest.mark.parametrize("start", [".", "overlays"])
def test_formats_of_ci_systems_have_the_line_of_the_resource_and_of_the_template(
    root: Path, form: str, start: str
) -> None:
    """
    The message names the overlay, because another overlay can render the same line. The path starts at the root of the
    repository.
    """
    up = "../" if start != "." else ""

    out = check(
        root / start, "-k", f"{up}overlays/prod", "--helm", f"{up}charts/desktop", "--only", "LM101", "-o", form
    )

    assert places_of(form, out) == [(BASE, 14), (TEMPLATE, 15)]
    assert f"(rendered by {up}{OVERLAY})" in out
    assert out.count("of the rendered output)") == 1


def test_text_has_the_source_of_a_rendered_field(root: Path) -> None:
    """
    The excerpt is the output. Another object has no source.
    """
    write(root, **{"plain/vm.yaml": VM})

    out = check(root, "plain", "-k", "overlays/prod", "--helm", "charts/desktop", "--only", "LM101")

    assert [line.strip() for line in out.splitlines() if "source: " in line] == [
        f"source: {BASE}:14",
        f"source: {TEMPLATE}:15",
    ]


def test_the_summary_of_a_job_has_the_place_in_the_repository(root: Path) -> None:
    """
    A reader of the summary opens this file.
    """
    out = check(root, "-k", "overlays/prod", "--only", "LM101", "-o", "markdown")

    assert f"| {BASE}:14:13 |" in out


def test_junit_names_the_file(root: Path) -> None:
    """
    A test case has no line.
    """
    out = check(root, "-k", "overlays/prod", "--helm", "charts/desktop", "--only", "LM101", "-o", "junit")

    assert [case.attrib["file"] for case in Xml.fromstring(out).iter("testcase")] == [BASE, TEMPLATE]


BRIDGE = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: web}
spec:
  template:
    spec:
      domain:
        devices:
          interfaces:
          - name: default
            bridge: {}
            masquerade: null
"""


def test_a_field_of_a_patch_has_the_line_of_the_patch(root: Path) -> None:
    """
    The line in the base has another value. The findings of one object can be in two files.
    """
    write(root, **{BASE: GOOD_VM.replace("LiveMigrate", "livemigrate"), "overlays/prod/memory.yaml": BRIDGE})

    out = check(root, "-k", "overlays/prod", "--only", "LM101,LM502", "-o", "github")

    assert sorted(places_of("github", out)) == [(BASE, 9), ("overlays/prod/memory.yaml", 10)]


@pytest.mark.parametrize(
    ("form", "line"), [("github", None), ("gitlab", 1), ("sarif", 1), ("checkstyle", 1), ("rdjson", None)]
)
def test_a_field_of_an_inline_patch_has_no_line(root: Path, form: str, line: int | None) -> None:
    """
    Such a patch is in no file of its own. The message has the line of the output.
    """
    inner = "".join(f"    {text}\n" for text in BRIDGE.splitlines())
    write(root, **{BASE: GOOD_VM, OVERLAY: f"resources: [../../base]\npatches:\n- patch: |\n{inner}"})

    out = check(root, "-k", "overlays/prod", "--only", "LM101", "-o", form)

    assert places_of(form, out) == [(OVERLAY, line)]
    assert "of the rendered output)" in out


def test_an_item_of_a_list_is_found_by_its_name(root: Path) -> None:
    """
    A patch puts another interface before it.
    """
    first = "{op: add, path: /spec/template/spec/domain/devices/interfaces/0, value: {name: first, masquerade: {}}}"
    patch = f"resources: [../../base]\npatches:\n- target: {{kind: VirtualMachine}}\n  patch: |\n    - {first}\n"
    write(root, **{OVERLAY: patch})

    out = check(root, "-k", "overlays/prod", "--only", "LM101", "-o", "github")

    assert "interfaces[1]" in out
    assert places_of("github", out) == [(BASE, 14)]


def test_an_object_of_a_list_is_found(root: Path) -> None:
    """
    kustomize splits a List into its objects.
    """
    items = "".join(f"  {line}\n" for line in VM.splitlines())
    write(root, **{BASE: f"apiVersion: v1\nkind: List\nitems:\n- {items[2:]}"})

    out = check(root, "-k", "overlays/prod", "--only", "LM101", "-o", "github")

    assert places_of("github", out) == [(BASE, 17)]


def test_the_files_of_a_rendered_text_are_not_judged_again(root: Path) -> None:
    """
    An overlay can correct its base, and a template without actions is rendered, too. A note names the files.
    """
    good = BRIDGE.replace("bridge: {}", "masquerade: {}").replace("masquerade: null", "bridge: null")
    write(root, **{f"overlays/{name}/memory.yaml": good for name in ("dev", "prod")})
    write(root, **{TEMPLATE: GOOD_VM})

    arguments = (".", "-k", "overlays/dev", "-k", "overlays/prod", "--helm", "charts/desktop", "--only", "LM101")
    ran = migratable("check", *arguments, "--isolated", cwd=root)

    assert ran.status == 0
    assert "nothing found in 3 objects\n" in ran.out
    assert (
        f"note: 3 files are judged only as rendered: {BASE}, charts/desktop/templates/secret.yaml, {TEMPLATE}\n"
        in ran.err
    )


@pytest.mark.parametrize("arguments", [(BASE,), (".", "--fix"), (".", "--diff")])
def test_a_named_file_and_a_file_to_fix_are_judged_by_themselves(root: Path, arguments: tuple[str, ...]) -> None:
    """
    Fixes are written to files, not to rendered texts.
    """
    ran = migratable("check", *arguments, "-k", "overlays/prod", "--isolated", "--only", "LM502", cwd=root)

    assert BASE in ran.out or "fixed 1 finding in 1 file" in ran.err
