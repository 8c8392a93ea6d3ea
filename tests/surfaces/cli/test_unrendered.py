"""Kustomizations and charts that are checked without rendering."""

import json
from pathlib import Path

import pytest

from tests.surfaces.cli.charts import GOOD_VM, PATCH, VM, put_programs, write, write_chart, write_overlays
from tests.surfaces.running import Ran, migratable


def check(root: Path, *arguments: str) -> Ran:
    return migratable("check", *arguments, "--isolated", "--release", "1.9", "-o", "concise", cwd=root)


DELETED = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: web}\n$patch: delete\n"
REPLACED = PATCH.replace("memory: {", "memory: {$patch: replace, ")
JSON_PATCH = "- op: replace\n  path: /metadata/annotations/kubevirt.io~1x\n  value: kubevirt.io/y\n"
PATCHES = {
    "patches": ("patches:\n- path: p.yaml\n", PATCH),
    "patches with a target": ("patches:\n- path: ./p.yaml\n  target: {kind: VirtualMachine}\n", JSON_PATCH),
    "patches as one mapping": ("patches: {path: p.yaml}\n", PATCH),
    "patchesStrategicMerge": ("patchesStrategicMerge: [p.yaml]\n", PATCH),
    "patchesJson6902": (
        "patchesJson6902:\n- path: p.yaml\n  target: {version: v1, kind: VirtualMachine, name: web}\n",
        JSON_PATCH,
    ),
    "a patch that deletes": ("patches:\n- path: p.yaml\n", DELETED),
    "a patch in another folder": ("patches:\n- path: ../patches/p.yaml\n", PATCH),
    "no kustomization, but a directive": ("", DELETED),
    "no kustomization, but a nested directive": ("", REPLACED),
    "no kustomization, but a JSON patch": ("", JSON_PATCH),
}
KUSTOMIZATIONS = {
    "kustomization.yaml": "",
    "kustomization.yml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
    "Kustomization": "kind: Kustomization\n",
    "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
}


@pytest.mark.parametrize("kind", PATCHES)
@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_patches_are_left_out_and_counted(tmp_path: Path, kind: str, name: str) -> None:
    """
    A patch is no object, so it is neither judged nor an error. One note names all patches.
    """
    named, patch = PATCHES[kind]
    folder = Path("overlay", name).parent
    place = (folder / ("../patches" if "../patches" in named else ".") / "p.yaml").as_posix()
    write(tmp_path, **{"overlay/vm.yaml": GOOD_VM, place: patch})
    if named:
        write(tmp_path, **{f"overlay/{name}": f"{KUSTOMIZATIONS[name]}{named}"})

    ran = check(tmp_path, ".")

    assert (ran.status, ran.out) == (0, "")
    assert ran.err.count("left out") == 1
    assert (
        f"note: 1 patch of a kustomization is left out: {Path(tmp_path, place).resolve().relative_to(tmp_path)}"
        in ran.err
    )


@pytest.mark.parametrize(
    "patch",
    [
        "patches:\n- patch: |-\n    - {op: add, path: /metadata/labels/kubevirt.io~1x}\n  target: {kind: VirtualMachine}\n",
        f"patchesStrategicMerge:\n- |-\n  {PATCH.rstrip().replace(chr(10), chr(10) + '  ')}\n",
    ],
)
def test_a_patch_in_the_kustomization_itself_is_not_judged(tmp_path: Path, patch: str) -> None:
    """
    The kustomization mentions KubeVirt, and is still no manifest with an error.
    """
    write(tmp_path, **{"a/kustomization.yaml": f"resources: [vm.yaml]\n{patch}", "a/vm.yaml": GOOD_VM})

    ran = check(tmp_path, "a")

    assert (ran.status, ran.out) == (0, "")
    assert "left out" not in ran.err


@pytest.mark.parametrize("order", [("base", "overlay"), ("overlay", "base")])
def test_a_file_that_is_a_resource_and_a_patch_is_judged(tmp_path: Path, order: tuple[str, str]) -> None:
    """
    Also if another kustomization names it as a resource.
    """
    write(
        tmp_path,
        **{
            "base/kustomization.yaml": "resources: [vm.yaml]\n",
            "base/vm.yaml": VM,
            "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: ../base/vm.yaml}]\n",
        },
    )

    ran = check(tmp_path, *order)

    assert "base/vm.yaml:14:13: deny LM101" in ran.out
    assert "left out" not in ran.err


def test_a_patch_that_is_named_without_its_kustomization_is_judged(tmp_path: Path) -> None:
    """
    With its kustomization, as a shell expands ``overlay/*.yaml``, it is left out.
    """
    write(tmp_path, **{"a/kustomization.yaml": "patches: [{path: p.yaml}]\n", "a/p.yaml": VM})

    assert check(tmp_path, "a/p.yaml").status == 1
    assert check(tmp_path, "a/p.yaml", "a/kustomization.yaml").status == 0


@pytest.mark.parametrize("start", ["a/parts", "a/parts/deep"])
def test_a_kustomization_above_the_searched_folder_names_patches(tmp_path: Path, start: str) -> None:
    """
    The result is the same from each folder. A kustomization outside of the repository does not count.
    """
    kustomization = "patches:\n- path: parts/p.yaml\n- path: parts/deep/p.yaml\n"
    write(tmp_path, **{"a/kustomization.yaml": kustomization, "a/parts/p.yaml": VM, "a/parts/deep/p.yaml": VM})

    assert check(tmp_path, start).status == 0
    assert check(tmp_path / start, ".").status == 0
    (tmp_path / "a/parts/.git").mkdir()
    assert check(tmp_path, start).status == 1


@pytest.mark.parametrize("name", ["", "../" * 99, "a" * 5000, "vm.yaml/x", 5, ["a"], {"a": "b"}, None])
def test_names_that_are_not_files_are_not_errors_of_a_search(tmp_path: Path, name: object) -> None:
    """
    The program that renders the kustomization reports wrong names.
    """
    fields = {key: [name] for key in ("resources", "components", "configurations", "patchesStrategicMerge")}
    text = json.dumps({**fields, "patches": [{"path": name}], "secretGenerator": [{"envs": [name], "literals": name}]})
    write(tmp_path, **{"kustomization.yaml": text, "vm.yaml": GOOD_VM})

    ran = check(tmp_path, ".")

    assert (ran.status, ran.out) == (0, "")


def test_patches_are_not_facts(tmp_path: Path) -> None:
    """
    A patch of a PVC is not the PVC that a VM uses.
    """
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: os}\nspec: {accessModes: [ReadWriteOnce]}\n"
    volumes = "      volumes:\n      - {name: os, persistentVolumeClaim: {claimName: os}}\n"
    write(
        tmp_path,
        **{"vm.yaml": GOOD_VM + volumes, "f/kustomization.yaml": "patches: [{path: p.yaml}]\n", "f/p.yaml": claim},
    )

    ran = check(tmp_path, "vm.yaml", "--facts", "f")

    assert ran.status == 0
    assert "LM201 claim-not-shared (unproven)" in ran.out
    assert "1 patch of a kustomization is left out: f/p.yaml" in ran.err


def test_templates_in_references_are_counted(tmp_path: Path) -> None:
    """
    A PVC of a template is missing in the check, so the output says why.
    """
    write_chart(tmp_path)
    write(tmp_path, **{"vm.yaml": GOOD_VM})

    ran = check(tmp_path, "vm.yaml", "--facts", "charts")

    assert ran.status == 0
    assert "note: 1 chart is not rendered: charts/desktop (2 templates left out)." in ran.err


def test_each_overlay_is_named_once_with_the_command(tmp_path: Path) -> None:
    """
    The base is not named, because the overlays contain it.
    """
    write_overlays(tmp_path, GOOD_VM)

    ran = check(tmp_path, ".")

    assert ran.status == 0
    assert (
        "note: 2 kustomizations are not rendered: overlays/dev, overlays/prod. The files that they name were checked one by "
        "one. Check the result: migratable check -k overlays/dev -k overlays/prod\n"
    ) in ran.err
    assert ran.err.count("not rendered") == 1


def test_a_base_that_is_checked_alone_is_named(tmp_path: Path) -> None:
    """
    Its path is as the user typed it.
    """
    write_overlays(tmp_path, GOOD_VM)

    assert "not rendered: base. " in check(tmp_path, "base").err
    inside = check(tmp_path / "base", ".").err
    assert "note: 1 kustomization is not rendered: the working folder. The files " in inside
    assert "migratable check -k .\n" in inside


def test_many_kustomizations_are_one_short_note(tmp_path: Path) -> None:
    """
    Five folders are named, the others are counted.
    """
    write(tmp_path, **{f"a{index}/kustomization.yaml": "resources: [vm.yaml]\n" for index in range(8)})
    write(tmp_path, **{f"a{index}/vm.yaml": GOOD_VM.replace("web", f"web{index}") for index in range(8)})

    (line,) = [line for line in check(tmp_path, ".").err.splitlines() if "not rendered" in line]

    assert line.startswith("note: 8 kustomizations are not rendered: a0, a1, a2, a3, a4, and 3 more.")


@pytest.mark.parametrize(
    ("kustomization", "is_named"),
    [
        ("resources: [a.yaml]\n", False),
        ("resources: [sub]\n", False),
        ("resources: [a.yaml, claim.yaml]\n", True),
        ("resources: [https://git.example/vms]\n", True),
        ("resources: [a.yaml]\nhelmCharts: [{name: vms}]\n", True),
    ],
)
def test_only_kustomizations_that_can_contain_a_vm_are_named(
    tmp_path: Path, kustomization: str, is_named: bool
) -> None:
    """
    A repository can have hundreds of kustomizations of other applications.
    """
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: [ReadWriteMany]}\n"
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    write(tmp_path, **{"app/kustomization.yaml": kustomization, "app/a.yaml": other, "app/claim.yaml": claim})
    write(tmp_path, **{"app/sub/kustomization.yaml": "resources: [b.yaml]\n", "app/sub/b.yaml": other})

    ran = check(tmp_path, ".")

    assert ("not rendered: app. " in ran.err) == is_named
    assert ("not rendered" in ran.err) == is_named


def test_kustomizations_of_flux_are_manifests(tmp_path: Path) -> None:
    """
    They have the kind Kustomization, and name no files.
    """
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {path: ./a}\n"
    write(tmp_path, **{"a/kustomization.yaml": flux, "a/vm.yaml": GOOD_VM})

    ran = check(tmp_path, ".")

    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_a_broken_kustomization_is_an_error(tmp_path: Path) -> None:
    """
    Its patches are unknown, so the result would be wrong.
    """
    write(tmp_path, **{"a/kustomization.yaml": "patches:\n- path: [\n", "a/p.yaml": PATCH})

    ran = check(tmp_path, ".")

    assert ran.status == 2
    assert "a/kustomization.yaml:3" in ran.err


@pytest.mark.parametrize(
    "settings",
    [
        "configurations: [c.yaml]\n",
        "replacements:\n- path: c.yaml\n",
        "configMapGenerator:\n- name: a\n  files: [key=c.yaml]\n",
    ],
)
def test_settings_of_a_kustomization_are_not_manifests(tmp_path: Path, settings: str) -> None:
    """
    They may mention KubeVirt: a field of an annotation, or a source of a replacement.
    """
    text = "a:\n- {path: metadata/annotations/kubevirt.io/x, value: 1}\n"
    write(tmp_path, **{"kustomization.yaml": settings, "c.yaml": text})

    ran = check(tmp_path, ".")

    assert ran.status == 0
    assert "1 file is not a Kubernetes manifest: c.yaml" in ran.err


@pytest.mark.parametrize("start", ["", "charts", "charts/desktop", "charts/desktop/templates"])
def test_templates_of_a_chart_are_counted(tmp_path: Path, start: str) -> None:
    """
    The note names the chart and the command, wherever the search starts. Templates without placeholders are judged.
    """
    write_chart(tmp_path)
    write_chart(tmp_path, folder="charts/desktop/charts/sub")
    values = "labels: {kubevirt.io/size: small}\n"
    write(tmp_path, **{"charts/desktop/values-prod.yaml": values, "charts/desktop/ci/test-values.yaml": values})
    write(tmp_path, **{"charts/desktop/templates/plain.yaml": VM})

    ran = check(tmp_path, start or ".")

    count = 2 if start.endswith("templates") else 4
    assert ran.status == 1
    assert "plain.yaml:14:13: deny LM101" in ran.out
    assert (
        f"note: 1 chart is not rendered: charts/desktop ({count} templates left out). "
        "Check the result: migratable check --helm charts/desktop\n"
    ) in ran.err


@pytest.mark.parametrize("name", ["Chart.yaml", "templates/vm.yaml"])
def test_a_file_of_a_chart_that_is_named_is_an_error(tmp_path: Path, name: str) -> None:
    """
    The remedy renders the chart, also from its own folder.
    """
    write_chart(tmp_path, folder="c")

    outside, inside = check(tmp_path, f"c/{name}"), check(tmp_path / "c", name)

    assert (outside.status, inside.status) == (2, 2)
    assert "Render the chart: migratable check --helm c\n" in outside.err
    assert "Render the chart: migratable check --helm .\n" in inside.err


def test_a_broken_file_without_placeholders_is_an_error_in_a_chart(tmp_path: Path) -> None:
    """
    Helm would fail, too.
    """
    write_chart(tmp_path)
    write(tmp_path, **{"charts/desktop/templates/pvc.yaml": "apiVersion: v1\nkind: Secret\nmetadata: [\n"})

    ran = check(tmp_path, ".")

    assert ran.status == 2
    assert "charts/desktop/templates/pvc.yaml" in ran.err


def test_a_json_patch_that_is_named_is_an_error(tmp_path: Path) -> None:
    """
    The remedy renders its kustomization.
    """
    write(tmp_path, **{"p.yaml": JSON_PATCH})

    ran = check(tmp_path, "p.yaml")

    assert ran.status == 2
    assert "This is a patch. Render its kustomization: migratable check -k FOLDER" in ran.err


def test_a_template_outside_of_a_chart_is_an_error(tmp_path: Path) -> None:
    """
    A template of a VM is never left out silently.
    """
    write(tmp_path, **{"templates/vm.yaml": VM.replace("name: web", "name: {{ .Values.name }}", 1)})

    assert check(tmp_path, ".").status == 2
    write(tmp_path, **{"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n"})
    assert check(tmp_path, ".").status == 0


@pytest.mark.helm
def test_what_is_rendered_needs_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Also a base that a rendered overlay contains, and the patches of the overlay.
    """
    write_overlays(tmp_path, GOOD_VM)
    write_chart(tmp_path, GOOD_VM)

    put_programs(monkeypatch, tmp_path / "bin", "kubectl", "helm")
    rest = ["-k", "overlays/dev", "-k", "overlays/prod", "--helm", "charts/desktop"]
    ran = check(tmp_path, ".", *rest)

    assert ran.status == 0
    assert "not rendered" not in ran.err
    assert "left out" not in ran.err


def test_quiet_output_has_no_notes(tmp_path: Path) -> None:
    """
    As for all notes.
    """
    write_overlays(tmp_path, GOOD_VM)
    write_chart(tmp_path)

    assert check(tmp_path, ".", "-q").err == ""
