"""Notes on exemptions that cover no finding."""

from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable

ENTRY = "{{rule: {rule}, reason: r, owner: me, until: '2999-01-01'{more}}}"
NOTHING = "exempts nothing: there is no such finding\n"
PATTERN = "exempts nothing: 'b*' is compared literally; patterns are not supported\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for team, text in (("a", BAD), ("b", GOOD)):
        (tmp_path / team).mkdir()
        (tmp_path / team / "vm.yaml").write_text(text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def configured(folder: Path, rule: str = "LM101", more: str = "", key: str = "exemptions") -> None:
    (folder / "migratable.yaml").write_text(f"{key}: [{ENTRY.format(rule=rule, more=more)}]\n")


@pytest.mark.parametrize(
    ("rule", "more", "note"),
    [
        ("LM101", "", ""),
        ("bridge-on-pod-network", ", name: bad", ""),
        ("LM101", ", name: other", f"note: the exemption of LM101 for other (owner: me) {NOTHING}"),
        ("LM201", ", namespace: tenant", f"note: the exemption of LM201 for tenant (owner: me) {NOTHING}"),
        (
            "LM101",
            ", name: 'b*'",
            f"note: the exemption of LM101 for b* (owner: me) {PATTERN}",
        ),
    ],
)
def test_an_exemption_that_covers_no_finding_is_noted(repository: Path, rule: str, more: str, note: str) -> None:
    """
    Names are compared as they are.
    """
    configured(repository, rule, more)

    ran = migratable("check", ".", cwd=repository)

    assert (note in ran.err) if note else ("exempts nothing" not in ran.err)


@pytest.mark.parametrize(
    "words", [("b",), ("b/vm.yaml",), (".", "--skip", "LM101"), (".", "--no-recursive", "b")], ids=" ".join
)
def test_a_check_of_a_part_is_silent_about_other_parts(repository: Path, words: tuple[str, ...]) -> None:
    """
    Also if the rule is off.
    """
    configured(repository)

    assert "exempts nothing" not in migratable("check", *words, cwd=repository).err


def test_a_policy_file_is_noted_only_for_patterns(repository: Path) -> None:
    """
    It also applies to a cluster, whose objects need no manifest here.
    """
    entries = [ENTRY.format(rule="LM101", more=f", name: {name}") for name in ("other", "'w?b'")]
    (repository / "policy.yaml").write_text(f"exemptions: [{', '.join(entries)}]\n")

    ran = migratable("check", ".", "--policy", "policy.yaml", cwd=repository)

    assert ran.err.count("exempts nothing") == 1
    assert "'w?b' is compared literally" in ran.err
