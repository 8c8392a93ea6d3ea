"""Paths in the formats of CI systems are relative to the root of the repository."""

import json
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD
from tests.surfaces.running import migratable
from webhook.surfaces.cli.outputs import CI_FORMATS


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo" / "apps" / "web"
    folder.mkdir(parents=True)
    (folder / "bad.yaml").write_text(BAD.replace("metadata:", "metadata:  # ä", 1))
    (folder / "broken.yaml").write_text("a: [\n")
    (tmp_path / "link").symlink_to(tmp_path / "repo")
    return tmp_path / "repo"


def paths(form: str, text: str) -> set[str]:
    """The paths of findings and problems in an output, as its readers see them."""
    match form:
        case "github":
            places = [line.partition("file=")[2] for line in text.splitlines()]
            return {place.partition(",")[0].partition("::")[0] for place in places}
        case "gitlab":
            return {issue["location"]["path"] for issue in json.loads(text)}
        case "junit":
            return {case.attrib["file"] for case in Xml.fromstring(text).iter("testcase")}
        case "checkstyle":
            return {file.attrib["name"] for file in Xml.fromstring(text)}
        case "rdjson":
            return {item["location"]["path"] for item in json.loads(text)["diagnostics"]}
        case "sarif":
            (run,) = json.loads(text)["runs"]
            places = run["results"] + run["invocations"][0]["toolExecutionNotifications"]
            files = [place["locations"][0]["physicalLocation"]["artifactLocation"] for place in places]
            assert all(file["uriBaseId"] == "%SRCROOT%" for file in files)
            return {file["uri"] for file in files}
    raise ValueError(form)


@pytest.mark.parametrize("form", CI_FORMATS)
@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "--relative-to"])
@pytest.mark.parametrize("way", ["subfolder", "absolute", "link", "above"])
def test_paths_are_relative_to_the_root(
    repository: Path, monkeypatch: pytest.MonkeyPatch, form: str, variable: str, way: str
) -> None:
    """
    From the root, from a subfolder, above it and by a link, with relative and absolute arguments: the path is the same.
    """
    words = ["--relative-to", str(repository)] if variable == "--relative-to" else []
    if not words:
        monkeypatch.setenv(variable, str(repository.parent / "link" if way == "link" else repository))
    folder, argument = {
        "subfolder": (repository / "apps" / "web", "."),
        "absolute": (repository, str(repository / "apps" / "web")),
        "link": (repository.parent, "link/apps/web"),
        "above": (repository.parent, "repo/apps"),
    }[way]

    ran = migratable("check", "-R", argument, "-o", form, *words, cwd=folder)

    assert paths(form, ran.out) == {"apps/web/bad.yaml", "apps/web/broken.yaml"}


@pytest.mark.parametrize("form", CI_FORMATS)
def test_files_outside_the_root_and_standard_input_keep_their_names(
    repository: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """
    A file that is not below the root has the name that the user typed.
    """
    monkeypatch.setenv("GITHUB_WORKSPACE", str(repository / "apps" / "we"))

    ran = migratable("check", "web/bad.yaml", "-o", form, cwd=repository / "apps")

    assert paths(form, ran.out) == {"web/bad.yaml"}
    assert "stdin" in migratable("check", "-", "-o", form, stdin=BAD).out or form == "github"


def test_a_root_that_does_not_exist_is_a_usage_error(repository: Path) -> None:
    """
    A misspelt folder would leave the paths as they are, without a word.
    """
    ran = migratable("check", ".", "--relative-to", "missing", cwd=repository)

    assert (ran.status, ran.out) == (2, "")
    assert "--relative-to missing: no such folder" in ran.err


def test_sarif_contains_the_fixes_of_files_with_relative_names(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The text of a renamed file is found, so its safe fixes are replacements.
    """
    text = BAD.replace("spec:\n", "spec:\n  evictionStrategy: livemigrate\n", 1)
    (repository / "apps" / "web" / "bad.yaml").write_text(text)
    folder = repository / "apps" / "web"
    here = json.loads(migratable("check", "bad.yaml", "-o", "sarif", cwd=folder).out)["runs"][0]["results"]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(repository))

    there = json.loads(migratable("check", "bad.yaml", "-o", "sarif", cwd=folder).out)["runs"][0]["results"]

    def fixes(results: list[dict[str, list[object]]]) -> int:
        return sum(len(result.get("fixes", [])) for result in results)

    assert fixes(there) == fixes(here) > 0
