"""Known findings of ``migratable audit``: baselines and exemptions."""

import json
from pathlib import Path

import pytest

from tests.audit.clusters import claim, vm
from tests.surfaces.cli.audits import BAD, Run, audits
from tests.surfaces.running import Ran
from webhook.manifests.policy_file import read_policy

TERMS = ("--owner", "platform team", "--until", "2999-01-31")
OTHER = (vm("new", "disk"), claim("disk", mode="ReadWriteOnce"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs ``migratable audit`` in a folder, on a cluster with some objects."""
    return audits(monkeypatch, tmp_path)


def findings(ran: Ran) -> list[tuple[str, str]]:
    return [(judged["name"], one["rule"]) for judged in json.loads(ran.out)["objects"] for one in judged["findings"]]


def test_a_baseline_makes_the_next_audit_succeed(run: Run) -> None:
    """
    The findings of today are known, and do not fail an audit with this baseline.
    """
    assert run("-o", "baseline=known.yaml").status == 1

    ran = run("--baseline", "known.yaml", "--fail-on", "warn")

    assert ran.status == 0
    assert ran.out.endswith("2 exempted in 2 objects\n")


def test_a_new_finding_fails_although_others_are_known(run: Run) -> None:
    """
    A VM that is not in the baseline fails the audit.
    """
    run("-o", "baseline=known.yaml")

    ran = run("--baseline", "known.yaml", objects=(*BAD, *OTHER))

    assert ran.status == 1
    assert "shop/new" in ran.out
    assert "shop/web" not in ran.out


def test_only_new_findings_are_shown_since_the_baseline(run: Run) -> None:
    """
    ``--since-baseline`` leaves known findings out of every format. All VMs stay, with their verdicts.
    """
    run("-o", "baseline=known.yaml")
    known = run("--baseline", "known.yaml", "-o", "json", objects=(*BAD, *OTHER))

    new = run("--baseline", "known.yaml", "--since-baseline", "-o", "json", objects=(*BAD, *OTHER))

    assert {name for name, _ in findings(known)} == {"web", "new"}
    assert {name for name, _ in findings(new)} == {"new"}
    assert json.loads(new.out)["summary"]["exempted"] == 0
    assert len(json.loads(new.out)["objects"]) == len(json.loads(known.out)["objects"])


@pytest.mark.parametrize("objects", [(vm("web", "os"), claim("os")), ()], ids=["mended", "deleted"])
def test_a_fixed_entry_is_named(run: Run, objects: tuple[object, ...], tmp_path: Path) -> None:
    """
    A VM that was mended or deleted gives a note, and writing the baseline again removes its entries.
    """
    run("-o", "baseline=known.yaml")

    ran = run("--baseline", "known.yaml", "-o", "baseline=known.yaml", objects=objects)

    assert (
        "2 baseline entries are fixed: LM201 of VirtualMachine shop/web, LM501 of VirtualMachine shop/web." in ran.err
    )
    assert "shop/web" not in (tmp_path / "known.yaml").read_text()


def test_an_entry_of_another_namespace_is_not_fixed(run: Run) -> None:
    """
    An audit of one namespace says nothing about the others.
    """
    run("-o", "baseline=known.yaml")

    ran = run("--baseline", "known.yaml", "-n", "lab", "-o", "json")

    assert "fixed" not in ran.err


def test_an_entry_is_not_fixed_while_a_fact_is_missing(run: Run) -> None:
    """
    The claim cannot be found now, so the finding is unproven, not fixed.
    """
    run("-o", "baseline=known.yaml")

    ran = run("--baseline", "known.yaml", "-o", "json", objects=BAD[:1])

    assert "LM201 of VirtualMachine" not in ran.err


def test_writing_a_baseline_again_keeps_known_findings(run: Run, tmp_path: Path) -> None:
    """
    The new baseline has the known findings and the new ones.
    """
    run("-o", "baseline=known.yaml")

    run("--baseline", "known.yaml", "-o", "baseline=both.yaml", objects=(*BAD, *OTHER))

    entries = (tmp_path / "both.yaml").read_text()
    assert "shop/web" in entries
    assert "shop/new" in entries
    assert run("--baseline", "both.yaml", objects=(*BAD, *OTHER)).status == 0


def test_exemptions_make_the_next_audit_succeed(run: Run, tmp_path: Path) -> None:
    """
    The entries are a policy file. With it, denied findings are exempted, and warnings stay.
    """
    assert run("-o", "exemptions=policy.yaml", *TERMS, "--reason", "older than the policy").status == 1

    ran = run("--policy", "policy.yaml", "-o", "json")

    assert ran.status == 0
    assert json.loads(ran.out)["summary"]["exempted"] == 1
    (exemption,) = read_policy(tmp_path / "policy.yaml").exemptions
    assert (exemption.rule, exemption.kind, exemption.namespace, exemption.name) == (
        *("LM201", "VirtualMachine", "shop", "web"),
    )
    assert (exemption.owner, exemption.until, exemption.reason) == (
        *("platform team", "2999-01-31", "older than the policy"),
    )


def test_exemptions_cover_what_fails_the_audit(run: Run) -> None:
    """
    With ``--fail-on warn``, the exemptions also cover warnings.
    """
    run("-o", "exemptions=policy.yaml", *TERMS, "--fail-on", "warn")

    assert run("--policy", "policy.yaml", "--fail-on", "warn").status == 0


def test_a_hostile_owner_stays_text(run: Run, tmp_path: Path) -> None:
    """
    Owner and reason are values, whatever they contain.
    """
    hostile = 'a: "b"\n- rule: LM101 # {}'

    run("-o", "exemptions=policy.yaml", "--owner", hostile, "--until", "2999-01-31", "--reason", hostile)

    (exemption,) = read_policy(tmp_path / "policy.yaml").exemptions
    assert exemption.owner == hostile
    assert exemption.reason == hostile


def test_a_clean_cluster_has_a_valid_file_without_entries(run: Run, tmp_path: Path) -> None:
    """
    Without findings, the baseline and the policy file are valid and empty.
    """
    clean = (vm("web", "os"), claim("os"))

    assert run("-o", "baseline=known.yaml", "-o", "exemptions=policy.yaml", *TERMS, objects=clean).status == 0

    assert not read_policy(tmp_path / "policy.yaml").exemptions
    assert run("--baseline", "known.yaml", "--policy", "policy.yaml", objects=clean).status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--since-baseline",), "--since-baseline needs --baseline FILE."),
        (
            ("--since-baseline", "--baseline", "x", "-o", "baseline"),
            "-o baseline writes known findings too. Remove --since-baseline.",
        ),
        (
            ("--baseline", "x", "--shard", "1/2"),
            "--baseline needs the whole audit. Give it to the command with --merge.",
        ),
        (
            ("-o", "exemptions", "--until", "2999-01-01"),
            "-o exemptions needs --owner: each exemption has an owner and a last day.",
        ),
        (
            ("-o", "exemptions", "--owner", "me"),
            "-o exemptions needs --until: each exemption has an owner and a last day.",
        ),
        (
            ("-o", "exemptions", "--owner", "me", "--until", "31.1.2999"),
            "--until 31.1.2999: not a date. Write YYYY-MM-DD.",
        ),
        (
            ("-o", "exemptions", "--owner", "me", "--until", "2001-01-01"),
            "--until 2001-01-01: the date is in the past.",
        ),
        (("--owner", "me"), "--owner is for exemptions. Add -o exemptions."),
        (("--reason", "x", "-o", "json"), "--reason is for exemptions. Add -o exemptions."),
    ],
)
def test_options_without_effect_are_refused(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """
    The error says which option to add or to remove. The cluster is not read.
    """
    ran = run(*arguments)

    assert ran.status == 2
    assert message in " ".join(ran.err.split())
    assert not ran.out


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("findings: 1", "expected a list")])
def test_an_unusable_baseline_is_an_error(run: Run, tmp_path: Path, content: str | None, message: str) -> None:
    """
    A missing or invalid baseline gives status 2, and names the file and both commands that write one.
    """
    if content is not None:
        (tmp_path / "known.yaml").write_text(content)

    ran = run("--baseline", "known.yaml")

    assert ran.status == 2
    assert "baseline known.yaml" in ran.err
    assert message in ran.err
    assert "audit -o baseline" in ran.err
