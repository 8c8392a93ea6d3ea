"""`migratable check` in a repository with a folder for each environment."""

import json
from pathlib import Path

import pytest

from tests.check.environments import a_claim, a_cr, a_vmi
from tests.generating import Manifest
from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable

RWO, RWX = a_claim("ReadWriteOnce"), a_claim("ReadWriteMany")


def put(root: Path, **environments: list[Manifest]) -> None:
    """Writes each environment to its folder, an object in each file."""
    for name, objects in environments.items():
        folder = root / name
        folder.mkdir(exist_ok=True)
        for manifest in objects:
            (folder / f"{manifest['kind']}.json".lower()).write_text(json.dumps(manifest))


@pytest.mark.parametrize("arguments", [["dev", "prod"], ["prod", "dev"], ["-R", "."]])
def test_the_order_of_arguments_does_not_matter(tmp_path: Path, arguments: list[str]) -> None:
    """
    The VM in dev/ is denied for the PVC in dev/.
    """
    put(tmp_path, dev=[a_vmi(), RWO], prod=[a_vmi(), RWX])

    ran = migratable("check", *arguments, "--isolated", "--release", "1.9", cwd=tmp_path)

    assert ran.status == 1
    assert "deny LM201 claim-not-shared  dev/virtualmachineinstance.json" in ran.out
    assert "1 denied" in ran.out


@pytest.mark.parametrize(("flags", "status"), [([], 0), (["--strict"], 1)])
def test_a_tie_is_unproven_and_fails_strict(tmp_path: Path, flags: list[str], status: int) -> None:
    """
    Also in two folders of references.
    """
    put(tmp_path, ci=[a_vmi()], dev=[RWO], prod=[RWX])

    for others in (["dev", "prod"], ["--facts", "prod", "--facts", "dev"]):
        ran = migratable("check", "ci", *others, *flags, "--isolated", "--release", "1.9", cwd=tmp_path)

        assert ran.status == status
        assert "dev/persistentvolumeclaim.json and prod/persistentvolumeclaim.json contain" in ran.out


def test_a_tie_without_a_finding_fails_strict_too(tmp_path: Path) -> None:
    """
    Two KubeVirt CRs that differ are a tie for every VM that is not near to one of them.
    """
    put(tmp_path, ci=[a_vmi(), RWX], dev=[a_cr("v1.8.0")], prod=[a_cr("v1.9.0")])

    ran = migratable("check", "ci", "dev", "prod", "--isolated", "--strict", cwd=tmp_path)

    assert ran.status == 1
    assert "contain different objects for the KubeVirt CR" in " ".join(ran.out.split())


def test_verbose_output_names_the_file_of_a_reference(tmp_path: Path) -> None:
    """
    It names the other files too.
    """
    put(tmp_path, dev=[a_vmi(), RWO], prod=[a_vmi(), RWX])

    ran = migratable("check", "-R", ".", "-v", "--isolated", "--release", "1.9", cwd=tmp_path)

    assert (
        "reference: PersistentVolumeClaim tenant/os is from dev/persistentvolumeclaim.json, the nearest file; others: "
        "prod/persistentvolumeclaim.json"
    ) in " ".join(ran.out.split())


def test_settings_are_those_of_the_nearest_kubevirt_cr(tmp_path: Path) -> None:
    """
    A note names the file, and the release where it differs.
    """
    for name, version, seconds in (("dev", "v1.8.0", 111), ("prod", "v1.9.0", 222)):
        cr = a_cr(version)
        cr["spec"]["configuration"]["migrations"] = {"completionTimeoutPerGiB": seconds}
        put(tmp_path, **{name: [a_vmi(name=name), cr]})

    report = json.loads(migratable("explain-settings", "-R", ".", "-o", "json", cwd=tmp_path).out)

    values = {
        machine["name"]: setting["value"]
        for machine in report["machines"]
        for setting in machine["cases"][0]["settings"]
        if setting["name"] == "completionTimeoutPerGiB"
    }
    assert values == {"dev": 111, "prod": 222}
    assert any("are for KubeVirt 1.8" in note for note in report["notes"])
    assert any("the KubeVirt CR is from dev/kubevirt.json" in note for note in report["notes"])


def check(folder: Path, *arguments: str) -> tuple[int, str]:
    flags = ("--isolated", "--release", "1.9", "--baseline", "baseline.yaml")
    ran = migratable("check", *arguments, *flags, cwd=folder)
    return ran.status, " ".join(ran.out.split())


def test_a_baseline_tells_environments_apart(tmp_path: Path) -> None:
    """
    A change that corrects dev/ and breaks prod/ fails, and only the entry of dev/ is fixed.
    """
    put(tmp_path, dev=[a_vmi(), RWO], prod=[a_vmi(), RWX])
    check(tmp_path, "-R", ".", "--write-baseline")
    assert check(tmp_path, "-R", ".")[0] == check(tmp_path, "dev")[0] == check(tmp_path, "prod")[0] == 0

    put(tmp_path, dev=[a_vmi(), RWX], prod=[a_vmi(), RWO])
    status, text = check(tmp_path, "-R", ".")

    assert status == 1
    assert "1 baseline entry is fixed: LM201 of VirtualMachineInstance tenant/web (dev/" in text


def test_only_the_corrected_environment_is_fixed(tmp_path: Path) -> None:
    """
    The entry of the other folder stays.
    """
    put(tmp_path, dev=[a_vmi(), RWO], prod=[a_vmi(), {**RWO, "metadata": {**RWO["metadata"], "labels": {"a": "b"}}}])
    check(tmp_path, "-R", ".", "--write-baseline")

    put(tmp_path, dev=[RWX])
    status, text = check(tmp_path, "-R", ".")

    assert status == 0
    assert "1 baseline entry is fixed: LM201 of VirtualMachineInstance tenant/web (dev/" in text
    assert "fixed" not in check(tmp_path, "prod")[1]


def test_a_baseline_does_not_depend_on_the_working_directory(tmp_path: Path) -> None:
    """
    Folders are relative to the baseline.
    """
    put(tmp_path, dev=[a_vmi(), RWO], prod=[a_vmi(), {**RWO, "metadata": {**RWO["metadata"], "labels": {"a": "b"}}}])
    check(tmp_path, "-R", ".", "--write-baseline")
    flags = ("--isolated", "--release", "1.9", "--baseline", "../baseline.yaml")

    assert migratable("check", ".", *flags, cwd=tmp_path / "dev").status == 0
    assert migratable("check", "../dev", ".", *flags, cwd=tmp_path / "prod").status == 0


def test_a_baseline_from_before_a_copy_stays_valid(tmp_path: Path) -> None:
    """
    The copy is new; the original is still known. Its fingerprint does not hold a folder.
    """
    put(tmp_path, dev=[a_vmi(), RWO])
    check(tmp_path, "-R", ".", "--write-baseline")
    put(tmp_path, prod=[a_vmi(), RWO])

    status, text = check(tmp_path, "-R", ".")

    assert status == 1
    assert "1 denied, 1 exempted" in text


def test_the_last_lines_explain_a_rule_that_is_not_in_the_baseline(tmp_path: Path) -> None:
    """
    Without a new finding, they explain none.
    """
    (tmp_path / "vm.yaml").write_text(BAD)
    check(tmp_path, "vm.yaml", "--write-baseline")
    assert "explain" not in check(tmp_path, "vm.yaml")[1]

    (tmp_path / "new.yaml").write_text(
        GOOD.replace("    devices:\n", "    devices:\n      hostDevices:\n      - {name: a, deviceName: b/c}\n")
    )

    assert "migratable explain LM301" in check(tmp_path, ".")[1]
