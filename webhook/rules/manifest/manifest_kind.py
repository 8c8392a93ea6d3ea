"""Kinds and API groups are case-sensitive."""

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
"""Kinds of the same groups that Migratable does not read (KubeVirt v1.9.0, CDI v1.66.0)."""
GROUPS = frozenset({"kubevirt.io", "pool.kubevirt.io", "k8s.cni.cncf.io", "migrations.kubevirt.io"}) | frozenset(
    {"instancetype.kubevirt.io", "cdi.kubevirt.io"}
)

_GROUP_OF = {kind.kind: kind.group for kind in KINDS if kind.group in GROUPS}
_CLOSE = 0.8
"""
The minimum similarity (``difflib``) of a misspelt group, such as ``kubevirt``, to the correct group, such as ``kubevirt.io``.
"""


def meant_group(api_version: str, kind: str) -> str:
    """
    The correct API group of ``kind`` if the written group is misspelt, otherwise an empty text.

    The core group counts as misspelt, because none of these kinds is in the core group. Other groups can have their own kind
    VirtualMachine.
    """
    meant, group = _GROUP_OF.get(kind, ""), group_of(api_version)
    if not meant or group in GROUPS:
        return ""
    return meant if not group or close_matches(group.lower(), [meant], cutoff=_CLOSE) else ""


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    group = group_of(facts.api_version)
    if group not in GROUPS:
        if meant := meant_group(facts.api_version, facts.kind):
            version = next(kind.versions[0] for kind in KINDS if (kind.group, kind.kind) == (meant, facts.kind))
            yield Violation(
                ("apiVersion",),
                f"unknown kind {facts.kind!a} in apiVersion {facts.api_version!a}",
                f"apiVersion {facts.api_version}",
                f"Write {meant}/{version}.",
            )
        return
    served = [kind.kind for kind in KINDS if kind.group == group] + list(OTHERS.get(group, ()))
    kind = facts.kind.removesuffix("List")
    if facts.kind in served or kind in served:
        return
    lower = {name.lower(): name for name in served}
    close = close_matches(facts.kind.lower(), lower, cutoff=0.7)
    yield Violation(
        ("kind",),
        f"unknown kind {facts.kind!a} in API group {group}",
        f"kind {facts.kind}",
        f"Write kind: {lower[close[0]]}." if close else "",
    )


RULE = Rule(
    id="LM801",
    name="unknown-kind",
    about=About.MANIFEST,
    summary="The kind or its API group is misspelt.",
    rationale="Kinds are case-sensitive. The API server rejects the manifest.",
    remediation="Correct `kind` or `apiVersion`. `kubectl api-resources` lists the kinds of the cluster.",
    source="staging/src/kubevirt.io/api/core/v1/register.go, v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("KubeVirt", "{apiVersion: kubevirt.io/v1, kind: KubeVirt}"),
        Example("one capital letter too few", "{apiVersion: kubevirt.io/v1, kind: Kubevirt}", violates=("kind",)),
        Example("an incomplete API group", "{apiVersion: kubevirt/v1, kind: VirtualMachine}", violates=("apiVersion",)),
        Example("a kind with a typing error", "{apiVersion: kubevirt.io/v1, kind: VirtualMachin}", violates=("kind",)),
        Example(
            "a VirtualMachine of another API group",
            "{apiVersion: vmoperator.vmware.com/v1alpha3, kind: VirtualMachine}",
        ),
        Example("a kind of Kubernetes", "{apiVersion: apps/v1, kind: Deployment}"),
    ),
)
