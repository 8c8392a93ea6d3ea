"""Files of a repository that a search meets and that are not manifests: configurations, and reports of earlier runs."""

from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable
from webhook.manifests.search import CONFIGURATIONS
from webhook.surfaces.cli.options import FORMATS

APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: migratable}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "apps" / "a").mkdir(parents=True)
    (tmp_path / "apps" / "a" / "vm.yaml").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_each_name_of_a_configuration_works(repository: Path, name: str) -> None:
    """
    The note names the file.
    """
    (repository / "apps" / "a" / "vm.yaml").write_text(BAD)
    (repository / name).write_text("skip: [LM1, LM3]\n")

    ran = migratable("check", ".", cwd=repository)

    assert ran.status == 0
    assert f"settings come from {name}, next to" in ran.err


@pytest.mark.parametrize("others", [CONFIGURATIONS[:2], CONFIGURATIONS[1:3], (CONFIGURATIONS[0], CONFIGURATIONS[3])])
def test_two_configurations_in_a_folder_are_an_error(repository: Path, others: tuple[str, str]) -> None:
    """
    The error names both.
    """
    for name in others:
        (repository / name).write_text("strict: true\n")

    ran = migratable("check", "apps", cwd=repository)

    assert ran.status == 2
    assert ran.err == f"error: {others[0]} and {others[1]} are both configuration files. Keep one of them.\n"


@pytest.mark.parametrize("words", [(), ("--isolated",), ("--config", "pinned.yaml")], ids=" ".join)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_in_a_subfolder_is_never_a_manifest(
    repository: Path, name: str, words: tuple[str, ...]
) -> None:
    """
    This holds also for a run that does not read it.
    """
    (repository / "pinned.yaml").write_text("strict: true\n")
    (repository / "apps" / "a" / name).write_text("skip: [LM501]\n")

    ran = migratable("check", ".", *words, cwd=repository)

    assert ran.status == 0
    assert "not a Kubernetes manifest" not in ran.err.replace("manifest: pinned.yaml", "")


def test_a_manifest_with_the_name_of_a_configuration_stays_a_manifest(repository: Path) -> None:
    """
    A repository that installs Migratable can have an Application of this name.
    """
    (repository / "migratable.yaml").write_text(APPLICATION)
    (repository / "apps" / "migratable.yaml").write_text(BAD)

    ran = migratable("check", ".", cwd=repository)

    assert (ran.status, ran.err) == (1, "")
    assert "apps/migratable.yaml:1" in ran.out


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_report_of_an_earlier_run_is_no_manifest(repository: Path, form: str, suffix: str) -> None:
    """
    The report has another name now, so the search must recognize it by its content.
    """
    if (form in ("text", "concise", "tap", "markdown", "github")) or (form == "openreports" and suffix == "json"):
        pytest.skip("text, or YAML only")
    vm = repository / "apps" / "a" / "vm.yaml"
    vm.write_text(BAD.replace("kubevirt.io/v1", "kubevirt/v1"))
    report = migratable("check", ".", "-o", form, cwd=repository).out
    assert "kubevirt.io/" in report
    vm.write_text(GOOD)
    (repository / f"old-report.{suffix}").write_text(report)

    ran = migratable("check", ".", cwd=repository)

    assert ran.status == 0
    assert form == "openreports" or "1 file is not a Kubernetes manifest: old-report" in ran.err
    assert "in 1 object" in ran.out
