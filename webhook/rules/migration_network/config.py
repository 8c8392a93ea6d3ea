"""Multus reads the configuration as JSON. If the configuration is not JSON, no pod on the network starts."""

from collections.abc import Iterator

from webhook.facts.network import Fault, NetworkFacts
from webhook.facts.unknown import Unknown
from webhook.rules.migration_network._network import CNI_SPECIFICATION, addressed, config
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
    summary="The configuration of the network is not JSON.",
    rationale="Multus parses spec.config first. A pod on a network that Multus cannot parse never starts.",
    remediation="Write spec.config as one JSON object in a string, for example in a YAML block after `config: |`.",
    source="network-attachment-definition-client pkg/utils/cniconfig.go GetCNIConfig, 2021; multus-cni v4.3.0",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("JSON", addressed('"type": "whereabouts", "range": "10.1.1.0/24"')),
        Example("JSON without an ipam", config('"type": "bridge"')),
        Example("an unknown plugin", config('"type": "some-vendor"')),
        Example("JSON with a trailing comma", 'config: \'{"type": "macvlan",}\'', violates=("config",)),
        Example("YAML", 'config: "type: macvlan"', violates=("config",)),
        Example("a JSON list", "config: '[]'", violates=("config",)),
        Example("a configuration in a file on the nodes", "{}", undetermined=("config",)),
    ),
)
