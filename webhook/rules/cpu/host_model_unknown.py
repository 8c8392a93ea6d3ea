"""CPU model host-model copies the CPU of the node, so the node must report that CPU."""

from collections.abc import Iterator, Mapping

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import KNOWN, NONE, Reason, Release, Releases, before
from webhook.rules.example import kubevirt, node
from webhook.rules.rule import MIGRATION_GUIDE, About, Assumption, Example, Outcome, Rule, Undetermined, Violation

HOST_MODEL = "host-model"
NEVER_REPORTED: Mapping[str, Releases] = {"arm64": KNOWN, "s390x": before(Release(1, 4))}
"""Architectures on which virt-handler never reports a host model, with the releases."""


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    model = facts.cpu_model
    if isinstance(model, Unknown):
        yield from _without_the_cr(facts, model)
        return
    if model != HOST_MODEL:
        return
    known = facts.host_model_known
    never = NEVER_REPORTED.get(facts.architecture, NONE)
    if known is False:
        never = KNOWN
    elif isinstance(known, Unknown) and never != KNOWN:
        yield Assumption("the node that will run the VM reports its host CPU model (cpu.model is host-model)")
    if not never:
        return
    written = facts.written_cpu_model
    path = written.path if written is not None else facts.at("domain")
    hidden = facts.hidden_architecture if written is not None else facts.hidden
    if hidden is not None:
        yield Undetermined(
            path,
            "cpu.model is host-model, unless the instancetype or preference sets another model or architecture; "
            f"{hidden.why}",
            hidden.settle,
            "cpu model",
            never,
            hidden.unreadable,
        )
        return
    origin = f" of {written.origin}" if written is not None and written.origin else ""
    yield Violation(
        path,
        f"cpu.model{origin} is host-model, and {facts.architecture} nodes report no host model, so the VM cannot be "
        "live-migrated",
        "cpu model",
        "Use an instancetype with a named CPU model, or with host-passthrough on arm64." if origin else "",
        releases=never,
    )


def _without_the_cr(facts: MigrationFacts, model: Unknown) -> Iterator[Outcome]:
    """The outcomes for a VM without a CPU model if the KubeVirt CR, which can set a default model, is unknown."""
    known = facts.host_model_known
    refusing = KNOWN if known is False else NEVER_REPORTED.get(facts.architecture, NONE)
    if refusing:
        yield Undetermined(
            facts.at("domain"),
            "the VM sets no cpu.model and its nodes report no host model, so a live migration needs "
            f"cpuModel in the KubeVirt CR; {model.why}",
            model.settle,
            "cpu model",
            refusing,
            model.unreadable,
        )
    if refusing != KNOWN and isinstance(known, Unknown):
        yield Assumption(
            "the node that will run the VM reports its host CPU model (KubeVirt sets cpu.model host-model, unless "
            "its CR sets another model)"
        )


RULE = Rule(
    id="LM401",
    name="host-model-unknown",
    about=About.VMI,
    reason=Reason.CPU_MODE,
    summary="The CPU model is host-model, and the nodes report no host CPU model.",
    rationale=(
        "With host-model, KubeVirt selects a target node with the same CPU model as the source node. KubeVirt cannot "
        "select such a node if virt-handler does not report the model. On amd64 nearly every node reports its model, "
        "so "
        'Migratable assumes this unless nodes are provided. KubeVirt\'s reason `CPUModeLiveMigratable` has no "Not" '
        "in its name."
    ),
    remediation="Write a named model under domain.cpu, such as `model: Haswell`, or `model: host-passthrough` on arm64.",
    source="pkg/virt-handler/vm.go isHostModelMigratable, v1.9.0 line 2441; cmd/virt-handler/virt-handler.go, v1.4.1",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a named model", "{domain: {devices: {}, cpu: {model: Skylake-Server}}}"),
        Example("host-model on amd64", "{domain: {devices: {}, cpu: {model: host-model}}, architecture: amd64}"),
        Example(
            "host-passthrough on arm64", "{domain: {devices: {}, cpu: {model: host-passthrough}}, architecture: arm64}"
        ),
        Example(
            "host-model on arm64",
            "{domain: {devices: {}, cpu: {model: host-model}}, architecture: arm64}",
            violates=("domain.cpu.model",),
        ),
        Example(
            "host-model on s390x in 1.3",
            "{domain: {devices: {}, cpu: {model: host-model}}, architecture: s390x}",
            violates=("domain.cpu.model",),
            release="1.3",
        ),
        Example(
            "host-model on s390x in 1.4",
            "{domain: {devices: {}, cpu: {model: host-model}}, architecture: s390x}",
            release="1.4",
        ),
        Example(
            "host-model on amd64, and a node that reports no host model",
            "{domain: {devices: {}, cpu: {model: host-model}}, architecture: amd64}",
            world=(node("n1", **{"kubevirt.io/schedulable": "true", "kubernetes.io/arch": "amd64"}),),
            violates=("domain.cpu.model",),
        ),
        Example(
            "host-model in a cluster of arm64 nodes, and a preference that was not provided",
            "{domain: {devices: {}, cpu: {model: host-model}}}",
            world=(kubevirt(architectureConfiguration={"defaultArchitecture": "arm64"}),),
            vm_spec="{preference: {name: hardened}}",
            undetermined=("spec.template.spec.domain.cpu.model",),
        ),
        Example(
            "no model, nodes that report no host model, and no KubeVirt CR",
            "{domain: {devices: {}}, architecture: amd64}",
            world=(node("n1", **{"kubevirt.io/schedulable": "true"}),),
            undetermined=("domain",),
        ),
    ),
)
