"""
The options of ``migratable check``, and a reader of plain command lines.

There are two readers of the command line, because importing click takes 13 ms of CPU. A whole check takes 50 ms without click
and 63 ms with it. The limit is 60 ms (docs/decisions/0013). Only help, completion, usage errors and the other commands need
click. So the options are data here: ``check`` makes a click command from them, and ``read_plain`` reads the usual command
lines. ``tests/surfaces/cli/test_options.py`` checks that both readers give the same result. This file imports only what every
check needs.
"""

from collections.abc import Sequence
from os import environ
from os.path import isfile
from typing import Any, NamedTuple

from webhook.surfaces.cli.program_name import variable


class Option(NamedTuple):
    """
    An option: its ``names`` on the command line, and its ``key`` in ``run_check``. Not a struct, because help and completion
    start without msgspec.
    """

    names: tuple[str, ...]
    key: str
    help: str
    metavar: str | None = None
    is_flag: bool = False
    multiple: bool = False
    choices: tuple[str, ...] = ()
    is_file: bool = False
    """Whether the value is the name of a file that must exist."""
    names_rule: bool = False
    """Whether shell completion offers rule ids and names."""
    default: str | bool | None = None

    @property
    def initial(self) -> Any:  # noqa: ANN401 - values of all options
        """The value if the option is absent."""
        return () if self.multiple else self.default


FORMATS = (
    "text",
    "concise",
    "json",
    "yaml",
    "sarif",
    "junit",
    "checkstyle",
    "rdjson",
    "github",
    "gitlab",
    "tap",
    "markdown",
    "openreports",
)
"""``outputs`` maps each format to its renderer in ``webhook.report``."""

FAIL_ON = ("deny", "warn", "never")

OPTIONS: tuple[Option, ...] = (
    Option(("-f", "--filename"), "files", "Same as PATH, as in kubectl.", "PATH", multiple=True),
    Option(
        ("--files-from",),
        "files_from",
        "File with a list of paths (- for standard input), one per line or separated by NUL.",
        "FILE",
    ),
    Option(("-R", "--recursive"), "recursive", "Read subfolders too (the default).", is_flag=True, default=False),
    Option(("--no-recursive",), "no_recursive", "Read only the files in a folder itself.", is_flag=True, default=False),
    Option(("--ignore",), "ignore", "Files and folders to skip; a note counts them.", "PATTERN", multiple=True),
    Option(("--no-gitignore",), "no_gitignore", "Also read files in folders that .gitignore leaves out.", is_flag=True),
    Option(
        ("-k", "--kustomize"),
        "kustomizations",
        "Render the kustomization in a folder with kustomize or kubectl, and check the output.",
        "FOLDER",
        multiple=True,
    ),
    Option(
        ("--helm",),
        "charts",
        "Render a chart with helm template, and check the output.",
        "CHART",
        multiple=True,
    ),
    Option(("--values",), "values", "Values file for --helm.", "FILE", multiple=True, is_file=True),
    Option(("--set",), "chart_settings", "Value for --helm, as in helm.", "KEY=VALUE", multiple=True),
    Option(("--stdin-filename",), "stdin_filename", "Name of standard input in the output.", "PATH"),
    Option(("--require-match",), "require_match", "Fail if no object was judged.", is_flag=True),
    Option(
        ("-o", "--output"),
        "outputs",
        f"Output format: {', '.join(FORMATS)}. Repeatable.",
        "FORMAT[=FILE]",
        multiple=True,
    ),
    Option(
        ("--relative-to",),
        "relative_to",
        "Folder that the paths in formats for CI systems are relative to. Default: GITHUB_WORKSPACE, CI_PROJECT_DIR.",
        "FOLDER",
    ),
    Option(
        ("--omit-exempted",),
        "omit_exempted",
        "Leave exempted findings out of SARIF and annotations for GitHub, which would show them as open alerts.",
        is_flag=True,
        default=False,
    ),
    Option(
        ("--release",),
        "release",
        "KubeVirt release. Default: the release in the KubeVirt CR, or any if there is no CR.",
        "any|1.x",
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
        "Use only these rules: ids, names, or a family such as LM2, separated by commas.",
        "RULE",
        multiple=True,
        names_rule=True,
    ),
    Option(
        ("--skip",), "skip", "Do not use these rules (separated by commas).", "RULE", multiple=True, names_rule=True
    ),
    Option(("--rule",), "rules", "Set the action of a rule: deny, warn, audit or off.", "RULE=ACTION", multiple=True),
    Option(("--baseline",), "baseline", "File with known findings, which do not fail the check.", "FILE"),
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
        ("--jobs",),
        "jobs",
        "Maximum number of processes for a check of many files. Default: auto, the cores that the process may use.",
        "auto|N",
        default="auto",
    ),
    Option(
        ("--color",),
        "color",
        "Color the text output. [default: auto]",
        choices=("auto", "always", "never"),
        default="auto",
    ),
    Option(
        ("-q", "--quiet"),
        "quiet",
        "Print only findings and errors: no notes, hints, summary or known findings.",
        is_flag=True,
        default=False,
    ),
    Option(
        ("--statistics",),
        "statistics",
        "Print the number of findings for each rule as text.",
        is_flag=True,
        default=False,
    ),
    Option(
        ("-v", "--verbose"),
        "verbose",
        "Also show objects without findings, and assumptions.",
        is_flag=True,
        default=False,
    ),
)


def read_plain(words: Sequence[str]) -> dict[str, Any] | None:
    """
    The options of a plain ``check`` command line, by key; None if click must read the command line.

    click reads every other command, help, completion and usage errors. click also reads two rare forms: several short
    options in one word, and values that begin with a dash.
    """
    if list(words[:1]) != ["check"] or variable() in environ:
        return None
    options = {name: option for option in OPTIONS for name in option.names}
    values: dict[str, Any] = {option.key: option.initial for option in OPTIONS}
    paths: list[str] = []
    remaining = iter(words[1:])
    for word in remaining:
        if word == "-" or not word.startswith("-"):
            paths.append(word)
            continue
        name, is_joined, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = options.get(name)
        if option is None or (option.is_flag and is_joined):
            return None
        if option.is_flag:
            values[option.key] = True
            continue
        if not is_joined:
            value = next(remaining, "-")
        if not _is_valid(option, value):
            return None
        values[option.key] = (*values[option.key], value) if option.multiple else value
    return {"paths": tuple(paths), **values} if "" not in paths else None


def _is_valid(option: Option, value: str) -> bool:
    if not value or value.startswith("-"):
        return False
    if option.choices:
        return value in option.choices
    return not option.is_file or isfile(value)  # noqa: PTH113 - pathlib takes 3 ms to import
