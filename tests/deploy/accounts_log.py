"""The requests of the chart's accounts."""

from pathlib import Path
from typing import Any

from tests.apiserver.audit_log import AuditLog
from tests.deploy.granted import rights_of
from tests.deploy.manifests import NAMESPACE


class AccountsLog(AuditLog):
    """An audit log that has only the answered requests of the chart's accounts."""

    def __init__(self, folder: Path) -> None:
        accounts = f"system:serviceaccounts:{NAMESPACE}"
        super().__init__(
            folder, answered=True, rules=({"level": "Metadata", "userGroups": [accounts]}, {"level": "None"})
        )

    def asked(self, account: str) -> list[dict[str, Any]]:
        """The requests of an account."""
        return self.requests(f"system:serviceaccount:{NAMESPACE}:{account}")

    def refused(self, account: str) -> list[dict[str, Any]]:
        """The requests that the API server refused."""
        return [event for event in self.asked(account) if event["responseStatus"]["code"] == 403]

    def used(self, account: str) -> set[str]:
        """The rights that the requests needed."""
        return {right for event in self.asked(account) for right in rights_of(event)}
