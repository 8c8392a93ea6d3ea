"""The facts about one MigrationPolicy."""

from collections.abc import Mapping

import msgspec

from webhook.facts.unknown import Fact
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class Selectors(msgspec.Struct, frozen=True):
    """The ``selectors`` of a MigrationPolicy. An absent selector is None."""

    namespace: Mapping[str, str] | None
    vmi: Mapping[str, str] | None

    @property
    def weight(self) -> int:
        """The number of labels in the selectors. KubeVirt applies the matching policy with the most labels."""
        return len(self.namespace or ()) + len(self.vmi or ())


class LabelledVM(msgspec.Struct, frozen=True):
    """A VM that a policy might select, with the labels that KubeVirt compares."""

    kind: str
    name: str
    namespace: str
    labels: Mapping[str, str]
    """Labels of the VMI, from the VM's template."""
    outer_labels: Mapping[str, str]
    """Labels of the VM itself, which selectors do not use."""


class Selection(msgspec.Struct, frozen=True):
    """The VMs in the input, as one policy selects them."""

    vms: int
    """The number of VMs."""
    any_matches: bool | None
    """Whether the policy selects one of the VMs, or None if this depends on unknown labels of namespaces."""
    all_have_namespaces: bool
    mislabelled: LabelledVM | None = None
    """If no VM matches: a VM that has the labels of the VMI selector in its own metadata and not in its template."""


class PolicyFacts(msgspec.Struct, frozen=True):
    """One MigrationPolicy, with the tied policies, the selected VMs and the cluster settings."""

    releases: int
    name: str
    settings: Mapping[str, Json]
    """The fields of the policy that are not null, by name, with values of any type."""
    selectors: Selectors | None
    """The selectors, or None if the policy has no ``selectors`` and therefore never matches."""
    malformed: tuple[tuple[FieldPath, str, str], ...]
    """Paths in ``selectors`` that the API server refuses, each with the fault and its remedy, which can be empty."""
    tied: tuple[tuple[str, Selectors], ...]
    """The other known policies that can match the same VM with the same number of labels of each kind, by name."""
    migrations: Fact[Json]
    """The ``spec.configuration.migrations`` of the KubeVirt CR, for settings that the policy does not set."""
    feature_gates: Fact[tuple[str, ...]]
    """The feature gates that the KubeVirt CR lists."""
    selection: Selection | None = None
    """The VMs that the policy selects, or None if the policy has no selectors or the input has no VMs."""
