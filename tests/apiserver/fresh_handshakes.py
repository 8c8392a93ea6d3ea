"""
`migratable serve` that closes each connection to the admission port after its response.

API servers keep connections, and would hide for minutes what a new handshake shows. All else is unchanged.
"""

from typing import Any

import webhook.serve.server
from webhook.__main__ import main
from webhook.surfaces.admission.endpoint import AdmissionApp
from webhook.surfaces.asgi import Receive, Scope, Send


class ClosingApp(AdmissionApp):
    """The admission door, with ``Connection: close`` on every answer."""

    def takes_directly(self, path: str) -> bool:
        """All requests go through ASGI."""
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""

        async def closing(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await super().__call__(scope, receive, closing)


if __name__ == "__main__":
    webhook.serve.server.AdmissionApp = ClosingApp  # type: ignore[misc, attr-defined]
    main()
