"""The other commands of ``migratable``, and their common behaviour."""

import json

import pytest

from tests.surfaces.running import migratable, process
from webhook import __version__
from webhook.rules.register import RULES
from webhook.surfaces.cli.main import COMMANDS


def test_help_lists_every_command() -> None:
    """
    ``migratable`` alone and ``--help`` name every command with the first line of its own help.
    """
    requested, alone = migratable("--help"), migratable()

    assert (requested.status, alone.status) == (0, 2)
    for name in COMMANDS:
        assert f"  {name} " in requested.out
        assert f"  {name} " in alone.out + alone.err


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_starts_with_its_summary(name: str) -> None:
    """
    It is the line in the list of commands.
    """
    ran = migratable(name, "--help")

    assert ran.status == 0
    assert COMMANDS[name].split(":")[0] in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["explain"], "Missing argument 'RULE|REASON|vm/NAME'."),
        (["rules", "-o", "xml"], "'xml' is not one of"),
        (["version", "--frobnicate"], "No such option"),
        (["serve", "--api-port", "many"], "'many' is not a valid integer."),
    ],
)
def test_a_usage_error_is_2(arguments: list[str], message: str) -> None:
    """
    On standard error, with what is wrong and how to get help.
    """
    ran = migratable(*arguments)

    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert "--help" in ran.err


@pytest.mark.parametrize("word", ["LM201", "claim-not-shared", "lm201"])
def test_a_rule_is_explained_by_id_or_name(word: str) -> None:
    """
    The explanation has KubeVirt's behaviour, the reason and the fix.
    """
    ran = migratable("explain", word)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("LM201 claim-not-shared")
    for heading in ("What KubeVirt does", "Why", "How to fix it", "Examples"):
        assert f"\n{heading}\n" in ran.out


def test_every_rule_can_be_explained() -> None:
    """
    No rule is without an explanation.
    """
    assert [migratable("explain", rule.id).status for rule in RULES] == [0] * len(RULES)


def test_a_reason_of_kubevirt_leads_to_its_rules() -> None:
    """
    In any case of the letters. Each reason of a rule has a list.
    """
    ran = migratable("explain", "disksnotlivemigratable")

    assert [line.split()[0] for line in ran.out.split("\n\n")[0].splitlines()] == ["LM201", "LM202", "LM204"]
    assert ran.out.endswith("\nTo fix it: migratable explain LM201\n")
    assert [migratable("explain", rule.reason).status for rule in RULES if rule.reason] == [
        0 for rule in RULES if rule.reason
    ]


def test_an_unknown_rule_gives_a_suggestion() -> None:
    """
    The status is 2.
    """
    ran = migratable("explain", "claim-not-share")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "error: unknown rule 'claim-not-share' (did you mean claim-not-shared?). Run `migratable rules` for the list.\n"
    )


def test_rules_are_listed_as_text_and_json() -> None:
    """
    Both lists have every rule, in order.
    """
    words, machine = migratable("rules"), migratable("rules", "-o", "json")

    assert [line.split()[0] for line in words.out.splitlines()] == [rule.id for rule in RULES]
    assert [load["id"] for load in json.loads(machine.out)] == [rule.id for rule in RULES]


def test_the_version_names_the_supported_releases() -> None:
    """
    One line for bug reports.
    """
    assert migratable("version").out == f"migratable {__version__} (KubeVirt 1.3 to 1.9)\n"


@pytest.mark.parametrize("command", ["check", "explain", "rules", "version"])
def test_the_command_line_starts_without_server_and_cluster_parts(command: str) -> None:
    """
    Neither fastapi nor kubernetes is imported where no server is started and no cluster is asked.
    """
    arguments = {"check": ["examples"], "explain": ["LM201"]}.get(command, [])
    heavy = ["fastapi", "starlette", "pydantic", "uvicorn", "kubernetes", "cryptography"]

    ran = process(command, *arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})

    imported = {line.rpartition("|")[2].strip() for line in ran.err.splitlines() if line.startswith("import time:")}
    assert "webhook.surfaces.cli" in imported
    assert imported.isdisjoint(heavy)
