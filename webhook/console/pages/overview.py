"""The overview: the whole cluster, or one namespace, at a glance. Each number leads to the list behind it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from msgspec.structs import replace

from webhook.console.pages.addresses import HOME, NODES, VMS, listed
from webhook.console.pages.bars import bar, stacked, tiles
from webhook.console.pages.drains import NOT_YET, rehearsed
from webhook.console.pages.findings import boxes
from webhook.console.pages.frame import AUDIT, bullets, cut, notices, page, section
from webhook.console.pages.query import Parameters, anything
from webhook.console.pages.seen import Seen
from webhook.console.pages.vm_rows import NONE, RULE_NAMES
from webhook.console.pages.words import DRAINS, VERDICTS, VM_KINDS, none_of, number
from webhook.console.state import VM, Drains, State
from webhook.report.audit_metrics import Migratability
from webhook.report.audit_remarks import unread_notes
from webhook.report.audited import Audited
from webhook.report.grouping import manages_kubevirt
from webhook.report.phrases import plural
from webhook.report.report_objects import is_setting, settings_namespaces
from webhook.report.sentences import place_of_problem, problem_message, sentence
from webhook.surfaces.api.page.layout import badge
from webhook.surfaces.api.page.markup import Child, Html, element

PARAMETERS: Final = {"namespace": anything}
_MOST_FINDINGS, _MOST_PROBLEMS, _MOST_NAMESPACES, _MOST_RULES = 20, 20, 10, 10
_VMI: Final = "VirtualMachineInstance"


def overview(seen: Seen, parameters: Parameters) -> bytes:
    """The page."""
    namespace = parameters["namespace"]
    state = _within(seen.state, namespace) if namespace else seen.state
    return page(
        seen,
        f"Namespace {namespace}" if namespace else "Fleet",
        element("h1", f"Namespace {namespace}" if namespace else "Fleet"),
        notices(seen),
        _machines(state, namespace),
        _nodes(state.drains) if seen.sight.nodes and not namespace else None,
        _settings(state),
        _unread(state),
        section("Notes", bullets([sentence(note) for note in state.notes])) if state.notes else None,
        here=HOME,
        command=f"{AUDIT} -n {quote(namespace)}" if namespace else AUDIT,
    )


def _within(state: State, namespace: str) -> State:
    """The state of one namespace."""
    return replace(
        state,
        vms=tuple(vm for vm in state.vms if vm.namespace == namespace),
        others=tuple(one for one in state.others if one.report.namespace == namespace),
        unread=tuple(one for one in state.unread if one.namespace in ("", namespace)),
        problems=(),
    )


def _machines(state: State, namespace: str) -> Html:
    counts = Counter(vm.migratability for vm in state.vms)
    if not state.vms:
        return section("VMs", none_of("VMs", state.unread, *VM_KINDS))
    differing = sum(vm.is_disputed for vm in state.vms)
    return section(
        "VMs",
        stacked([(state_, counts[verdict]) for verdict, (state_, _) in VERDICTS.items()]),
        tiles(
            _tile(counts[verdict], listed(VMS, [("namespace", namespace), ("verdict", verdict)]), *words)
            for verdict, words in VERDICTS.items()
        ),
        _differing(differing, namespace) if differing else None,
        element("div", *_tables(state.vms, namespace), class_="columns"),
    )


def _tile(count: int, address: str, state: str, words: str) -> Html:
    return element("a", element("span", number(count), class_="figure"), badge(state, words), href=address)


def _differing(count: int, namespace: str) -> Html:
    address = listed(VMS, [("namespace", namespace), ("differs", "yes")])
    verb = "has" if count == 1 else "have"
    return element(
        "p",
        element("a", plural(count, "running VM"), href=address),
        f" {verb} a condition LiveMigratable that differs from the verdict.",
        class_="small",
    )


def _tables(vms: Sequence[VM], namespace: str) -> Iterator[Child]:
    """The reasons, the rules, and the namespaces with the most VMs that cannot be live-migrated."""
    refused = [vm for vm in vms if vm.migratability is Migratability.NOT_MIGRATABLE]
    reasons = Counter(vm.reason for vm in refused)
    yield _table(
        "Cannot be live-migrated, by reason",
        ("Reason", "VMs"),
        [
            (
                reason or "not known yet",
                count,
                _of(namespace, Migratability.NOT_MIGRATABLE, "reason", reason or NONE),
            )
            for reason, count in _ordered(reasons)
        ],
        "deny",
    )
    if not namespace:
        spaces = Counter(vm.namespace for vm in refused)
        yield _table(
            "Cannot be live-migrated, by namespace",
            ("Namespace", "VMs"),
            [
                (space or "no namespace", count, _of("", Migratability.NOT_MIGRATABLE, "namespace", space))
                for space, count in _ordered(spaces)[:_MOST_NAMESPACES]
            ],
            "deny",
            len(spaces) - _MOST_NAMESPACES,
        )
    rules = Counter(rule for vm in vms for rule in vm.rules)
    yield _table(
        "VMs with a finding, by rule",
        ("Rule", "VMs"),
        [
            (f"{rule} {RULE_NAMES.get(rule, '')}", count, listed(VMS, [("namespace", namespace), ("rule", rule)]))
            for rule, count in _ordered(rules)[:_MOST_RULES]
        ],
        "note",
        len(rules) - _MOST_RULES,
    )


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _of(namespace: str, verdict: Migratability, name: str, value: str) -> str:
    return listed(VMS, [("namespace", namespace), ("verdict", verdict), (name, value)])


def _table(
    title: str, head: tuple[str, str], rows: Sequence[tuple[str, int, str]], state: str, more: int = 0
) -> Html | None:
    if not rows:
        return None
    most = max(count for _, count, _ in rows)
    body = (
        element(
            "tr",
            element("th", element("a", name, href=address), scope="row"),
            element("td", number(count), class_="n"),
            element("td", bar(count, most, state), class_="bars"),
        )
        for name, count, address in rows
    )
    first, second = head
    header = element(
        "tr",
        element("th", first, scope="col"),
        element("th", second, scope="col", class_="n"),
        element("td", class_="bars"),
    )
    return element(
        "div",
        element("h3", title),
        element("table", element("thead", header), element("tbody", body), class_="list figures"),
        element("p", f"and {more} more", class_="small") if more > 0 else None,
    )


def _nodes(drains: Drains) -> Html:
    report = drains.report
    if report is None:
        return section("Nodes", rehearsed(drains) or element("p", NOT_YET))
    counts = Counter(node.outcome for node in report.nodes)
    return section(
        "Nodes",
        element("p", "The effect of a drain of each node alone:"),
        stacked([(state, counts[outcome]) for outcome, (state, _) in DRAINS.items()]),
        tiles(
            _tile(counts[outcome], listed(NODES, [("outcome", outcome)]), *words)
            for outcome, words in DRAINS.items()
            if counts[outcome]
        ),
        rehearsed(drains),
    )


def _settings(state: State) -> Iterator[Child]:
    """The findings about the settings of the cluster, and about objects such as pools."""
    namespaces = settings_namespaces(state.others)
    has_operator = manages_kubevirt(one.report for one in state.others)
    settings: list[Audited] = []
    others: list[Audited] = []
    for one in state.others:
        judged = one.report
        is_of_cluster = not judged.namespace or is_setting(judged.kind, judged.namespace, namespaces)
        (settings if is_of_cluster else others).append(one)
    if settings:
        found = _findings(settings, has_operator=has_operator)
        yield section("Settings", found or element("p", "There are no findings about the settings of the cluster."))
    if found := _findings([one for one in others if one.report.kind != _VMI], has_operator=has_operator):
        yield section("Other objects", found)


def _findings(objects: Sequence[Audited], *, has_operator: bool) -> list[Child]:
    shown, total = boxes(objects, has_operator=has_operator, most=_MOST_FINDINGS)
    return [*shown, cut(len(shown), total, "findings")] if shown else []


def _unread(state: State) -> Html | None:
    notes = [sentence(note) for note in unread_notes(state.unread)]
    problems = [f"{place_of_problem(one)}: {problem_message(one)}" for one in state.problems[:_MOST_PROBLEMS]]
    if not (notes or problems):
        return None
    return section(
        "Not read",
        element("p", "Results that depend on these objects are unproven:") if state.unread else None,
        bullets(notes),
        bullets(problems),
        cut(len(problems), len(state.problems), "objects that could not be read"),
    )
