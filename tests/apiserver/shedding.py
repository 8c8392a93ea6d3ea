"""`migratable serve` that is overloaded whenever a review comes for the first time. The response is the server's own."""

from typing import Any

import webhook.serve.server
from webhook.__main__ import main
from webhook.surfaces.admission.endpoint import AdmissionApp
from webhook.surfaces.admission.read_budget import Overloaded


class SheddingApp(AdmissionApp):
    """The admission door, which takes a review up when it is brought again."""

    _seen: set[str] = set()  # noqa: RUF012 - there is one door

    async def _answer(self, door: str, scope: Any, read: Any, *more: Any) -> bytes:
        uid = str(getattr(read, "request", read).uid)
        if uid not in self._seen:
            self._seen.add(uid)
            raise Overloaded
        return await super()._answer(door, scope, read, *more)


if __name__ == "__main__":
    webhook.serve.server.AdmissionApp = SheddingApp  # type: ignore[misc, attr-defined]
    main()
