"""Hyper-V reenlightenment depends on the frequency of the time stamp counter (TSC) of every node."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import Reason
from webhook.rules.example import kubevirt, node
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_ON = "{domain: {devices: {}, features: {hyperv: {reenlightenment: {}}}}, architecture: amd64}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    enabled = facts.reenlightenment
    if enabled is None or _boots_with_tsc(facts):
        return
    frequency, unknown = facts.tsc_frequency, facts.hidden
    if isinstance(frequency, Unknown):
        unknown = frequency
    elif frequency > 0:
        return
    if unknown is not None:
        yield Undetermined(
            enabled.path,
            f"Hyper-V reenlightenment is enabled, and the TSC frequency of the nodes is unknown; {unknown.why}",
            unknown.settle
            or "pass the KubeVirt CR with developerConfiguration.minimumClusterTSCFrequency, or the nodes",
            "reenlightenment",
            unreadable=unknown.unreadable,
        )
    elif facts.architecture != "amd64":
        yield Violation(
            enabled.path,
            f"Hyper-V reenlightenment is enabled on {facts.architecture}, but KubeVirt determines the TSC frequency "
            "only on amd64, so the VM cannot be live-migrated",
            "reenlightenment",
        )
    else:
        yield Violation(
            enabled.path,
            "Hyper-V reenlightenment is enabled, and neither the KubeVirt CR nor a node has a TSC frequency, so the "
            "VM cannot be live-migrated",
            "reenlightenment",
        )


def _boots_with_tsc(facts: MigrationFacts) -> bool:
    """
    Whether the VM requires or forces CPU feature ``invtsc``. Such a VM cannot boot without the frequency, so KubeVirt never
    reports this reason for it.
    """
    return any(feature.name == "invtsc" and feature.policy in ("require", "force") for feature in facts.cpu_features)


RULE = Rule(
    id="LM405",
    name="unknown-tsc-frequency",
    about=About.VMI,
    reason=Reason.NO_TSC,
    summary="Hyper-V reenlightenment is enabled, and the TSC frequency of the nodes is unknown.",
    rationale=(
        "Reenlightenment notifies a Windows guest when the speed of its clock changes. KubeVirt migrates such a VM only if it "
        "knows the TSC frequency that the target node must have. `reenlightenment: {}` counts as enabled."
    ),
    remediation=(
        "Write `reenlightenment: {enabled: false}` under features.hyperv. Otherwise, ask the platform team to set "
        "developerConfiguration.minimumClusterTSCFrequency in the KubeVirt CR."
    ),
    source="pkg/virt-controller/watch/topology/tsc.go and hinter.go, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "a KubeVirt CR with minimumClusterTSCFrequency",
            _ON,
            world=(kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 2000000000}),),
        ),
        Example(
            "a node with a label for its TSC frequency",
            _ON,
            world=(
                kubevirt(),
                node(
                    "n1",
                    **{"kubevirt.io/schedulable": "true", "cpu-timer.node.kubevirt.io/tsc-frequency": "2100000000"},
                ),
            ),
        ),
        Example(
            "a node without that label",
            _ON,
            world=(kubevirt(), node("n1", **{"kubevirt.io/schedulable": "true"})),
            violates=("domain.features.hyperv.reenlightenment",),
        ),
        Example("a cluster that was not provided", _ON, undetermined=("domain.features.hyperv.reenlightenment",)),
        Example(
            "arm64",
            "{domain: {devices: {}, features: {hyperv: {reenlightenment: {enabled: true}}}}, architecture: arm64}",
            violates=("domain.features.hyperv.reenlightenment",),
        ),
        Example(
            "a KubeVirt CR with a frequency of 0",
            _ON,
            world=(kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 0}),),
            violates=("domain.features.hyperv.reenlightenment",),
        ),
        Example("`enabled: false`", "{domain: {devices: {}, features: {hyperv: {reenlightenment: {enabled: false}}}}}"),
    ),
)
