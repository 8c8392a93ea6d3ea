"""The addresses of the pages. Names come from clusters and files, so each part is quoted."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

from webhook.surfaces.api.page.layout import FLEET

HOME: Final = FLEET
VMS: Final = f"{HOME}/vms"
NODES: Final = f"{HOME}/nodes"
POLICIES: Final = f"{HOME}/policies"
NO_NAMESPACE: Final = "-"
"""The part of an address for an object of a file without a namespace. No namespace has this name."""


def vm_address(namespace: str, name: str) -> str:
    """The page of a VM."""
    return f"{VMS}/{_part(namespace or NO_NAMESPACE)}/{_part(name)}"


def node_address(name: str) -> str:
    """The page of a node."""
    return f"{NODES}/{_part(name)}"


def listed(base: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A list with its parameters. Empty ones are left out."""
    query = urlencode([(name, value) for name, value in parameters if value])
    return f"{base}?{query}" if query else base


def _part(text: str) -> str:
    return quote(text, safe="")
