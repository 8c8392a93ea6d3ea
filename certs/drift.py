"""
Logs changes of webhook configurations since the last check. Reverts nothing.

Upgrades are also logged. The field manager in the log distinguishes an upgrade from a manual change. Changes that happen while
no rotator runs are not logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from certs.cluster import Configuration, ConfigurationName

log = logging.getLogger(__name__)


class Drift:
    """Keeps the last state of each configuration."""

    def __init__(self) -> None:
        self._last: dict[ConfigurationName, Configuration] = {}
        self._missing: set[ConfigurationName] = set()

    def observe(self, name: ConfigurationName, now: Configuration | None) -> None:
        """Logs changes since the last call: names of webhooks and fields, without values."""
        if now is None:
            if name not in self._missing:
                log.warning("%s does not exist: API servers do not call its webhooks until it is applied again", name)
            self._missing.add(name)
            return
        if name in self._missing:
            log.warning("%s exists again, written by %s", name, now.writer)
            self._missing.remove(name)
        before = self._last.get(name)
        if before is not None and (differences := "; ".join(changes(before, now))):
            log.warning("%s was changed by %s: %s", name, now.writer, differences)
        self._last[name] = now


def changes(before: Configuration, now: Configuration) -> Iterator[str]:
    """Describes webhooks that were added, removed, or changed in fields other than caBundle."""
    for webhook in sorted(before.webhooks.keys() | now.webhooks.keys()):
        old, new = before.webhooks.get(webhook), now.webhooks.get(webhook)
        if new is None:
            yield f"webhook {webhook} was removed"
        elif old is None:
            yield f"webhook {webhook} was added"
        elif old != new:
            fields = sorted(field for field in old.keys() | new.keys() if old.get(field) != new.get(field))
            yield f"webhook {webhook} has changes in {', '.join(fields)}"
