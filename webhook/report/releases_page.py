"""What KubeVirt's releases refuse, as one Markdown page made from the release table and the rules."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from webhook.kubevirt.releases import KNOWN, NEWEST, NONE, OLDEST_SUPPORTED, TABLE, Behaviour, Reason
from webhook.report.pages import GENERATED, row
from webhook.rules.rule import Rule

_GAP = "·"


def page(rules: Sequence[Rule]) -> str:
    """``docs/releases.md``: says on line 1 that it is generated."""
    return "\n".join(_lines(sorted(rules, key=lambda rule: rule.id))) + "\n"


def _lines(rules: Sequence[Rule]) -> Iterator[str]:
    yield from (GENERATED, "# KubeVirt releases", "")
    yield (
        f"`--release any`, the default where nothing says which KubeVirt runs, means {OLDEST_SUPPORTED} to {NEWEST}. "
        f"Older ones from {TABLE[0].release} on are judged when they are asked for; a newer one is judged as {NEWEST}, "
        "and the answer says so. Inside a minor release all patches decide alike."
    )
    yield from ("", "## Reasons, in the order in which each release looks", "")
    yield (
        "A VM that cannot be live-migrated shows one reason, `reason` of its condition `LiveMigratable`: the one with the "
        f"lowest number among those that hold. {_GAP} means that the release never gives this reason."
    )
    yield ""
    yield row("reason", *(str(each.release) for each in TABLE), "rules")
    yield row("---", *("---:" for _ in TABLE), "---")
    for reason in _by_first_place():
        cells = (str(each.order.index(reason) + 1) if reason in each.order else _GAP for each in TABLE)
        yield row(f"`{reason}`", *cells, _links(rule for rule in rules if rule.reason is reason))
    yield from ("", "## What changed", "")
    for older, newer in pairwise(TABLE):
        if changes := list(_changes(older, newer)):
            yield f"- **{newer.release}**: {'; '.join(changes)}."
    yield from ("", "## Rules by release", "")
    yield (
        f"× means that KubeVirt refuses to migrate where the rule finds something, {_GAP} that it does not. Some rules look "
        "at different things from release to release; their pages say so."
    )
    yield ""
    yield row("rule", *(str(each.release) for each in TABLE), "fixed list")
    yield row("---", *(":---:" for _ in TABLE), ":---:")
    for rule in rules:
        if rule.kubevirt != NONE or rule.baseline:
            cells = ("×" if rule.kubevirt >> index & 1 else _GAP for index in range(KNOWN.bit_length()))
            yield row(f"{_link(rule)} {rule.name}", *cells, "yes" if rule.baseline else "")


def _by_first_place() -> list[Reason]:
    """The newest release's order first, then what only older releases know."""
    known = dict.fromkeys(reason for each in reversed(TABLE) for reason in each.order)
    return list(known)


def _changes(older: Behaviour, newer: Behaviour) -> Iterator[str]:
    if added := [reason for reason in newer.order if reason not in older.order]:
        yield f"new: {_code(added)}"
    if removed := [reason for reason in older.order if reason not in newer.order]:
        yield f"gone: {_code(removed)}"
    kept = [reason for reason in older.order if reason in newer.order]
    if kept != [reason for reason in newer.order if reason in older.order]:
        yield "the others are looked at in another order"
    if older.completion_timeout_per_gib != newer.completion_timeout_per_gib:
        yield (
            f"`completionTimeoutPerGiB` is {newer.completion_timeout_per_gib} by default, "
            f"it was {older.completion_timeout_per_gib}"
        )
    if older.instancetype_versions != newer.instancetype_versions:
        yield f"instancetypes and preferences are served as {_code(newer.instancetype_versions)}"
    if older.pool_versions != newer.pool_versions:
        yield f"pools are served as {_code(newer.pool_versions)}"


def _code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _links(rules: Iterator[Rule]) -> str:
    return " ".join(_link(rule) for rule in rules)


def _link(rule: Rule) -> str:
    return f"[{rule.id}](rules/{rule.id}.md)"
