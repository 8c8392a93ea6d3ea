"""One VM: its verdict, the findings with fixes, the settings in force, the nodes that fit, and the effect of a drain."""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from webhook.console.pages.addresses import POLICIES, VMS, listed, node_address
from webhook.console.pages.drains import action, rehearsed, remarks
from webhook.console.pages.errors import not_found
from webhook.console.pages.findings import finding_box
from webhook.console.pages.frame import bullets, cut, notices, page, section
from webhook.console.pages.seen import Seen
from webhook.console.pages.words import outcome_badge, verdict_badge
from webhook.console.state import VM
from webhook.drain.vm_explanation import Policy, VMExplanation
from webhook.report.audit_remarks import difference
from webhook.report.audited import Audited
from webhook.report.drain.drain_words import new_reasons, phrase, span
from webhook.report.drain.vm_words import (
    drain_of,
    drain_remedy,
    ending_of,
    fitting,
    groups_of,
    place,
    policy_of,
    settings_of,
    storage_of,
    strategy_of,
    verdicts,
)
from webhook.report.grouping import manages_kubevirt, rank_of
from webhook.report.model import FindingReport, ObjectReport, VerdictReport, reason_phrase
from webhook.report.phrases import capitalized
from webhook.report.sentences import sentence
from webhook.surfaces.api.page.layout import table, trail
from webhook.surfaces.api.page.markup import Child, Html, element, prose

_VMI: Final = "VirtualMachineInstance"
_MOST_FINDINGS: Final = 40
"""The maximum number of findings on a page. A VM can have thousands of devices, each with a finding."""
_NO_RIGHT: Final = (
    "The nodes that fit and the effect of a drain are not shown, because your account may not list nodes, pods and VMIs in "
    "all namespaces."
)
_NOT_YET: Final = (
    "The nodes that fit and the effect of a drain are not known yet, because the drains are not rehearsed yet."
)

_NEW: Final = "The nodes that fit and the effect of a drain are not known yet: the VM is newer than the last rehearsal."


def vm_page(seen: Seen, namespace: str, name: str) -> tuple[int, bytes]:
    """The status and the page."""
    judged = seen.judged(namespace, name)
    if not judged:
        return 404, not_found(seen, "VM")
    row = next((vm for vm in seen.state.vms if (vm.namespace, vm.name) == (namespace, name)), None)
    explained = seen.explained(namespace, name)
    full_name = f"{namespace}/{name}" if namespace else name
    content = page(
        seen,
        full_name,
        trail((listed(VMS, [("namespace", seen.kept)]), "VMs"), here=full_name),
        element("h1", element("span", f"{namespace}/", class_="space") if namespace else None, name),
        notices(seen),
        _summary(row, judged, explained),
        element(
            "div",
            element("div", section("Findings", *_findings(seen, judged))),
            element("div", _explained(explained) if explained is not None else _unexplained(seen)),
            class_="halves",
        ),
        here=VMS,
        command=f"migratable explain {quote(f'vm/{full_name}')}",
    )
    return 200, content


def _summary(row: VM | None, judged: Sequence[Audited], explained: VMExplanation | None) -> Iterator[Child]:
    """The verdict and where it is from."""
    verdict = judged[0].report.verdict
    yield element(
        "p",
        verdict_badge(row.migratability) if row is not None else None,
        element("strong", reason_phrase(verdict)) if verdict is not None and verdict.live_migratable is False else None,
        class_="answer-line",
    )
    if explained is not None:
        yield bullets([capitalized(sentence(text)) for text in (*verdicts(explained), f"it is {place(explained)}")])
    elif verdict is not None:
        yield bullets(list(_verdict(verdict)))
    differing = [sentence(difference(one)) for audited in judged for one in audited.disagreements]
    yield bullets(differing)


def _verdict(verdict: VerdictReport) -> Iterator[str]:
    yield f"The verdict is computed from the objects, for KubeVirt {verdict.release}."
    yield from (capitalized(sentence(text)) for text in verdict.unproven)


def _findings(seen: Seen, judged: Sequence[Audited]) -> Iterator[Html]:
    has_operator = manages_kubevirt(one.report for one in seen.state.others)
    found = sorted(_each(judged), key=lambda pair: rank_of(pair[1]))
    for report, finding in found[:_MOST_FINDINGS]:
        title = "Only in the running VMI" if report.kind == _VMI and len(judged) > 1 else ""
        yield finding_box(report, finding, has_operator=has_operator, title=title)
    if not found:
        yield element("p", "There are no findings.")
    if (left_out := cut(min(len(found), _MOST_FINDINGS), len(found), "findings")) is not None:
        yield left_out


def _each(judged: Sequence[Audited]) -> Iterator[tuple[ObjectReport, FindingReport]]:
    """The findings of all objects. A finding of the VMI that the VirtualMachine also has appears once."""
    known: set[tuple[str, str, str]] = set()
    for audited in judged:
        for finding in audited.report.findings:
            key = finding.rule, finding.path.replace("spec.template.spec", "spec", 1), finding.outcome
            if audited.report.kind != _VMI or key not in known:
                yield audited.report, finding
            known.add(key)


def _unexplained(seen: Seen) -> Html:
    has_report = seen.state.drains.report is not None
    text = (_NEW if has_report else _NOT_YET) if seen.sight.nodes else _NO_RIGHT
    return section("Nodes and drain", element("p", text), rehearsed(seen.state.drains))


def _explained(one: VMExplanation) -> Iterator[Child]:
    yield section("If its node is drained", *_drain(one))
    yield section("Nodes that fit", *_destinations(one))
    yield section("Settings in force", *_settings(one))
    yield from remarks(one.assumptions, one.missing)


def _drain(one: VMExplanation) -> Iterator[Child]:
    machine = one.drain
    if machine is None:
        yield element("p", capitalized(sentence(drain_of(one))))
        return
    link = element("a", f"Drain of {one.node}", href=node_address(one.node))
    yield element("p", outcome_badge(machine.outcome, phrase(machine)), link, class_="answer-line")
    yield element("p", prose(machine.message)) if machine.message else None
    yield bullets(new_reasons(machine))
    yield action(drain_remedy(one))
    if one.seconds is not None:
        yield element("p", f"Time: {span(one.seconds)} for one live migration.")


def _destinations(one: VMExplanation) -> Iterator[Child]:
    where = one.destinations
    if text := fitting(where):
        yield element("p", sentence(text))
    if where.message:
        yield element("p", prose(where.message))
    yield bullets(list(groups_of(where)))
    yield action(where.remedy)


def _settings(one: VMExplanation) -> Iterator[Child]:
    yield bullets([sentence(strategy_of(one)), capitalized(sentence(storage_of(one)))])
    for policy in one.policies:
        yield from _policy(policy)


def _policy(policy: Policy) -> Iterator[Child]:
    yield element(
        "h3",
        element("a", policy.name, href=listed(POLICIES, [("name", policy.name)]))
        if policy.name
        else "No MigrationPolicy",
    )
    yield element("p", capitalized(sentence(policy_of(policy))))
    rows = ((setting.name, value, setting.origin) for setting, value, _ in settings_of(policy))
    yield table(("Setting", "Value", "Set by"), rows, "list settings")
    if ending := ending_of(policy):
        yield element("p", "On timeout: ", sentence(ending))
