"""A changed policy file replaces the policy, and an invalid one does not. The server and the watch of an audit use this class."""

from pathlib import Path

import pytest

from webhook.errors import Misconfigured
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Policy, Profile
from webhook.processes.followed_policy import KEPT, FollowedPolicy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("profile: exact\n")
    return path


def following(file: Path | None) -> FollowedPolicy:
    return FollowedPolicy(file, lambda content: parse_policy(content, str(file)))


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["problem"] for record in caplog.records if record.getMessage() == KEPT]


def test_a_changed_file_replaces_the_policy(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    An unchanged file keeps the policy, and is not parsed again.
    """
    caplog.set_level("INFO")
    followed = following(file)
    first = followed.policy

    assert followed.refresh() is False
    assert followed.policy is first
    file.write_text("profile: strict\n")

    assert followed.refresh() is True
    assert followed.policy.profile is Profile.STRICT
    assert followed.refresh() is False
    assert [record.getMessage() for record in caplog.records] == ["policy reloaded"]


BAD = {
    "profile: lenient\n": "{file}:1: ",
    "a: [": "{file}:1: invalid YAML",
    "\0": "{file}",
    "": "policy file {file} is empty",
    " \n": "policy file {file} is empty",
    None: "policy file {file} cannot be read: No such file or directory",
}


@pytest.mark.parametrize("content", BAD)
def test_an_invalid_or_deleted_file_keeps_the_policy(
    file: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The problem is logged once, and stays until the file is valid again.
    """
    followed = following(file)
    if content is None:
        file.unlink()
    else:
        file.write_text(content)

    for _ in range(2):
        assert followed.refresh() is False
        assert BAD[content].format(file=file) in followed.problem

    assert followed.policy.profile is Profile.EXACT
    assert problems(caplog) == [followed.problem]
    file.write_text("unproven: deny\n")
    assert followed.refresh() is True
    assert (followed.policy.profile, followed.problem) == (Profile.STRICT, "")
    assert followed.refresh() is False


def test_a_restored_file_applies_again(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Also if its content is the previous one. A file that is deleted has another problem than an empty one, so both are logged.
    """
    followed = following(file)
    content = file.read_text()

    file.write_text("")
    followed.refresh()
    file.unlink()
    followed.refresh()
    file.write_text(content)
    assert followed.refresh() is True
    file.unlink()
    followed.refresh()
    file.write_text(content)

    assert followed.refresh() is True
    assert (followed.policy.profile, followed.problem) == (Profile.EXACT, "")
    assert len(problems(caplog)) == 3


@pytest.mark.parametrize("content", ["profile: lenient\n", None])
def test_a_bad_file_at_the_start_is_an_error(file: Path, content: str | None) -> None:
    """
    There is no previous policy.
    """
    if content is None:
        file.unlink()
    else:
        file.write_text(content)

    with pytest.raises(Misconfigured):
        following(file)


def test_an_empty_file_at_the_start_is_the_built_in_policy(file: Path) -> None:
    """
    As without a file, which is never read.
    """
    file.write_text("")

    assert following(file).policy == following(None).policy == Policy()
    assert following(None).refresh() is False


def test_the_policy_is_made_of_the_content_that_was_read(file: Path) -> None:
    """
    A file that is written while it is loaded applies at the next read, and not in parts.
    """
    contents: list[bytes] = []

    def load(content: bytes) -> Policy:
        file.write_text("unproven: deny\n")
        contents.append(content)
        return parse_policy(content, str(file))

    followed = FollowedPolicy(file, load)
    assert followed.policy.profile is Profile.EXACT

    assert followed.refresh() is True
    assert contents == [b"profile: exact\n", b"unproven: deny\n"]
