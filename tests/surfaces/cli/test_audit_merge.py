"""``migratable audit --merge``: the reports of all shards become one."""

import json
import os
from pathlib import Path

import pytest

from tests.audit.clusters import claim, vm
from tests.surfaces.cli.audits import Run, audits
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS

OBJECTS = tuple(
    one
    for at in range(9)
    for one in (
        vm(f"vm-{at}", "os", namespace=f"ns-{at}"),
        claim("os", f"ns-{at}", "ReadWriteOnce" if at % 2 else "ReadWriteMany"),
    )
)
SHARDS = ("1.json", "2.json", "3.json")
TERMS = ("--owner", "team", "--until", "2999-01-01")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs ``migratable audit`` in a folder with the reports of three shards."""
    run = audits(monkeypatch, tmp_path)
    for number, name in enumerate(SHARDS, 1):
        run("--shard", f"{number}/3", "-o", f"json={name}", objects=OBJECTS)
    return run


@pytest.mark.parametrize("form", sorted({*AUDIT_FORMATS} - {"prometheus"}))
def test_merged_shards_print_what_one_audit_prints(run: Run, form: str) -> None:
    """
    The same bytes and the same status as without shards, in every format.
    """
    terms = TERMS if form == "exemptions" else ()

    merged = run("--merge", *SHARDS, "-o", form, *terms)

    whole = run("-o", form, *terms, objects=OBJECTS)
    assert (merged.status, merged.out) == (whole.status, whole.out)
    assert merged.out


def test_metrics_cannot_be_merged(run: Run) -> None:
    """
    A report does not contain the eviction strategy of a VM, and whether it runs.
    """
    ran = run("--merge", *SHARDS, "-o", "prometheus")

    assert ran.status == 2
    assert "Add it to the audits of the shards." in ran.err


def test_a_merge_reads_no_cluster(run: Run) -> None:
    """
    The command needs neither a kubeconfig nor a network.
    """
    assert run("--merge", *SHARDS, objects=(), cr={}).status == 1


@pytest.mark.parametrize(("minutes", "is_old"), [(29, False), (61, True)])
def test_a_file_of_an_earlier_audit_is_noted(run: Run, tmp_path: Path, minutes: int, is_old: bool) -> None:
    """
    A shard that failed leaves its file of the last run. The report is merged, and a note names the file.
    """
    newest = max((tmp_path / name).stat().st_mtime for name in SHARDS)
    os.utime(tmp_path / "2.json", (newest - minutes * 60, newest - minutes * 60))

    ran = run("--merge", *SHARDS)

    note = f"note: 2.json is {minutes} minutes older than the newest file: it can be of an earlier audit\n"
    assert (note in ran.err) is is_old
    assert "minutes older" not in ran.err.replace(note, "")
    assert ran.status == 1


def test_a_baseline_applies_to_the_merged_report(run: Run) -> None:
    """
    The baseline of the whole audit makes the merged one succeed.
    """
    run("-o", "baseline=known.yaml", objects=OBJECTS)

    ran = run("--merge", *SHARDS, "--baseline", "known.yaml", "--since-baseline", "--fail-on", "warn")

    assert ran.status == 0
    assert "LM201" not in ran.out


def test_notes_about_exemptions_are_made_from_all_shards(run: Run, tmp_path: Path) -> None:
    """
    An expired exemption gives one note, with the number of all findings that it covered.
    """
    policy = {"exemptions": [{"rule": "LM201", "reason": "x", "owner": "team", "until": "2001-01-01"}]}
    (tmp_path / "policy.yaml").write_text(json.dumps(policy))
    for number, name in enumerate(SHARDS, 1):
        run("--shard", f"{number}/3", "--policy", "policy.yaml", "-o", f"json={name}", objects=OBJECTS)

    merged = run("--merge", *SHARDS, "--policy", "policy.yaml", "-o", "json")

    assert merged.out == run("--policy", "policy.yaml", "-o", "json", objects=OBJECTS).out
    (note,) = json.loads(merged.out)["notes"]
    assert note.startswith("the exemption of LM201 for VirtualMachine ns-1/vm-1 and 3 more expired on 2001-01-01")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--merge", "1.json", "2.json"),
            "error: 1.json, 2.json: shard 3/3 missing. Name the reports of all 3 shards.",
        ),
        (("--merge", "1.json", "--merge", "1.json"), "error: 1.json: shard 1/3 is also in 1.json."),
        (("--merge", "absent.json"), "error: absent.json: cannot be read: No such file or directory."),
        (("--merge", "."), "error: .: cannot be read: Is a directory."),
        (("--merge", *SHARDS, "--release", "1.8"), "--merge reads no cluster. Remove --release"),
        (("--merge", *SHARDS, "--shard", "1/3"), "--merge reads no cluster. Remove --shard"),
        (("--merge", *SHARDS, "--reports", "auto"), "--merge reads no cluster. Remove --reports"),
        (("1.json",), "Got unexpected extra argument (1.json). Files follow --merge."),
    ],
)
def test_a_merge_that_cannot_be_whole_is_refused(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """
    A missing shard would look like a cluster with fewer VMs. Nothing is printed, and the error names the file.
    """
    ran = run(*arguments)

    assert ran.status == 2
    assert message in " ".join(ran.err.split())
    assert not ran.out
