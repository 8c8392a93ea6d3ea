"""The GitHub Action's steps, in a plain shell."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver.binaries import find_binary
from tests.docs.blocks import blocks
from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INSTALL, CHECK = ACTION["runs"]["steps"]


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """The state of a runner before the check: the program is installed in its folder for temporary files."""
    program = tmp_path / "temp" / "migratable" / "bin" / "migratable"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m webhook "$@"\n')
    program.chmod(0o755)
    (tmp_path / "work").mkdir()
    return tmp_path


def check(runner: Path, **changed: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str], str]:
    """Runs the step with some inputs, and the defaults of the others; its outputs and summary."""
    inputs = {name: str(input_["default"]) for name, input_ in ACTION["inputs"].items()}
    inputs |= {name.replace("_", "-"): value for name, value in changed.items()}
    values = {
        name: inputs[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, expression in CHECK["env"].items()
    }
    outputs, summary = runner / "outputs", runner / "summary"
    outputs.touch()
    summary.touch()
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", CHECK["run"]],
        cwd=runner / "work",
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(runner / "temp"),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_ACTION_PATH": str(ROOT),
            **values,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return ran, read_outputs(outputs.read_text()), summary.read_text()


def read_outputs(text: str) -> dict[str, str]:
    """``name=value`` and ``name<<END``, as the runner reads GITHUB_OUTPUT. Later values replace earlier ones."""
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, is_block, end = line.partition("<<")
        if is_block:
            outputs[name] = "\n".join(iter(lines.__next__, end))
        else:
            name, _, value = line.partition("=")
            outputs[name] = value
    return outputs


def test_findings_fail_the_job_and_are_shown_everywhere(runner: Path) -> None:
    """
    Annotations on standard output, SARIF in a file, Markdown in the summary, and the status as an output.
    """
    (runner / "work" / "vm.yaml").write_text(BAD)

    ran, outputs, summary = check(runner)

    assert ran.returncode == 1
    assert "::error title=LM101 bridge-on-pod-network,file=vm.yaml,line=8" in ran.stdout
    assert outputs == {"status": "1", "sarif-file": "migratable.sarif"}
    assert json.loads((runner / "work" / "migratable.sarif").read_text())["version"] == "2.1.0"
    assert summary.startswith("## Migratable: ")


@pytest.mark.helm
def test_the_job_of_the_page_checks_the_example(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With the inputs of the page, the job renders the kustomization and the chart of ``examples/ci``.
    """
    [block] = [block for block in blocks("docs/ci.md", "yaml") if block.text.startswith("name: Migratable")]
    [step] = [
        step for step in yaml.safe_load(block.text)["jobs"]["migratable"]["steps"] if "migratable@" in step["uses"]
    ]
    shutil.copytree(ROOT / "examples" / "ci", runner / "work", dirs_exist_ok=True)
    for name in ("kubectl", "helm"):
        (runner / "temp" / name).symlink_to(find_binary(name))
    monkeypatch.setenv("PATH", f"{runner / 'temp'}:{os.environ['PATH']}")

    ran, outputs, _ = check(runner, **step["with"])

    assert outputs["status"] == "1"
    assert all(f"file={place}" in ran.stdout for place in ("apps/", "base/search.yaml,line=", "charts/desktop/"))


def test_a_clean_repository_passes(runner: Path) -> None:
    """
    Without findings the step succeeds and says so.
    """
    (runner / "work" / "vm.yaml").write_text(GOOD)

    ran, outputs, summary = check(runner)

    assert (ran.returncode, outputs["status"]) == (0, "0")
    assert "nothing found" in summary


def test_inputs_are_never_executed_as_code(runner: Path) -> None:
    """
    Paths with blanks, quotes, dollar signs and leading dashes are paths; nothing in an input is run.
    """
    work = runner / "work"
    names = ["with blank.yaml", "$(touch hacked).yaml", "-o.yaml", "quote'\".yaml"]
    for name in names:
        (work / name).write_text(GOOD)
    (work / "bad.yaml").write_text(BAD)

    ran, outputs, _ = check(runner, paths="\n".join(names) + "\n", arguments="--strict\n-v\n", sarif_file="a b.sarif")

    assert (ran.returncode, outputs["status"]) == (0, "0"), ran.stderr
    assert not (work / "hacked").exists()
    assert (work / "a b.sarif").exists()


def test_unreadable_input_and_wrong_flags_are_status_2(runner: Path) -> None:
    """
    A job without a check never passes.
    """
    (runner / "work" / "vm.yaml").write_text("a: [\n")

    broken, outputs, _ = check(runner)
    wrong, _, _ = check(runner, fail_on="fatal")

    assert (broken.returncode, outputs["status"]) == (2, "2")
    assert wrong.returncode == 2


def test_the_other_inputs_reach_the_check(runner: Path) -> None:
    """
    Configuration, baseline, release and threshold are what the command line calls so.
    """
    (runner / "work" / "vm.yaml").write_text(BAD)
    (runner / "base.yaml").write_text("skip: [LM1, LM3]\n")

    pinned, _, _ = check(runner, config=str(runner / "base.yaml"))
    never, _, _ = check(runner, fail_on="never", release="1.9")
    check(runner, arguments="--write-baseline\n--baseline=known.yaml")
    known, _, _ = check(runner, baseline="known.yaml")

    assert (pinned.returncode, never.returncode, known.returncode) == (0, 0, 0)


def test_the_install_step_uses_files_that_exist() -> None:
    """
    The step installs this repository with its hashed locks. Every file in it exists, and its code contains no input.
    """
    for name in ("requirements/checker.txt", "requirements/build.txt", "pyproject.toml"):
        assert (ROOT / name).is_file()
    assert "--require-hashes" in INSTALL["run"]
    for step in (INSTALL, CHECK):
        assert "${{" not in step["run"]
        subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_an_output_cannot_set_another_output(runner: Path) -> None:
    """
    A file name with a newline stays one value.
    """
    (runner / "work" / "vm.yaml").write_text(BAD)

    _, outputs, _ = check(runner, sarif_file="a\nstatus=0")

    assert outputs == {"status": "1", "sarif-file": "a\nstatus=0"}


def test_a_check_that_cannot_start_has_no_sarif_file_to_upload(runner: Path) -> None:
    """
    After an invalid configuration the output is empty, also if an earlier use of the action wrote that file.
    """
    (runner / "work" / "vm.yaml").write_text(BAD)
    check(runner)
    (runner / "work" / "migratable.yaml").write_text("nonsense: 1\n")

    ran, outputs, _ = check(runner)

    assert (ran.returncode, outputs) == (2, {"status": "2", "sarif-file": ""})
    assert not (runner / "work" / "migratable.sarif").exists()


def test_each_use_in_a_job_adds_its_own_summary(runner: Path) -> None:
    """
    A second use that cannot start does not repeat the summary of the first.
    """
    (runner / "work" / "vm.yaml").write_text(BAD)
    _, _, first = check(runner)
    (runner / "work" / "migratable.yaml").write_text("nonsense: 1\n")

    _, _, second = check(runner)

    assert second == first
    assert [path.name for path in (runner / "temp").iterdir()] == ["migratable"]


def test_annotations_and_code_scanning_have_no_exempted_findings(runner: Path) -> None:
    """
    GitHub shows a suppressed result as an open alert. The summary has the finding.
    """
    (runner / "work" / "vm.yaml").write_text(
        BAD.replace("- name: default", "- name: default  # migratable: allow LM101: lab")
    )

    ran, _, summary = check(runner)

    assert "LM101" not in ran.stdout
    assert "LM101" in summary
    (run,) = json.loads((runner / "work" / "migratable.sarif").read_text())["runs"]
    assert {"LM101"}.isdisjoint(result["ruleId"] for result in run["results"])
    assert run["results"]


@pytest.mark.parametrize(("version", "named"), [("3.10.12", "Python 3.10.12"), ("", "missing")])
def test_a_python_that_is_too_old_is_named_in_one_line(tmp_path: Path, version: str, named: str) -> None:
    """
    The step ends before pip can fail with an error of its own.
    """
    python = tmp_path / "python"
    if version:
        python.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit\nexit 1\n')
        python.chmod(0o755)

    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", INSTALL["run"]],
        env={"PATH": os.environ["PATH"], "PYTHON": str(python), "RUNNER_TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    (line,) = ran.stdout.splitlines()
    assert line.startswith("::error::Migratable needs Python 3.11 or newer")
    assert named in line
