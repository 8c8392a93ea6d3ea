"""
``migratable check`` as a click command: for help, completion, usage errors, and the command lines that
``options.read_plain`` does not read.
"""

import sys
from typing import Any, NoReturn

import click

from webhook.surfaces.cli.commands import cli
from webhook.surfaces.cli.main import begin_imports, finish_imports
from webhook.surfaces.cli.options import FORMATS, OPTIONS, Option
from webhook.surfaces.cli.program_name import title
from webhook.surfaces.cli.rule_parameter import RULE_NAME, Suggested


def _releases() -> tuple[str, ...]:
    # imported here, because help and the completion of names start without msgspec
    from webhook.kubevirt.releases import SUPPORTED, release_names

    return "any", *release_names(SUPPORTED)


SUGGESTED = {"outputs": lambda: FORMATS, "release": _releases}
"""The words that shell completion offers, by the key of the option."""


def _option(option: Option) -> click.Option:
    kind: Any = str
    if option.choices:
        kind = click.Choice(option.choices)
    elif option.is_file:
        kind = click.Path(exists=True, dir_okay=False)
    elif option.names_rule:
        kind = RULE_NAME
    elif option.key in SUGGESTED:
        kind = Suggested(SUGGESTED[option.key])
    return click.Option(
        [*option.names, option.key],
        type=None if option.is_flag else kind,
        is_flag=option.is_flag,
        multiple=option.multiple,
        default=option.default,
        metavar=option.metavar,
        help=option.help,
    )


def _run(**options: Any) -> None:  # noqa: ANN401 - the options
    begin_imports()
    from webhook.surfaces.cli.run_check import run  # help and completion do not need it
    from webhook.surfaces.cli.status import UsageMistake

    finish_imports()
    try:
        run(options)
    except UsageMistake as error:
        raise click.UsageError(str(error)) from None


command = click.Command(
    "check",
    callback=_run,
    params=[click.Argument(["paths"], nargs=-1, metavar="[PATH|-]..."), *map(_option, OPTIONS)],
    help=(
        "Check whether the VMs in manifests can be live-migrated.\n\n"
        "PATH is a file, a folder, or - for standard input. References between all inputs are resolved. A result that "
        "depends on a missing object is unproven; the output names the object."
    ),
)


def fail_usage(message: str) -> NoReturn:
    """Prints a usage error of ``check`` in click's form, and exits with status 2."""
    parent = click.Context(cli, info_name=title(), **cli.context_settings)
    error = click.UsageError(message, click.Context(command, parent, info_name="check"))
    error.show()
    sys.exit(error.exit_code)
