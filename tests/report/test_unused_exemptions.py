"""Notes on exemptions that cover no finding (webhook.report.exemptions)."""

from collections.abc import Callable

from tests.instructions import instructions
from tests.report.audits import audit_report, bridge, live
from webhook.policy.policy import Exemption
from webhook.report.exemptions import unused_exemptions


def exempted(rule: str, namespace: str | None = None, name: str | None = None, kind: str | None = None) -> Exemption:
    return Exemption(rule, "older than the policy", "network", "2026-01-20", namespace, name, kind)


def test_an_exemption_that_covers_no_finding_has_a_note() -> None:
    """
    An exemption can name the rule by its id or its name, and leave out the namespace, the name and the kind.
    """
    report = audit_report(live("web", False, bridge()), live("db", False))
    used = [
        exempted("LM101"),
        exempted("bridge-on-pod-network", "tenant"),
        exempted("LM101", name="web"),
        exempted("LM101", "tenant", "web", "VirtualMachine"),
    ]
    unused = [
        exempted("LM201"),
        exempted("LM101", "shop"),
        exempted("LM101", name="db"),
        exempted("LM101", "tenant", "web", "VirtualMachineInstance"),
    ]

    notes = list(unused_exemptions(report, [*used, *unused], is_whole=True))

    assert notes == [
        f"the exemption of {subject} (owner: network) exempts nothing: there is no such finding"
        for subject in ("LM201", "LM101 for shop", "LM101 for db", "LM101 for VirtualMachineInstance tenant web")
    ]


def test_the_work_grows_with_the_number_of_exemptions() -> None:
    """
    A file can exempt each of thousands of VMs.
    """

    def noting(count: int) -> Callable[[], object]:
        names = [f"vm-{at}" for at in range(count)]
        report = audit_report(*(live(name, False, bridge()) for name in names))
        exemptions = [exempted("LM201", "tenant", name) for name in names]
        return lambda: list(unused_exemptions(report, exemptions, is_whole=True))

    assert instructions(noting(80)) < 3 * instructions(noting(40))
