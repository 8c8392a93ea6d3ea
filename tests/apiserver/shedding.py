"""`migratable serve` that is overloaded whenever a review comes for the first time. The response is the server's own."""

from collections.abc import Coroutine
from typing import Any

import webhook.serve.server
from webhook.__main__ import main
from webhook.surfaces.admission.endpoint import AdmissionApp, Review
from webhook.surfaces.admission.read_budget import Overloaded
from webhook.surfaces.admission.requests import read_review
from webhook.surfaces.asgi import Reply


class SheddingApp(AdmissionApp):
    """The admission door, which takes a review up when it is brought again."""

    _seen: set[str] = set()  # noqa: RUF012 - there is one door

    def _begin(self, review: Review) -> Reply | Coroutine[Any, Any, Reply]:
        uid = read_review(review.body).request.uid
        if uid not in self._seen:
            self._seen.add(uid)
            raise Overloaded
        return super()._begin(review)


if __name__ == "__main__":
    webhook.serve.server.AdmissionApp = SheddingApp  # type: ignore[misc, attr-defined]
    main()
