"""The webhook configurations as Kubernetes objects, generated from the hooks."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from webhook.surfaces.admission.hooks import MUTATING_HOOKS, VALIDATING_HOOKS, Hook, Rule

MUTATING: Final = "migratable-default"
"""Webhook configurations run in the order of their names: this one runs before KubeVirt's own ``virt-api-mutator``."""
VALIDATING: Final = "migratable-validate"
SERVICE: Final = "migratable"
API_VERSION: Final = "admissionregistration.k8s.io/v1"
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The API server sets this label. Editors of the namespace cannot change it, unlike other labels."""

LATE_DENIES: Final = "/validate/late-denies"
"""A path like /validate, except that requests are denied if they cannot be judged in time (``Hook.late_denies``)."""

ALWAYS_EXCLUDED: Final = ("kube-system",)
"""Namespaces that are excluded like the namespace of the installation, because only cluster administrators write there."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings of one installation."""

    namespace: str = "migratable"
    fail: bool = False
    """Whether webhooks with ``may_fail`` have failurePolicy Fail."""
    platform: tuple[str, ...] = ()
    """
    Further namespaces whose workloads are not judged. None by default: a tenant may own a namespace of any name. The server
    reads KubeVirt's namespace from the KubeVirt CR.
    """
    policy_keys: frozenset[str] = frozenset()
    """Policy keys whose webhooks are included (``Hook.only_with``)."""


def validating(installation: Installation) -> Json:
    """The ValidatingWebhookConfiguration; the rotator or cert-manager writes its caBundles."""
    return _configuration("ValidatingWebhookConfiguration", VALIDATING, VALIDATING_HOOKS, "/validate", installation)


def mutating(installation: Installation) -> Json:
    """The MutatingWebhookConfiguration; the rotator or cert-manager writes its caBundles."""
    return _configuration("MutatingWebhookConfiguration", MUTATING, MUTATING_HOOKS, "/mutate", installation)


def rules_of(hook: Hook) -> list[Json]:
    """The rules of a webhook. Kinds of one group with the same versions and operations share a rule."""

    def shared(rule: Rule) -> tuple[str, list[str], list[str]]:
        return rule.kind.group, rule.versions, list(rule.operations)

    return [
        {
            "apiGroups": [group],
            "apiVersions": versions,
            "resources": [rule.resource for rule in rules],
            "operations": operations,
            "scope": "Cluster" if hook.cluster_wide else "Namespaced",
        }
        for (group, versions, operations), rules in groupby(hook.rules, shared)
    ]


def excluded(hook: Hook, installation: Installation) -> list[str]:
    """The namespaces that the webhook excludes."""
    platform = () if hook.in_platform else installation.platform
    return [*ALWAYS_EXCLUDED, installation.namespace, *platform]


def _configuration(kind: str, name: str, hooks: Iterable[Hook], path: str, installation: Installation) -> Json:
    included = (hook for hook in hooks if not hook.only_with or hook.only_with in installation.policy_keys)
    webhooks = [_webhook(hook, path, installation) for hook in included]
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "webhooks": webhooks}


def _webhook(hook: Hook, path: str, installation: Installation) -> Json:
    called = LATE_DENIES if hook.late_denies else path
    service = {"name": SERVICE, "namespace": installation.namespace, "path": called, "port": 443}
    unless = {"key": NAMESPACE_NAME, "operator": "NotIn", "values": excluded(hook, installation)}
    selector = {} if hook.cluster_wide else {"namespaceSelector": {"matchExpressions": [unless]}}
    # One call is enough: a default fills an absent field, and no later webhook (virt-api-mutator) removes the field.
    once = {"reinvocationPolicy": "Never"} if path == "/mutate" else {}
    return {
        "name": hook.name,
        "clientConfig": {"service": service},
        "rules": rules_of(hook),
        "matchPolicy": "Equivalent",
        **selector,
        "matchConditions": [
            {"name": condition.name, "expression": condition.expression} for condition in hook.conditions
        ],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        **once,
        "failurePolicy": "Fail" if installation.fail and hook.may_fail else "Ignore",
        "timeoutSeconds": hook.seconds,
    }
