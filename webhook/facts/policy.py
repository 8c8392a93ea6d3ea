"""What is known about one MigrationPolicy."""

from collections.abc import Mapping

import msgspec

from webhook.facts.unknown import Fact
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class Selectors(msgspec.Struct, frozen=True):
    """``selectors`` of a MigrationPolicy: None is a selector that is not there."""

    namespace: Mapping[str, str] | None
    vmi: Mapping[str, str] | None

    @property
    def weight(self) -> int:
        """How many labels match whenever the policy matches: KubeVirt's first measure of precedence."""
        return len(self.namespace or ()) + len(self.vmi or ())


class LabelledVM(msgspec.Struct, frozen=True):
    """A VM that a policy may select, with the labels that KubeVirt will compare."""

    kind: str
    name: str
    namespace: str
    labels: Mapping[str, str]
    """Of the VMI: of the VM's template."""
    outer_labels: Mapping[str, str]
    """Of the VM itself, which no selector looks at."""
    namespace_labels: Fact[Mapping[str, str]]


class PolicyFacts(msgspec.Struct, frozen=True):
    """One MigrationPolicy, with the other ones, the VMs and the cluster's settings where these are known."""

    releases: int
    name: str
    settings: Mapping[str, Json]
    """What is written and not null, by field name and of whatever type."""
    selectors: Selectors | None
    """None where the policy has no ``selectors``: it never matches."""
    malformed: tuple[tuple[FieldPath, str], ...]
    """Where ``selectors`` is not what the API server takes, and what is wrong."""
    others: tuple[tuple[str, Selectors], ...]
    """The other policies that are known and have selectors, by name."""
    migrations: Fact[Json]
    """``spec.configuration.migrations`` of the KubeVirt CR: what is in force where the policy says nothing."""
    feature_gates: Fact[tuple[str, ...]]
    """Those that the KubeVirt CR lists."""
    vms: tuple[LabelledVM, ...] = ()
    """The VMs that were given; empty where nobody gave any."""
