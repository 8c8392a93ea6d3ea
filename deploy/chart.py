"""The data files of the chart, the schema of its values, and the table in its README."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from deploy import backstop, kustomize_files, roles
from deploy.audit_dashboard import audit_dashboard
from deploy.dashboard import dashboard
from webhook.report import policy_schema
from webhook.surfaces.admission import hooks
from webhook.surfaces.admission.configurations import rules_of

CHART: Final = Path(__file__).resolve().parent / "helm" / "migratable"
VALUES_HEADING: Final = "## Values\n"


def files() -> dict[str, str]:
    """The text of each file, by its path below ``deploy/helm/migratable``."""
    files = {f"files/{name}": text for name, text in _data_files().items()}
    return files | {"values.schema.json": _values_schema(), "README.md": _readme()}


def _data_files() -> dict[str, str]:
    """Parts of the kustomize files, and the hooks as JSON."""
    return {
        "webhooks.json": _hooks(),
        "backstop.json": backstop.for_helm(),
        "policy.schema.json": policy_schema.as_json(),
        "policies/audit.yaml": kustomize_files.text("overlays/audit/policy.yaml"),
        "policies/warn.yaml": kustomize_files.text("overlays/warn/policy.yaml"),
        "policies/enforce.yaml": kustomize_files.text("base/policy.yaml"),
        "migratable.json": dashboard(),
        "migratable-audit.json": audit_dashboard(),
        "alerts.yaml": kustomize_files.part(
            "components/monitoring/prometheusrule.yaml", "PrometheusRule", "migratable", "spec"
        ),
        "audit-alerts.yaml": kustomize_files.part(
            "components/audit-monitoring/prometheusrule.yaml", "PrometheusRule", "migratable-audit-watch", "spec"
        ),
        "roles.json": json.dumps(roles.for_helm(), indent=1) + "\n",
        "facts-rules.yaml": kustomize_files.part("base/server/rbac.yaml", "ClusterRole", "migratable-facts", "rules"),
        "rotator-rules.yaml": kustomize_files.part("base/rotator/rbac.yaml", "Role", "migratable-rotator", "rules"),
        "rotator-cluster-rules.yaml": kustomize_files.part(
            "base/rotator/rbac.yaml", "ClusterRole", "migratable-rotator", "rules"
        ),
    }


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
