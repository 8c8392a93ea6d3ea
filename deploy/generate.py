"""
Generates files below ``deploy``: webhook configurations, schemas, dashboards, and data files of the chart.

Run ``python deploy/generate.py`` after a change of a rule, of the policy or of ``webhook/surfaces/admission/hooks.py``.
With ``--check`` it writes nothing, lists the files that differ, and exits with status 1 if there are any.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy import backstop, chart, kustomize_files, roles, webhooks
from deploy.audit_dashboard import audit_dashboard
from deploy.commented_yaml import dumped, heading
from deploy.dashboard import dashboard
from webhook.report import policy_schema

DEPLOY: Final = Path(__file__).resolve().parent
DRAIN_NOTE: Final = (
    "Read-only access for `migratable drain` and `migratable snapshot --drain`, which people and pipelines run with accounts of"
    " their own. No installation contains this role, because the webhook never reads pods. There is no access to Secrets and"
    " ConfigMaps. Apply the file, and bind the role: `kubectl create clusterrolebinding migratable-drain"
    " --clusterrole=migratable-drain --user=NAME`."
)
AUDIT_NOTE: Final = (
    "Read-only access to the kinds that the audit reads, and access to reports. No access to Secrets or ConfigMaps."
)

CONSOLE_NOTE: Final = (
    "Read-only access to the kinds that the pages for operators show, and reviews of their visitors. No access to Secrets or"
    " ConfigMaps. migratable-console-viewer is for people: bind it to those who may see all pages."
)


def generated() -> dict[str, str]:
    """The text of each generated file, by its path below ``deploy``."""
    in_kustomize = (
        webhooks.files()
        | backstop.files()
        | _audits()
        | {"components/console/rbac.yaml": heading(CONSOLE_NOTE) + "---\n".join(map(dumped, roles.of_console()))}
        | {
            "base/policy.schema.json": policy_schema.as_json(),
            "components/monitoring/migratable.json": dashboard(),
            "components/audit-monitoring/migratable-audit.json": audit_dashboard(),
        }
    )
    return {
        "drain-role.yaml": _drain_role(),
        **{f"kustomize/{name}": text for name, text in in_kustomize.items()},
        **{f"helm/migratable/{name}": text for name, text in chart.files().items()},
    }


def _audits() -> dict[str, str]:
    """The roles and the policy file of the audit's components. kustomize reads no file outside of a component's folder."""
    documents_of = {
        "components/audit/rbac.yaml": roles.of_audit(),
        "components/audit-watch/rbac.yaml": roles.of_watch(),
        "audit-namespace/rbac.yaml": roles.of_audit_in_namespace(),
    }
    texts = {
        name: heading(AUDIT_NOTE) + "---\n".join(map(dumped, documents)) for name, documents in documents_of.items()
    }
    policy = kustomize_files.text("base/policy.yaml")
    return texts | {f"components/{name}/policy.yaml": policy for name in ("audit", "audit-watch")}


def _drain_role() -> str:
    """A role that may read each kind of a rehearsal."""
    return heading(DRAIN_NOTE) + dumped(roles.of_drain())


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
