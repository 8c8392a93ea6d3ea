"""A source of files that are read and judged again when the policy or the date changes."""

import logging
import threading
from collections.abc import Callable, Sequence
from hashlib import sha256

from msgspec.structs import replace

from webhook.check.check import Settings
from webhook.console.files_source import FilesSource
from webhook.console.state import State
from webhook.drain.vm_explanation import VMExplanation
from webhook.errors import WebhookError
from webhook.report.audited import Audited

log = logging.getLogger("migratable.console")

POLL_SECONDS = 1.0


class FollowedFiles:
    """The state of the objects in files. ``settings`` returns the current policy, release and date."""

    def __init__(self, paths: Sequence[str], settings: Callable[[], Settings]) -> None:
        """Reads the files. Raises Misconfigured for a file or an object that cannot be read."""
        self._paths = paths
        self._settings = settings
        self._judged_by = settings()
        self._source = FilesSource(paths, self._judged_by)
        self._kept: State | None = None
        """The earlier state with a note, while the files cannot be judged again."""

    def run(self, stopping: threading.Event) -> None:
        """Judges, and judges again after each change of the settings, until ``stopping`` is set."""
        self._source.run(stopping)
        while not stopping.wait(POLL_SECONDS):
            self.refresh()

    def refresh(self) -> None:
        """Judges again if the settings have changed. If a file cannot be read any more, the earlier judgements stay."""
        settings = self._settings()
        if settings == self._judged_by:
            return
        self._judged_by = settings
        try:
            source = FilesSource(self._paths, settings)
            source.run()
        except WebhookError as error:
            log.error("the files cannot be judged again", extra={"problem": error.message})  # noqa: TRY400 - no locals
            self._kept = _noted(self._source.state(), error)
            return
        self._source, self._kept = source, None

    def state(self) -> State:
        """The present state."""
        return self._kept or self._source.state()

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        """The VirtualMachine and the VMI of this name."""
        return self._source.judged(namespace, name)

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """The explanation of a VM, or None if there is no such VM."""
        return self._source.explained(namespace, name)


def _noted(state: State, error: WebhookError) -> State:
    """A state with a note that it is from an earlier policy or date. The note is part of the version."""
    note = f"the policy or the date has changed, but the files cannot be judged again: {error.message}"
    version = f"{state.version}-{sha256(note.encode(errors='replace')).hexdigest()[:8]}"
    return replace(state, notes=(*state.notes, note), version=version)
