"""Parts that the rules about CPU model host-model share. This file is not a rule. Only checks with nodes import it."""

from collections.abc import Sequence

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.launcher.host_model import common_models
from webhook.objects.nad import Node
from webhook.objects.path import FieldPath


def model_path(facts: MigrationFacts) -> FieldPath:
    """The path of the CPU model, or of the domain if KubeVirt's default applies."""
    written = facts.written_cpu_model
    return written.path if written is not None else facts.at("domain")


def common_model(nodes: Sequence[Node]) -> str:
    """The remedy for nodes with different CPU models, or an empty text if they have no CPU model in common."""
    common = common_models(nodes)
    return f"Write `cpu: {{model: {common[0]}}}`, which all these nodes have." if common else ""
