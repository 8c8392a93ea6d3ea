"""Without its instancetype or preference nobody knows what a VM will be."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import KNOWN
from webhook.rules.example import instancetype
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if facts.hidden is not None:
        subject = str(facts.hidden_path[-1])
        yield Undetermined(
            facts.hidden_path, facts.hidden.why, facts.hidden.settle, subject, unreadable=facts.hidden.unreadable
        )


RULE = Rule(
    id="LM505",
    name="unresolved-instancetype-or-preference",
    about=About.VMI,
    kubevirt=KNOWN,
    summary="The instancetype or preference of the VM could not be read.",
    rationale=(
        "An instancetype can bring GPUs, host devices and launch security, a preference bindings and CPU features: each can "
        "decide whether the VM migrates."
    ),
    remediation="Pass the object, or correct the reference.",
    source="pkg/instancetype/find, v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/instancetypes/",
    check=check,
    examples=(
        Example(
            "an instancetype that is known",
            "{domain: {devices: {}}}",
            machine="{instancetype: {name: small}}",
            world=(instancetype("small"),),
        ),
        Example(
            "an instancetype that nobody showed us",
            "{domain: {devices: {}}}",
            machine="{instancetype: {name: small}}",
            undetermined=("spec.instancetype",),
        ),
        Example(
            "a preference to be inferred from a claim that nobody showed us",
            "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}",
            machine="{preference: {inferFromVolume: os}}",
            undetermined=("spec.preference",),
        ),
    ),
)
