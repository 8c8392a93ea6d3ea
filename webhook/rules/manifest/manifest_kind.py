"""
Kinds and API groups are case-sensitive.

Other projects add kinds to these API groups, so only a near miss of a known kind is a misspelt kind (LM801). Every other
unknown kind is an unlisted kind (LM808).
"""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.schema.group_kinds import GROUPS, kinds_of
from webhook.kubevirt.schema.spelling import close_matches, near_miss
from webhook.objects.kinds import KINDS, group_of
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

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
    meant = misspelt_kind(group, facts.kind)
    if meant:
        yield Violation(
            ("kind",),
            f"unknown kind {facts.kind!a} in API group {group}",
            f"kind {facts.kind}",
            f"Write kind: {meant}.",
        )


def is_listed(group: str, kind: str) -> bool:
    """Whether the kind, or the kind of the items of a list such as ``VirtualMachineList``, is a known kind of the group."""
    return kind in (known := kinds_of(group)) or kind.removesuffix("List") in known


def misspelt_kind(group: str, kind: str) -> str:
    """The known kind that ``kind`` nearly matches, or an empty text."""
    return "" if is_listed(group, kind) else near_miss(kind, sorted(kinds_of(group)))


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
        Example(
            "a kind of another project in the same API group",
            "{apiVersion: migrations.kubevirt.io/v1alpha1, kind: VirtualMachineStorageMigrationPlan}",
        ),
        Example("a kind that is not similar to any known kind", "{apiVersion: kubevirt.io/v1, kind: Gadget}"),
    ),
)
