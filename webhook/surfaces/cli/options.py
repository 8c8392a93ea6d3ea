"""
The options of ``migratable check``, and a reader of plain command lines.

click takes longer to import than all rules together, and is needed for help, completion and mistakes alone. So the options
stand here as data: ``check`` makes click's command of them, and ``plain`` reads what has none of that. A test holds the two
equal. This file imports nothing that a check can do without.
"""

from collections.abc import Mapping, Sequence
from os import environ
from os.path import isfile
from typing import Any

import msgspec

from webhook.surfaces.cli.program_name import variable


class Option(msgspec.Struct, frozen=True):
    """One option; ``names`` as they are typed, ``key`` as ``run_check`` knows it."""

    names: tuple[str, ...]
    key: str
    help: str
    metavar: str | None = None
    is_flag: bool = False
    multiple: bool = False
    choices: tuple[str, ...] = ()
    is_file: bool = False
    """Whether the value names a file that must be there."""
    names_rule: bool = False
    """Whether shells complete the ids and names of rules."""
    default: str | bool | None = None

    @property
    def start(self) -> Any:  # noqa: ANN401 - values of all options
        """What it is if nobody gives it."""
        return () if self.multiple else self.default


FORMATS: Mapping[str, str] = {
    "text": "text",
    "json": "as_json",
    "yaml": "as_yaml",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "gitlab": "gitlab",
    "tap": "tap",
    "markdown": "markdown",
    "openreports": "openreports",
}
"""The module of ``webhook.report`` that renders each."""

FAIL_ON = ("deny", "warn", "never")

OPTIONS: tuple[Option, ...] = (
    Option(("-f", "--filename"), "files", "Same as PATH, as in kubectl.", "PATH", multiple=True),
    Option(("-R", "--recursive"), "recursive", "Read subfolders too.", is_flag=True, default=False),
    Option(("--ignore",), "ignore", "Files and folders to skip; a note lists them.", "PATTERN", multiple=True),
    Option(("--require-match",), "require_match", "Fail if no object was judged.", is_flag=True),
    Option(
        ("-o", "--output"),
        "outputs",
        f"Output format: {', '.join(FORMATS)}. Repeatable.",
        "FORMAT[=FILE]",
        multiple=True,
    ),
    Option(
        ("--release",), "release", "KubeVirt release. Default: the release in the KubeVirt CR, else any.", "any|1.x"
    ),
    Option(("--profile",), "profile", "Profile: strict (default) or exact.", choices=("strict", "exact")),
    Option(("--policy",), "policy", "Policy file.", is_file=True),
    Option(
        ("--facts",),
        "facts",
        "Manifests that are only used for references; they are not judged.",
        "PATH",
        multiple=True,
    ),
    Option(("--snapshot",), "snapshot", "Cluster objects that `migratable snapshot` saved.", "FILE"),
    Option(
        ("--only",),
        "only",
        "Use only these rules: ids, names, or a family such as LM2.",
        "RULE",
        multiple=True,
        names_rule=True,
    ),
    Option(("--skip",), "skip", "Do not use these rules.", "RULE", multiple=True, names_rule=True),
    Option(("--rule",), "rules", "Set the action of a rule: deny, warn, audit or off.", "RULE=ACTION", multiple=True),
    Option(("--baseline",), "baseline", "Known findings; they do not fail the check.", "FILE"),
    Option(
        ("--write-baseline",),
        "write_baseline",
        "Write all current findings to the baseline.",
        is_flag=True,
        default=False,
    ),
    Option(
        ("--fix",),
        "fix",
        "Apply safe fixes to the files; comments, order and style do not change.",
        is_flag=True,
        default=False,
    ),
    Option(("--diff",), "diff", "Print the changes of --fix as a patch; write nothing.", is_flag=True, default=False),
    Option(
        ("--options",),
        "options",
        "Print the fixes that need a choice, each with a number and a patch.",
        is_flag=True,
        default=False,
    ),
    Option(("--choose",), "choose", "Also apply option N of a rule, with --fix or --diff.", "RULE=N", multiple=True),
    Option(
        ("--config",),
        "config_file",
        "Configuration file. Default: the nearest migratable.yaml above the checked files.",
        is_file=True,
    ),
    Option(("--isolated",), "isolated", "Use no configuration file.", is_flag=True, default=False),
    Option(
        ("--show-config",),
        "show_config",
        "Print the settings in use and the origin of each, and exit.",
        is_flag=True,
        default=False,
    ),
    Option(
        ("--fail-on",), "fail_on", "Findings that give exit status 1: deny (default), warn, never.", choices=FAIL_ON
    ),
    Option(("--strict",), "strict", "Also fail on unproven results.", is_flag=True),
    Option(
        ("--color",),
        "color",
        "Color the text output. [default: auto]",
        choices=("auto", "always", "never"),
        default="auto",
    ),
    Option(
        ("-v", "--verbose"),
        "verbose",
        "Also show objects without findings, and assumptions.",
        is_flag=True,
        default=False,
    ),
)


def plain(words: Sequence[str]) -> dict[str, Any] | None:
    """
    What a command line asks ``check`` for, or None where click has to read it.

    That is for every other command, help, completion, mistakes, and for what few people write: short options in one word,
    values that begin with a dash.
    """
    if list(words[:1]) != ["check"] or variable() in environ:
        return None
    named = {name: option for option in OPTIONS for name in option.names}
    given: dict[str, Any] = {option.key: option.start for option in OPTIONS}
    paths: list[str] = []
    waiting = iter(words[1:])
    for word in waiting:
        if word == "-" or not word.startswith("-"):
            paths.append(word)
            continue
        name, is_joined, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = named.get(name)
        if option is None or (option.is_flag and is_joined):
            return None
        if option.is_flag:
            given[option.key] = True
            continue
        if not is_joined:
            value = next(waiting, "-")
        if not _fits(option, value):
            return None
        given[option.key] = (*given[option.key], value) if option.multiple else value
    return {"paths": tuple(paths), **given} if "" not in paths else None


def _fits(option: Option, value: str) -> bool:
    if not value or value.startswith("-"):
        return False
    if option.choices:
        return value in option.choices
    return not option.is_file or isfile(value)  # noqa: PTH113 - pathlib takes 3 ms to import
