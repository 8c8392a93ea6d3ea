"""The rules as Markdown: a page for each rule, and an index."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from webhook.kubevirt.releases import NONE, PUBLISHED, releases_phrase
from webhook.policy.policy import Profile
from webhook.report.explain import (
    answer,
    as_yaml,
    can_be_unproven,
    fragments,
    if_unproven,
    in_kubevirt,
    in_profile,
    release_of,
)
from webhook.report.phrases import capitalized
from webhook.rules.rule import FAMILIES, Example, Rule

GENERATED = "<!-- Generated from webhook/rules by docs/generate.py. Do not edit: change the rule. -->"


def page(rule: Rule) -> str:
    """A page such as ``docs/rules/LM201.md``. Its first line says that it is generated."""
    return f"{GENERATED}\n{body(rule)}"


def body(rule: Rule) -> str:
    """The page without its first line, for the help text in SARIF."""
    return "\n".join(_lines(rule)) + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    yield from (f"# {rule.id} {rule.name}", "", f"**{rule.summary}**", "")
    yield from ("## What KubeVirt does", "", in_kubevirt(rule), "")
    yield from ("## Why", "", rule.rationale, "")
    yield from ("## How to fix it", "", rule.remediation, "")
    yield from ("## What Migratable does", "", "| profile | action |", "|---|---|")
    yield f"| `strict` (default) | {in_profile(rule, Profile.STRICT)} |"
    yield f"| `exact` | {in_profile(rule, Profile.EXACT)} |"
    yield ""
    if can_be_unproven(rule):
        yield f"An unproven result is {if_unproven(rule)} in both profiles."
        yield ""
    yield f"A policy file overrides the profile: `actions: {{{rule.id}: warn}}` (or `deny`, `audit`, `off`)."
    yield from ("", "## Examples", "", fragments(rule), "")
    for example in rule.examples:
        yield from _example(rule, example)
    yield from ("## Source", "", f"- KubeVirt: {rule.source}", f"- Further reading: <{rule.reference}>")


def _example(rule: Rule, example: Example) -> Iterator[str]:
    release = release_of(rule, example)
    yield f"### {capitalized(example.title)}"
    yield ""
    yield capitalized(answer(rule, example, quote="`")) + (f", for KubeVirt {release}." if release else ".")
    yield ""
    yield f"```yaml\n{as_yaml(rule, example)}```"
    yield ""


def index(rules: Sequence[Rule]) -> str:
    """``docs/rules/README.md``: all rules by family."""
    return "\n".join(_index(sorted(rules, key=lambda rule: rule.id))) + "\n"


def _index(rules: Sequence[Rule]) -> Iterator[str]:
    yield from (GENERATED, "# Rules", "")
    yield (
        "Each rule checks one thing about live migration. The profile sets the action for a finding: `strict` is the "
        "default; `exact` denies only what the KubeVirt release in use refuses. `migratable explain RULE` prints the same "
        "pages."
    )
    for family, members in groupby(rules, key=lambda rule: FAMILIES.get(rule.id[2:3], "other")):
        yield from ("", f"## {capitalized(family)}", "")
        yield "| rule | what it finds | KubeVirt refuses to migrate | `strict` | `exact` |"
        yield "|---|---|---|---|---|"
        for rule in members:
            yield row(
                f"[{rule.id}]({rule.id}.md) {rule.name}",
                rule.summary,
                "no" if rule.kubevirt == NONE else releases_phrase(rule.kubevirt, PUBLISHED),
                in_profile(rule, Profile.STRICT),
                in_profile(rule, Profile.EXACT),
            )


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
