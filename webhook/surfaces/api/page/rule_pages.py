"""The rules as HTML pages, with the sentences of ``migratable explain``. This module does no I/O."""

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Final

from webhook.kubevirt.releases import KNOWN, NONE, PUBLISHED, TABLE, releases_phrase
from webhook.policy.policy import Profile
from webhook.report.explain import (
    answer,
    as_yaml,
    can_be_unproven,
    find,
    fragments,
    if_unproven,
    in_kubevirt,
    in_profile,
    release_of,
)
from webhook.report.phrases import capitalized
from webhook.rules.register import RULES
from webhook.rules.rule import FAMILIES, Example, Rule
from webhook.surfaces.api.page.layout import badge, document, table, trail
from webhook.surfaces.api.page.markup import Child, Html, element, prose

INDEX: Final = "/rules"
_INTRODUCTION: Final = (
    "Each rule checks one thing about live migration. The profile sets the action: strict is the default, and exact refuses "
    "only what the KubeVirt release in use refuses."
)


@cache
def index(*, has_fleet: bool = False) -> bytes:
    """All rules by family, with a field that filters them. ``has_fleet`` adds the link to the pages for operators."""
    rules = sorted(RULES, key=lambda rule: rule.id)
    families = groupby(rules, key=lambda rule: FAMILIES.get(rule.id[2:3], "other"))
    return document(
        "Rules",
        element("h1", "Rules"),
        element("p", _INTRODUCTION, class_="lead"),
        element(
            "p",
            element("label", "Filter ", for_="filter"),
            element("input", id="filter", type="search", autocomplete="off"),
            element("span", f"{len(rules)} rules", id="count", role="status"),
            class_="filter scripted",
        ),
        (_family(name, list(members)) for name, members in families),
        here=INDEX,
        scripts=("/rules.js",),
        has_fleet=has_fleet,
    )


def _family(name: str, rules: list[Rule]) -> Html:
    head = element(
        "tr", (element("th", text, scope="col") for text in ("Rule", "Finds", "KubeVirt refuses to migrate"))
    )
    return element(
        "section",
        element("h2", capitalized(name)),
        element("table", element("thead", head), element("tbody", map(_row, rules)), class_="list rules"),
        class_="family",
    )


def _row(rule: Rule) -> Html:
    refuses = "no" if rule.kubevirt == NONE else releases_phrase(rule.kubevirt, PUBLISHED)
    return element(
        "tr",
        element("th", element("a", rule.id, " ", rule.name, href=f"{INDEX}/{rule.id}"), scope="row"),
        element("td", prose(rule.summary)),
        element("td", refuses, data_label="KubeVirt refuses to migrate"),
    )


@cache
def page(word: str, *, has_fleet: bool = False) -> bytes | None:
    """The page of a rule by its id or name, or None if there is no such rule."""
    rule = find(word)
    return None if rule is None else _page(rule, has_fleet=has_fleet)


def _page(rule: Rule, *, has_fleet: bool) -> bytes:
    return document(
        f"{rule.id} {rule.name}",
        trail((INDEX, "Rules"), here=rule.id),
        element("h1", rule.name, " ", element("span", rule.id, class_="id")),
        element("p", prose(rule.summary), class_="lead"),
        _section("What KubeVirt does", element("p", prose(in_kubevirt(rule))), _releases(rule)),
        _section("Why", element("p", prose(rule.rationale))),
        _section("How to fix it", element("p", prose(rule.remediation))),
        _section("What Migratable does", _actions(rule)),
        _section("Examples", element("p", fragments(rule)), (_example(rule, example) for example in rule.examples)),
        _section("Source", element("p", "KubeVirt: ", rule.source), _reference(rule.reference)),
        here=INDEX,
        kind="reading",
        has_fleet=has_fleet,
    )


def _section(title: str, *content: Child) -> Html:
    return element("section", element("h2", title), *content)


def _releases(rule: Rule) -> Child:
    """A strip with the releases that refuse, and nothing for a rule that never decides a verdict."""
    if rule.kubevirt == NONE or rule.reason is None:
        return None
    cells = []
    for number, behaviour in enumerate(TABLE):
        if PUBLISHED >> number & 1:
            refuses = bool(rule.kubevirt >> number & 1)
            state, word = ("deny", "refuses") if refuses else ("good", "migrates")
            cells.append(element("li", str(behaviour.release), " ", badge(state, word)))
    return element("ul", cells, class_="releases") if rule.kubevirt != KNOWN else None


def _actions(rule: Rule) -> Iterator[Html]:
    rows = [("strict (default)", in_profile(rule, Profile.STRICT)), ("exact", in_profile(rule, Profile.EXACT))]
    yield table(("Profile", "Action"), rows)
    if can_be_unproven(rule):
        yield element("p", f"An unproven result is {if_unproven(rule)} in both profiles.")
    yield element("p", prose(f"A policy file overrides the profile: `actions: {{{rule.id}: warn}}`."))


_STATES: Final = {"accepted": "good", "rejected": "deny", "reported": "warn", "unproven": "open"}


def _example(rule: Rule, example: Example) -> Html:
    result = answer(rule, example, quote="`")
    release = release_of(rule, example)
    word = result.partition(" ")[0]
    return element(
        "article",
        element("h3", capitalized(example.title)),
        element(
            "p",
            badge(_STATES[word], word),
            prose(result.removeprefix(word)),
            f" (KubeVirt {release})" if release else None,
        ),
        element("pre", as_yaml(rule, example), tabindex=0, aria_label=f"Example: {example.title}", role="region"),
        class_="example",
    )


def _reference(address: str) -> Html:
    return element("p", "Further reading: ", element("a", address, href=address))


def missing(word: str, *, has_fleet: bool = False) -> bytes:
    """The page for an unknown rule."""
    return document(
        "No such rule",
        trail((INDEX, "Rules"), here="not found"),
        element("h1", "No such rule"),
        element("p", "There is no rule ", element("code", word), ". ", element("a", "All rules", href=INDEX), "."),
        here=INDEX,
        kind="reading",
        has_fleet=has_fleet,
    )
