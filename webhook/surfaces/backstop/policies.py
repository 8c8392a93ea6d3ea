"""
ValidatingAdmissionPolicies, generated from the CEL of the rules and the conditions of the webhooks.

There is one policy for each webhook that receives VMs, other objects with a VMI template, or KubeVirt CRs. The expressions need
Kubernetes 1.30. The content of an object never makes an expression fail. This holds for absent fields, for any text in a name,
and for long lists, which would exceed the API server's cost limit. A request that makes a list too long to check is denied.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from webhook.rules.cel import Cel
from webhook.rules.register import RULES
from webhook.rules.rule import About, Rule
from webhook.surfaces.admission.configurations import API_VERSION, rules_of
from webhook.surfaces.admission.hooks import CREATE, VALIDATING_HOOKS, Hook
from webhook.surfaces.admission.responses import CONSEQUENCE, HELP, certain_lead, ending_of, unsafe_lead
from webhook.surfaces.backstop.expressions import literal, template
from webhook.surfaces.backstop.variables import COUNTED, SHORT, SPECS, of_parameters, of_settings, of_vmi

Json = dict[str, Any]

SETTINGS: Final = "KubeVirt"
MOST_ENTRIES: Final = 4000
"""Maximum number of violations that an expression compares with old violations. The cost limit of an expression is 1,000,000."""
MOST_PAIRS: Final = 200_000
"""Maximum number of pairs to compare, each with an old and a new violation."""
MOST_INDEXED: Final = 1000
"""Messages about entries of longer lists do not contain the index of the entry."""
MOST_CAUSES: Final = 10
MOST_CHARACTERS: Final = 4000
"""Maximum length of a message. API servers drop messages of more than 5 KiB."""
NAME: Final = "migratable-backstop"
"""The name of the ConfigMaps, and the key of the label that bindings select. The value of the label is the action."""
FIRST: Final = str(list(range(MOST_CAUSES)))
DENIES: Final = f"params.?metadata.?labels[?'{NAME}'].orValue('') == 'deny'"
"""A CEL condition: the binding selects parameters whose action is deny."""
FALLBACK: Final = "KubeVirt cannot live-migrate this object, or its migration settings are out of range (Migratable)"
NEVER_REFUSED: Final = (
    "kubevirt-by-hyperconverged.validate.migratable",
    "virtualmachine-on-behalf.validate.migratable",
)
"""
Webhooks without a policy: webhooks that only warn, and webhooks for clones and restores. virt-controller retries a denied
clone or restore, so these requests pass while no replica answers.
"""


def hooks_with_policy() -> Iterator[tuple[Hook, str]]:
    """The webhooks with a policy, and the kind of each. These webhooks receive whole objects of a kind that has rules in CEL."""
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
    """The policies. They are the same for each installation, because the parameters contain its settings."""
    return [_policy(hook, kind) for hook, kind in hooks_with_policy()]


def _policy(hook: Hook, kind: str) -> Json:
    variables = of_parameters() | (of_settings() if kind == SETTINGS else of_vmi(kind))
    counts, causes, unsafe = [], [], []
    for rule in rules_about(kind):
        for index, part in enumerate(rule.cel, 1):
            name = rule.id if len(rule.cel) == 1 else f"{rule.id}_{index}"
            variables |= _of_part(rule, name, part)
            counts.append(f"variables.{name}.size()")
            causes.append(_causes(rule, name, part, SPECS.get(kind, ())))
        if too_long := _too_long(rule, SPECS.get(kind, ())):
            variables[f"long_{rule.id}"] = too_long
            counts.append(f"variables.long_{rule.id}.size()")
            causes.append(f"variables.long_{rule.id}")
        if kind != SETTINGS and not rule.kubevirt:
            unsafe += [count for count in counts if rule.id in count]
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
            "matchConditions": [
                {"name": condition.name, "expression": condition.expression} for condition in hook.conditions
            ],
            "variables": [{"name": name, "expression": text} for name, text in variables.items() if name in used],
            "validations": [
                {
                    "expression": "variables.count == 0",
                    "message": FALLBACK,
                    "messageExpression": _message(kind, unsafe),
                    "reason": "Invalid",
                }
            ],
        },
    }


def _of_part(rule: Rule, name: str, part: Cel) -> dict[str, str]:
    """
    The CEL variables for one part of a rule. The variable ``name`` lists the violations that an update adds: no violation of
    the old object has the same identity.
    """
    violations, old = _violating(f"variables.{part.among}", part), _violating(f"variables.old_{part.among}", part)
    identities = f"{old}.map(it, {template(part.identity)})"
    new = f"{violations}.filter(it, !({template(part.identity)} in variables.old_{name}))"
    unchecked = f"!{_in_force(rule, part)}"
    if part.among in SHORT:
        return {f"old_{name}": identities, name: f"{unchecked} ? [] : {new}"}
    too_long = _is_old_too_long(part)
    known = {f"old_{name}": f"{too_long} ? [] : {identities}"}
    if part.among in COUNTED:
        return known | {name: f"{unchecked} || {too_long} ? [] : {new}"}
    known_size = f"variables.old_{name}.size()"
    return known | {
        f"fits_{name}": f"{violations}.size() <= {MOST_ENTRIES} && {known_size} * {violations}.size() <= {MOST_PAIRS}",
        name: f"{unchecked} || {too_long} || variables.{part.among} == variables.old_{part.among} ? []"
        f" : {known_size} == 0 ? {violations} : variables.fits_{name} ? {new} : []",
    }


def _in_force(rule: Rule, part: Cel) -> str:
    always = f"'{rule.id}' in variables.rules"
    return f"({always} || '{rule.id}' in variables.whereCertain && {part.certain})" if part.unsure_in else f"({always})"


def _is_old_too_long(part: Cel) -> str:
    """
    A CEL condition: the old object already exceeds a bound. Updates of this object then pass, because new violations cannot
    be distinguished from old violations.
    """
    if part.among in COUNTED:
        count, most, _ = COUNTED[part.among]
        return f"variables.old_{count} > {most}"
    return f"variables.old_{part.among}.size() > {MOST_ENTRIES}"


def _too_long(rule: Rule, base: tuple[str, ...]) -> str:
    """
    A CEL list with a cause for each list that the request makes too long to check. The CEL list is empty if no list of the
    rule can be too long.
    """
    causes = {}
    for part in rule.cel:
        if part.among in SHORT:
            continue
        path = literal(".".join((*base, part.path.partition("[")[0])) + ": ")
        remedy = literal(f". Shorten the list. [{rule.id} {rule.name}]")
        if part.among in COUNTED:
            count, most, noun = COUNTED[part.among]
            exceeded = f"variables.{count} > {most} && !({_is_old_too_long(part)})"
            text = literal(f"more than {most:,} {noun} cannot be checked")
        else:
            exceeded = _outgrows(rule.id, part)
            text = (
                f"string(variables.{part.among}.size()) + {literal(' entries cannot be compared with the ')}"
                f" + string(variables.old_{part.among}.size()) + {literal(' of the old object')}"
            )
        causes[part.among] = f"({_in_force(rule, part)} && {exceeded} ? [{path} + {text} + {remedy}] : [])"
    return " + ".join(causes.values())


def _outgrows(name: str, part: Cel) -> str:
    """
    A CEL condition: the old list is within the bounds, but the new list is too long to be compared with it.

    If comparing the old list with itself already exceeds the bound, the condition is false. Otherwise no update could edit
    the list.
    """
    olds = f"variables.old_{name}.size()"
    return (
        f"!variables.fits_{name} && {olds} > 0 && {olds} * {olds} <= {MOST_PAIRS}"
        f" && variables.{part.among} != variables.old_{part.among}"
    )


def _violating(entries: str, part: Cel) -> str:
    return entries if part.violates == "true" else f"{entries}.filter(it, {part.violates})"


def _causes(rule: Rule, name: str, part: Cel, base: tuple[str, ...]) -> str:
    """A CEL list of the first causes. Each cause has the same text as in the webhook: field, message, remedy, rule."""
    entries = f"variables.{part.among}"
    index = f"{{{entries}.size() > {MOST_INDEXED} ? '…' : string({entries}.indexOf(it))}}"
    path = ".".join((*base, part.path.replace("{index}", index)))
    text = f"{template(f'{path}: {part.message}')} + {literal(f'. {rule.remediation}{ending_of(rule)}')}"
    violations = f"variables.{name}"
    return f"{FIRST}.filter(at, at < {violations}.size()).map(at, {violations}[at]).map(it, {text})"


def _message(kind: str, unsafe: Sequence[str]) -> str:
    """
    The CEL expression for the message. A denial has the same opening sentence as a denial by the webhook, and its first cause
    does not repeat the opening. The help line of the policy comes last.

    ``unsafe`` counts the violations that do not prevent KubeVirt from migrating the VM. With actions other than deny, messages
    have no opening sentence, because the request is not refused.
    """
    cause = "variables.causes[at]"
    if kind != SETTINGS:
        is_opened = f"at == 0 && {DENIES}" + (f" && variables.count != {' + '.join(unsafe)}" if unsafe else "")
        cause = f"{is_opened} ? {cause}.replace({literal(f'{CONSEQUENCE}.')}, '.', 1) : {cause}"
    shown = f"{FIRST}.filter(at, at < variables.causes.size()).map(at, {cause}).join('; ')"
    hidden = f"variables.count - {MOST_CAUSES}"
    more = (
        f"({hidden} > 1 ? '; ' + string({hidden}) + ' more problems are not shown'"
        f" : {hidden} == 1 ? '; 1 more problem is not shown' : '')"
    )
    cut = f"text.size() > {MOST_CHARACTERS} ? text.substring(0, {MOST_CHARACTERS}) + '…' : text"
    opening = literal(f"{certain_lead(kind)} ")
    if unsafe:
        opening = f"(variables.count == {' + '.join(unsafe)} ? {literal(f'{unsafe_lead(kind)} ')} : {opening})"
    ending = f"params.?data.?help.optMap(line, {literal(f' {HELP}')} + line).orValue('')"
    return f"[{shown} + {more}].map(text, {cut}).map(text, ({DENIES} ? {opening} : '') + text + {ending})[0]"


def _used(variables: dict[str, str]) -> set[str]:
    """The variables on which the validation depends."""
    used, waiting = set(), ["count", "causes"]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += [other for other in variables if re.search(rf"variables\.{other}\b", variables[name])]
    return used
