"""Chooses the page for an address. This module does no I/O."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from webhook.console.pages.addresses import NO_NAMESPACE
from webhook.console.pages.errors import bad_parameter, not_found
from webhook.console.pages.node_list import PARAMETERS as OF_NODES
from webhook.console.pages.node_list import node_list
from webhook.console.pages.node_page import node_page
from webhook.console.pages.overview import PARAMETERS as OF_OVERVIEW
from webhook.console.pages.overview import overview
from webhook.console.pages.policy_page import PARAMETERS as OF_POLICIES
from webhook.console.pages.policy_page import policy_page
from webhook.console.pages.query import Check, Parameters, anything
from webhook.console.pages.seen import Seen
from webhook.console.pages.vm_list import vm_list
from webhook.console.pages.vm_page import vm_page
from webhook.console.pages.vm_rows import known_parameters
from webhook.console.state import Source
from webhook.errors import BadInput
from webhook.surfaces.api.console.messages import OF_A_VM, PageRequest


class _Page(NamedTuple):
    """A page without a name in its address."""

    known: Callable[[Seen], Mapping[str, Check]]
    render: Callable[[Seen, Parameters], bytes]


_PAGES: Final[Mapping[str, _Page]] = {
    "": _Page(lambda _seen: OF_OVERVIEW, overview),
    "/vms": _Page(known_parameters, vm_list),
    "/nodes": _Page(lambda _seen: OF_NODES, node_list),
    "/policies": _Page(lambda _seen: OF_POLICIES, policy_page),
}
_OF_OBJECTS: Final = {"namespace": anything}
_OF_A_NODE: Final = "/nodes/"


def render(source: Source, request: PageRequest) -> tuple[int, bytes]:
    """The status and the page for a request."""
    seen = Seen(source, request.sight, request.namespace)
    try:
        return _page(seen, request)
    except BadInput as error:
        return 400, bad_parameter(seen, error)


def _page(seen: Seen, request: PageRequest) -> tuple[int, bytes]:
    path = request.path.rstrip("/")
    page = _PAGES.get(path)
    if page is not None and _may_see(seen, path):
        return 200, page.render(seen, Parameters(request.query, page.known(seen)))
    if path.startswith(OF_A_VM):
        Parameters(request.query, _OF_OBJECTS)
        namespace, _, name = path.removeprefix(OF_A_VM).partition("/")
        return vm_page(seen, "" if namespace == NO_NAMESPACE else namespace, name)
    if path.startswith(_OF_A_NODE):
        Parameters(request.query, _OF_OBJECTS)
        return node_page(seen, path.removeprefix(_OF_A_NODE))
    return 404, not_found(seen)


def _may_see(seen: Seen, path: str) -> bool:
    return {"/nodes": seen.sight.nodes, "/policies": seen.sight.policies}.get(path, True)
