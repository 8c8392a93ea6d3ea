"""The webhook configurations as Kubernetes objects, made of the hooks."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from webhook.surfaces.admission.hooks import MUTATING_HOOKS, VALIDATING_HOOKS, Hook, Rule

MUTATING: Final = "migratable-default"
"""Configurations run in the order of their names: this one comes before KubeVirt's own ``virt-api-mutator``."""
VALIDATING: Final = "migratable-validate"
SERVICE: Final = "migratable"
API_VERSION: Final = "admissionregistration.k8s.io/v1"
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The API server's own label: unlike any other it cannot be given or taken by who may edit a namespace."""

KEPT_OUT: Final = ("kube-system",)
"""Namespaces of which nothing is ever judged; our own is another."""
PLATFORM: Final = ("kubevirt", "kubevirt-hyperconverged", "openshift-cnv", "cdi")
"""Where KubeVirt and CDI live: their own VMs, if any, are not ours to judge."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Installation:
    """What differs from one installation to the next."""

    namespace: str = "migratable"
    fail: bool = False
    """Whether the hooks that may fail closed do so."""
    platform: tuple[str, ...] = PLATFORM


def validating(installation: Installation) -> Json:
    """The ValidatingWebhookConfiguration; the rotator or cert-manager writes its caBundles."""
    return _configuration("ValidatingWebhookConfiguration", VALIDATING, VALIDATING_HOOKS, "/validate", installation)


def mutating(installation: Installation) -> Json:
    """The MutatingWebhookConfiguration, likewise."""
    return _configuration("MutatingWebhookConfiguration", MUTATING, MUTATING_HOOKS, "/mutate", installation)


def rules_of(hook: Hook) -> list[Json]:
    """The rules of a webhook; kinds of one group that are watched for the same are in one rule."""

    def together(rule: Rule) -> tuple[str, list[str], list[str]]:
        return rule.kind.group, rule.versions, list(rule.operations)

    return [
        {
            "apiGroups": [group],
            "apiVersions": versions,
            "resources": [rule.resource for rule in rules],
            "operations": operations,
            "scope": "Cluster" if hook.cluster_wide else "Namespaced",
        }
        for (group, versions, operations), rules in groupby(hook.rules, together)
    ]


def excluded(hook: Hook, installation: Installation) -> list[str]:
    """The namespaces of which the webhook sees nothing."""
    platform = () if hook.in_platform else installation.platform
    return [*KEPT_OUT, installation.namespace, *platform]


def _configuration(kind: str, name: str, hooks: Iterable[Hook], path: str, installation: Installation) -> Json:
    webhooks = [_webhook(hook, path, installation) for hook in hooks]
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "webhooks": webhooks}


def _webhook(hook: Hook, path: str, installation: Installation) -> Json:
    service = {"name": SERVICE, "namespace": installation.namespace, "path": path, "port": 443}
    unless = {"key": NAMESPACE_NAME, "operator": "NotIn", "values": excluded(hook, installation)}
    selector = {} if hook.cluster_wide else {"namespaceSelector": {"matchExpressions": [unless]}}
    again = {"reinvocationPolicy": "IfNeeded"} if path == "/mutate" else {}
    return {
        "name": hook.name,
        "clientConfig": {"service": service},
        "rules": rules_of(hook),
        "matchPolicy": "Equivalent",
        **selector,
        "matchConditions": [{"name": each.name, "expression": each.expression} for each in hook.conditions],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        **again,
        "failurePolicy": "Fail" if installation.fail and hook.may_fail else "Ignore",
        "timeoutSeconds": hook.seconds,
    }
