"""The name of a CNI network has letters, digits, dots, dashes and underscores."""

import re
from collections.abc import Iterator

from webhook.facts.network import CniConfig, NetworkFacts
from webhook.objects.shown import shown
from webhook.rules.migration_network._network import CNI_SPECIFICATION, config
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

VALID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*", re.ASCII)


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, CniConfig) and facts.config.name and not VALID.fullmatch(facts.config.name):
        yield Violation(
            facts.path, f"name {shown(facts.config.name)} is not a valid name of a CNI network", facts.config.name
        )


RULE = Rule(
    id="LM703",
    name="network-name-refused",
    about=About.NETWORK,
    summary="The name inside the configuration is invalid.",
    rationale="CNI does not run plugins for a network with other characters in its name, so pods on it never start.",
    remediation=(
        "Use letters, digits, `.`, `_` and `-`, with a letter or digit first. You can also remove `name`, because "
        "Multus then sets the name."
    ),
    source="cni v1.3.0 pkg/utils/utils.go ValidateNetworkName",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("a name", config('"name": "Migration_1.bridge", "type": "bridge"')),
        Example("a name that begins with a digit", config('"name": "10g", "type": "bridge"')),
        Example(
            "a name that begins with a dash", config('"name": "-migration", "type": "bridge"'), violates=("config",)
        ),
        Example("no name", config('"type": "bridge"')),
        Example("a name with a space", config('"name": "my network", "type": "bridge"'), violates=("config",)),
        Example("a name with a slash", config('"name": "kubevirt/a", "type": "bridge"'), violates=("config",)),
    ),
)
