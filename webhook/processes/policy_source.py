"""The settings of judgements: the policy, which follows its file, and today's date."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from webhook.check.check import Settings
from webhook.policy.policy import Policy
from webhook.processes.followed_policy import FollowedPolicy

POLL_SECONDS = 1.0
SECONDS_A_DAY = 24 * 60 * 60


class PolicySource:
    """
    Supplies the settings of judgements to any thread. ``load`` returns the policy for a content of the file.

    ``clock`` returns monotonic seconds, and ``now`` seconds since 1970.
    """

    def __init__(
        self,
        file: Path | None,
        load: Callable[[bytes], Policy],
        release: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises Misconfigured for an invalid policy."""
        self._followed = FollowedPolicy(file, load)
        self._release = release
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._day = -1
        self._settings = Settings(self._followed.policy, release)
        self._checked_at = clock()

    def __call__(self) -> Settings:
        """Returns the settings. The file is read again after ``POLL_SECONDS``, and the date is that of UTC."""
        with self._lock:
            return self._present()

    def _present(self) -> Settings:
        if self._clock() - self._checked_at >= POLL_SECONDS:
            self._checked_at = self._clock()
            self._followed.refresh()
        policy = self._followed.policy
        day = int(self._now() // SECONDS_A_DAY)
        if day != self._day or self._settings.policy is not policy:
            self._day = day
            today = datetime.fromtimestamp(day * SECONDS_A_DAY, UTC).date().isoformat()
            self._settings = Settings(policy, self._release, today)
        return self._settings
