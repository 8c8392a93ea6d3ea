"""
The required terms of inter-pod affinity and anti-affinity.

Source: ``GetAffinityTerms`` of ``pkg/scheduler/framework/types.go`` and ``applyMatchLabelKeysAndMismatchLabelKeys`` of
``pkg/registry/core/pod/strategy.go``, Kubernetes v1.34.2.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from webhook.objects.pods import Pod, PodAffinity
from webhook.objects.scheduling import LabelRequirement, LabelSelector, PodTerm
from webhook.scheduling.label_selectors import Selector
from webhook.scheduling.verdicts import Unknown

Likely: TypeAlias = bool | Unknown
"""Whether a term matches a pod, or the reason why this is not known."""
NEGATIVE_SELECTOR = Unknown(
    "releases of kube-scheduler differ for a namespaceSelector that matches a namespace without labels (kubernetes#141526)"
)


class Term:
    """A required term. ``identity`` is equal for terms with the same meaning."""

    __slots__ = ("identity", "namespace_selector", "namespaces", "selector", "topology_key")

    def __init__(self, pod: Pod, term: PodTerm) -> None:
        self.topology_key = term.topology_key
        self.selector = Selector(term.label_selector, _label_keys(term, pod.meta.labels or {}))
        self.namespace_selector = Selector(term.namespace_selector)
        listed = term.namespaces or ()
        is_own = not listed and term.namespace_selector is None
        self.namespaces = frozenset((pod.namespace,)) if is_own else frozenset(listed)
        self.identity = (self.topology_key, self.namespaces, self.selector.identity, self.namespace_selector.identity)

    def reaches(self, namespace: str, labels: Mapping[str, str] | Unknown) -> Likely:
        """Whether the term of an existing pod applies to pods in a namespace with these labels."""
        if namespace in self.namespaces:
            return True
        if self.namespace_selector.selects_nothing or self.namespace_selector.is_empty:
            return self.namespace_selector.is_empty
        return labels if isinstance(labels, Unknown) else self.namespace_selector.matches(labels)

    def reaches_from_new_pod(self, namespace: str, labels: Mapping[str, str] | Unknown) -> Likely:
        """
        Whether the term of a pod that is to be scheduled applies to pods in a namespace with these labels.

        kube-scheduler 1.34 and 1.35 also compare the selector with a namespace without labels
        (``mergeAffinityTermNamespacesIfNotEmpty`` of ``interpodaffinity/plugin.go``, v1.34.2).
        """
        likely = self.reaches(namespace, labels)
        if likely is False and self.namespace_selector.matches({}):
            return NEGATIVE_SELECTOR
        return likely


def affinity_terms(pod: Pod) -> tuple[Term, ...]:
    """The required affinity terms of a pod."""
    affinity = pod.spec.affinity
    return tuple(_terms(pod, affinity.pod_affinity)) if affinity is not None else ()


def anti_affinity_terms(pod: Pod) -> tuple[Term, ...]:
    """The required anti-affinity terms of a pod."""
    affinity = pod.spec.affinity
    return tuple(_terms(pod, affinity.pod_anti_affinity)) if affinity is not None else ()


def _terms(pod: Pod, affinity: PodAffinity | None) -> Iterator[Term]:
    for term in (affinity.required if affinity is not None else None) or ():
        yield Term(pod, term)


def _label_keys(term: PodTerm, labels: Mapping[str, str]) -> Iterator[LabelRequirement]:
    yield from requirements_of_keys(term.label_selector, term.match_label_keys or (), labels, "In")
    yield from requirements_of_keys(term.label_selector, term.mismatch_label_keys or (), labels, "NotIn")


def requirements_of_keys(
    selector: LabelSelector | None, keys: Sequence[str], labels: Mapping[str, str], operator: str
) -> Iterator[LabelRequirement]:
    """
    The requirements for the labels of the pod itself (``matchLabelKeys`` and ``mismatchLabelKeys``).

    The API server adds them to the selector of a new pod, so the selector of a stored pod already has them. A selector that uses
    a key of ``matchLabelKeys`` is invalid; one that uses a key of ``mismatchLabelKeys`` is valid, and gets the requirement too.
    """
    expressions = (selector.match_expressions if selector is not None else None) or ()
    stored = {requirement.key for requirement in expressions}
    for key in keys:
        if key in labels and (operator == "NotIn" or key not in stored):
            yield LabelRequirement(key, operator, [labels[key]])
