"""Other projects add kinds to the API groups of KubeVirt and Multus."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.schema.group_kinds import GROUPS
from webhook.objects.kinds import group_of
from webhook.rules.manifest.manifest_kind import is_listed, misspelt_kind
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    group = group_of(facts.api_version)
    if group in GROUPS and not is_listed(group, facts.kind) and not misspelt_kind(group, facts.kind):
        yield Violation(
            ("kind",),
            f"kind {facts.kind!a} of API group {group} is unknown, so this object is not checked",
            f"kind {facts.kind}",
        )


RULE = Rule(
    id="LM808",
    name="unlisted-kind",
    about=About.MANIFEST,
    severity=Severity.INFO,
    summary="The API group is known, but the kind is not.",
    rationale=(
        "Other projects and newer releases add kinds to the API groups of KubeVirt, CDI and Multus. Migratable cannot tell "
        "whether the cluster has such a kind."
    ),
    remediation="Compare the kind with the output of `kubectl api-resources`.",
    source="the CRDs of KubeVirt v1.3.1 to v1.9.0, CDI v1.66.0, and Multus' network-attachment-definition-client v1.7.7",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("a kind that KubeVirt has", "{apiVersion: kubevirt.io/v1, kind: VirtualMachine}"),
        Example(
            "a kind of the storage migration controller",
            "{apiVersion: migrations.kubevirt.io/v1alpha1, kind: VirtualMachineStorageMigrationPlan}",
        ),
        Example("a kind of OVN-Kubernetes", "{apiVersion: k8s.cni.cncf.io/v1alpha1, kind: IPAMClaim}"),
        Example("a misspelt kind, which LM801 reports", "{apiVersion: kubevirt.io/v1, kind: Kubevirt}"),
        Example("an unknown kind", "{apiVersion: kubevirt.io/v1, kind: Gadget}", violates=("kind",)),
        Example("an unknown list", "{apiVersion: cdi.kubevirt.io/v1beta1, kind: VolumeList}", violates=("kind",)),
        Example(
            "a kind that has only the prefix of a known kind",
            "{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachment}",
            violates=("kind",),
        ),
    ),
)
