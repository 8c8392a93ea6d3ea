"""
Whether two nodes can run a VMI: the source and the target of a live migration.

KubeVirt keeps the target pod off the source node (``createMigrationPodAntiAffinityRule`` of
``pkg/virt-controller/watch/migration/migration.go``, v1.9.0). This module does no I/O.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.launcher.known_nodes import Fitting, NodeGroup, group_of
from webhook.kubevirt.launcher.selectors import REQUIRED, Selector, groups, in_releases, required_terms, selectors
from webhook.kubevirt.releases import Releases, split
from webhook.objects.nad import SCHEDULABLE, Node
from webhook.objects.path import FieldPath
from webhook.objects.scheduling import Taint
from webhook.scheduling.fit import Place, Pod, fits
from webhook.scheduling.node_selectors import NODE_NAME, requirements_of
from webhook.scheduling.taints import untolerated


class Cause(msgspec.Struct, frozen=True):
    """The reason why nodes are excluded."""

    path: FieldPath
    text: str
    """The predicate of a sentence about the nodes, such as ``lack the label x=y``."""
    kind: str
    """``taint``, ``affinity``, or the family of the label."""
    nodes: tuple[str, ...]


class Shortage(msgspec.Struct, frozen=True):
    """Fewer than two nodes fit."""

    fitting: tuple[str, ...]
    nodes: int
    """The number of nodes that run VMs."""
    causes: tuple[Cause, ...]
    """The causes that exclude the most nodes are first."""
    releases: Releases


def offered(nodes: Sequence[Node], prefix: str) -> list[str]:
    """
    The labels with a prefix that at least two nodes have, without the prefix. Of a single node, these are its labels. The labels
    that most nodes have are first.
    """
    least = min(len(nodes), 2)
    counts: dict[str, int] = {}
    for node in nodes:
        for key in node.meta.labels or ():
            if key.startswith(prefix):
                counts[key] = counts.get(key, 0) + 1
    shared = sorted((key for key, count in counts.items() if count >= least), key=lambda key: (-counts[key], key))
    return [key[len(prefix) :] for key in shared]


def written_selector(facts: MigrationFacts) -> Mapping[str, str]:
    """The ``nodeSelector`` of the VMI."""
    return facts.node_selector.value if facts.node_selector is not None else {}


def fitting_nodes(facts: MigrationFacts, nodes: Sequence[Node], releases: Releases) -> Fitting:
    """
    The nodes that fit the VM in the newest of the releases. Families of labels that no node has do not count, nor does
    ``kubevirt.io/schedulable``.
    """
    group = group_of(nodes)
    wanted = _reported(_newest(facts, releases), group)
    return group.fitting(_pod(facts, [one for one in wanted if one.key != SCHEDULABLE]))


def two_fit(facts: MigrationFacts, nodes: Sequence[Node], closed: Container[str], releases: Releases) -> bool:
    """Whether two of the nodes that are not closed have all labels that the VM needs in the newest of the releases."""
    fitting = group_of(nodes).fitting(_pod(facts, _newest(facts, releases))).nodes
    return len(list(islice((node for node in fitting if node.name not in closed), 2))) > 1


def _newest(facts: MigrationFacts, releases: Releases) -> tuple[Selector, ...]:
    """The selectors in the newest of the releases."""
    wanted = tuple(selectors(facts))
    *_, newest = split(releases, groups(wanted))
    return in_releases(wanted, newest)


def tolerated_nodes(facts: MigrationFacts, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes that the VMI's own ``nodeSelector`` and node affinity select, and whose taints it tolerates."""
    pod = Pod(written_selector(facts), required_terms(facts), tuple(facts.spec.tolerations or ()))
    return group_of(nodes).fitting(pod).nodes


def selected_nodes(facts: MigrationFacts, nodes: Sequence[Node]) -> Sequence[str]:
    """The names of the first two nodes that the VMI's own ``nodeSelector`` and node affinity select."""
    selected = group_of(nodes).selected(Pod(written_selector(facts), required_terms(facts)))
    return [node.name for node in islice(selected, 2)]


def unknown_keys(facts: MigrationFacts, nodes: Sequence[Node]) -> list[str]:
    """The labels in the VMI's own ``nodeSelector`` and node affinity that none of the nodes has."""
    keys = set(written_selector(facts))
    keys |= {
        requirement.key
        for term in required_terms(facts) or ()
        for requirement in requirements_of(term)
        if requirement.operator != "DoesNotExist"
    }
    return sorted(keys - group_of(nodes).keys - {NODE_NAME})


def shortages(facts: MigrationFacts, nodes: Sequence[Node], releases: Releases) -> Iterator[Shortage]:
    """Yields a shortage for each group of releases in which fewer than two of the nodes fit."""
    known, every = group_of(nodes), tuple(selectors(facts))
    for group in split(releases, groups(every)):
        wanted = _reported(in_releases(every, group), known)
        if len(known.fitting(_pod(facts, wanted)).nodes) < 2:
            yield _shortage(facts, known, wanted, group)


def _reported(wanted: Iterable[Selector], group: NodeGroup) -> tuple[Selector, ...]:
    """The selectors for which at least one node has a label of the same family. The input omits the other families."""
    return tuple(selector for selector in wanted if selector.family in group.families)


def _shortage(facts: MigrationFacts, group: NodeGroup, wanted: tuple[Selector, ...], releases: Releases) -> Shortage:
    pod = _pod(facts, wanted)
    fitting: list[str] = []
    causes: dict[tuple[FieldPath, str, str], list[str]] = {}
    for place in group.places:
        if fits(pod, place):
            fitting.append(place.name)
        else:
            causes.setdefault(_cause(facts, place, pod, wanted), []).append(place.name)
    listed = [Cause(*key, tuple(names)) for key, names in causes.items()]
    listed.sort(key=lambda cause: -len(cause.nodes))
    return Shortage(tuple(fitting), len(group.nodes), tuple(listed), releases)


def _cause(facts: MigrationFacts, place: Place, pod: Pod, wanted: Iterable[Selector]) -> tuple[FieldPath, str, str]:
    taint = untolerated(place.taints, pod.tolerations)
    if taint is not None:
        path = facts.at("tolerations") if facts.spec.tolerations else facts.base
        return path, f"taint {_shown(taint)}", "taint"
    for selector in wanted:
        if place.labels.get(selector.key) != selector.value:
            return selector.path, f"no label {selector.key}={selector.value}", selector.family
    return facts.at(*REQUIRED), "no match for the required node affinity", "affinity"


def _pod(facts: MigrationFacts, wanted: Iterable[Selector]) -> Pod:
    selector = {each.key: each.value for each in wanted}
    return Pod(selector, required_terms(facts), tuple(facts.spec.tolerations or ()))


def _shown(taint: Taint) -> str:
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"
