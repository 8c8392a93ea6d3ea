"""Without its instancetype or preference nobody knows what a VM will be."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import KNOWN
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if facts.hidden is not None:
        yield Undetermined(facts.hidden_path, facts.hidden.why, facts.hidden.settle, str(facts.hidden_path[-1]))


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
    examples=(Example("a VM without references", "{domain: {devices: {}}}"),),
)
