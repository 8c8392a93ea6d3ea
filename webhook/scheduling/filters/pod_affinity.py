"""
The filter plugin InterPodAffinity.

Source: ``pkg/scheduler/framework/plugins/interpodaffinity/filtering.go``, Kubernetes v1.34.2.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from webhook.scheduling.affinity_terms import Likely, Term, affinity_terms
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.pod_info import PodInfo
from webhook.scheduling.verdicts import Refused, Unknown, refused

if TYPE_CHECKING:
    from webhook.scheduling.state import ClusterState

_PLUGIN: Final = "InterPodAffinity"
_AFFINITY: Final = refused(_PLUGIN, "node(s) didn't match pod affinity rules")
_ANTI_AFFINITY: Final = refused(_PLUGIN, "node(s) didn't match pod anti-affinity rules")
_EXISTING: Final = refused(_PLUGIN, "node(s) didn't satisfy existing pods anti-affinity rules")


class Domains:
    """The domains with matching pods, as pairs of topology key and value."""

    __slots__ = ("certain", "likely")

    def __init__(self) -> None:
        self.certain: set[tuple[str, str]] = set()
        self.likely: dict[tuple[str, str], Unknown] = {}
        """The domains in which it is not known whether a pod matches, with the reason."""

    def add(self, key: str, labels: Mapping[str, str], likely: Likely) -> None:
        """Adds the domain of a node with these labels."""
        if likely is False or key not in labels:
            return
        if isinstance(likely, Unknown):
            self.likely[key, labels[key]] = likely
        else:
            self.certain.add((key, labels[key]))

    def has(self, key: str, value: str) -> Likely:
        """Whether a domain has a matching pod."""
        return True if (key, value) in self.certain else self.likely.get((key, value), False)

    def topology_keys(self) -> frozenset[str]:
        """The topology keys of the domains."""
        return frozenset(key for key, _ in (*self.certain, *self.likely))

    @property
    def is_empty(self) -> Likely:
        """Whether no pod matches."""
        return not self.certain if self.certain or not self.likely else next(iter(self.likely.values()))


class InterPodAffinity:
    """The filter for one pod."""

    def __init__(self, pod: PodInfo, state: "ClusterState") -> None:
        self._affinity = affinity_terms(pod.pod)
        self._anti_affinity = pod.anti_affinity
        self._with = Domains()
        self._against = Domains()
        self._existing = _existing(pod, state)
        for other, likely in _matching_all(self._affinity, state):
            for term in self._affinity:
                self._with.add(term.topology_key, state.nodes[other.node].labels, likely)
        for term in self._anti_affinity:
            for other, likely in _matching(term, state):
                self._against.add(term.topology_key, state.nodes[other.node].labels, likely)
        self._can_be_first = _all(
            (self._with.is_empty, *(_applies(term, pod, state) for term in self._affinity))
            if self._affinity
            else (False,)
        )
        self._rules = (
            *((key, self._against, _ANTI_AFFINITY) for key in self._against.topology_keys()),
            *((key, self._existing, _EXISTING) for key in self._existing.topology_keys()),
        )
        """The topology keys with domains that exclude the pod."""
        self.needs_pods = bool(self._affinity)
        """Whether a pod that is not known could make a refused node fit."""
        self.is_needed = bool(self._affinity or self._rules)

    def check(self, node: NodeInfo) -> Refused | Unknown | None:
        """The refusal of a node, if any."""
        labels = node.labels
        unknown: Unknown | None = None
        if self._affinity:
            likely = self._check_affinity(labels)
            if likely is False:
                return _AFFINITY
            unknown = likely if isinstance(likely, Unknown) else None
        for key, domains, refusal in self._rules:
            likely = domains.has(key, labels[key]) if key in labels else False
            if likely is True:
                return refusal
            if isinstance(likely, Unknown):
                unknown = unknown or likely
        return unknown

    def _check_affinity(self, labels: Mapping[str, str]) -> Likely:
        """
        Whether the domains of a node have pods that match the affinity terms.

        The first pod of a series that has affinity to itself fits every node with the topology labels.
        """
        if not all(term.topology_key in labels for term in self._affinity):
            return False
        present = _all(self._with.has(term.topology_key, labels[term.topology_key]) for term in self._affinity)
        return self._can_be_first if present is False else present


def _all(parts: Iterator[Likely] | Sequence[Likely]) -> Likely:
    """Whether all parts are true."""
    unknown: Unknown | None = None
    for part in parts:
        if part is False:
            return False
        if isinstance(part, Unknown):
            unknown = unknown or part
    return unknown or True


def _existing(pod: PodInfo, state: "ClusterState") -> Domains:
    """The domains with pods whose anti-affinity terms match the pod."""
    domains = Domains()
    namespace_labels = state.namespace_labels(pod.namespace)
    for placed in state.pods.anti_affinity.selecting(pod.labels):
        likely = placed.term.reaches(pod.namespace, namespace_labels)
        if likely is not False:
            for name in placed.nodes:
                domains.add(placed.term.topology_key, state.nodes[name].labels, likely)
    return domains


def _reached(term: Term, state: "ClusterState") -> Iterator[tuple[str, Likely]]:
    """The namespaces with pods to which the term of a new pod applies."""
    selector = term.namespace_selector
    namespaces = term.namespaces if selector.selects_nothing else tuple(state.pods.namespaces())
    for namespace in namespaces:
        likely = term.reaches_from_new_pod(namespace, state.namespace_labels(namespace))
        if likely is not False:
            yield namespace, likely


def _matching(term: Term, state: "ClusterState") -> Iterator[tuple[PodInfo, Likely]]:
    for namespace, likely in _reached(term, state):
        for other in state.pods.matching(namespace, term.selector):
            yield other, likely


def _matching_all(terms: Sequence[Term], state: "ClusterState") -> Iterator[tuple[PodInfo, Likely]]:
    """The pods that match all terms."""
    if terms:
        for other, likely in _matching(terms[0], state):
            every = _all((likely, *(_applies(term, other, state) for term in terms[1:])))
            if every is not False:
                yield other, every


def _applies(term: Term, pod: PodInfo, state: "ClusterState") -> Likely:
    """Whether the term of a new pod matches a pod."""
    if not term.selector.matches(pod.labels):
        return False
    return term.reaches_from_new_pod(pod.namespace, state.namespace_labels(pod.namespace))
