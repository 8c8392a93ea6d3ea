"""What an audit keeps of many VMs needs little memory, and loses nothing."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, carriers
from webhook.audit.lean import LeanReports
from webhook.cluster.listed import ListedWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.subject import with_labels_only
from webhook.objects.kinds import find_kind
from webhook.objects.vm import VirtualMachine
from webhook.report.audited import Audited
from webhook.report.model import FindingReport, ObjectReport, VerdictReport


def report(name: str, message: str = "PVC is ReadWriteOnce", reason: str = "DisksNotLiveMigratable") -> Audited:
    verdict = VerdictReport(False, reason, "1.9", "BlockMigration", [], [])
    texts = {"rule": "LM201", "name": "claim-not-shared", "basis": "kubevirt", "outcome": "violation", "action": "deny"}
    more = {"reason": reason, "severity": "error", "path": "spec", "message": message, "releases": "1.9", "remedy": ""}
    nowhere = dict.fromkeys(("line", "column", "endLine", "endColumn", "exemption"))
    finding = msgspec.convert(texts | more | nowhere, FindingReport)
    return Audited(ObjectReport("kubevirt.io/v1", "VirtualMachine", "shop", name, None, verdict, [finding]), "uid")


def test_vms_with_the_same_problem_share_their_verdict_and_findings() -> None:
    """
    100,000 VMs have few different verdicts.
    """
    reports = LeanReports()

    first, second, other = (reports.lean(one) for one in (report("a"), report("b"), report("c", "PVC is missing")))

    assert first.report.findings is second.report.findings
    assert first.report.verdict is second.report.verdict is other.report.verdict
    assert other.report.findings != first.report.findings


@given(st.lists(st.builds(report, *(st.sampled_from(("a", "b", "c")) for _ in range(3)))))
def test_a_lean_report_equals_the_report(drawn: list[Audited]) -> None:
    """
    No VM gets the verdict or the findings of another VM.
    """
    reports = LeanReports()

    assert [reports.lean(one) for one in drawn] == drawn


@settings(deadline=None)
@given(carriers())
def test_a_packed_object_is_found_as_it_was(manifest: Manifest) -> None:
    """
    A lookup returns an equal object, by name and in the list of all objects of its kind.
    """
    kind = find_kind(manifest["apiVersion"], manifest["kind"])
    assert kind is not None
    listed = with_labels_only(msgspec.convert(manifest, kind.reads))
    world = ListedWorld()
    world.begin(kind.reads)

    world.pack(kind.reads, (listed.namespace, listed.name), listed)

    assert world.find(kind.reads, listed.namespace, listed.name) == listed
    assert world.every(kind.reads) == (listed,)


def test_an_object_that_cannot_be_read_is_not_packed() -> None:
    """
    It stays unknown, with the reason.
    """
    world, why = ListedWorld(), Unknown("a field has the wrong type")
    world.begin(VirtualMachine)

    world.put(VirtualMachine, ("shop", "web"), why)

    assert world.find(VirtualMachine, "shop", "web") is why
