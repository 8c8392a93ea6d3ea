"""The effect of ``accounts`` on each surface: only admission has an authenticated user."""

import json
from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.surfaces.admission.reviews import claim, on_claim, review, vm
from tests.surfaces.asgi import call
from tests.surfaces.doors import Doors
from webhook.serve.metrics import Metrics

BACKUP = "system:serviceaccount:backup:velero"
POLICY = f"""
accounts:
- account: {BACKUP}
  reason: restores old VMs
  owner: backup team
  until: "2026-06-30"
"""
BAD = vm(volumes=[on_claim("local")])
WORLD = [claim("local", "ReadWriteOnce")]


def counted(registry: CollectorRegistry, rule: str, reason: str) -> float | None:
    return registry.get_sample_value("migratable_lowered_denials_total", {"rule": rule, "reason": reason})


def test_admission_says_in_the_audit_log_whose_entry_lowered_what(tmp_path: Path) -> None:
    """
    The annotations name rule, owner, last day and reason, and the metric counts one denial; another user's denial has neither.
    """
    doors = Doors(tmp_path, WORLD, POLICY)
    observer = doors.door.observer
    assert isinstance(observer, Metrics)

    passed, denied = (
        json.loads(call(doors.door, "POST", "/validate", review("CREATE", BAD, user=user)).body)["response"]
        for user in (BACKUP, "jane")
    )

    assert passed["allowed"]
    (warning,) = passed["warnings"]
    assert warning.startswith(
        "Migratable [LM201]: PVC 'local' is ReadWriteOnce, not ReadWriteMany (RWX), so the VM cannot be live-migrated. "
    )
    assert warning.endswith("(spec.template.spec.volumes[0])")
    assert passed["auditAnnotations"]["lowered"] == "LM201=account"
    assert passed["auditAnnotations"]["account-entry"] == "backup team, until 2026-06-30: restores old VMs"
    assert not denied["allowed"]
    assert "lowered" not in denied.get("auditAnnotations", {})
    assert counted(observer.registry, "LM201", "account") == 1


def test_files_and_the_dry_run_api_ignore_accounts(tmp_path: Path) -> None:
    """
    They have no authenticated user, so accounts do not apply.
    """
    doors = Doors(tmp_path, WORLD, POLICY)

    for result in (doors.by_api(BAD), doors.by_command_line(BAD)):
        assert [
            (finding.rule, finding.action, finding.exemption) for finding in result.findings if finding.rule == "LM201"
        ] == [("LM201", "deny", None)]
