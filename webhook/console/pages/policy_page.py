"""The MigrationPolicies: their settings, the VMs for which each decides, and those that another policy decides for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from webhook.console.pages.addresses import POLICIES, VMS, listed, vm_address
from webhook.console.pages.frame import notices, page
from webhook.console.pages.listing import pager, part_of
from webhook.console.pages.query import Check, Parameters, anything, whole_number
from webhook.console.pages.seen import Seen
from webhook.console.pages.words import none_of, number
from webhook.console.state import MatchedPolicy
from webhook.report.grouping import some
from webhook.report.phrases import plural
from webhook.report.sentences import sentence
from webhook.surfaces.api.page.layout import badge, table, trail
from webhook.surfaces.api.page.markup import Child, Html, element

PARAMETERS: Final[Mapping[str, Check]] = {"name": anything, "namespace": anything, "page": whole_number}
_MOST_NAMES: Final = 5
_MOST_WINNERS, _MOST_TIES = 10, 20
"""The maximum number of other policies that a policy names. Each namespace can have a policy of its own."""
_PAGE: Final = 20
"""The number of policies of a page."""
_OBJECTS: Final = {"namespace": "the namespace", "vmi": "the VMI"}


def policy_page(seen: Seen, parameters: Parameters) -> bytes:
    """The page."""
    name = parameters["name"]
    policies = [policy for policy in seen.state.policies if name in ("", policy.name)]
    part = part_of(policies, parameters["page"], _PAGE)
    return page(
        seen,
        "MigrationPolicies",
        trail((POLICIES, "Policies"), here=name) if name else None,
        element("h1", "MigrationPolicies"),
        notices(seen),
        element(
            "p",
            "KubeVirt uses one MigrationPolicy for a VM: the one that matches with the most labels, then with the most labels of "
            "the VMI, then the first by name.",
            class_="lead",
        ),
        [_policy(policy) for policy in part.items]
        or (
            element("p", "There is no such MigrationPolicy.")
            if name and seen.state.policies
            else none_of("MigrationPolicies", seen.state.unread, "MigrationPolicy")
        ),
        pager(part, POLICIES, parameters),
        here=POLICIES,
        command="migratable explain vm/NAMESPACE/NAME",
    )


def _policy(policy: MatchedPolicy) -> Html:
    return element(
        "article",
        element("h2", policy.name),
        element("p", badge("deny", "matches no VM"), " ", sentence(policy.problem)) if policy.problem else None,
        element("div", _selectors(policy), _settings(policy), class_="columns"),
        *_matches(policy),
        id=f"policy-{policy.name}",
        class_="object policy",
    )


def _selectors(policy: MatchedPolicy) -> Html:
    rows = [(f"{key}={value}", _OBJECTS[kind]) for kind, key, value in policy.selectors]
    return _table("Selectors", ("Label", "Required of"), rows, "no required label")


def _settings(policy: MatchedPolicy) -> Html:
    return _table("Settings", ("Setting", "Value"), policy.settings, "no setting")


def _table(title: str, head: tuple[str, str], rows: Sequence[tuple[str, str]], empty: str) -> Html:
    if not rows:
        return element("div", element("h3", title), element("p", sentence(empty.capitalize()), class_="small"))
    return element("div", element("h3", title), table(head, rows))


def _matches(policy: MatchedPolicy) -> Iterator[Child]:
    yield _line("good" if policy.decides else "note", "in force", [("policy", policy.name)], policy.decides, "No VM.")
    by_winner: dict[str, list[tuple[str, str]]] = {}
    for namespace, name, winner in policy.loses:
        by_winner.setdefault(winner, []).append((namespace, name))
    for winner, vms in sorted(by_winner.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST_WINNERS]:
        parameters = [("loses", policy.name), ("policy", winner)]
        yield _line("note", f"{winner} is in force instead", parameters, vms)
    if len(by_winner) > _MOST_WINNERS:
        rest = plural(len(by_winner) - _MOST_WINNERS, "more policy")
        link = element("a", plural(len(policy.loses), "VM"), href=listed(VMS, [("loses", policy.name)]))
        yield element("p", f"With {rest}, another policy is in force for ", link, ".", class_="small")
    if policy.unknown:
        yield _line(
            "open", "may be in force, labels of the namespace are not known", [("maybe", policy.name)], policy.unknown
        )
    if policy.tied_with:
        yield element(
            "p",
            badge("warn", "tie"),
            f" {some(policy.tied_with, _MOST_TIES)}: as many labels match the same VM, so the first name decides. Add a label "
            "to one of the policies.",
        )


def _line(
    state: str, words: str, parameters: Sequence[tuple[str, str]], vms: Sequence[tuple[str, str]], empty: str = ""
) -> Html:
    """VMs with the same relation to a policy. ``parameters`` choose them in the list of VMs."""
    links: list[Child] = []
    for namespace, name in vms[:_MOST_NAMES]:
        links += [", " if links else None, element("a", f"{namespace}/{name}", href=vm_address(namespace, name))]
    return element(
        "p",
        badge(state, words),
        " ",
        element("a", plural(len(vms), "VM"), href=listed(VMS, parameters)) if vms else empty,
        element("span", ": ", links, class_="small") if links else None,
        f" and {number(len(vms) - _MOST_NAMES)} more" if len(vms) > _MOST_NAMES else None,
    )
