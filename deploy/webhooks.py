"""The webhook configurations, and the components that change them."""

import textwrap
from typing import Any, Final

import yaml

from deploy.commented_yaml import WIDTH, comment, dumped, folded, heading
from webhook.surfaces.admission import hooks
from webhook.surfaces.admission.configurations import Installation, mutating, validating
from webhook.surfaces.backstop.policies import hooks_with_policy, name_of

MUTATING_NOTE: Final = (
    "Sets defaults for absent fields. API servers call webhook configurations in alphabetical order, so they call"
    " this one before KubeVirt's own `virt-api-mutator`. A missing default does no harm, so failurePolicy is always Ignore and"
    " the timeout is short."
)
VALIDATING_NOTE: Final = (
    "Checks VMs, VMIs and KubeVirt settings. The rules and matchConditions exclude the operations that must never be blocked."
    " API servers evaluate these conditions, so the operations succeed even while no replica runs."
)
EVICTION_HOOK: Final = "virtualmachine.default.migratable"
EVICTION_NOTE: Final = (
    "Sets the policy's `defaultEvictionStrategy` on new VMs. Without this key, the webhook has no effect, so the base does not"
    " have this webhook."
)
EXCLUDED_NOTE: Final = (
    "Excludes more namespaces from the webhooks that check VMs. Copy this folder and edit namespaces.yaml. List it after the"
    " other components. A defaultEvictionStrategy is still set in these namespaces."
)
LABELS: Final = {"app.kubernetes.io/component": "server"}


def files() -> dict[str, str]:
    """The text of each file, by its path below ``deploy/kustomize``."""
    with_eviction_strategy = mutating(Installation(policy_keys=frozenset(("defaultEvictionStrategy",))))
    return {
        "base/webhooks/validating.yaml": _configuration(validating(Installation()), VALIDATING_NOTE),
        "base/webhooks/mutating.yaml": _configuration(mutating(Installation()), MUTATING_NOTE),
        "components/fail-closed/failurepolicy.yaml": _fail_closed(),
        "components/default-eviction-strategy/webhook.yaml": _only(with_eviction_strategy, EVICTION_HOOK),
        "components/excluded-namespaces/kustomization.yaml": _excluded_namespaces(),
    }


def _configuration(configuration: dict[str, Any], note: str) -> str:
    """A webhook configuration, with the reasons of webhooks and conditions as comments."""
    head = {key: configuration[key] for key in ("apiVersion", "kind", "metadata")}
    head["metadata"]["labels"] = LABELS
    text = heading(note) + dumped(head) + "webhooks:\n"
    by_name = {hook.name: hook for hook in (*hooks.VALIDATING_HOOKS, *hooks.MUTATING_HOOKS)}
    return text + "\n".join(_webhook(webhook, by_name[webhook["name"]]) for webhook in configuration["webhooks"])


def _webhook(webhook: dict[str, Any], hook: hooks.Hook) -> str:
    conditions = "".join(
        f"{comment(condition.why, '  ')}  - name: {condition.name}\n    expression: {folded(condition.expression, ' ' * 6)}"
        for condition in hook.conditions
    )
    text = comment(hook.why)
    for key, value in webhook.items():
        marker = "- " if key == "name" else "  "
        if key == "matchConditions":
            text += f"  {key}:\n{conditions}"
        else:
            text += textwrap.indent(dumped({key: value}), "  ").replace("  ", marker, 1)
    return text


def _fail_closed() -> str:
    configuration = validating(Installation(fail=True))
    configuration["webhooks"] = [
        {key: webhook[key] for key in ("name", "failurePolicy")}
        for webhook in configuration["webhooks"]
        if webhook["failurePolicy"] == "Fail"
    ]
    return heading() + dumped(configuration)


def _only(configuration: dict[str, Any], name: str) -> str:
    """One webhook of a configuration, as a patch that adds it."""
    webhooks = [webhook for webhook in configuration["webhooks"] if webhook["name"] == name]
    return _configuration(configuration | {"webhooks": webhooks}, EVICTION_NOTE)


def _excluded_namespaces() -> str:
    """A component that replaces the excluded namespaces in webhooks for VMs, and in bindings of the backstop."""
    values = "namespaceSelector.matchExpressions.0.values"
    webhooks = [
        f"webhooks.[name={hook.name}].{values}"
        for hook in hooks.VALIDATING_HOOKS
        if not hook.in_platform and not hook.cluster_wide
    ]
    targets = [{"select": {"kind": "ValidatingWebhookConfiguration"}, "fieldPaths": webhooks}]
    for hook, _ in hooks_with_policy():
        if not hook.in_platform:
            select = {"kind": "ValidatingAdmissionPolicyBinding", "name": f"deny.{name_of(hook)}"}
            targets.append({"select": select, "fieldPaths": [f"spec.matchResources.{values}"]})
    component = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": ["namespaces.yaml"],
        "replacements": [
            {
                "source": {"kind": "ExcludedNamespaces", "name": "migratable", "fieldPath": "spec.namespaces"},
                "targets": targets,
            }
        ],
    }
    return f"{heading(EXCLUDED_NOTE)}{yaml.safe_dump(component, sort_keys=False, width=WIDTH)}"
