"""The paths of listed feature gates, and examples of them. Not a rule."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.objects.path import FieldPath

GATES_BASE = "configuration.developerConfiguration.featureGates"


def listed(facts: SettingsFacts) -> Iterator[tuple[FieldPath, str]]:
    """The listed gates with their paths."""
    for index, name in enumerate(facts.feature_gates):
        yield ("spec", "configuration", "developerConfiguration", "featureGates", index), name


def feature_gates(*names: str) -> str:
    """An example: the spec of a KubeVirt CR that lists these gates."""
    return f"{{configuration: {{developerConfiguration: {{featureGates: [{', '.join(names)}]}}}}}}"
