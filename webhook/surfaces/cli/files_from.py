"""Reads the list of ``check --files-from``."""

import os
import sys

from webhook.errors import BadInput
from webhook.manifests.search import Listed


def read_list(name: str) -> list[Listed]:
    """
    The names in a list, separated by NUL if it contains NUL, and by newlines otherwise.

    Raises BadInput for a list that cannot be read.
    """
    try:
        if name == "-":
            content = sys.stdin.buffer.read()
        else:
            with open(name, "rb") as file:
                content = file.read()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", remedy="Check --files-from.", source=name) from None
    is_separated_by_nul = b"\0" in content
    names = content.split(b"\0") if is_separated_by_nul else [line.removesuffix(b"\r") for line in content.split(b"\n")]
    return [Listed("./-" if one == b"-" else os.fsdecode(one)) for one in names if one]
