"""
Which MigrationPolicy wins for a VMI.

Source: ``matchPolicy`` and ``countMatchingLabels`` of ``pkg/virt-controller/watch/migration/migrationpolicy.go``, v1.9.0
(up to 1.3 ``pkg/virt-controller/watch/migrationpolicy.go``). KubeVirt never merges policies.

KubeVirt ignores both selectors for a VMI without labels. This module omits that case, because every VMI has labels.
virt-controller writes ``kubevirt.io/nodeName`` before the VMI runs (``pkg/virt-controller/watch/vmi/lifecycle.go``, v1.9.0).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from webhook.facts.policy import Selectors
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Json
from webhook.objects.nad import Namespace
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown

Labels: TypeAlias = Mapping[str, str]
NAME_LABEL = "kubernetes.io/metadata.name"
"""A label of every namespace, with the namespace's name as value (Kubernetes 1.22, KEP-2161)."""

MATCH_LABELS = "matchLabels"
_MATCH_EXPRESSIONS = "matchExpressions"
_LABELS_SHOWN = 3
_TEXT = re.compile("[A-Za-z][A-Za-z0-9./_-]*")
_SELECTORS = "selectors"
_NAMESPACE, _VMI = "namespaceSelector", "virtualMachineInstanceSelector"


class Match(msgspec.Struct, frozen=True):
    """A policy that matches or might match a VMI."""

    policy: MigrationPolicy
    vmi_labels: int
    namespace_labels: int
    certain: bool = True
    """Whether the policy certainly matches. A match is uncertain if it depends on unknown labels of the namespace."""

    @property
    def labels(self) -> int:
        """The number of matching labels."""
        return self.vmi_labels + self.namespace_labels

    @property
    def rank(self) -> tuple[int, int, str]:
        """The sort key of policies: most matching labels first, then most matching labels of the VMI, then the name."""
        return -self.labels, -self.vmi_labels, self.policy.name


def selectors_of(policy: MigrationPolicy) -> Selectors | None:
    """The policy's selectors without the values that ``malformed`` reports, or None if the policy has no selectors."""
    selectors = policy.spec.get(_SELECTORS)
    if not isinstance(selectors, dict):
        return None
    return Selectors(_texts(selectors.get(_NAMESPACE)), _texts(selectors.get(_VMI)))


def _texts(selector: Json) -> Labels | None:
    if not isinstance(selector, dict):
        return None
    return {key: value for key, value in selector.items() if isinstance(value, str)}


def malformed(policy: MigrationPolicy) -> Iterator[tuple[FieldPath, str, str]]:
    """
    The path, message and remedy of each selector that is not a map from label to value.

    A common mistake is ``matchLabels`` inside a selector, as in other objects of Kubernetes.
    """
    selectors = policy.spec.get(_SELECTORS)
    base: FieldPath = ("spec", _SELECTORS)
    if selectors is None:
        return
    if not isinstance(selectors, dict):
        yield base, f"selectors is {shown(selectors)}, not an object", ""
        return
    for name, selector in selectors.items():
        if name not in (_NAMESPACE, _VMI):
            yield (*base, name), f"field {shown(name)} does not exist in selectors", ""
        elif isinstance(selector, dict):
            for key, value in selector.items():
                if not isinstance(value, str):
                    message = f"{name} is a map from label to value, but {shown(key)} is {shown(value)}"
                    yield (*base, name, key), message, _remedy(name, key, selector)
        elif selector is not None:
            yield (*base, name), f"{name} is {shown(selector)}, not a map from label to value", ""


def _remedy(name: str, key: str, selector: Mapping[str, Json]) -> str:
    """The remedy for a field that label selectors in other kinds have, but selectors in a MigrationPolicy do not."""
    if key == _MATCH_EXPRESSIONS:
        return "Remove matchExpressions. A MigrationPolicy matches only equal labels."
    labels = flattened(selector) if key == MATCH_LABELS else None
    if not labels or len(labels) > _LABELS_SHOWN:
        return ""
    return f"Write {name}: {{{', '.join(f'{label}: {_plain(value)}' for label, value in labels.items())}}}."


def flattened(selector: Mapping[str, Json]) -> Labels | None:
    """
    The labels of a selector with ``matchLabels`` as a map from label to value, or None if the selector has other fields or
    contradicting labels.
    """
    inner = selector.get(MATCH_LABELS)
    if not isinstance(inner, dict):
        return None
    outer = {key: value for key, value in selector.items() if key != MATCH_LABELS}
    if any(outer.get(key, value) != value for key, value in inner.items()):
        return None
    labels = {key: value for key, value in (outer | inner).items() if isinstance(value, str)}
    return labels if len(labels) == len(outer | inner) else None


def _plain(value: str) -> str:
    """The value as YAML, in quotes if YAML would read the unquoted text as another type."""
    is_text = _TEXT.fullmatch(value) and value.lower() not in ("true", "false", "null", "yes", "no", "on", "off")
    return value if is_text else f'"{value}"'


def namespace_labels(world: World, namespace: str) -> Fact[Labels]:
    """All labels of a namespace."""
    known = world.find(Namespace, "", namespace)
    if isinstance(known, Namespace):
        return {NAME_LABEL: namespace, **(known.meta.labels or {})}
    if isinstance(known, Unknown):
        return known
    return Unknown(f"namespace {namespace!r} does not exist", f"create namespace {namespace!r}")


def matching(policy: MigrationPolicy, vmi: Labels, namespace: Fact[Labels], name: str = "") -> Match | None:
    """
    The match of a policy, or None if the policy does not match. A missing selector matches everything.

    ``name`` is the namespace's name, which can be known even if the namespace's labels are unknown.
    """
    selectors = selectors_of(policy)
    if selectors is None or next(malformed(policy), None) is not None:
        return None
    wanted = selectors.namespace or {}
    within = in_namespace(wanted, namespace, name)
    if within is False or not has_labels(vmi, selectors.vmi or {}):
        return None
    return Match(policy, len(selectors.vmi or {}), len(wanted), certain=within is not None)


def in_namespace(wanted: Labels, known: Fact[Labels], name: str) -> bool | None:
    """
    Whether a namespace has the labels of a selector, or None if this is not known.

    ``name`` is empty in a manifest without a namespace.
    """
    if not isinstance(known, Unknown):
        return has_labels(known, wanted)
    if name and wanted.get(NAME_LABEL, name) != name:
        return False
    return None if wanted.keys() - ({NAME_LABEL} if name else set()) else True


def has_labels(labels: Labels, wanted: Labels) -> bool:
    """Whether all wanted labels are among the labels."""
    return all(labels.get(key) == value for key, value in wanted.items())


def contenders(
    policies: Iterable[MigrationPolicy], vmi: Labels, namespace: Fact[Labels], name: str = ""
) -> tuple[Match | None, ...]:
    """
    All policies that might win for a VMI with these labels, best first. The last element is None if possibly no policy matches.

    If all labels are known, the result has exactly one element.
    """
    candidates: list[Match | None] = []
    for match in matches_of(policies, vmi, namespace, name):
        candidates.append(match)
        if match.certain:
            return tuple(candidates)
    return (*candidates, None)


def matches_of(
    policies: Iterable[MigrationPolicy], vmi: Labels, namespace: Fact[Labels], name: str = ""
) -> list[Match]:
    """All policies that match or might match, best first."""
    matches = [match for policy in policies if (match := matching(policy, vmi, namespace, name)) is not None]
    return sorted(matches, key=lambda match: match.rank)
