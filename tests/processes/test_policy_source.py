"""The settings of judgements follow the policy file and the date."""

from pathlib import Path

import pytest

from tests.clocks import Clock
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Profile
from webhook.processes.policy_source import SECONDS_A_DAY, PolicySource


class Here:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = Clock()
        self.day = 20_000
        self.write("profile: strict")
        self.source = PolicySource(
            file,
            lambda content: parse_policy(content, str(file)),
            "1.9",
            clock=self.clock,
            now=lambda: self.day * SECONDS_A_DAY + 7,
        )

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.clock.now += 1


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path / "policy.yaml")


def test_a_changed_file_replaces_the_policy(here: Here) -> None:
    """
    The file is read once a second at most, and an unchanged file keeps the same policy.
    """
    first = here.source()
    here.write("profile: strict")
    same = here.source()
    here.file.write_text("profile: exact")
    early = here.source()
    here.clock.now += 1

    assert same.policy is first.policy is early.policy
    assert here.source().policy.profile is Profile.EXACT


def test_an_invalid_file_keeps_the_policy(here: Here) -> None:
    """
    A valid file replaces the policy again.
    """
    first = here.source().policy
    here.write("profile: wrong")
    kept = here.source().policy
    here.write("profile: exact")

    assert kept is first
    assert here.source().policy.profile is Profile.EXACT


def test_the_date_is_that_of_utc(here: Here) -> None:
    """
    For exemptions that end.
    """
    first = here.source().today
    here.day += 1

    assert first == "2024-10-04"
    assert here.source().today == "2024-10-05"
