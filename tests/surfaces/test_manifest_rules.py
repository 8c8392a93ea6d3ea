"""Findings about fields of a manifest: the command line and the API report them, and admission leaves them to KubeVirt."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from tests.surfaces.asgi import call
from tests.surfaces.doors import Doors, Manifest, as_json, one_api
from tests.surfaces.running import Program
from tests.surfaces.test_settings_that_work import cr
from webhook.report.model import Report

MASQUERADE = {"network": {"defaultNetworkInterface": "masquerade"}}
POD = {"name": "default", "pod": {}}
ON_MASQUERADE = {"domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}]}}, "networks": [POD]}
KINDS = ("VirtualMachine", "VirtualMachineInstance", "VirtualMachineInstanceReplicaSet", "VirtualMachinePool")


def machine(kind: str, vmi: Manifest, **outer: Any) -> Manifest:
    """An object of this kind, whose VMI has the spec ``vmi``. ``outer`` are fields of the VM's spec."""
    group = "pool.kubevirt.io/v1alpha1" if kind == "VirtualMachinePool" else "kubevirt.io/v1"
    spec = vmi if kind == "VirtualMachineInstance" else {"template": {"spec": vmi}, **outer}
    if kind == "VirtualMachinePool":
        spec = {"virtualMachineTemplate": {"spec": spec}}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "vm", "namespace": "lab"}, "spec": spec}


def reported(folder: Path, manifest: Manifest, *world: Manifest) -> set[tuple[str, str]]:
    """
    Rule and path of the findings by command line and API, which must be the same, for the rules LM809 and LM812. Admission
    admits the object without such a finding.
    """
    doors = Doors(folder, [*world])
    (folder / "object.json").write_bytes(as_json(manifest))
    arguments = ["check", str(folder / "object.json"), "-o", "json", "--facts", str(doors.facts_file)]
    by_command_line = CliRunner().invoke(Program(), arguments)
    api = one_api()
    api.background[:], api.configurations = doors.facts.objects, doors.configurations
    by_api = call(api.app, "POST", "/v1/check", as_json(manifest), [("content-type", "application/json")])
    answers = [_findings(by_command_line.stdout_bytes), _findings(by_api.body)]
    assert answers[0] == answers[1]
    admitted, response = doors.by_admission(manifest)
    assert response.json["response"]["allowed"] is True
    assert {finding.rule for finding in admitted.findings}.isdisjoint(("LM809", "LM812"))
    assert "''" not in response.text
    return answers[0]


def _findings(body: bytes) -> set[tuple[str, str]]:
    [judged] = msgspec.json.decode(body, type=Report).objects
    return {(finding.rule, finding.path) for finding in judged.findings if finding.rule in {"LM809", "LM812"}}


def base(kind: str) -> str:
    """The path of the VMI's spec."""
    inner = {"VirtualMachineInstance": "spec", "VirtualMachinePool": "spec.virtualMachineTemplate.spec.template.spec"}
    return inner.get(kind, "spec.template.spec")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("version", "refused"), [("v1.9.0", True), ("v1.8.4", False)])
def test_an_interface_needs_one_binding_from_1_9_on(tmp_path: Path, kind: str, version: str, refused: bool) -> None:
    """
    KubeVirt 1.9 counts the bindings of every interface, also beside a correct one (LM809).
    """
    interfaces = [{"name": "default", "masquerade": {}}, {"name": "lan"}]
    networks = [POD, {"name": "lan", "multus": {"networkName": "lan"}}]
    vmi = {"domain": {"devices": {"interfaces": interfaces}}, "networks": networks}

    assert reported(tmp_path, machine(kind, vmi), cr(MASQUERADE, version=version)) == (
        {("LM809", f"{base(kind)}.domain.devices.interfaces[1]")} if refused else set()
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("claim", [{}, {"claimName": ""}, {"readOnly": True}])
def test_a_claim_volume_needs_a_name(tmp_path: Path, kind: str, claim: Manifest) -> None:
    """
    KubeVirt refuses the object in every release (LM809). No finding names claim ''.
    """
    vmi = ON_MASQUERADE | {"volumes": [{"name": "os", "persistentVolumeClaim": claim}]}

    assert reported(tmp_path, machine(kind, vmi), cr(MASQUERADE, version="v1.6.6")) == {
        ("LM809", f"{base(kind)}.volumes[0].persistentVolumeClaim")
    }


@pytest.mark.parametrize(
    ("kind", "at"), [("VirtualMachine", "spec"), ("VirtualMachinePool", "spec.virtualMachineTemplate.spec")]
)
@pytest.mark.parametrize("running", [True, False])
def test_running_excludes_run_strategy(tmp_path: Path, kind: str, at: str, running: bool) -> None:
    """
    The contradiction is reported whatever the values are (LM809).
    """
    made = machine(kind, ON_MASQUERADE, running=running, runStrategy="Always")

    assert reported(tmp_path, made, cr(MASQUERADE)) == {("LM809", f"{at}.running")}
    assert reported(tmp_path, machine(kind, ON_MASQUERADE, running=running), cr(MASQUERADE)) == set()


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("v1.2.2", ["spec.updateVolumesStrategy", "spec.template.spec.utilityVolumes"]),
        ("v1.3.0", ["spec.template.spec.utilityVolumes"]),
        ("v1.8.4", []),
        ("v1.9.0", []),
    ],
)
def test_the_version_of_the_cluster_decides_which_fields_are_too_new(
    tmp_path: Path, version: str, fields: list[str]
) -> None:
    """
    The version comes from the status of the KubeVirt CR (LM812). At admission, the API server has dropped such fields.
    """
    vmi = ON_MASQUERADE | {"utilityVolumes": [{"name": "u", "claimName": "c", "type": "MemoryDump"}]}
    made = machine("VirtualMachine", vmi, updateVolumesStrategy="Migration")

    assert reported(tmp_path, made, cr(MASQUERADE, version=version)) == {("LM812", field) for field in fields}
