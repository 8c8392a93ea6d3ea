"""Conditions of running VMIs that differ from the verdict."""

from tests.audit.clusters import audit_of, by_name, claim, named, rules_of, running, status_of, vm, vmi_spec
from webhook.report.audited import ConditionReport, DisagreementReport

BAD = "DisksNotLiveMigratable"
FALSE = f"False {BAD}"


def test_a_vmi_with_the_same_condition_is_not_reported_beside_its_vm() -> None:
    """
    One report for each VM, which is known to run.
    """
    machine = vm("vm", "a")

    audited = audit_of([machine, running(machine, LiveMigratable=FALSE), claim("a", mode="ReadWriteOnce")])

    assert not audited.report.disagreements
    assert by_name(audited)["vm"].is_running
    assert "vmi/vm" not in by_name(audited)


def test_a_condition_that_differs_from_the_verdict_is_reported_with_both() -> None:
    """
    KubeVirt says that the VM can migrate, and the claim says that it cannot.
    """
    machine = vm("vm", "a")

    audited = audit_of([machine, running(machine, LiveMigratable="True"), claim("a", mode="ReadWriteOnce")])

    assert audited.report.disagreements == (
        DisagreementReport("shop", "vm", "LiveMigratable", ConditionReport(True), ConditionReport(False, BAD)),
    )


def test_a_reason_that_differs_is_a_disagreement() -> None:
    """
    Both say that the VM cannot migrate, for different reasons.
    """
    machine = vm("vm", "a")

    audited = audit_of(
        [machine, running(machine, LiveMigratable="False SEVNotLiveMigratable"), claim("a", mode="ReadWriteOnce")]
    )

    assert [one.observed.reason for one in audited.report.disagreements] == ["SEVNotLiveMigratable"]


def test_a_storage_condition_that_differs_is_a_disagreement() -> None:
    """
    StorageLiveMigratable is compared as LiveMigratable is.
    """
    machine = vm("vm", "a")

    audited = audit_of(
        [machine, running(machine, LiveMigratable="True", StorageLiveMigratable="False NotMigratable"), claim("a")]
    )

    assert [one.condition for one in audited.report.disagreements] == ["StorageLiveMigratable"]


def test_a_vm_that_was_changed_since_its_vmi_started_is_no_disagreement() -> None:
    """
    The VMI still has the old claim, as KubeVirt says. The blocker of today is reported with the VMI.
    """
    old, new = vm("vm", "old"), vm("vm", "new")
    objects = [claim("old", mode="ReadWriteOnce"), claim("new")]

    audited = audit_of([new, running(new, of=old, LiveMigratable=FALSE), *objects])

    assert not audited.report.disagreements
    assert by_name(audited)["vm"].report.verdict.live_migratable is True
    assert "LM201" in rules_of(by_name(audited)["vmi/vm"])
    assert not by_name(audited)["vmi/vm"].is_machine


def test_a_vmi_waits_for_a_vm_that_is_judged_with_all_others() -> None:
    """
    The VM got anti-affinity after its VMI had started. Both are still one VM.
    """
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    nodes = [named("v1", "Node", f"n{n}", metadata={"labels": {"kubernetes.io/hostname": f"n{n}"}}) for n in range(2)]
    old, new = vm("vm"), vm("vm", labels={"app": "db"}, affinity=affinity)

    audited = audit_of([*nodes, new, running(new, of=old, LiveMigratable="True")])

    assert [name for name, one in by_name(audited).items() if one.is_machine] == ["vm"]
    assert by_name(audited)["vm"].is_running


def test_an_unproven_verdict_disagrees_with_nothing() -> None:
    """
    The claims may not be read.
    """
    machine = vm("vm", "a")

    audited = audit_of([machine, running(machine, LiveMigratable=FALSE)], forbidden=["PersistentVolumeClaim"])

    assert not audited.report.disagreements


def test_a_vmi_that_has_ended_or_is_starting_has_no_condition() -> None:
    """
    virt-handler keeps conditions up to date only while the VMI runs.
    """
    machine, starting = vm("vm", "a"), vm("starting", "a")
    ended = running(machine, LiveMigratable="True")
    ended["status"]["phase"] = "Succeeded"

    audited = audit_of([machine, ended, starting, running(starting), claim("a", mode="ReadWriteOnce")])

    assert not audited.report.disagreements


def test_the_condition_of_a_bare_vmi_is_compared_with_its_own_verdict() -> None:
    """
    A VMI without a VirtualMachine counts as a VM.
    """
    status = status_of({"LiveMigratable": "True"})
    bare = named("kubevirt.io/v1", "VirtualMachineInstance", "bare", "shop", spec=vmi_spec("a"), status=status)

    audited = audit_of([bare, claim("a", mode="ReadWriteOnce")])

    assert [one.name for one in audited.report.disagreements] == ["bare"]
    assert by_name(audited)["vmi/bare"].is_machine
