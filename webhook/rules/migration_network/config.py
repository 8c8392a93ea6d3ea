"""Multus reads the configuration of a network as JSON; what is none stops every pod on it."""

from collections.abc import Iterator

from webhook.facts.network import Fault, NetworkFacts
from webhook.facts.unknown import Unknown
from webhook.rules.migration_network._network import CNI_SPECIFICATION, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, Unknown):
        yield Undetermined(facts.path, facts.config.why, facts.config.settle, "config")
    elif isinstance(facts.config, Fault):
        yield Violation(facts.path, facts.config.message, "config")


RULE = Rule(
    id="LM701",
    name="network-config-not-json",
    about=About.NETWORK,
    summary="The configuration of the network cannot be read.",
    rationale="Multus parses spec.config before it does anything else. A pod on a network that it cannot parse never starts.",
    remediation="Write spec.config as one JSON object in a string, for example with a block that begins with `config: |`.",
    source="network-attachment-definition-client pkg/utils/cniconfig.go GetCNIConfig, 2021; multus-cni v4.3.0",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("JSON", addressed('"type": "whereabouts", "range": "10.1.1.0/24"')),
        Example("JSON with a comma too many", 'config: \'{"type": "macvlan",}\'', violates=("config",)),
        Example("YAML where JSON belongs", 'config: "type: macvlan"', violates=("config",)),
        Example("JSON that is no object", "config: '[]'", violates=("config",)),
        Example("a configuration that stands in a file on the nodes", "{}", undetermined=("config",)),
    ),
)
