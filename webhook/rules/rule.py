"""What a rule is: what is true of an object, written once; pages, SARIF, ``explain`` and the API are made from it."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from webhook.kubevirt.releases import KNOWN, NONE, Reason, Releases, giving
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.cel import Cel


class About(StrEnum):
    """What a rule looks at; the value names the facts that its check receives."""

    VMI = "VirtualMachineInstance"
    """``MigrationFacts``: one VMI, also as VirtualMachine, replica set or pool template."""
    DRAIN = "drain"
    """``DrainFacts``: the VMI and its verdict together. Never changes the verdict."""
    SETTINGS = "KubeVirt"
    """``SettingsFacts``: the KubeVirt CR."""
    NETWORK = "NetworkAttachmentDefinition"
    """``NetworkFacts``: one NetworkAttachmentDefinition."""
    MIGRATION_NETWORK = "migration network"
    """``MigrationNetworkFacts``: the network that a KubeVirt CR names for migrations."""
    POLICY = "MigrationPolicy"
    """``PolicyFacts``: one MigrationPolicy."""
    NETWORK_CHANGE = "change of a NetworkAttachmentDefinition"
    """``NetworkChangeFacts``: an update. What is not an update, a file in CI for one, is never asked about."""
    MIGRATION_NETWORK_CHANGE = "change of the migration network"
    """``NetworkChangeFacts``: an update of a KubeVirt CR."""
    BUDGET = "migration budget"
    """``BudgetFacts``: a VMI that is not known to be kept from migrating, and the time that it is given."""
    MANIFEST = "manifest"
    """``ManifestFacts``: any object, by its apiVersion and kind."""


class Basis(StrEnum):
    """Why a finding is one."""

    KUBEVIRT = "kubevirt"
    """That release would set LiveMigratable to False."""
    BASELINE = "baseline"
    """On Migratable's fixed list, whatever the release."""
    ADVICE = "advice"
    """Migration or drain will hurt; the condition stays True."""


class Severity(StrEnum):
    """How much it matters; policy decides what is done about it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Violation(msgspec.Struct, frozen=True):
    """A place that is wrong."""

    path: FieldPath
    message: str
    """What is wrong and with which value, in the user's words; never the content of secrets or cloud-init."""
    subject: str = ""
    """What stays the same when lists are reordered, e.g. volume and claim: the identity that the ratchet compares."""
    remedy: str = ""
    """Where the rule's remediation can be said more precisely for this place."""
    releases: Releases = KNOWN
    """Narrows the releases of the rule, where its predicate has variants."""
    harm: int = 0
    """How much is wrong, where there is more and less of it: an update may lessen it, and not add to it."""


class Undetermined(msgspec.Struct, frozen=True):
    """A place that cannot be judged with what is known; ``settle`` says what would."""

    path: FieldPath
    why: str
    settle: str
    subject: str = ""
    releases: Releases = KNOWN
    unreadable: bool = False
    """Whether it depends on an object that exists and cannot be read (``Unknown.unreadable``)."""


class Assumption(msgspec.Struct, frozen=True):
    """Something taken for granted, because rejecting the unknown would reject nearly everything."""

    text: str


Outcome: TypeAlias = Violation | Undetermined | Assumption


class Example(msgspec.Struct, frozen=True):
    """A fragment that shows the rule; it is the rule's test and part of its page."""

    title: str
    spec: str
    """YAML: the VMI's spec for rules about VMIs, else the object's own spec."""
    world: tuple[Json, ...] = ()
    """Other objects that are known."""
    complete: str = ""
    """A kind of which there are no others than those in ``world``."""
    before: str = ""
    """YAML: the object's own spec before the update, for rules about changes."""
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Of the VMI."""
    outer_annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Of a VirtualMachine around it."""
    machine: str = ""
    """YAML: more of the spec of a VirtualMachine around it, such as its instancetype."""
    violates: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()
    """Field paths relative to the spec; those of an example that needs a VirtualMachine are the VirtualMachine's own."""
    release: str = "1.9"

    @property
    def needs_machine(self) -> bool:
        """Whether it is about a VirtualMachine and not about any VMI."""
        return bool(self.outer_annotations or self.machine)


class Rule(msgspec.Struct, frozen=True):
    """One rule. ``check`` looks nothing up, stops at nothing and yields every place."""

    id: str
    """Never reused; the first digit groups them (``FAMILIES``)."""
    name: str
    """Reads after "allow": names the offence, not the cure."""
    about: About
    summary: str
    rationale: str
    remediation: str
    source: str
    """The code that makes it true, with the release that it was read in."""
    reference: str
    check: Callable[[Any], Iterator[Outcome]]
    examples: tuple[Example, ...]
    reason: Reason | None = None
    """The reason of the LiveMigratable condition, if there is one."""
    baseline: bool = False
    """On the fixed list that profile ``strict`` denies whatever the release."""
    severity: Severity = Severity.ERROR
    kubevirt: Releases = -1
    """The releases that refuse; taken from ``reason`` unless given."""
    cel: tuple[Cel, ...] = ()
    """The same in CEL, where the object alone decides it: what API servers enforce while no replica answers."""

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
