"""host-model means: like the CPU of this node, and somebody must know what that is."""

from collections.abc import Iterator, Mapping

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import KNOWN, NONE, Reason, Release, Releases, before
from webhook.rules.rule import MIGRATION_GUIDE, About, Assumption, Example, Outcome, Rule, Undetermined, Violation

HOST_MODEL = "host-model"
NEVER_REPORTED: Mapping[str, Releases] = {"arm64": KNOWN, "s390x": before(Release(1, 4))}
"""Architectures on which virt-handler never learns a host model, whatever the node is."""


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if isinstance(facts.cpu_model, Unknown) or facts.cpu_model != HOST_MODEL:
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
            f"cpu.model is host-model unless something else is brought along; {hidden.why}",
            hidden.settle,
            "cpu model",
            never,
            hidden.unreadable,
        )
        return
    origin = f" of {written.origin}" if written is not None and written.origin else ""
    yield Violation(
        path,
        f"cpu.model{origin} is host-model, and nodes with architecture {facts.architecture} report no such model",
        "cpu model",
        "Choose an instancetype that names a CPU model, or host-passthrough on arm64." if origin else "",
        releases=never,
    )


RULE = Rule(
    id="LM401",
    name="host-model-unknown",
    about=About.VMI,
    reason=Reason.CPU_MODE,
    summary="The CPU is to be like the node's, and the node does not say what it is.",
    rationale=(
        "With host-model KubeVirt looks for a target node with the same CPU model. If virt-handler does not know the model, "
        "it cannot look. On amd64 it practically always knows; this is taken for granted unless nodes are given. KubeVirt's "
        "reason really lacks the word Not."
    ),
    remediation="Write a named CPU model under domain.cpu.model, or host-passthrough on arm64.",
    source="pkg/virt-handler/vm.go isHostModelMigratable, v1.9.0 line 2441; cmd/virt-handler/virt-handler.go, v1.4.1",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a named model", "{domain: {devices: {}, cpu: {model: Skylake-Server}}}"),
        Example("host-model on amd64", "{domain: {devices: {}, cpu: {model: host-model}}, architecture: amd64}"),
        Example(
            "host-model on arm64",
            "{domain: {devices: {}, cpu: {model: host-model}}, architecture: arm64}",
            violates=("domain.cpu.model",),
        ),
        Example(
            "host-model on s390x up to 1.3",
            "{domain: {devices: {}, cpu: {model: host-model}}, architecture: s390x}",
            violates=("domain.cpu.model",),
            release="1.3",
        ),
    ),
)
