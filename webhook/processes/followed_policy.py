"""A policy file that is read again when its content changes. While the file is invalid, the previous policy stays active."""

import logging
from collections.abc import Callable
from pathlib import Path

from webhook.errors import Misconfigured
from webhook.manifests.policy_file import policy_content
from webhook.policy.policy import Policy

log = logging.getLogger("migratable.policy")

KEPT = "policy reload failed; the previous policy stays active"


class FollowedPolicy:
    """
    The policy in a file. ``load`` returns the policy for a content of the file, and raises Misconfigured.

    Without a file, ``load`` receives an empty content once.
    """

    def __init__(self, file: Path | None, load: Callable[[bytes], Policy]) -> None:
        """Raises Misconfigured if the file cannot be read or is invalid."""
        self._file = file
        self._load = load
        self._content: bytes | None = policy_content(file) if file is not None else b""
        """The last content of the file, or None after the file could not be read."""
        self.policy = load(self._content)
        self.problem = ""
        """Why the file does not apply (empty if it applies)."""

    def refresh(self) -> bool:
        """Reads the file. Returns True if a new policy applies from now on. One thread at a time calls this method."""
        if self._file is None:
            return False
        content: bytes | None = None
        try:
            content = policy_content(self._file)
            if content == self._content:
                return False
            if not content.strip():  # the file is being written, or the disk is full
                raise Misconfigured(f"policy file {self._file} is empty", remedy="Write {} for the built-in policy.")
            self.policy = self._load(content)
        except Misconfigured as error:
            if error.message != self.problem:
                log.error(KEPT, extra={"problem": error.message})  # noqa: TRY400 - no locals in the log
            self.problem = error.message
            return False
        finally:
            self._content = content
        self.problem = ""
        log.info("policy reloaded")
        return True
