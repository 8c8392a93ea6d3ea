"""``kubectl kustomize … | migratable check -``, as it is typed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver.binaries import find_binary
from tests.surfaces.manifests import CLAIM, GOOD
from tests.surfaces.running import PLAIN, ROOT

pytestmark = pytest.mark.apiserver

KUSTOMIZATION = """\
namePrefix: prod-
resources: [vm.yaml, claim.yaml]
patches:
- target: {kind: VirtualMachineInstance}
  patch: |-
    - {op: add, path: /spec/domain/devices/gpus, value: [{name: card, deviceName: nvidia.com/A10}]}
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "vm.yaml").write_text(GOOD)
    (tmp_path / "claim.yaml").write_text(CLAIM)
    (tmp_path / "kustomization.yaml").write_text(KUSTOMIZATION)
    return tmp_path


def piped(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    rendering = [find_binary("kubectl"), "kustomize", folder]
    checking = [sys.executable, "-m", "webhook", "check", *options, "-"]
    env = {key: value for key, value in PLAIN.items() if value is not None} | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(rendering, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as rendered:
        return subprocess.run(
            checking, stdin=rendered.stdout, capture_output=True, text=True, check=False, env=env, timeout=60
        )


def test_rendered_overlays_are_judged(overlay: Path) -> None:
    """
    Patches and prefixes of an overlay count. The report names object, place and remedy.
    """
    ran = piped(overlay, "--release", "1.8")

    assert ran.returncode == 1, ran.stderr
    assert "stdin:10 VirtualMachineInstance tenant/prod-good: cannot be live-migrated" in ran.stdout
    assert "deny LM302 gpu  stdin:19:9  spec.domain.devices.gpus[0]" in ran.stdout
    assert "GPU 'card' (nvidia.com/A10) is passed through from the node" in ran.stdout
    assert "fix: Remove the entry from domain.devices.gpus." in ran.stdout


def test_a_failed_rendering_is_not_a_success(overlay: Path) -> None:
    """
    If kustomize prints nothing, the check fails.
    """
    (overlay / "kustomization.yaml").write_text("resources: [gone.yaml]")

    ran = piped(overlay)

    assert ran.returncode == 2
    assert "standard input is empty" in ran.stderr
