"""What the program is called: ``migratable``, or ``kubectl migratable`` where kubectl found it as a plugin."""

import sys

PLUGIN = "kubectl-migratable"


def title() -> str:
    """As users type it, for help and usage errors."""
    return "kubectl migratable" if _file() == PLUGIN else "migratable"


def program() -> str:
    """The file that runs."""
    return PLUGIN if _file() == PLUGIN else "migratable"


def variable() -> str:
    """The environment variable by which shells ask for completions."""
    return f"_{program().upper().replace('-', '_')}_COMPLETE"


def _file() -> str:
    return sys.argv[0].rpartition("/")[2].replace("_", "-").removesuffix(".py")
