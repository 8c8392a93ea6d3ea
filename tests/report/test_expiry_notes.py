"""Notes on exemptions that have expired or expire soon."""

from tests.report.audits import audit_report, bridge, live, not_shared
from webhook.policy.policy import Exemption
from webhook.report.exemptions import with_expiry_notes

TODAY = "2026-01-15"


def exempted(name: str | None, until: str = "2026-01-20", rule: str = "LM201", owner: str = "storage") -> Exemption:
    return Exemption(rule, "older than the policy", owner, until, "tenant", name, "VirtualMachine")


def test_exemptions_with_the_same_terms_have_one_note() -> None:
    """
    A file with an exemption for each of 500 VMs gives one note when all of them expire.
    """
    names = [f"vm-{at}" for at in range(500)]
    report = audit_report(*(live(name, False, not_shared("os"), bridge()) for name in names))

    notes = with_expiry_notes(report, [exempted(name) for name in names], TODAY).notes

    assert notes == [
        (
            "the exemption of LM201 for VirtualMachine tenant/vm-0 and 499 more expires after 2026-01-20 "
            "(owner: storage, reason: older than the policy)"
        )
    ]


def test_exemptions_with_other_terms_have_notes_of_their_own() -> None:
    """
    Rule, owner and last day distinguish notes. An exemption without a finding, or that applies for longer, has none.
    """
    report = audit_report(live("web", False, not_shared("os"), bridge()))
    entries = [
        exempted("web", "2025-12-31"),
        exempted(None, owner="network", rule="bridge-on-pod-network"),
        exempted("other"),
        exempted("web", "2026-06-30"),
    ]

    notes = with_expiry_notes(report, entries, TODAY).notes

    assert notes == [
        (
            "the exemption of LM201 for VirtualMachine tenant/web expired on 2025-12-31 "
            "(owner: storage, reason: older than the policy)"
        ),
        (
            "the exemption of LM101 for VirtualMachine tenant/web expires after 2026-01-20 "
            "(owner: network, reason: older than the policy)"
        ),
    ]
