"""The policy in force. If the policy file becomes invalid, the previous policy still applies."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from webhook.check.check import Settings
from webhook.errors import Misconfigured
from webhook.policy.policy import Policy

log = logging.getLogger("migratable.policy")

POLL_SECONDS = 1.0
SECONDS_A_DAY = 24 * 60 * 60


class PolicySource:
    """
    Supplies the settings of judgements. ``load`` reads the policy.

    ``clock`` returns monotonic seconds, and ``now`` seconds since 1970.
    """

    def __init__(
        self,
        file: Path | None,
        load: Callable[[], Policy],
        release: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises Misconfigured for an invalid policy."""
        self._file = file
        self._load = load
        self._release = release
        self._clock = clock
        self._now = now
        self._content = self._read()
        self._policy = load()
        self._day = -1
        self._settings = Settings(self._policy, release)
        self._checked_at = clock()
        self._problem = ""

    def __call__(self) -> Settings:
        """Returns the settings. The file is read again after ``POLL_SECONDS``, and the date is that of UTC."""
        if self._clock() - self._checked_at >= POLL_SECONDS:
            self._checked_at = self._clock()
            self._refresh()
        day = int(self._now() // SECONDS_A_DAY)
        if day != self._day or self._settings.policy is not self._policy:
            self._day = day
            today = datetime.fromtimestamp(day * SECONDS_A_DAY, UTC).date().isoformat()
            self._settings = Settings(self._policy, self._release, today)
        return self._settings

    def _refresh(self) -> None:
        content = self._read()
        if content == self._content and not self._problem:
            return
        self._content = content
        try:
            if content is not None and not content.strip():  # the file is being written, or the disk is full
                raise Misconfigured("the policy file is empty", remedy="Write {} for the built-in policy.")
            self._policy = self._load()
        except Misconfigured as error:
            if error.message != self._problem:
                log.error(  # noqa: TRY400 - no locals in the log
                    "policy reload failed; the previous policy stays active", extra={"problem": error.message}
                )
            self._problem = error.message
            return
        self._problem = ""
        log.info("policy reloaded")

    def _read(self) -> bytes | None:
        """The content of the file, or None if there is no readable file."""
        try:
            return self._file.read_bytes() if self._file is not None else None
        except OSError:
            return None
