"""The types of rules and of their outcomes. Rule pages, SARIF, ``explain`` and the API are generated from rules."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from webhook.kubevirt.releases import KNOWN, NONE, Reason, Releases, giving
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.cel import Cel


class About(StrEnum):
    """The subject of a rule. The subject decides which facts the rule's check receives."""

    VMI = "VirtualMachineInstance"
    """``MigrationFacts``: one VMI, or the template of a VirtualMachine, replica set or pool."""
    DRAIN = "drain"
    """``DrainFacts``: the VMI and its verdict. Such a rule never changes the verdict."""
    SETTINGS = "KubeVirt"
    """``SettingsFacts``: the KubeVirt CR."""
    NETWORK = "NetworkAttachmentDefinition"
    """``NetworkFacts``: one NetworkAttachmentDefinition."""
    MIGRATION_NETWORK = "migration network"
    """``MigrationNetworkFacts``: the network that a KubeVirt CR names for migrations."""
    POLICY = "MigrationPolicy"
    """``PolicyFacts``: one MigrationPolicy."""
    NETWORK_CHANGE = "change of a NetworkAttachmentDefinition"
    """``NetworkChangeFacts``: an update of a NetworkAttachmentDefinition. Such rules do not apply to files."""
    MIGRATION_NETWORK_CHANGE = "change of the migration network"
    """``NetworkChangeFacts``: an update of a KubeVirt CR."""
    VM_CHANGE = "change of a running VirtualMachine"
    """``LiveChangeFacts``: an update of a running VirtualMachine that cannot be live-migrated."""
    BUDGET = "migration budget"
    """``BudgetFacts``: a VMI for which LiveMigratable is not False, and the time that the settings allow for its migration."""
    STORAGE = "storage of a VirtualMachineInstance"
    """``StorageFacts``: the storage behind the claims of one VMI. Such a rule never changes the verdict."""
    TARGET = "target pod of a VirtualMachineInstance"
    """``TargetFacts``: the nodes, networks and budgets around the target pod. Such a rule never changes the verdict."""
    MANIFEST = "manifest"
    """``ManifestFacts``: any object, with its apiVersion and kind."""


class Basis(StrEnum):
    """Why a rule reports a finding."""

    KUBEVIRT = "kubevirt"
    """KubeVirt sets the condition LiveMigratable to False."""
    BASELINE = "baseline"
    """The rule is on Migratable's fixed list, regardless of the release."""
    ADVICE = "advice"
    """A live migration or node drain has a problem, but LiveMigratable stays True."""


class Severity(StrEnum):
    """How serious a finding is. Policy decides the action."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Violation(msgspec.Struct, frozen=True):
    """A field with a problem."""

    path: FieldPath
    message: str
    """The problem and its value. A message must not contain the content of secrets or cloud-init."""
    subject: str = ""
    """
    An identity that does not change when lists are reordered, such as volume and claim.

    This text is used to compare the old and the new version of an object.
    """
    remedy: str = ""
    """A more precise instruction than the rule's remediation, or an empty text if there is none."""
    releases: Releases = KNOWN
    """The releases in which this violation holds. It does not hold in the rule's other releases."""
    harm: int = 0
    """The degree of the problem. An update may lower the degree, but not raise it."""
    is_tolerated: bool = False
    """Whether the object needs the field for a feature of KubeVirt. If true, no profile denies the violation."""


class Undetermined(msgspec.Struct, frozen=True):
    """A field that cannot be judged because a fact is missing. ``settle`` is the instruction to provide the fact."""

    path: FieldPath
    why: str
    settle: str
    subject: str = ""
    releases: Releases = KNOWN
    unreadable: bool = False
    """Whether the missing fact is in an object that exists but cannot be read (``Unknown.unreadable``)."""


class Assumption(msgspec.Struct, frozen=True):
    """An assumption in place of a missing fact. Without it, nearly every object would be undetermined."""

    text: str


Outcome: TypeAlias = Violation | Undetermined | Assumption


class Example(msgspec.Struct, frozen=True):
    """A manifest fragment that is both a test of the rule and a part of its page."""

    title: str
    spec: str
    """YAML: the VMI's spec for rules about VMIs, the object's own spec for other rules."""
    world: tuple[Json, ...] = ()
    """Other objects that are provided."""
    complete: str = ""
    """``world`` contains every object of this kind."""
    before: str = ""
    """YAML: the object's own spec before the update, for rules about changes."""
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Annotations of the VMI."""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Labels of the VMI."""
    outer_annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Annotations of the VirtualMachine that contains the VMI template."""
    vm_spec: str = ""
    """YAML: other fields of the VirtualMachine's spec, such as its instancetype."""
    violates: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()
    """Field paths relative to the spec, or to the VirtualMachine if ``needs_vm``."""
    release: str = "1.9"

    @property
    def needs_vm(self) -> bool:
        """Whether the example applies to a VirtualMachine only."""
        return bool(self.outer_annotations or self.vm_spec)


class Rule(msgspec.Struct, frozen=True):
    """One rule. ``check`` does no I/O and yields an outcome for every field with a problem."""

    id: str
    """The id, which is never reused. The first digit names the family (``FAMILIES``)."""
    name: str
    """The name of the problem, not of the remedy, so that the name reads well after "allow"."""
    about: About
    summary: str
    rationale: str
    remediation: str
    source: str
    """The KubeVirt code that causes the behaviour, with its release."""
    reference: str
    check: Callable[[Any], Iterator[Outcome]]
    examples: tuple[Example, ...]
    reason: Reason | None = None
    """The reason that KubeVirt sets in the condition LiveMigratable, if any."""
    baseline: bool = False
    """Whether the rule is on the fixed list, which profile ``strict`` denies in every release."""
    severity: Severity = Severity.ERROR
    kubevirt: Releases = -1
    """The releases that refuse to migrate the VM. By default, ``reason`` determines these releases."""
    cel: tuple[Cel, ...] = ()
    """
    The violations that depend only on the object itself, in CEL. API servers enforce these violations while no replica answers.
    """

    def __post_init__(self) -> None:
        if self.kubevirt == -1:
            msgspec.structs.force_setattr(self, "kubevirt", giving(self.reason) if self.reason is not None else NONE)


FAMILIES: Mapping[str, str] = {
    "1": "network",
    "2": "storage",
    "3": "devices",
    "4": "CPU and firmware",
    "5": "scheduling and eviction",
    "6": "migration settings",
    "7": "migration network",
    "8": "manifest hygiene",
}

MIGRATION_GUIDE = "https://kubevirt.io/user-guide/compute/live_migration/"
