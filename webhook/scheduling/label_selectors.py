"""
Whether labels meet a label selector.

Source: ``k8s.io/apimachinery/pkg/apis/meta/v1`` LabelSelectorAsSelector and ``pkg/labels``, v0.34.
"""

from collections.abc import Mapping

from webhook.objects.scheduling import LabelRequirement, LabelSelector


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector. An absent selector selects nothing, and an empty selector selects everything."""
    if selector is None:
        return False
    return all(labels.get(key) == value for key, value in (selector.match_labels or {}).items()) and all(
        _holds(requirement, labels) for requirement in selector.match_expressions or ()
    )


def _holds(requirement: LabelRequirement, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(requirement.key), requirement.values or ()
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
