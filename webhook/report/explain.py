"""The description of a rule, for ``migratable explain``. The pages in ``docs/rules`` use the same sentences."""

import textwrap
from collections.abc import Iterator

from webhook.judging.finding import Finding
from webhook.kubevirt.releases import KNOWN, NEWEST, NONE, PUBLISHED, TABLE, releases_phrase
from webhook.policy.policy import Action, Policy, Profile, action_of
from webhook.report.phrases import capitalized
from webhook.report.rule_names import find_rule
from webhook.rules.register import BY_ID
from webhook.rules.rule import FAMILIES, About, Basis, Example, Rule
from webhook.yaml.pretty import dump, load

DONE: dict[Action, str] = {
    Action.DENY: "denied",
    Action.WARN: "warned about",
    Action.AUDIT: "recorded",
    Action.OFF: "ignored",
}
_INDENT = "    "


def find(word: str) -> Rule | None:
    """The rule with the id or name ``word``, in upper or lower case."""
    identity = find_rule(word)
    return BY_ID.get(identity) if identity else None


_SPAN = f"from {TABLE[0].release} to {NEWEST}"
_NOT_A_VM: dict[About, str] = {
    About.SETTINGS: "the KubeVirt CR",
    About.VM_CHANGE: "an update of a running VirtualMachine",
    About.NETWORK_CHANGE: "an update of a NetworkAttachmentDefinition",
    About.MIGRATION_NETWORK_CHANGE: "an update of the KubeVirt CR",
    About.MANIFEST: "how the manifest is written",
}


def in_kubevirt(rule: Rule) -> str:
    """The behaviour of KubeVirt for an object with such a finding, by release."""
    if rule.kubevirt == NONE:
        if rule.baseline:
            return f"No release {_SPAN} refuses to live-migrate such a VM. The rule is on Migratable's fixed list."
        if rule.about in (About.VMI, About.DRAIN, About.BUDGET, About.STORAGE, About.TARGET):
            return f"This rule is advice: no release {_SPAN} refuses to live-migrate a VM because of it."
        checked = _NOT_A_VM.get(rule.about, f"the {rule.about}")
        return f"The rule checks {checked}. It does not decide the verdict of a VM by itself."
    refused = capitalized(releases_phrase(rule.kubevirt, PUBLISHED)) + (f" {_SPAN}" if rule.kubevirt == KNOWN else "")
    if rule.reason is None:
        return f"{refused}, the verdict for the VM can depend on the missing object."
    accepted = PUBLISHED & ~rule.kubevirt
    elsewhere = f" {capitalized(releases_phrase(accepted, PUBLISHED))}, KubeVirt accepts it." if accepted else ""
    return (
        f"{refused}, KubeVirt does not live-migrate such a VM: its condition LiveMigratable is False, with reason "
        f"{rule.reason}.{elsewhere}"
    )


def in_profile(rule: Rule, profile: Profile) -> str:
    """The action of a profile for findings of the rule, as ``policy.action_of`` returns it."""
    if is_only_unproven(rule):
        return if_unproven(rule)
    refused = _done(rule, Basis.KUBEVIRT, profile)
    if rule.baseline:
        passed = _done(rule, Basis.BASELINE, profile)
        if rule.kubevirt == NONE or refused == passed:
            return passed
        return f"{refused} if KubeVirt refuses to migrate, {passed} if KubeVirt migrates"
    return refused if rule.kubevirt != NONE else _done(rule, Basis.ADVICE, profile)


def if_unproven(rule: Rule) -> str:
    """The action of both profiles for an unproven result."""
    return _done(rule, Basis.KUBEVIRT, Profile.STRICT, undetermined=True)


def _done(rule: Rule, basis: Basis, profile: Profile, *, undetermined: bool = False) -> str:
    finding = Finding(rule, basis, (), "", "", "", KNOWN, undetermined)
    return DONE[action_of(finding, Policy(profile=profile))]


def can_be_unproven(rule: Rule) -> bool:
    """Whether any example of the rule is unproven."""
    return any(example.undetermined for example in rule.examples)


def is_only_unproven(rule: Rule) -> bool:
    """Whether all findings of the rule are unproven results."""
    return rule.kubevirt != NONE and rule.reason is None and not any(example.violates for example in rule.examples)


def answer(rule: Rule, example: Example, quote: str = "") -> str:
    """The result of an example: ``accepted``, ``rejected at volumes[0]``, ``unproven at …``."""
    violates, undetermined = (
        ", ".join(f"{quote}{path}{quote}" for path in paths) for paths in (example.violates, example.undetermined)
    )
    advice = not rule.baseline and rule.kubevirt == NONE
    results = []
    if example.violates and example.violates == example.undetermined:
        return f"rejected at {violates}; unproven whether KubeVirt itself refuses it"
    if example.violates:
        results.append(("reported" if advice else "rejected") + f" at {violates}")
    if example.undetermined:
        results.append(f"unproven at {undetermined}")
    return " and ".join(results) or "accepted"


def as_yaml(rule: Rule, example: Example) -> str:
    """The example as YAML: its fragment, the fragment before an update (if any), and the other objects."""
    spec = load(example.spec)
    fragment = spec if rule.about is About.MANIFEST else {"spec": spec}
    if example.before:
        before = f"# before\n{dump({'spec': load(example.before)})}---\n# after\n"
        return before + "---\n".join(dump(part) for part in (fragment, *example.world))
    if example.annotations:
        fragment = {"metadata": {"annotations": dict(example.annotations)}} | fragment
    if example.needs_vm:
        metadata = {"metadata": {"annotations": dict(example.outer_annotations)}} if example.outer_annotations else {}
        machine = load(example.vm_spec or "{}")
        fragment = {"kind": "VirtualMachine", **metadata, "spec": {**machine, "template": fragment}}
    rest = f"# there is no other {example.complete}\n" if example.complete else ""
    return "---\n".join(dump(part) for part in (fragment, *example.world)) + rest


FRAGMENTS: dict[About, str] = {
    About.MANIFEST: "Each example is the start of a manifest.",
    About.SETTINGS: "Each example is a part of the KubeVirt CR.",
    About.VM_CHANGE: "Each example is a part of a running VirtualMachine, before an update and after it.",
    About.NETWORK_CHANGE: "Each example is a part of a NetworkAttachmentDefinition, before an update and after it.",
    About.MIGRATION_NETWORK_CHANGE: "Each example is a part of the KubeVirt CR, before an update and after it.",
    About.VMI: "Each example is a part of a VirtualMachineInstance; in a VirtualMachine, it is under spec.template.",
    About.BUDGET: "Each example is a part of a VirtualMachineInstance; in a VirtualMachine, it is under spec.template.",
    About.STORAGE: "Each example is a part of a VirtualMachineInstance; in a VirtualMachine, it is under spec.template.",
    About.TARGET: "Each example is a part of a VirtualMachineInstance; in a VirtualMachine, it is under spec.template.",
    About.DRAIN: "Each example is a part of a VirtualMachineInstance; in a VirtualMachine, it is under spec.template.",
}


def fragments(rule: Rule) -> str:
    """A sentence about the part of an object that contains the fragments."""
    if rule.about[:1].islower():
        return FRAGMENTS.get(rule.about, "Each example is a part of the judged object.")
    return FRAGMENTS.get(rule.about, f"Each example is a part of a {rule.about}.")


def explain(rule: Rule, *, width: int = 100) -> str:
    """The whole description, for a terminal of ``width`` columns, with a final newline."""
    return "\n".join(_lines(rule, width)) + "\n"


def _lines(rule: Rule, width: int) -> Iterator[str]:
    yield f"{rule.id} {rule.name}  ({FAMILIES.get(rule.id[2:3], 'other')})"
    yield from _text(rule.summary, width)
    yield from _section("What KubeVirt does", in_kubevirt(rule), width)
    yield from _section("Why", rule.rationale, width)
    yield from _section("How to fix it", rule.remediation, width)
    yield ""
    yield "What Migratable does"
    yield f"{_INDENT}profile strict  {in_profile(rule, Profile.STRICT)}"
    yield f"{_INDENT}profile exact   {in_profile(rule, Profile.EXACT)}"
    if can_be_unproven(rule):
        yield f"{_INDENT}if unproven     {if_unproven(rule)} in both profiles"
    yield ""
    yield "Examples"
    yield from _text(fragments(rule), width)
    for example in rule.examples:
        yield ""
        yield f"{_INDENT}# {example.title}"
        yield f"{_INDENT}# {answer(rule, example)}{_release(rule, example)}"
        yield from (_INDENT + line for line in as_yaml(rule, example).splitlines())
    yield from _section("KubeVirt source", rule.source, width)
    yield from _section("Further reading", rule.reference, width)


def _release(rule: Rule, example: Example) -> str:
    release = release_of(rule, example)
    return f" (KubeVirt {release})" if release else ""


def release_of(rule: Rule, example: Example) -> str:
    """The release of an example. The text is empty if the result is the same in all releases."""
    differs = rule.kubevirt not in (NONE, KNOWN) or len({example.release for example in rule.examples}) > 1
    return example.release if differs else ""


def _section(title: str, text: str, width: int) -> Iterator[str]:
    yield ""
    yield title
    yield from _text(text, width)


def _text(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
