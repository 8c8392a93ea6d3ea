"""The audit log of an API server: which requests it received, and from which user."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

EVERY_REQUEST: Final = ({"level": "Metadata"},)


class AuditLog:
    """
    The log of an API server that runs with ``flags``. It has one event for each request that ``rules`` select.

    An API server writes the event before it handles the request. With ``answered``, it writes the event when it has
    responded, and the event has the status of the response.
    """

    def __init__(
        self, folder: Path, *, answered: bool = False, rules: Sequence[Mapping[str, Any]] = EVERY_REQUEST
    ) -> None:
        omitted = ["RequestReceived"] if answered else ["ResponseStarted", "ResponseComplete", "Panic"]
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": omitted, "rules": rules}
        (folder / "audit-policy.json").write_text(json.dumps(policy))
        self._path = folder / "audit.log"
        self._start = 0
        self.flags = [f"--audit-policy-file={folder / 'audit-policy.json'}", f"--audit-log-path={self._path}"]

    def skip(self) -> None:
        """Leaves out the events that the log has now."""
        self._start = self._path.stat().st_size

    def events(self) -> list[dict[str, Any]]:
        """The events since the last ``skip``. The last line may be incomplete."""
        with self._path.open("rb") as log:
            log.seek(self._start)
            return [json.loads(line) for line in log if line.endswith(b"\n")]

    def requests(self, user: str) -> list[dict[str, Any]]:
        """The events of the requests of a user."""
        return [event for event in self.events() if event["user"]["username"] == user]
