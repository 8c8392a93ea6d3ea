"""What is known about one MigrationPolicy."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.facts.unknown import Fact
from webhook.objects.meta import Json


@dataclass(frozen=True, slots=True)
class Selectors:
    """``selectors`` of a MigrationPolicy: None is a selector that is not there."""

    namespace: Mapping[str, str] | None
    vmi: Mapping[str, str] | None

    @property
    def weight(self) -> int:
        """How many labels match whenever the policy matches: KubeVirt's first measure of precedence."""
        return len(self.namespace or ()) + len(self.vmi or ())


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """One MigrationPolicy, with the other ones and the cluster's settings where these are known."""

    releases: int
    name: str
    settings: Mapping[str, Json]
    """What is written and not null, by field name and of whatever type."""
    selectors: Selectors | None
    """None where the policy has no ``selectors``: it never matches."""
    others: tuple[tuple[str, Selectors], ...]
    """The other policies that are known and have selectors, by name."""
    migrations: Fact[Json]
    """``spec.configuration.migrations`` of the KubeVirt CR: what is in force where the policy says nothing."""
