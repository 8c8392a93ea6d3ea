"""The pages as one plain list. This module does no I/O."""

from collections.abc import Iterable

from webhook.console.state import VM, Source, State
from webhook.surfaces.api.console.messages import PageReply, PageRequest
from webhook.surfaces.api.page.layout import document
from webhook.surfaces.api.page.markup import Html, element


def render(source: Source, request: PageRequest) -> PageReply:
    """A list of the VMs that the caller may see."""
    state = source.state()
    if state.unfinished and not state.vms:
        return PageReply(200, document("Fleet", element("h1", "Fleet"), element("p", reading(state))), state.version)
    if request.path not in ("", "/", "/vms"):
        return PageReply(404, document("Not found", element("h1", "There is no such page")), state.version)
    vms = [vm for vm in state.vms if request.sight.shows(vm.namespace)]
    body = document(
        "Fleet", element("h1", "Fleet"), element("p", f"{len(vms)} VMs, KubeVirt {state.release}"), _table(vms[:100])
    )
    return PageReply(200, body, state.version)


def reading(state: State) -> str:
    """Why the state is not complete."""
    return f"The cluster is being read: {state.unfinished}."


def _table(vms: Iterable[VM]) -> Html:
    head = element("tr", *(element("th", name) for name in ("Namespace", "Name", "Live migration", "Reason")))
    rows = (
        element("tr", *(element("td", text) for text in (vm.namespace, vm.name, vm.migratability, vm.reason)))
        for vm in vms
    )
    return element("table", element("thead", head), element("tbody", rows))
