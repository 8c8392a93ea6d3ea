"""A Markdown page about KubeVirt releases, from the release table and the rules."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from webhook.kubevirt.releases import (
    KNOWN,
    NEWEST,
    NONE,
    OLDEST_SUPPORTED,
    PREVIEW,
    PREVIEW_AS_OF,
    TABLE,
    Behaviour,
    Reason,
)
from webhook.report.pages import GENERATED, row
from webhook.rules.rule import Rule

_GAP = "·"
_PATCH_RELEASES = (
    "## Patch releases",
    "",
    (
        "The code that sets the condition is the same in all patch releases of a minor release (compared over the tags v1.0.1 to "
        "v1.9.0). These patch releases change which objects that code uses:"
    ),
    "",
    row("from", "change", "KubeVirt source"),
    row("---", "---", "---"),
    row(
        "1.5.2",
        "The revision in `status.instancetypeRef` or `status.preferenceRef` of a VM counts only if it is a copy of the object "
        "that the VM names. KubeVirt 1.5.0 and 1.5.1 use any revision there.",
        "`pkg/instancetype/find/revision.go`",
    ),
    row(
        "1.6.4",
        "A VM without `architecture` gets the architecture in the label `template.kubevirt.io/architecture` of its DataSource. "
        "KubeVirt 1.6.0 to 1.6.3 ignore the label.",
        "`pkg/defaults/defaults.go`",
    ),
    row(
        "1.2.1, 1.3.1, 1.4.1, 1.5.1, 1.6.3",
        "KubeVirt deploys other instancetypes and preferences.",
        "`pkg/virt-operator/resource/generate/components/data`",
    ),
    "",
    (
        "The patch release is the one in `--release`, such as `--release 1.6.2`, or the one in `status.observedKubeVirtVersion` "
        "of the KubeVirt CR. If neither names a patch release, the newest patch release is assumed. If the verdict depends on "
        "this assumption, the verdict lists it."
    ),
    "",
    "## Instancetypes and preferences that KubeVirt deploys",
    "",
    (
        "KubeVirt deploys the cluster-scoped instancetypes and preferences of "
        "[common-instancetypes](https://github.com/kubevirt/common-instancetypes), such as `u1.medium` and `windows.11`. "
        "Migratable has the fields that change a verdict, for each release. It uses them if the input does not contain an object "
        "of that name, and the verdict lists the assumption. An object in the input or in the cluster has precedence. Admission "
        "uses only the objects of the cluster."
    ),
    "",
    "- From 1.4 on, KubeVirt deploys these objects unless `commonInstancetypesDeployment.enabled` in the KubeVirt CR is `false`.",
    "- From 1.1 to 1.3, KubeVirt deploys them if the KubeVirt CR lists feature gate `CommonInstancetypesDeploymentGate`.",
    "- If no KubeVirt CR is in the input, Migratable assumes that KubeVirt deploys them.",
)


def page(rules: Sequence[Rule]) -> str:
    """``docs/releases.md``. Its first line says that it is generated."""
    return "\n".join(_lines(sorted(rules, key=lambda rule: rule.id))) + "\n"


def _lines(rules: Sequence[Rule]) -> Iterator[str]:
    yield from (GENERATED, "# KubeVirt releases", "")
    yield (
        f"`--release any` means the KubeVirt releases {OLDEST_SUPPORTED} to {NEWEST}, and is the default if the "
        f"KubeVirt release is not known. `--release` also accepts older releases, from {TABLE[0].release} on. A newer "
        "release is judged as the newest release below, with a note in the report. A few patch releases give other "
        "verdicts than the rest of their minor release ([Patch releases](#patch-releases))."
    )
    yield ""
    yield (
        f"KubeVirt {PREVIEW} is not published. Its column shows the main branch of {PREVIEW_AS_OF}, and may change. It applies "
        f"only with `--release {PREVIEW}` or if the KubeVirt CR has this version. Reports then contain a note. Its verdicts are "
        f"those of {NEWEST}. Feature gate `DecentralizedLiveMigration` is on by default. Feature gate `MigrationDowntimeTuning` "
        "and the MigrationPolicy field `experimental.downtimeTuning` are new."
    )
    yield from ("", "## Reasons by release, in order of precedence", "")
    yield (
        "If a VM cannot be live-migrated, its condition `LiveMigratable` contains one `reason`. If several reasons apply, "
        f"KubeVirt shows the reason with the lowest number. A dot ({_GAP}) means that the release does not use the reason."
    )
    yield ""
    yield row("reason", *map(_column, TABLE), "rules")
    yield row("---", *("---:" for _ in TABLE), "---")
    for reason in _by_first_place():
        cells = (str(release.order.index(reason) + 1) if reason in release.order else _GAP for release in TABLE)
        yield row(f"`{reason}`", *cells, _links(rule for rule in rules if rule.reason is reason))
    yield from ("", "## What changed", "")
    for older, newer in pairwise(TABLE):
        if changes := list(_changes(older, newer)):
            yield f"- **{newer.release}**: {'; '.join(changes)}."
    yield from ("", *_PATCH_RELEASES)
    yield from ("", "## Rules by release", "")
    yield (
        f"A cross (×) means that KubeVirt refuses to migrate a VM with this finding. A dot ({_GAP}) means that KubeVirt does "
        "not refuse. Some rules check different fields in different releases, as the page of the rule describes."
    )
    yield ""
    yield row("rule", *map(_column, TABLE), "fixed list")
    yield row("---", *(":---:" for _ in TABLE), ":---:")
    for rule in rules:
        if rule.kubevirt != NONE or rule.baseline:
            cells = ("×" if rule.kubevirt >> index & 1 else _GAP for index in range(KNOWN.bit_length()))
            yield row(f"{_link(rule)} {rule.name}", *cells, "yes" if rule.baseline else "")


def _column(behaviour: Behaviour) -> str:
    return f"{behaviour.release}{' (preview)' if behaviour.release == PREVIEW else ''}"


def _by_first_place() -> list[Reason]:
    """All reasons in the order of the newest release, then the reasons that only older releases have."""
    known = dict.fromkeys(reason for behaviour in reversed(TABLE) for reason in behaviour.order)
    return list(known)


def _changes(older: Behaviour, newer: Behaviour) -> Iterator[str]:
    if added := [reason for reason in newer.order if reason not in older.order]:
        yield f"KubeVirt sets the new reason {_code(added)}"
    if removed := [reason for reason in older.order if reason not in newer.order]:
        yield f"KubeVirt no longer sets the reason {_code(removed)}"
    kept = [reason for reason in older.order if reason in newer.order]
    if kept != [reason for reason in newer.order if reason in older.order]:
        yield "the order of the other reasons changed"
    if older.completion_timeout_per_gib != newer.completion_timeout_per_gib:
        yield (
            f"the default of `completionTimeoutPerGiB` is {newer.completion_timeout_per_gib}, "
            f"not {older.completion_timeout_per_gib}"
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
