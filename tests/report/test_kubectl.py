"""``kubectl patch`` commands for objects in a cluster."""

import json
import shlex

import pytest
from msgspec.structs import replace

from tests.report.audits import bridge, drain_blocked, live, quoted_number
from tests.report.reports import EXEMPTED
from webhook.report.kubectl import commands_for


def test_a_command_is_one_shell_line_with_the_whole_patch() -> None:
    """
    A shell splits the command into the words of ``kubectl patch``, and the last word is the JSON Patch.
    """
    (command,) = commands_for(live("web", False, bridge()), bridge())

    *words, patch = shlex.split(command.line)
    assert words == [*("kubectl", "patch", "virtualmachines.kubevirt.io", "web", "-n", "tenant", "--type=json", "-p")]
    assert json.loads(patch) == bridge().fixes[0].patch
    assert command.label == "option"


@pytest.mark.parametrize(
    ("kind", "version", "resource"),
    [
        ("KubeVirt", "kubevirt.io/v1", "kubevirts.kubevirt.io"),
        ("HyperConverged", "hco.kubevirt.io/v1beta1", "hyperconvergeds.v1beta1.hco.kubevirt.io"),
        ("VirtualMachinePool", "pool.kubevirt.io/v1alpha1", "virtualmachinepools.v1alpha1.pool.kubevirt.io"),
        (
            "VirtualMachineInstanceReplicaSet",
            "kubevirt.io/v1",
            "virtualmachineinstancereplicasets.kubevirt.io",
        ),
        ("MigrationPolicy", "migrations.kubevirt.io/v1alpha1", "migrationpolicies.migrations.kubevirt.io"),
        (
            "NetworkAttachmentDefinition",
            "k8s.cni.cncf.io/v1",
            "network-attachment-definitions.k8s.cni.cncf.io",
        ),
    ],
)
def test_the_resource_is_the_plural_and_the_group(kind: str, version: str, resource: str) -> None:
    """
    The resource cannot be mixed up with another group's. It has the version if the versions have different fields.
    """
    judged = live("one", None, kind=kind, version=version)

    (command,) = commands_for(judged, quoted_number())

    assert shlex.split(command.line)[2] == resource
    assert command.label == "safe change"


def test_a_cluster_scoped_object_has_no_namespace() -> None:
    """
    The command for a MigrationPolicy has no ``-n``.
    """
    judged = live("one", None, kind="MigrationPolicy", version="migrations.kubevirt.io/v1alpha1", namespace="")

    (command,) = commands_for(judged, quoted_number())

    assert "-n" not in shlex.split(command.line)


def test_several_options_are_numbered() -> None:
    """
    If the user has to choose, each option has its number and the number of all options.
    """
    commands = commands_for(live("web", False), drain_blocked())

    assert [command.label for command in commands] == ["option 1 of 2", "option 2 of 2"]


@pytest.mark.parametrize(
    ("kind", "remark"),
    [
        ("VirtualMachine", "A running VM needs a restart after the change: virtctl restart web -n tenant"),
        ("VirtualMachinePool", "Running VMs of the pool need a restart after the change"),
        ("VirtualMachineInstanceReplicaSet", "Existing VMIs do not change. Delete them one after another"),
        ("KubeVirt", ""),
    ],
)
def test_a_change_of_a_template_says_what_running_vms_need(kind: str, remark: str) -> None:
    """
    A change of the template of a VM has no effect on a running VM until it restarts.
    """
    (command,) = commands_for(live("web", False, kind=kind), bridge())

    assert command.remark == remark
    assert command.line


def test_a_vmi_gets_no_command_for_its_spec() -> None:
    """
    KubeVirt refuses changes to the spec of a VMI. Its annotations can change.
    """
    vmi = live("web", False, kind="VirtualMachineInstance")
    annotation = replace(bridge().fixes[0], patch=[{"op": "add", "path": "/metadata/annotations/a~1b", "value": ""}])

    (of_spec,) = commands_for(vmi, bridge())
    (of_metadata,) = commands_for(vmi, replace(bridge(), fixes=[annotation]))

    assert (of_spec.line, of_spec.remark) == (
        "",
        "KubeVirt accepts no change to the spec of a VMI. Change and restart its VirtualMachine, or create the VMI again",
    )
    assert of_metadata.line
    assert not of_metadata.remark


def test_the_operators_kubevirt_cr_gets_no_command() -> None:
    """
    HyperConverged's operator resets the KubeVirt CR, so a patch would not last.
    """
    (command,) = commands_for(live("kubevirt", None, kind="KubeVirt"), quoted_number(), has_operator=True)

    assert not command.line
    assert command.remark == "HyperConverged's operator resets the KubeVirt CR. Change the HyperConverged CR"


def test_an_exempted_finding_has_no_commands() -> None:
    """
    An exempted finding is accepted, so nothing is proposed.
    """
    assert not commands_for(live("web", False), replace(EXEMPTED, fixes=bridge().fixes))


@pytest.mark.parametrize("name", ["--kubeconfig=x", "a b", "a\nb", "A", "", "a;b"])
def test_a_name_that_no_api_server_accepts_has_no_command(name: str) -> None:
    """
    A name from a file could be an option of kubectl, or several lines.
    """
    assert not commands_for(live(name, False), bridge())
    assert not commands_for(live("web", False, namespace=name or "-"), bridge())
