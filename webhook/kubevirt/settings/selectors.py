"""
Which MigrationPolicy wins for a VMI.

Source: ``matchPolicy`` and ``countMatchingLabels`` of ``pkg/virt-controller/watch/migration/migrationpolicy.go``, v1.9.0
(up to 1.3 ``pkg/virt-controller/watch/migrationpolicy.go``). One policy wins, policies are never merged.

KubeVirt passes by both selectors for a VMI without any labels. No VMI is without: virt-controller writes
``kubevirt.io/nodeName`` before it runs (``pkg/virt-controller/watch/vmi/lifecycle.go``, v1.9.0), so that is not followed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from webhook.facts.policy import Labelled, Selectors
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.carriers import CARRIERS
from webhook.kubevirt.subject import subject_of
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Json
from webhook.objects.nad import Namespace
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown

Labels: TypeAlias = Mapping[str, str]
NAME_LABEL = "kubernetes.io/metadata.name"
"""On every namespace, with its name (Kubernetes 1.22, KEP-2161)."""

_SELECTORS = "selectors"
_NAMESPACE, _VMI = "namespaceSelector", "virtualMachineInstanceSelector"


class Match(msgspec.Struct, frozen=True):
    """How well a policy matches a VMI."""

    policy: MigrationPolicy
    vmi_labels: int
    namespace_labels: int
    certain: bool = True
    """False where it rests on labels of the namespace that nobody knows."""

    @property
    def labels(self) -> int:
        """How many labels match in all."""
        return self.vmi_labels + self.namespace_labels

    @property
    def rank(self) -> tuple[int, int, str]:
        """Smallest wins: most labels, then most labels of the VMI, then the lexically smallest name."""
        return -self.labels, -self.vmi_labels, self.policy.name


def selectors_of(policy: MigrationPolicy) -> Selectors | None:
    """The policy's selectors, or None where it has none; what is no map of texts is left out (``malformed``)."""
    found = policy.spec.get(_SELECTORS)
    if not isinstance(found, dict):
        return None
    return Selectors(_texts(found.get(_NAMESPACE)), _texts(found.get(_VMI)))


def _texts(selector: Json) -> Labels | None:
    if not isinstance(selector, dict):
        return None
    return {key: value for key, value in selector.items() if isinstance(value, str)}


def malformed(policy: MigrationPolicy) -> Iterator[tuple[FieldPath, str]]:
    """
    Where the selectors are not plain maps of label and value, and what is wrong there.

    They often are written as elsewhere in Kubernetes, with ``matchLabels`` inside.
    """
    found = policy.spec.get(_SELECTORS)
    base: FieldPath = ("spec", _SELECTORS)
    if found is None:
        return
    if not isinstance(found, dict):
        yield base, f"selectors is {shown(found)}, not an object"
        return
    for name, selector in found.items():
        if name not in (_NAMESPACE, _VMI):
            yield (*base, name), f"selectors has no field {shown(name)}"
        elif isinstance(selector, dict):
            for key, value in selector.items():
                if not isinstance(value, str):
                    what = f"{name} is a plain map of label and value, and {shown(key)} is {shown(value)}"
                    yield (*base, name, key), what
        elif selector is not None:
            yield (*base, name), f"{name} is {shown(selector)}, not a map of label and value"


def namespace_labels(world: World, namespace: str) -> Fact[Labels]:
    """All labels of a namespace."""
    found = world.find(Namespace, "", namespace)
    if isinstance(found, Namespace):
        return {NAME_LABEL: namespace, **(found.meta.labels or {})}
    if isinstance(found, Unknown):
        return found
    return Unknown(f"there is no namespace {namespace!r}", f"create namespace {namespace!r} first")


def matching(policy: MigrationPolicy, vmi: Labels, namespace: Fact[Labels], name: str = "") -> Match | None:
    """
    How the policy matches, or None where it surely does not. A missing selector excludes nothing.

    ``name`` is the namespace's: all that is known of it where its labels are not.
    """
    selectors = selectors_of(policy)
    if selectors is None or next(malformed(policy), None) is not None:
        return None
    asked = selectors.namespace or {}
    within = _in_namespace(asked, namespace, name)
    if within is False or not _has(vmi, selectors.vmi or {}):
        return None
    return Match(policy, len(selectors.vmi or {}), len(asked), certain=within is not None)


def _in_namespace(asked: Labels, known: Fact[Labels], name: str) -> bool | None:
    """
    Whether a namespace has the labels of a selector; None where that is not known.

    ``name`` is empty where the manifest leaves the namespace to kubectl.
    """
    if not isinstance(known, Unknown):
        return _has(known, asked)
    if name and asked.get(NAME_LABEL, name) != name:
        return False
    return None if asked.keys() - ({NAME_LABEL} if name else set()) else True


def _has(labels: Labels, asked: Labels) -> bool:
    return all(labels.get(key) == value for key, value in asked.items())


def contenders(
    policies: Iterable[MigrationPolicy], vmi: Labels, namespace: Fact[Labels], name: str = ""
) -> tuple[Match | None, ...]:
    """
    Every policy that may win for a VMI with these labels, best first; None where it may be that none matches.

    It is one answer where all labels are known.
    """
    found: list[Match | None] = []
    for match in matches_of(policies, vmi, namespace, name):
        found.append(match)
        if match.certain:
            return tuple(found)
    return (*found, None)


def matches_of(
    policies: Iterable[MigrationPolicy], vmi: Labels, namespace: Fact[Labels], name: str = ""
) -> list[Match]:
    """All policies that match, or may, best first."""
    found = [match for policy in policies if (match := matching(policy, vmi, namespace, name)) is not None]
    return sorted(found, key=lambda match: match.rank)


def labelled(world: World) -> tuple[Labelled, ...]:
    """The VMs that the world knows, with their labels and those of their namespaces; empty where it knows none."""
    found: list[Labelled] = []
    spaces: dict[str, Fact[Labels]] = {}
    for kind in CARRIERS:
        every = world.every(kind)
        for each in () if isinstance(every, Unknown) else every:
            subject = subject_of(each)
            if subject is None:
                continue
            space = subject.namespace
            if space not in spaces:
                spaces[space] = namespace_labels(world, space)
            outer = subject.outer.labels or {}
            labels = subject.meta.labels or {}
            found.append(Labelled(subject.kind, subject.name, space, labels, outer, spaces[space]))
    return tuple(found)


def selecting(selectors: Selectors, vms: Sequence[Labelled]) -> bool | None:
    """Whether some VM is selected; None where labels that nobody knows decide."""
    asked, maybe = selectors.namespace or {}, False
    for vm in vms:
        if _has(vm.labels, selectors.vmi or {}):
            within = _in_namespace(asked, vm.namespace_labels, vm.namespace)
            if within:
                return True
            maybe = maybe or within is None
    return None if maybe else False


def mislabelled(selectors: Selectors, vms: Sequence[Labelled]) -> Labelled | None:
    """A VM that has the wanted labels on itself instead of on its template."""
    wanted = selectors.vmi
    if not wanted:
        return None
    return next((vm for vm in vms if _has(vm.outer_labels, wanted) and not _has(vm.labels, wanted)), None)
