"""
Whether a node's labels meet node selectors and node affinity.

The operators are those of kube-scheduler (``k8s.io/component-helpers/scheduling/corev1/nodeaffinity``, v0.34).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from webhook.objects.scheduling import NodeRequirement, NodeTerm

NODE_NAME: Final = "metadata.name"
"""The only field of a node that ``matchFields`` supports."""
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,64}", re.ASCII)
_INT64: Final = 2**63


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a node has all labels of a ``nodeSelector``."""
    return all(labels.get(key) == value for key, value in selector.items())


def matches(terms: Iterable[NodeTerm], name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node matches one of the terms. A term without requirements matches no node."""
    return any(_matches(term, name, labels) for term in terms)


def matches_labels(terms: Iterable[NodeTerm], labels: Mapping[str, str]) -> bool:
    """
    Whether a node with these labels matches one of the terms of a PersistentVolume. ``matchFields`` has no effect there.

    Source: ``CheckNodeAffinity`` of ``k8s.io/component-helpers/storage/volume/helpers.go``, v0.34.
    """
    return any(
        (term.match_expressions or term.match_fields)
        and all(_holds(requirement, labels) for requirement in term.match_expressions or ())
        for term in terms
    )


def requirements_of(term: NodeTerm) -> Sequence[NodeRequirement]:
    """The requirements of a term on labels and on fields."""
    return (*(term.match_expressions or ()), *(term.match_fields or ()))


def _matches(term: NodeTerm, name: str, labels: Mapping[str, str]) -> bool:
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    return (
        bool(expressions or fields)
        and all(_holds(requirement, labels) for requirement in expressions)
        and all(_holds(requirement, {NODE_NAME: name}) for requirement in fields)
    )


def _holds(requirement: NodeRequirement, labels: Mapping[str, str]) -> bool:
    test = _OPERATORS.get(requirement.operator)
    return test is not None and test(labels.get(requirement.key), requirement.values or ())


def _number(text: str | None) -> int | None:
    """The number that Go's ``strconv.ParseInt`` reads from a text, or None."""
    number = int(text) if text is not None and _INTEGER.fullmatch(text) else None
    return number if number is not None and -_INT64 <= number < _INT64 else None


def _compares(value: str | None, values: Sequence[str], sign: int) -> bool:
    number, bound = _number(value), _number(values[0]) if len(values) == 1 else None
    return number is not None and bound is not None and sign * number > sign * bound


_OPERATORS: Mapping[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, values: _compares(value, values, 1),
    "Lt": lambda value, values: _compares(value, values, -1),
}
