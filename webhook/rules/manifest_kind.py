"""Kinds are spelt letter by letter; KubeVirt's own has two capitals."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.nearest import close_matches
from webhook.objects.kinds import KINDS, group_of
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

OTHERS: dict[str, tuple[str, ...]] = {
    "kubevirt.io": ("VirtualMachineInstanceMigration", "VirtualMachineInstancePreset"),
    "cdi.kubevirt.io": (
        "CDI",
        "CDIConfig",
        "DataImportCron",
        "ObjectTransfer",
        "VolumeCloneSource",
        "VolumeImportSource",
        "VolumeUploadSource",
    ),
}
"""Kinds of the same groups that are not read here (KubeVirt v1.9.0, CDI v1.66.0)."""
GROUPS = frozenset({"kubevirt.io", "pool.kubevirt.io", "k8s.cni.cncf.io", "migrations.kubevirt.io"}) | frozenset(
    {"instancetype.kubevirt.io", "cdi.kubevirt.io"}
)


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    group = group_of(facts.api_version)
    if group not in GROUPS:
        return
    served = [each.kind for each in KINDS if each.group == group] + list(OTHERS.get(group, ()))
    kind = facts.kind.removesuffix("List")
    if facts.kind in served or kind in served:
        return
    lower = {each.lower(): each for each in served}
    close = close_matches(facts.kind.lower(), lower, cutoff=0.7)
    yield Violation(
        ("kind",),
        f"no API server knows kind {facts.kind!a} in {group}",
        f"kind {facts.kind}",
        f"Write kind: {lower[close[0]]}." if close else "",
    )


RULE = Rule(
    id="LM801",
    name="unknown-kind",
    about=About.MANIFEST,
    summary="The kind is misspelt.",
    rationale="Kinds are compared letter by letter, also by case; the API server refuses the manifest.",
    remediation="Correct the kind; `kubectl api-resources` lists what the cluster knows.",
    source="staging/src/kubevirt.io/api/core/v1/register.go, v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("the right spelling", "{apiVersion: kubevirt.io/v1, kind: KubeVirt}"),
        Example("one capital too few", "{apiVersion: kubevirt.io/v1, kind: Kubevirt}", violates=("kind",)),
        Example("a kind of somebody else", "{apiVersion: apps/v1, kind: Deployment}"),
    ),
)
