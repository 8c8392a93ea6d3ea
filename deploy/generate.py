"""
Generates files below ``deploy``: webhook configurations, schemas, a dashboard, and data files of the chart.

Run ``python deploy/generate.py`` after a change of a rule, of the policy or of ``webhook/surfaces/admission/hooks.py``.
With ``--check`` it writes nothing, lists the files that differ, and exits with status 1 if there are any.
"""

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from deploy import roles
from deploy.audit_dashboard import audit_dashboard
from deploy.dashboard import dashboard
from webhook.kubevirt.releases import SUPPORTED
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Action, Policy, Profile
from webhook.report import policy_schema
from webhook.rules.register import RULES
from webhook.surfaces.admission import hooks
from webhook.surfaces.admission.configurations import Installation, mutating, rules_of, validating
from webhook.surfaces.backstop import objects as backstop
from webhook.surfaces.backstop.objects import objects
from webhook.surfaces.backstop.parameters import IN_CEL, Parameters, parameters
from webhook.surfaces.backstop.policies import hooks_with_policy, name_of, policies

DEPLOY: Final = Path(__file__).resolve().parent
KUSTOMIZE: Final = DEPLOY / "kustomize"
CHART: Final = DEPLOY / "helm" / "migratable"
VALUES_HEADING: Final = "## Values\n"
GENERATED: Final = "Written by `python deploy/generate.py`: change the code, not this file."
WIDTH: Final = 120

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
POLICIES_NOTE: Final = (
    "The rules that need only the object. API servers evaluate these rules, even while no replica responds. The parameters"
    " are ConfigMaps with the label `migratable-backstop`."
)
BINDINGS_NOTE: Final = (
    "Without ConfigMaps, nothing is denied. To switch the backstop off: `kubectl delete validatingadmissionpolicybinding -l"
    " app.kubernetes.io/component=backstop`."
)
PARAMETERS_NOTE: Final = (
    "The rules that the base's policy file denies. For another file: `migratable policies --policy FILE`."
)
DRAIN_NOTE: Final = (
    "Read-only access for `migratable drain` and `migratable snapshot --drain`, which people and pipelines run with accounts of"
    " their own. No installation contains this role, because the webhook never reads pods. There is no access to Secrets and"
    " ConfigMaps. Apply the file, and bind the role: `kubectl create clusterrolebinding migratable-drain"
    " --clusterrole=migratable-drain --user=NAME`."
)
AUDIT_NOTE: Final = (
    "Read-only access to the kinds that the audit reads, and access to reports. No access to Secrets or ConfigMaps."
)
LABELS: Final = {"app.kubernetes.io/component": "server"}


def generated() -> dict[str, str]:
    """The text of each generated file, by its path below ``deploy``."""
    with_eviction_strategy = mutating(Installation(policy_keys=frozenset(("defaultEvictionStrategy",))))
    files = {
        "kustomize/base/webhooks/validating.yaml": _configuration(validating(Installation()), VALIDATING_NOTE),
        "kustomize/base/webhooks/mutating.yaml": _configuration(mutating(Installation()), MUTATING_NOTE),
        "kustomize/base/policy.schema.json": policy_schema.as_json(),
        "kustomize/components/fail-closed/failurepolicy.yaml": _fail_closed(),
        "kustomize/components/default-eviction-strategy/webhook.yaml": _only(with_eviction_strategy, EVICTION_HOOK),
        "kustomize/components/monitoring/migratable.json": dashboard(),
        "kustomize/components/audit-monitoring/migratable-audit.json": audit_dashboard(),
        "kustomize/components/backstop/policies.yaml": _policies(),
        "kustomize/components/backstop/bindings.yaml": _backstop("ValidatingAdmissionPolicyBinding", BINDINGS_NOTE),
        "kustomize/components/backstop/parameters.yaml": _backstop("ConfigMap", PARAMETERS_NOTE),
        "drain-role.yaml": _drain_role(),
    }
    files |= {f"kustomize/{name}": text for name, text in _audits().items()}
    files |= {f"helm/migratable/files/{name}": text for name, text in _for_helm().items()}
    files["kustomize/components/excluded-namespaces/kustomization.yaml"] = _excluded_namespaces()
    return files | {"helm/migratable/values.schema.json": _values_schema(), "helm/migratable/README.md": _readme()}


def _for_helm() -> dict[str, str]:
    """Data files of the chart: parts of the kustomize files, and the hooks as JSON."""
    return {
        "webhooks.json": _hooks(),
        "backstop.json": _backstop_for_helm(),
        "policy.schema.json": policy_schema.as_json(),
        "policies/audit.yaml": _text("overlays/audit/policy.yaml"),
        "policies/warn.yaml": _text("overlays/warn/policy.yaml"),
        "policies/enforce.yaml": _text("base/policy.yaml"),
        "migratable.json": dashboard(),
        "migratable-audit.json": audit_dashboard(),
        "alerts.yaml": _part("components/monitoring/prometheusrule.yaml", "PrometheusRule", "migratable", "spec"),
        "audit-alerts.yaml": _part(
            "components/audit-monitoring/prometheusrule.yaml", "PrometheusRule", "migratable-audit-watch", "spec"
        ),
        "audit-rules.json": json.dumps(roles.for_helm(), indent=1) + "\n",
        "facts-rules.yaml": _part("base/server/rbac.yaml", "ClusterRole", "migratable-facts", "rules"),
        "rotator-rules.yaml": _part("base/rotator/rbac.yaml", "Role", "migratable-rotator", "rules"),
        "rotator-cluster-rules.yaml": _part("base/rotator/rbac.yaml", "ClusterRole", "migratable-rotator", "rules"),
    }


def _audits() -> dict[str, str]:
    """The roles and the policy file of the audit's components. kustomize reads no file outside of a component's folder."""
    documents_of = {
        "components/audit/rbac.yaml": roles.of_audit(),
        "components/audit-watch/rbac.yaml": roles.of_watch(),
        "audit-namespace/rbac.yaml": roles.of_audit_in_namespace(),
    }
    texts = {
        name: _comment(GENERATED) + "#\n" + _comment(AUDIT_NOTE) + "---\n".join(map(_dumped, documents))
        for name, documents in documents_of.items()
    }
    return texts | {f"components/{name}/policy.yaml": _text("base/policy.yaml") for name in ("audit", "audit-watch")}


def _drain_role() -> str:
    """A role that may read each kind of a rehearsal."""
    return _comment(GENERATED) + "#\n" + _comment(DRAIN_NOTE) + _dumped(roles.of_drain())


def _values_schema() -> str:
    """The schema of the chart's values, with the definitions of the policy schema updated."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    schema["definitions"] = policy_schema.schema()["definitions"]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _readme() -> str:
    """The README of the chart, with an updated table of values and defaults."""
    head, _, _ = (CHART / "README.md").read_text(encoding="utf-8").partition(VALUES_HEADING)
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    rows = "".join(f"| `{name}` | `{default}` | {meaning} |\n" for name, default, meaning in _rows(schema, values))
    return f"{head}{VALUES_HEADING}\n| value | default | meaning |\n| --- | --- | --- |\n{rows}"


def _rows(schema: dict[str, Any], values: dict[str, Any], above: str = "") -> Iterator[tuple[str, str, str]]:
    for key, inner in schema["properties"].items():
        if key not in values:
            continue  # ``global`` belongs to a parent chart
        name = f"{above}{key}"
        if inner.get("additionalProperties") is False and "description" in next(iter(inner["properties"].values())):
            yield from _rows(inner, values[key], f"{name}.")
        else:
            yield name, json.dumps(values[key]), inner["description"]


def _hooks() -> str:
    """The hooks as JSON, for the templates of the chart."""
    data = {
        name: [
            {
                "name": hook.name,
                "rules": rules_of(hook),
                "clusterWide": hook.cluster_wide,
                "inPlatform": hook.in_platform,
                "onlyWith": hook.only_with,
                "matchConditions": [
                    {"name": condition.name, "expression": condition.expression} for condition in hook.conditions
                ],
                "mayFail": hook.may_fail,
                "lateDenies": hook.late_denies,
                "timeoutSeconds": hook.seconds,
            }
            for hook in hooks_of_kind
        ]
        for name, hooks_of_kind in (("validating", hooks.VALIDATING_HOOKS), ("mutating", hooks.MUTATING_HOOKS))
    }
    return json.dumps(data, indent=1) + "\n"


def _enforced() -> list[Parameters]:
    """The parameters for the violations that the base's policy file denies. The webhook sends the warnings."""
    policy = parse_policy(_text("base/policy.yaml").encode(), "policy.yaml")
    return [rules for rules in parameters(policy, SUPPORTED, "") if rules.action is Action.DENY]


def _backstop(kind: str, note: str) -> str:
    """The backstop's objects of one kind, one document each."""
    documents = [document for document in objects(_enforced(), Installation()) if document["kind"] == kind]
    return _comment(GENERATED) + "#\n" + _comment(note) + "---\n".join(map(_dumped, documents))


def _policies() -> str:
    """The policies. Long expressions are folded before operators."""
    texts = []
    for policy in policies():
        spec = policy["spec"]
        head = {key: policy[key] for key in ("apiVersion", "kind", "metadata")}
        head["metadata"] = head["metadata"] | {"labels": backstop.LABELS}
        text = _dumped(head) + "spec:\n"
        for key in ("failurePolicy", "paramKind", "matchConstraints"):
            text += textwrap.indent(_dumped({key: spec[key]}), "  ")
        for key in ("matchConditions", "variables"):
            text += f"  {key}:\n" + "".join(
                f"  - name: {item['name']}\n    expression: {_folded(item['expression'], ' ' * 6)}"
                for item in spec[key]
            )
        (validation,) = spec["validations"]
        text += f"  validations:\n  - expression: {validation['expression']}\n    message: {validation['message']}\n"
        text += f"    messageExpression: {_folded(validation['messageExpression'], ' ' * 6)}"
        texts.append(text + f"    reason: {validation['reason']}\n")
    return _comment(GENERATED) + "#\n" + _comment(POLICIES_NOTE) + "---\n".join(texts)


def _backstop_for_helm() -> str:
    """The policies, the bindings, and the rules that each profile denies (``certain``: only where no other object matters)."""
    denied = {}
    for profile in Profile:
        in_profile = parameters(Policy(profile=profile), SUPPORTED, "")
        denials = next(rules for rules in in_profile if rules.action is Action.DENY)
        denied[profile] = dict.fromkeys(denials.rules, "deny") | dict.fromkeys(denials.where_certain, "certain")
    bindings = [{"policyName": name_of(hook), "inPlatform": hook.in_platform} for hook, _ in hooks_with_policy()]
    rules = [{"id": rule.id, "name": rule.name} for rule in RULES]
    data = {
        "policies": policies(),
        "bindings": bindings,
        "inCel": [rule.id for rule in IN_CEL],
        "denied": denied,
        "rules": rules,
    }
    return json.dumps(data, indent=1) + "\n"


def _text(path: str) -> str:
    return (KUSTOMIZE / path).read_text(encoding="utf-8")


def _part(path: str, kind: str, name: str, key: str) -> str:
    """One key of an object in a kustomize file, as YAML."""
    documents = yaml.safe_load_all(_text(path))
    (match,) = (document for document in documents if (document["kind"], document["metadata"]["name"]) == (kind, name))
    return _dumped(match[key])


def _configuration(configuration: dict[str, Any], note: str) -> str:
    """A webhook configuration, with the reasons of webhooks and conditions as comments."""
    head = {key: configuration[key] for key in ("apiVersion", "kind", "metadata")}
    head["metadata"]["labels"] = LABELS
    text = _comment(GENERATED) + "#\n" + _comment(note) + _dumped(head) + "webhooks:\n"
    by_name = {hook.name: hook for hook in (*hooks.VALIDATING_HOOKS, *hooks.MUTATING_HOOKS)}
    return text + "\n".join(_webhook(webhook, by_name[webhook["name"]]) for webhook in configuration["webhooks"])


def _webhook(webhook: dict[str, Any], hook: hooks.Hook) -> str:
    conditions = "".join(
        f"{_comment(condition.why, '  ')}  - name: {condition.name}\n    expression: {_folded(condition.expression, ' ' * 6)}"
        for condition in hook.conditions
    )
    text = _comment(hook.why)
    for key, value in webhook.items():
        marker = "- " if key == "name" else "  "
        if key == "matchConditions":
            text += f"  {key}:\n{conditions}"
        else:
            text += textwrap.indent(_dumped({key: value}), "  ").replace("  ", marker, 1)
    return text


def _folded(expression: str, indent: str) -> str:
    """An expression as YAML. Long expressions are folded before operators."""
    if len(indent + expression) < WIDTH - 10:
        plain = yaml.safe_dump(expression, width=1000).removesuffix("...\n").rstrip("\n")
        return f"{plain}\n"
    lines = [""]
    for piece in re.split(r" (?=\|\| |&& )", expression):
        if len(indent + lines[-1] + piece) < WIDTH and lines != [""]:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return ">-\n" + "".join(f"{indent}{line}\n" for line in lines if line)


def _fail_closed() -> str:
    configuration = validating(Installation(fail=True))
    configuration["webhooks"] = [
        {key: webhook[key] for key in ("name", "failurePolicy")}
        for webhook in configuration["webhooks"]
        if webhook["failurePolicy"] == "Fail"
    ]
    return _comment(GENERATED) + _dumped(configuration)


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
    return f"{_comment(GENERATED)}#\n{_comment(EXCLUDED_NOTE)}{yaml.safe_dump(component, sort_keys=False, width=WIDTH)}"


def _comment(text: str, indent: str = "") -> str:
    wrapped = textwrap.wrap(text, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{indent}# {line}\n" for line in wrapped)


class _Dumper(yaml.SafeDumper):
    """Writes no aliases. Lists of strings are on one line."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def represent_items(self, items: list[object]) -> yaml.Node:
        return self.represent_sequence(
            "tag:yaml.org,2002:seq", items, flow_style=all(isinstance(item, str) for item in items)
        )


_Dumper.add_representer(list, _Dumper.represent_items)


def _dumped(document: object) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=WIDTH)
    return text


def stale(folder: Path = DEPLOY) -> list[str]:
    """The generated files that are missing or differ."""
    return [name for name, text in generated().items() if _read(folder / name) != text]


def write(folder: Path = DEPLOY) -> list[str]:
    """Updates the generated files and returns the names of the changed ones."""
    changed = stale(folder)
    files = generated()
    for name in changed:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name], encoding="utf-8")
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 if ``--check`` finds a file that differs."""
    parser = argparse.ArgumentParser(description="Generate the manifests below deploy/ from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    options = parser.parse_args(arguments)
    names = stale() if options.check else write()
    for name in names:
        sys.stdout.write(f"deploy/{name} {'is not up to date' if options.check else 'written'}\n")
    if options.check and names:
        sys.stdout.write("Run: python deploy/generate.py\n")
    return 1 if options.check and names else 0


if __name__ == "__main__":
    sys.exit(main())
