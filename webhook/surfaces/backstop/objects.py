"""The backstop as Kubernetes objects: policies, ConfigMaps with parameters, and bindings between them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from webhook.policy.policy import Action
from webhook.surfaces.admission.configurations import API_VERSION, NAMESPACE_NAME, Installation, excluded
from webhook.surfaces.backstop.parameters import ENFORCED, Parameters
from webhook.surfaces.backstop.policies import NAME, hooks_with_policy, name_of, policies

Json = dict[str, Any]

LABELS: Final = {
    "app.kubernetes.io/name": "migratable",
    "app.kubernetes.io/part-of": "migratable",
    "app.kubernetes.io/component": "backstop",
}
VALIDATION_ACTIONS: Final = {Action.DENY: "Deny", Action.WARN: "Warn", Action.AUDIT: "Audit"}


def objects(wanted: Sequence[Parameters], installation: Installation) -> list[Json]:
    """All objects, policies first."""
    actions = [action for action in ENFORCED if any(config_map.action is action for config_map in wanted)]
    manifests = [*policies(), *config_maps(wanted, installation), *bindings(actions, installation)]
    for manifest in manifests:
        manifest["metadata"]["labels"] = LABELS | manifest["metadata"].get("labels", {})
    return manifests


def config_maps(wanted: Sequence[Parameters], installation: Installation) -> Iterator[Json]:
    """A ConfigMap for each set of parameters. If an action has several ConfigMaps, their names contain numbers."""
    for action in ENFORCED:
        same_action = [parameters for parameters in wanted if parameters.action is action]
        for index, parameters in enumerate(same_action, 1):
            number = f"-{index}" if len(same_action) > 1 else ""
            yield {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": f"{NAME}-{action}{number}",
                    "namespace": installation.namespace,
                    "labels": {NAME: str(action)},
                },
                "data": parameters.data,
            }


def bindings(actions: Iterable[Action], installation: Installation) -> Iterator[Json]:
    """
    A binding for each policy and action.

    If the parameters are missing, nothing is denied. ``parameterNotFoundAction: Deny`` would also deny requests that the
    conditions exclude, such as metadata changes.
    """
    for action in actions:
        for hook, _ in hooks_with_policy():
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
