"""The judgements of files follow the policy and the date."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from webhook.check.check import Settings
from webhook.console.followed_files import FollowedFiles
from webhook.policy.policy import Policy, Profile

VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: web, namespace: shop}
spec: {runStrategy: Always, template: {spec: {domain: {devices: {}}}}}
"""


def test_a_change_of_the_policy_is_shown(tmp_path: Path) -> None:
    """
    The files are judged again once.
    """
    (tmp_path / "vm.yaml").write_text(VM)
    settings = [Settings(Policy())]
    files = FollowedFiles([str(tmp_path)], lambda: settings[-1])
    files.refresh()
    before = files.state()

    settings.append(Settings(Policy(profile=Profile.EXACT)))
    files.refresh()
    after = files.state()
    files.refresh()

    assert (before.profile, after.profile) == ("strict", "exact")
    assert after.version != before.version
    assert [vm.name for vm in after.vms] == ["web"]
    assert files.state() is after


def test_files_that_have_become_unreadable_keep_their_judgements(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The log has the place, and the page says it until they are judged again.
    """
    file = tmp_path / "vm.yaml"
    file.write_text(VM)
    settings = [Settings(Policy())]
    files = FollowedFiles([str(tmp_path)], lambda: settings[-1])
    before = files.state()

    file.write_text("a: [")
    settings.append(Settings(Policy(profile=Profile.EXACT)))
    files.refresh()

    noted = files.state()
    file.write_text(VM)
    settings.append(Settings(Policy(), "1.6"))
    files.refresh()

    assert replace(noted, notes=before.notes, version=before.version) == before
    assert f"cannot be judged again: {file}:1" in noted.notes[-1]
    assert noted.version != before.version
    assert not any("cannot be judged again" in note for note in files.state().notes)
    (record,) = caplog.records
    assert f"{file}:1" in record.__dict__["problem"]
