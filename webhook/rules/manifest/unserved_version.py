"""A KubeVirt release serves only some versions of KubeVirt's APIs."""

from collections.abc import Iterator, Mapping

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.releases import KNOWN, Release, Releases, before, since
from webhook.objects.hyper_converged import HYPER_CONVERGED_GROUP
from webhook.objects.kinds import KINDS, group_of
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_EVERY: Mapping[str, Releases] = {"v1": KNOWN, "v1alpha3": KNOWN}
SERVED: Mapping[str, Mapping[str, Releases]] = {
    "kubevirt.io": _EVERY,
    "pool.kubevirt.io": {"v1alpha1": KNOWN, "v1beta1": since(Release(1, 7))},
    "instancetype.kubevirt.io": {
        "v1beta1": KNOWN,
        "v1alpha2": before(Release(1, 6)),
        "v1alpha1": before(Release(1, 6)),
    },
    "migrations.kubevirt.io": {"v1alpha1": KNOWN},
    HYPER_CONVERGED_GROUP: {"v1beta1": KNOWN, "v1": since(Release(1, 8))},  # HyperConverged 1.18 deploys KubeVirt 1.8
}
"""The releases that serve each version, by API group (CRDs of ``pkg/virt-operator/resource/generate/components/crds.go``)."""
_NEWEST: Mapping[str, str] = {
    "kubevirt.io": "v1",
    "pool.kubevirt.io": "v1beta1",
    "instancetype.kubevirt.io": "v1beta1",
    "migrations.kubevirt.io": "v1alpha1",
    HYPER_CONVERGED_GROUP: "v1beta1",
}
_KINDS = frozenset((kind.group, kind.kind) for kind in KINDS)


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    group, version = group_of(facts.api_version), facts.api_version.rpartition("/")[2]
    versions = SERVED.get(group)
    if versions is None or (group, facts.kind) not in _KINDS:
        return
    missing = facts.releases & ~versions.get(version, 0)
    if group == HYPER_CONVERGED_GROUP and missing != facts.releases:
        return  # only HyperConverged 1.18 and later create an object of version v1
    if missing:
        served = [name for name, releases in versions.items() if releases & facts.releases == facts.releases]
        newest = _NEWEST[group] if _NEWEST[group] in served else next(iter(served), "")
        server = "HyperConverged" if group == HYPER_CONVERGED_GROUP else "KubeVirt"
        yield Violation(
            ("apiVersion",),
            f"{server} does not serve apiVersion {facts.api_version!a}",
            f"version {facts.api_version}",
            f"Write {group}/{newest}." if newest else "",
            missing,
        )


RULE = Rule(
    id="LM805",
    name="unserved-api-version",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="The KubeVirt release does not serve the API version.",
    rationale="The API server rejects the manifest, because it does not know the kind in this version.",
    remediation="Write a version that the release serves. `kubectl api-versions` lists the served versions.",
    source="pkg/virt-operator/resource/generate/components/crds.go, v1.3.1 to v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("the stored version", "{apiVersion: kubevirt.io/v1, kind: VirtualMachine, spec: {}}"),
        Example(
            "a version that does not exist",
            "{apiVersion: kubevirt.io/v1beta1, kind: VirtualMachine, spec: {}}",
            violates=("apiVersion",),
        ),
        Example(
            "a pool in v1beta1, up to 1.6",
            "{apiVersion: pool.kubevirt.io/v1beta1, kind: VirtualMachinePool, spec: {}}",
            violates=("apiVersion",),
            release="1.6",
        ),
        Example(
            "a pool in v1beta1, from 1.7 on",
            "{apiVersion: pool.kubevirt.io/v1beta1, kind: VirtualMachinePool, spec: {}}",
            release="1.7",
        ),
        Example("v1alpha3 of a VirtualMachine", "{apiVersion: kubevirt.io/v1alpha3, kind: VirtualMachine, spec: {}}"),
        Example(
            "a HyperConverged CR in v1, up to KubeVirt 1.7",
            "{apiVersion: hco.kubevirt.io/v1, kind: HyperConverged, spec: {}}",
            violates=("apiVersion",),
            release="1.7",
        ),
        Example(
            "a MigrationPolicy in v1",
            "{apiVersion: migrations.kubevirt.io/v1, kind: MigrationPolicy, spec: {}}",
            violates=("apiVersion",),
        ),
    ),
)
