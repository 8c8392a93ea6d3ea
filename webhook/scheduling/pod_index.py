"""The pods of a cluster by namespace, label and claim, and the anti-affinity terms of these pods."""

from collections.abc import Iterable, Iterator, Mapping

from webhook.scheduling.affinity_terms import Term
from webhook.scheduling.label_selectors import Selector
from webhook.scheduling.pod_info import PodInfo

Pods = dict[PodInfo, None]
"""A set that keeps its order."""


class PodIndex:
    """The pods that are on a node. The index of a label is built when a selector first uses the label."""

    __slots__ = ("_by_label", "_by_namespace", "anti_affinity", "claim_users")

    def __init__(self) -> None:
        self._by_namespace: dict[str, Pods] = {}
        self._by_label: dict[tuple[str, str], dict[str, Pods]] = {}
        self.claim_users: dict[tuple[str, str], int] = {}
        """The number of pods that use a claim."""
        self.anti_affinity = TermIndex()

    def add(self, pod: PodInfo) -> None:
        """Adds a pod that is on a node."""
        self._by_namespace.setdefault(pod.namespace, {})[pod] = None
        for (namespace, key), by_value in self._by_label.items():
            if namespace == pod.namespace and key in pod.labels:
                by_value.setdefault(pod.labels[key], {})[pod] = None
        for claim in pod.claims:
            place = (pod.namespace, claim)
            self.claim_users[place] = self.claim_users.get(place, 0) + 1
        for term in pod.anti_affinity:
            self.anti_affinity.add(term, pod.node)

    def remove(self, pod: PodInfo) -> None:
        """Removes a pod. ``pod.node`` must still name its node."""
        del self._by_namespace[pod.namespace][pod]
        for (namespace, key), by_value in self._by_label.items():
            if namespace == pod.namespace and key in pod.labels:
                del by_value[pod.labels[key]][pod]
        for claim in pod.claims:
            place = (pod.namespace, claim)
            self.claim_users[place] -= 1
        for term in pod.anti_affinity:
            self.anti_affinity.remove(term, pod.node)

    def namespaces(self) -> Iterable[str]:
        """The namespaces that have or had pods on nodes."""
        return self._by_namespace

    def matching(self, namespace: str, selector: Selector) -> Iterator[PodInfo]:
        """The pods of a namespace whose labels meet a selector."""
        for pod in self._candidates(namespace, selector):
            if selector.matches(pod.labels):
                yield pod

    def _candidates(self, namespace: str, selector: Selector) -> Iterator[PodInfo]:
        if selector.anchor is None:
            yield from self._by_namespace.get(namespace, ())
            return
        key, values = selector.anchor
        by_value = self._by_label.get((namespace, key))
        if by_value is None:
            by_value = self._by_label[namespace, key] = self._with_label(namespace, key)
        for value in values:
            yield from by_value.get(value, ())

    def _with_label(self, namespace: str, key: str) -> dict[str, Pods]:
        by_value: dict[str, Pods] = {}
        for pod in self._by_namespace.get(namespace, ()):
            if key in pod.labels:
                by_value.setdefault(pod.labels[key], {})[pod] = None
        return by_value


class PlacedTerm:
    """An anti-affinity term, and the number of pods with this term by node."""

    __slots__ = ("nodes", "term")

    def __init__(self, term: Term) -> None:
        self.term = term
        self.nodes: dict[str, int] = {}


class TermIndex:
    """The anti-affinity terms of pods on nodes, by a label that matching pods have."""

    __slots__ = ("_by_label", "_terms", "_unanchored")

    def __init__(self) -> None:
        self._terms: dict[object, PlacedTerm] = {}
        self._by_label: dict[tuple[str, str], dict[PlacedTerm, None]] = {}
        self._unanchored: dict[PlacedTerm, None] = {}

    def add(self, term: Term, node: str) -> None:
        """Counts a term of a pod on a node."""
        placed = self._terms.get(term.identity)
        if placed is None:
            placed = self._terms[term.identity] = PlacedTerm(term)
            for table in self._tables(term):
                table[placed] = None
        placed.nodes[node] = placed.nodes.get(node, 0) + 1

    def remove(self, term: Term, node: str) -> None:
        """Gives back a term of a pod on a node."""
        placed = self._terms[term.identity]
        placed.nodes[node] -= 1
        if not placed.nodes[node]:
            del placed.nodes[node]
        if not placed.nodes:
            del self._terms[term.identity]
            for table in self._tables(term):
                del table[placed]

    def selecting(self, labels: Mapping[str, str]) -> Iterator[PlacedTerm]:
        """The terms whose label selector matches a pod with these labels."""
        for item in labels.items():
            for placed in self._by_label.get(item, ()):
                if placed.term.selector.matches(labels):
                    yield placed
        for placed in self._unanchored:
            if placed.term.selector.matches(labels):
                yield placed

    def _tables(self, term: Term) -> Iterator[dict[PlacedTerm, None]]:
        if term.selector.anchor is None:
            yield self._unanchored
            return
        key, values = term.selector.anchor
        for value in dict.fromkeys(values):
            yield self._by_label.setdefault((key, value), {})
