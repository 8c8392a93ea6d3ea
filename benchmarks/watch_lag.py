"""
`migratable serve` that notes how late it hears of changes: the seconds from a write's start to the change in the store.

Objects carry the writer's monotonic clock in an annotation (``tests.apiserver.calls.NOW``), which all processes of a machine
share. Everything else is as it is. The lags go to ``MIGRATABLE_LAGS``, a line each.
"""

import os
import re
import time
from pathlib import Path
from typing import Any

from webhook.__main__ import main
from webhook.cluster.store import Raw, Store

_WRITTEN = re.compile(rb'"changed":\s*"([0-9.]+)"')


class LaggingStore(Store):
    """The store, with a note of each change."""

    _lags = Path(os.environ["MIGRATABLE_LAGS"]).open("a", buffering=1)  # noqa: SIM115 - as long as the process

    def put(self, kind: Any, raw: Raw) -> str:
        """An object that was added or modified."""
        version = super().put(kind, raw)
        if written := _WRITTEN.search(bytes(raw)):
            self._lags.write(f"{time.monotonic() - float(written[1]):.6f}\n")
        return version


if __name__ == "__main__":
    import webhook.cluster.facts

    webhook.cluster.facts.Store = LaggingStore  # type: ignore[misc]
    main()
