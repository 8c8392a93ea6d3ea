"""The name of the program: ``migratable``, or ``kubectl migratable`` if it runs as a kubectl plugin."""

import sys

PLUGIN = "kubectl-migratable"


def title() -> str:
    """The name as the user types it, for help and usage errors."""
    return "kubectl migratable" if _file() == PLUGIN else "migratable"


def program() -> str:
    """The file name of the program."""
    return PLUGIN if _file() == PLUGIN else "migratable"


def variable() -> str:
    """The environment variable that a shell sets to request completions."""
    return f"_{program().upper().replace('-', '_')}_COMPLETE"


def _file() -> str:
    return sys.argv[0].rpartition("/")[2].replace("_", "-").removesuffix(".py")
