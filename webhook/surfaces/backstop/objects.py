"""The backstop as Kubernetes objects: policies, ConfigMaps, and the bindings that bring the two together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from webhook.policy.policy import Action
from webhook.surfaces.admission.configurations import API_VERSION, NAMESPACE_NAME, Installation, excluded
from webhook.surfaces.backstop.parameters import ENFORCED, Parameters
from webhook.surfaces.backstop.policies import backed, name_of, policies

Json = dict[str, Any]

NAME: Final = "migratable-backstop"
"""Of the ConfigMaps, and the label by which bindings select them; its value is the enforcement action."""
LABELS: Final = {
    "app.kubernetes.io/name": "migratable",
    "app.kubernetes.io/part-of": "migratable",
    "app.kubernetes.io/component": "backstop",
}
VALIDATION_ACTIONS: Final = {Action.DENY: "Deny", Action.WARN: "Warn", Action.AUDIT: "Audit"}


def objects(wanted: Sequence[Parameters], installation: Installation) -> list[Json]:
    """All objects, policies first."""
    actions = [action for action in ENFORCED if any(each.action is action for each in wanted)]
    made = [*policies(), *config_maps(wanted, installation), *bindings(actions, installation)]
    for each in made:
        each["metadata"]["labels"] = LABELS | each["metadata"].get("labels", {})
    return made


def config_maps(wanted: Sequence[Parameters], installation: Installation) -> Iterator[Json]:
    """A ConfigMap for each of the parameters; those of one action are numbered where there are several."""
    for action in ENFORCED:
        alike = [each for each in wanted if each.action is action]
        for index, each in enumerate(alike, 1):
            number = f"-{index}" if len(alike) > 1 else ""
            yield {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": f"{NAME}-{action}{number}",
                    "namespace": installation.namespace,
                    "labels": {NAME: str(action)},
                },
                "data": each.data,
            }


def bindings(actions: Iterable[Action], installation: Installation) -> Iterator[Json]:
    """
    A binding for each policy and action.

    Without parameters nothing is refused: ``Deny`` there would refuse requests that no condition lets through to a rule,
    metadata and deletions among them.
    """
    for action in actions:
        for hook, _ in backed():
            unless = {"key": NAMESPACE_NAME, "operator": "NotIn", "values": excluded(hook, installation)}
            yield {
                "apiVersion": API_VERSION,
                "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": f"{action}.{name_of(hook)}"},
                "spec": {
                    "policyName": name_of(hook),
                    "paramRef": {
                        "namespace": installation.namespace,
                        "selector": {"matchLabels": {NAME: str(action)}},
                        "parameterNotFoundAction": "Allow",
                    },
                    "matchResources": {"namespaceSelector": {"matchExpressions": [unless]}},
                    "validationActions": [VALIDATION_ACTIONS[action]],
                },
            }
