"""
Tells when a webhook configuration is not what it was at the last look, whoever changed it; nothing is put back.

An upgrade is told as well as a hand that weakens a rule: whoever reads the log knows which it was. What was changed while
no rotator ran is not seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from certs.cluster import Configuration, ConfigurationName

log = logging.getLogger(__name__)


class Drift:
    """Remembers each configuration as it was seen last."""

    def __init__(self) -> None:
        self._seen: dict[ConfigurationName, Configuration] = {}
        self._gone: set[ConfigurationName] = set()

    def look(self, name: ConfigurationName, now: Configuration | None) -> None:
        """Log what has become of a configuration since the last look; names of webhooks and fields, and no values."""
        if now is None:
            if name not in self._gone:
                log.warning("%s is not there: API servers ask nothing by it until it is applied again", name)
            self._gone.add(name)
            return
        if name in self._gone:
            log.warning("%s is there again, by %s", name, now.writer)
            self._gone.remove(name)
        before = self._seen.get(name)
        if before is not None and (found := "; ".join(changes(before, now))):
            log.warning("%s was changed by %s: %s", name, now.writer, found)
        self._seen[name] = now


def changes(before: Configuration, now: Configuration) -> Iterator[str]:
    """Name each webhook that came, went, or says something else besides its caBundle."""
    for webhook in sorted(before.webhooks.keys() | now.webhooks.keys()):
        old, new = before.webhooks.get(webhook), now.webhooks.get(webhook)
        if new is None:
            yield f"webhook {webhook} is gone"
        elif old is None:
            yield f"webhook {webhook} is new"
        elif old != new:
            fields = sorted(each for each in old.keys() | new.keys() if old.get(each) != new.get(each))
            yield f"webhook {webhook} has other {', '.join(fields)}"
