"""Kinds and their groups are spelt letter by letter; KubeVirt's own kind has two capitals."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.schema.spelling import close_matches
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

_GROUP_OF = {each.kind: each.group for each in KINDS if each.group in GROUPS}
_CLOSE = 0.8
"""How much alike two groups are (``difflib``), so that one was meant for the other: ``kubevirt`` and ``kubevirt.io`` are."""


def meant_group(api_version: str, kind: str) -> str:
    """
    The group that must have been meant where ``kind`` is one of KubeVirt's and the group is not; empty where it may be right.

    Kubernetes' own group, that has none of these kinds, and one that is nearly the kind's: others have a VirtualMachine, too.
    """
    meant, group = _GROUP_OF.get(kind, ""), group_of(api_version)
    if not meant or group in GROUPS:
        return ""
    return meant if not group or close_matches(group.lower(), [meant], cutoff=_CLOSE) else ""


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    group = group_of(facts.api_version)
    if group not in GROUPS:
        if meant := meant_group(facts.api_version, facts.kind):
            version = next(each.versions[0] for each in KINDS if (each.group, each.kind) == (meant, facts.kind))
            yield Violation(
                ("apiVersion",),
                f"no API server knows kind {facts.kind!a} in apiVersion {facts.api_version!a}",
                f"apiVersion {facts.api_version}",
                f"Write {meant}/{version}.",
            )
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
    summary="The kind or its group is misspelt.",
    rationale="Kinds are compared letter by letter, also by case; the API server refuses the manifest.",
    remediation="Correct the kind; `kubectl api-resources` lists what the cluster knows.",
    source="staging/src/kubevirt.io/api/core/v1/register.go, v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("the right spelling", "{apiVersion: kubevirt.io/v1, kind: KubeVirt}"),
        Example("one capital too few", "{apiVersion: kubevirt.io/v1, kind: Kubevirt}", violates=("kind",)),
        Example("half a group", "{apiVersion: kubevirt/v1, kind: VirtualMachine}", violates=("apiVersion",)),
        Example("a VM of somebody else", "{apiVersion: vmoperator.vmware.com/v1alpha3, kind: VirtualMachine}"),
        Example("a kind of somebody else", "{apiVersion: apps/v1, kind: Deployment}"),
    ),
)
