"""Hyper-V reenlightenment needs to know how fast the time stamp counter runs on every node."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import Reason
from webhook.rules.example import kubevirt, node
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_ON = "{domain: {devices: {}, features: {hyperv: {reenlightenment: {}}}}, architecture: amd64}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    enabled = facts.reenlightenment
    if enabled is None or boots_with_tsc(facts):
        return
    frequency, unknown = facts.tsc_frequency, facts.hidden
    if isinstance(frequency, Unknown):
        unknown = frequency
    elif frequency > 0:
        return
    if unknown is not None:
        yield Undetermined(
            enabled.path,
            f"Hyper-V reenlightenment is on, and the nodes' TSC frequency is not known: {unknown.why}",
            unknown.settle
            or "pass the KubeVirt CR with developerConfiguration.minimumClusterTSCFrequency, or the nodes",
            "reenlightenment",
            unreadable=unknown.unreadable,
        )
    elif facts.architecture != "amd64":
        yield Violation(
            enabled.path,
            f"Hyper-V reenlightenment is on, and KubeVirt knows a TSC frequency only on amd64, not on {facts.architecture}",
            "reenlightenment",
        )
    else:
        yield Violation(
            enabled.path,
            "Hyper-V reenlightenment is on, and neither the KubeVirt CR nor a node tells the TSC frequency",
            "reenlightenment",
        )


def boots_with_tsc(facts: MigrationFacts) -> bool:
    """``invtsc`` required or forced: the frequency is then needed to boot, and can no longer be this reason."""
    return any(each.name == "invtsc" and each.policy in ("require", "force") for each in facts.cpu_features)


RULE = Rule(
    id="LM405",
    name="unknown-tsc-frequency",
    about=About.VMI,
    reason=Reason.NO_TSC,
    summary="Hyper-V reenlightenment is on, and the TSC frequency of the nodes is not known.",
    rationale=(
        "A Windows guest with reenlightenment is told when its clock changes speed. KubeVirt migrates it only if it knows "
        "the frequency that the target must offer. `reenlightenment: {}` counts as enabled."
    ),
    remediation=(
        "Remove features.hyperv.reenlightenment, or ask the platform team to set "
        "developerConfiguration.minimumClusterTSCFrequency in the KubeVirt CR."
    ),
    source="pkg/virt-controller/watch/topology/tsc.go and hinter.go, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "the cluster names its lowest frequency",
            _ON,
            world=(kubevirt(developerConfiguration={"minimumClusterTSCFrequency": 2000000000}),),
        ),
        Example(
            "a node tells its frequency",
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
            "no node tells it",
            _ON,
            world=(kubevirt(), node("n1", **{"kubevirt.io/schedulable": "true"})),
            violates=("domain.features.hyperv.reenlightenment",),
        ),
        Example("a cluster that nobody showed us", _ON, undetermined=("domain.features.hyperv.reenlightenment",)),
        Example(
            "on arm64",
            "{domain: {devices: {}, features: {hyperv: {reenlightenment: {enabled: true}}}}, architecture: arm64}",
            violates=("domain.features.hyperv.reenlightenment",),
        ),
        Example("switched off", "{domain: {devices: {}, features: {hyperv: {reenlightenment: {enabled: false}}}}}"),
    ),
)
