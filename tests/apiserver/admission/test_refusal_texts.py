"""
Whole outputs of kubectl for refused objects, as users see them, for review in ``tests/snapshots/refusals``.

``MIGRATABLE_REFRESH=1`` writes them again.
"""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.backstopping import install, wait_in_force
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.guarded import KUBEVIRT, LAB_NAD, Guarded, on_claim, vm
from tests.apiserver.serving import install_hooks, serving
from tests.snapshots.snapshot import snapshot
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.kubevirt.releases import SUPPORTED
from webhook.policy.policy import Policy
from webhook.surfaces.backstop.parameters import parameters

pytestmark = pytest.mark.apiserver

HELP = "https://wiki.example/live-migration, or #vm-platform"
TRYING = "trying"
"""The namespace in mode warn."""
REDACTIONS = (
    (re.compile(r"tenant-[0-9a-f]{8}"), "web"),
    (re.compile(r"/tmp/kubectl-edit-[\w.-]+"), "/tmp/kubectl-edit-1.yaml"),
    (re.compile(r"https://127\.0\.0\.1:\d+"), "https://api.example:6443"),
)
BRIDGE = {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}
PORT = {"devices": {"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 49152}]}]}}
DEVICE = {"devices": {"hostDevices": [{"name": "card", "deviceName": "vendor.example/card"}]}}
MANY = {"devices": {"gpus": [{"name": f"gpu{index}", "deviceName": "nvidia.com/A10"} for index in range(30)]}}
EDITOR = r"""
import pathlib, re, sys
path = pathlib.Path(sys.argv[1])
path.write_text(re.sub(r"(?m)^([^#\n]*)masquerade: ", r"\1bridge: ", path.read_text()))
"""
"""An editor that changes the fields and keeps the comments."""
VMS = {
    "bridge on the pod network": BRIDGE,
    "PVC that is not shared": {"volumes": [on_claim("single")]},
    "PVC that does not exist": {"volumes": [on_claim("absent")]},
    "passthrough device": DEVICE,
    "port 49152": PORT,
    "30 violations": MANY,
    "two violations": {"volumes": [on_claim("single")], **BRIDGE},
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A cluster with the webhooks, a help line, and a namespace in mode warn."""
    folder: Path = tmp_path_factory.mktemp("serve")
    policy = folder / "policy.yaml"
    policy.write_text(f"help: {HELP!r}\nnamespaces:\n- names: [{TRYING}]\n  atMost: warn\n")
    with ControlPlane(crds=crds.OWN) as plane, serving(plane, folder / "tls", "--policy", str(policy)) as server:
        for name in ("kubevirt", TRYING):
            plane.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
        install_hooks(plane, server)
        ready = Guarded(plane, server)
        assert ready.apply(LAB_NAD).returncode == 0
        wait_until(lambda: ready.apply(KUBEVIRT).returncode == 0, PATIENCE_SECONDS, "the KubeVirt CR to be admitted")
        ready.claim("single", "ReadWriteOnce")
        yield ready


def redacted(text: str) -> str:
    for pattern, replacement in REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


def shown(command: str, done: subprocess.CompletedProcess[str]) -> str:
    """The command, and the output and the exit status as a terminal and ``echo $?`` show them."""
    return f"$ {command}\n{redacted(done.stderr)}{redacted(done.stdout)}$ echo $?\n{done.returncode}\n"


def assert_recorded(name: str, text: str) -> None:
    assert text == snapshot(f"refusals/{name.replace(' ', '-')}.txt", text)


@pytest.mark.parametrize("name", VMS)
def test_a_refused_vm_says_why_and_what_to_write(guarded: Guarded, name: str) -> None:
    """
    What is refused, by Migratable, why, the help line, the field and the remedy.
    """
    done = guarded.apply(vm("web-1", guarded.tenant, **copy.deepcopy(VMS[name])))

    assert_recorded(name, shown("kubectl apply -f vm.yaml", done))


def test_a_dry_run_says_the_same(guarded: Guarded) -> None:
    """
    The text is that of the request without ``--dry-run``.
    """
    manifest = vm("web-1", guarded.tenant, **copy.deepcopy(BRIDGE))

    dry, done = guarded.apply(manifest, flags=("--dry-run=server",)), guarded.apply(manifest)

    assert (dry.returncode, dry.stderr) == (done.returncode, done.stderr)
    assert_recorded("dry run", shown("kubectl apply --dry-run=server -f vm.yaml", dry))


def test_mode_warn_says_what_will_be_refused(guarded: Guarded) -> None:
    """
    The object is stored. Each warning is whole and says that mode enforce will refuse it.
    """
    done = guarded.apply(vm("web-1", TRYING, volumes=[on_claim("absent")], **copy.deepcopy(BRIDGE)))

    assert done.returncode == 0
    assert_recorded("mode warn", shown(f"kubectl apply -n {TRYING} -f vm.yaml", done))


def test_refused_settings_say_which(guarded: Guarded) -> None:
    """
    The KubeVirt CR keeps its earlier settings.
    """
    changed = copy.deepcopy(KUBEVIRT)
    changed["spec"]["configuration"]["migrations"] |= {"parallelMigrationsPerCluster": 0, "network": "absent"}

    assert_recorded("KubeVirt CR", shown("kubectl apply -f kubevirt.yaml", guarded.apply(changed)))


def test_a_refused_network_says_which_address_range(guarded: Guarded) -> None:
    """
    The migration network has to be a valid CNI configuration with addresses.
    """
    changed: dict[str, Any] = copy.deepcopy(LAB_NAD)
    changed["spec"]["config"] = changed["spec"]["config"].replace("10.1.1.0/24", "10.1.1.0/99")

    assert_recorded("NetworkAttachmentDefinition", shown("kubectl apply -f network.yaml", guarded.apply(changed)))


def test_an_edit_is_refused_with_the_text_of_a_creation(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    ``kubectl edit`` shows the text as a comment and keeps the change in a file.
    """
    assert guarded.apply(vm("edited", guarded.tenant)).returncode == 0
    editor = tmp_path / "editor.py"
    editor.write_text(EDITOR)
    monkeypatch.setenv("KUBE_EDITOR", f"{sys.executable} {editor}")

    done = guarded.client.kubectl("edit", "vm", "edited", "-n", guarded.tenant, check=False)

    (kept,) = re.findall(r"stored to \"(.*)\"", done.stderr)
    comments = [line for line in Path(kept).read_text().splitlines() if line.startswith("#")]
    Path(kept).unlink()
    lines = "\n".join(["$ grep '^#' /tmp/kubectl-edit-1.yaml", *map(redacted, comments), ""])
    assert "# * spec.template.spec.domain.devices.interfaces[0]: Migratable refuses this request: " in lines
    assert_recorded("edit", shown("kubectl edit vm edited", done) + lines)


def test_the_annotation_for_checks_exempts_nothing_in_admission(guarded: Guarded) -> None:
    """
    ``migratable.dev/allow`` on the VM or its template leaves the text of the refusal as it is.
    """
    plain = vm("web-1", guarded.tenant, **copy.deepcopy(BRIDGE))
    annotated = copy.deepcopy(plain)
    allow = {"annotations": {"migratable.dev/allow": "LM101: it keeps its address"}}
    annotated["metadata"] |= allow
    annotated["spec"]["template"]["metadata"] |= allow

    done, expected = guarded.apply(annotated), guarded.apply(plain)

    assert (done.returncode, done.stderr) == (1, expected.stderr)
    assert "LM101" in done.stderr


def test_the_backstop_opens_as_the_webhook_does() -> None:
    """
    Without the webhook: the same opening sentence, help line, field and remedy.
    """
    with ControlPlane(crds=crds.OWN) as plane:
        for name in ("migratable", "kubevirt", "web"):
            plane.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
        install(plane, parameters(Policy(help=HELP), SUPPORTED, "2026-06-01"))
        wait_in_force(plane, "web")
        bad = json.dumps(vm("web-1", "web", **copy.deepcopy(BRIDGE)))

        done = plane.client.kubectl("apply", "-f", "-", stdin=bad, check=False)

    assert_recorded("backstop", shown("kubectl apply -f vm.yaml", done))
