"""Archives depend only on their content."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.release import archives, chart, sboms
from tools.release.__main__ import CHART, ROOT, main
from webhook import __version__

EPOCH = 1_796_000_000
CHANGELOG = """\
# Changelog

## Unreleased

## 1.0.0 - 2026-01-02

### Added
- LM101: a [rule](docs/rules/LM101.md)
  about bridges.
- A page.

### Fixed
- `check` ended.

## 0.9.0 - 2026-01-01

### Added
- An older entry.
"""


def members(content: bytes) -> dict[str, bytes]:
    """The files of a tar archive, compressed or not."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def test_an_archive_has_sorted_names_one_time_and_no_owner(tmp_path: Path) -> None:
    """
    The order, the times and the owners of the files on the computer leave no trace.
    """
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)

    content = archives.tar({"b": tmp_path / "run", "a": b"text"}, EPOCH)

    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = [(m.name, m.mtime, m.uid, m.gid, m.uname, oct(m.mode)) for m in archive]
    assert found == [("a", EPOCH, 0, 0, "", "0o644"), ("b", EPOCH, 0, 0, "", "0o755")]


def test_a_folder_packed_on_another_day_has_the_same_bytes(tmp_path: Path) -> None:
    """
    The times of the files are not in the archive.
    """
    packed = []
    for day in (1, 2):
        folder = tmp_path / str(day) / "plugin"
        folder.mkdir(parents=True)
        for name in ("b", "a")[:: 1 if day == 1 else -1]:
            (folder / name).write_text(name)
            os.utime(folder / name, (day * 86400, day * 86400))
        archives.main(str(folder), str(tmp_path / f"{day}.tar.gz"), str(EPOCH))
        packed.append((tmp_path / f"{day}.tar.gz").read_bytes())

    assert packed[0] == packed[1]
    assert members(packed[0]) == {"plugin/a": b"a", "plugin/b": b"b"}


def test_a_compressed_file_names_no_operating_system() -> None:
    """
    Pythons that leave the header to zlib write another byte there (RFC 1952, section 2.3: 255 is unknown).
    """
    assert archives.compressed(b"text")[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def test_the_chart_has_the_changes_of_the_newest_release() -> None:
    """
    Artifact Hub shows them. An empty section is left out.
    """
    files = members(chart.packed(CHART, CHANGELOG, EPOCH))

    read = yaml.safe_load(files["migratable/Chart.yaml"])
    assert yaml.safe_load(read["annotations"]["artifacthub.io/changes"]) == [
        {"kind": "added", "description": "LM101: a rule about bridges."},
        {"kind": "added", "description": "A page."},
        {"kind": "fixed", "description": "`check` ended."},
    ]
    assert read["version"] == read["appVersion"] == __version__
    assert {"migratable/values.yaml", "migratable/values.schema.json", "migratable/README.md"} <= files.keys()


def test_the_chart_has_changes_of_each_kind() -> None:
    """
    Many additions do not hide what was corrected.
    """
    changelog = "## 1.0.0\n\n### Added\n" + "- An entry.\n" * 50 + "\n### Fixed\n- `check` ended.\n"

    assert [change["kind"] for change in chart.changes(changelog)] == ["added"] * 10 + ["fixed"]


def test_the_icon_of_the_chart_is_a_file_of_the_repository() -> None:
    """
    And the other annotations are lists, which Artifact Hub reads as YAML.
    """
    read = chart.metadata(CHART)

    assert (ROOT / read["icon"].partition("/main/")[2]).is_file()
    for name in ("links", "images"):
        assert all({"name"} < entry.keys() for entry in yaml.safe_load(read["annotations"][f"artifacthub.io/{name}"]))
    assert f":{__version__}" in read["annotations"]["artifacthub.io/images"]


def test_the_oci_archive_of_the_chart_contains_what_it_names() -> None:
    """
    Each digest is that of a blob of the given size, as registries verify.
    """
    content = chart.packed(CHART, CHANGELOG, EPOCH)

    files = members(archives.chart_layout(chart.metadata(CHART), content, EPOCH))

    def blob(descriptor: dict[str, Any]) -> bytes:
        data = files[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (descriptor["digest"][7:], descriptor["size"])
        return data

    [described] = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(described))
    assert json.loads(blob(manifest["config"]))["name"] == "migratable"
    assert blob(manifest["layers"][0]) == content
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


@pytest.mark.parametrize(
    ("machine", "digests"), [("x86_64", ["bb", "cc"]), ("aarch64", ["bb", "dd"]), ("riscv64", ["bb"])]
)
def test_an_sbom_has_the_packages_that_the_platform_gets(tmp_path: Path, machine: str, digests: list[str]) -> None:
    """
    With version, package URL and the hash of the wheel, and the same text in each build.
    """
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "click==8.5.1 \\\n    --hash=sha256:bb \\\n    --hash=sha256:aa\n"
        "msgspec==0.21.1 ; platform_machine in 'x86_64 aarch64' \\\n    --hash=sha256:cc \\\n    --hash=sha256:dd\n"
    )
    wheels = {"bb": "click-8.5.1-py3-none-any.whl", "cc": "msgspec-linux_x86_64.whl", "dd": "msgspec-linux_aarch64.whl"}

    texts = {sboms.sbom(lock, "1.0.0", EPOCH, wheels, machine=machine, python=(3, 13)) for _ in range(2)}

    [text] = texts
    body = json.loads(text)
    names = [component["purl"] for component in body["components"]]
    assert names == ["pkg:pypi/click@8.5.1", "pkg:pypi/msgspec@0.21.1"][: len(digests)]
    assert [entry["content"] for component in body["components"] for entry in component["hashes"]] == digests
    assert (body["bomFormat"], body["specVersion"]) == ("CycloneDX", "1.6")
    assert body["metadata"]["component"]["purl"] == "pkg:pypi/kubevirt-migratable@1.0.0"


def test_a_release_needs_a_tree_without_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Otherwise the files would belong to no commit.
    """
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    monkeypatch.setattr("tools.release.__main__.ROOT", tmp_path)

    assert main(["build", "--dist", str(tmp_path / "dist")]) == 1
    assert "Commit them" in capsys.readouterr().err


def test_the_workflow_compares_the_tag_and_builds_twice() -> None:
    """
    And no job has rights that its steps do not need.
    """
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]

    assert workflow["permissions"] == {}
    assert workflow["jobs"]["build"]["permissions"] == {"contents": "read"}
    assert any("GITHUB_REF_NAME" in run and "OWNER/" in run for run in steps)
    assert any("diff first/SHA256SUMS dist/SHA256SUMS" in run for run in steps)
