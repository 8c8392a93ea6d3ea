"""
ValidatingAdmissionPolicies, made of the rules' CEL and of the conditions of the webhooks.

One policy stands for each webhook that sees a VM, or what else carries a VMI, or a KubeVirt CR whole. The expressions need
Kubernetes 1.30. Neither an absent field nor a long list makes one fail: lists too long for the API server's budget are not
compared (``MOST_ENTRIES``, ``MOST_PAIRS``).
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from webhook.rules.cel import Cel
from webhook.rules.register import RULES
from webhook.rules.rule import About, Rule
from webhook.surfaces.admission.configurations import API_VERSION, rules_of
from webhook.surfaces.admission.hooks import CREATE, VALIDATING_HOOKS, Hook
from webhook.surfaces.backstop.expressions import literal, template
from webhook.surfaces.backstop.variables import SPECS, of_parameters, of_settings, of_vmi

Json = dict[str, Any]

SETTINGS: Final = "KubeVirt"
MOST_ENTRIES: Final = 4000
"""Entries of a list up to which an update is compared with the old object; one expression may cost a million."""
MOST_PAIRS: Final = 200_000
MOST_INDEXED: Final = 1000
"""Entries of a list up to which a message says which of them is meant."""
MOST_CAUSES: Final = 10
MOST_CHARACTERS: Final = 4000
"""Of a message; API servers drop one of more than 5 KiB."""
FIRST: Final = str(list(range(MOST_CAUSES)))
FALLBACK: Final = "KubeVirt cannot live-migrate this, or its migration settings are out of range (Migratable)"
NEVER_REFUSED: Final = (
    "kubevirt-by-hyperconverged.validate.migratable",
    "virtualmachine-on-behalf.validate.migratable",
)
"""
Webhooks without a policy: of writes that the engine only warns about, and of clones and restores, which pass while no replica
answers, because virt-controller repeats them.
"""


def backed() -> Iterator[tuple[Hook, str]]:
    """The webhooks for which there is a policy, each with its kind: those that see a whole new object with rules in CEL."""
    for hook in VALIDATING_HOOKS:
        kinds = {rule.kind.kind for rule in hook.rules}
        whole = all(CREATE in rule.operations and not rule.subresource for rule in hook.rules)
        if whole and kinds <= {*SPECS, SETTINGS} and hook.name not in NEVER_REFUSED:
            (kind,) = kinds
            yield hook, kind


def name_of(hook: Hook) -> str:
    """The name of the policy for a webhook."""
    return hook.name.replace(".validate.", ".backstop.")


def rules_about(kind: str) -> list[Rule]:
    """The rules with CEL about a kind, by id."""
    about = About.SETTINGS if kind == SETTINGS else About.VMI
    return [rule for rule in RULES if rule.about is about and rule.cel]


def policies() -> list[Json]:
    """The policies. They are the same everywhere; what an installation decides is in the parameters."""
    return [_policy(hook, kind) for hook, kind in backed()]


def _policy(hook: Hook, kind: str) -> Json:
    variables = of_parameters() | (of_settings() if kind == SETTINGS else of_vmi(kind))
    counts, causes = [], []
    for rule in rules_about(kind):
        for index, part in enumerate(rule.cel, 1):
            name = rule.id if len(rule.cel) == 1 else f"{rule.id}_{index}"
            variables |= {f"old_{name}": _known(part), name: _found(rule, name, part)}
            counts.append(f"variables.{name}.size()")
            causes.append(_causes(rule, name, part, SPECS.get(kind, ())))
    variables |= {"count": " + ".join(counts), "causes": " + ".join(causes)}
    used = _used(variables)
    return {
        "apiVersion": API_VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name_of(hook)},
        "spec": {
            "failurePolicy": "Ignore",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": rules_of(hook)},
            "matchConditions": [{"name": each.name, "expression": each.expression} for each in hook.conditions],
            "variables": [{"name": name, "expression": text} for name, text in variables.items() if name in used],
            "validations": [
                {
                    "expression": "variables.count == 0",
                    "message": FALLBACK,
                    "messageExpression": _message(),
                    "reason": "Invalid",
                }
            ],
        },
    }


def _known(part: Cel) -> str:
    """The violations of the old object, by what the ratchet compares."""
    entries = f"variables.old_{part.among}"
    return f"{entries}.size() > {MOST_ENTRIES} ? [] : {_violating(entries, part)}.map(it, {template(part.identity)})"


def _found(rule: Rule, name: str, part: Cel) -> str:
    """The entries that violate the rule, if it is in force, and did not in the old object."""
    entries, old = f"variables.{part.among}", f"variables.old_{part.among}"
    in_force = f"('{rule.id}' in variables.rules)"
    if part.unsure_in:
        in_force = f"('{rule.id}' in variables.rules || '{rule.id}' in variables.whereCertain && {part.certain})"
    new = f"!({template(part.identity)} in variables.old_{name})"
    return (
        f"!{in_force} ? [] : {old}.size() == 0 ? {_violating(entries, part)}"
        f" : {old}.size() > {MOST_ENTRIES} || {entries}.size() > {MOST_ENTRIES}"
        f" || {old}.size() * {entries}.size() > {MOST_PAIRS} ? []"
        f" : {_violating(entries, part)}.filter(it, {new})"
    )


def _violating(entries: str, part: Cel) -> str:
    return entries if part.violates == "true" else f"{entries}.filter(it, {part.violates})"


def _causes(rule: Rule, name: str, part: Cel, base: tuple[str, ...]) -> str:
    """The first causes, in the engine's words: field, what is wrong, what to write instead, rule."""
    entries = f"variables.{part.among}"
    index = f"{{{entries}.size() > {MOST_INDEXED} ? '…' : string({entries}.indexOf(it))}}"
    path = ".".join((*base, part.path.replace("{index}", index)))
    text = f"{template(f'{path}: {part.message}')} + {literal(f'. {rule.remediation} [{rule.id} {rule.name}]')}"
    found = f"variables.{name}"
    return f"{FIRST}.filter(at, at < {found}.size()).map(at, {found}[at]).map(it, {text})"


def _message() -> str:
    shown = f"{FIRST}.filter(at, at < variables.causes.size()).map(at, variables.causes[at]).join('; ')"
    more = f"(variables.count > {MOST_CAUSES} ? '; and ' + string(variables.count - {MOST_CAUSES}) + ' more' : '')"
    cut = f"text.size() > {MOST_CHARACTERS} ? text.substring(0, {MOST_CHARACTERS}) + '…' : text"
    return f"[{shown} + {more}].map(text, {cut})[0]"


def _used(variables: dict[str, str]) -> set[str]:
    """The variables on which the validation depends."""
    used, waiting = set(), ["count", "causes"]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += [each for each in variables if re.search(rf"variables\.{each}\b", variables[name])]
    return used
