"""
The kinds of report objects, in two API groups with the same content.

``openreports.io/v1alpha1`` (reports-api v0.2.1) succeeds ``wgpolicyk8s.io/v1alpha2`` (wg-policy-prototypes).
"""

from typing import Final

import msgspec

from webhook.objects.kinds import Kind
from webhook.objects.meta import Kubernetes

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "migratable"
"""The value of the label ``MANAGED_BY`` of all reports that Migratable writes."""
FINGERPRINT: Final = "migratable.dev/fingerprint"
"""The annotation with the hash of a report. A report with the same hash is not written again."""


class StoredReport(Kubernetes, frozen=True):
    """The metadata of a report in the cluster. Its results are never read."""


class ReportApi(msgspec.Struct, frozen=True):
    """An API group with a kind for one namespace, and a kind for the cluster."""

    option: str
    """The value of ``--reports`` that selects the group."""
    namespaced: Kind
    cluster: Kind

    @property
    def group(self) -> str:
        """The API group."""
        return self.namespaced.group

    @property
    def version(self) -> str:
        """The only version that is written."""
        return self.namespaced.versions[0]

    @property
    def api_version(self) -> str:
        """``apiVersion`` of the reports."""
        return f"{self.group}/{self.version}"

    @property
    def kinds(self) -> tuple[Kind, Kind]:
        """Both kinds."""
        return self.namespaced, self.cluster

    def kind_in(self, namespace: str) -> Kind:
        """The kind of a report in a namespace, or in none."""
        return self.namespaced if namespace else self.cluster


OPENREPORTS: Final = ReportApi(
    "openreports",
    Kind("openreports.io", "Report", "reports", ("v1alpha1",), True, StoredReport),
    Kind("openreports.io", "ClusterReport", "clusterreports", ("v1alpha1",), False, StoredReport),
)
POLICYREPORTS: Final = ReportApi(
    "policyreports",
    Kind("wgpolicyk8s.io", "PolicyReport", "policyreports", ("v1alpha2",), True, StoredReport),
    Kind("wgpolicyk8s.io", "ClusterPolicyReport", "clusterpolicyreports", ("v1alpha2",), False, StoredReport),
)
REPORT_APIS: Final = (OPENREPORTS, POLICYREPORTS)
"""In the order of preference. Reports are never in both."""


class Existing(msgspec.Struct, frozen=True):
    """A report in the cluster."""

    api: ReportApi
    namespace: str
    name: str
    uid: str
    fingerprint: str = ""
    """Empty for a report that ``kubectl apply`` created from ``migratable check -o openreports``."""
    owner_kind: str = ""
    owner_name: str = ""
