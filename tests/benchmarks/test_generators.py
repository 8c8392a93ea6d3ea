"""The generators write the same VMs in different ways."""

import shutil
from pathlib import Path

import pytest

from benchmarks.contestants.checking import ALL, OURS
from benchmarks.generators import apart, render
from benchmarks.generators.vms import EVERY, name_of, violates
from benchmarks.generators.writing import GENERATORS, write
from benchmarks.launching import run
from tests.apiserver.binaries import existing_binary
from webhook.manifests.objects import read_manifests
from webhook.objects.storage import PersistentVolumeClaim
from webhook.objects.vm import VirtualMachine


@pytest.mark.parametrize("generator", GENERATORS)
def test_each_generator_writes_the_violations(generator: str, tmp_path: Path) -> None:
    """
    `migratable check` denies exactly the VMs that violate a check, in all ways to write a VM.
    """
    vms = 2 * EVERY
    write(tmp_path / "vms", vms, generator)

    ran = run(ALL[OURS].argv(tmp_path / "vms"))

    assert ALL[OURS].found(ran.out) == {name_of(number) for number in range(vms) if violates(number)}
    assert ran.err == ""


@pytest.mark.parametrize("generator", GENERATORS)
def test_each_vm_has_a_name_and_a_claim_of_its_own(generator: str) -> None:
    """
    Placeholders are replaced everywhere.
    """
    vms = 3 * EVERY
    texts = [text for number in range(vms) for text in GENERATORS[generator](number).values()]
    objects = [found.object for text in texts for found in read_manifests(text.encode(), "vm.yaml").objects]

    for kind in (VirtualMachine, PersistentVolumeClaim):
        assert sorted(one.name for one in objects if isinstance(one, kind)) == [
            name_of(number) for number in range(vms)
        ]
    assert not [text for text in texts if "v0" in text or "7777" in text]


def test_vms_apart_must_run_on_different_nodes() -> None:
    """
    Each names only itself, so all fit.
    """
    text = apart.manifest(7)

    assert "requiredDuringSchedulingIgnoredDuringExecution" in text
    assert text.count("app.kubernetes.io/name: vm-00007") == 3


@pytest.mark.helm
@pytest.mark.skipif(shutil.which("kubectl") is None or existing_binary("helm") is None, reason="needs helm and kubectl")
def test_the_rendered_templates_are_the_output_of_helm_and_kustomize() -> None:
    """
    `python -m benchmarks.generators.render` writes them.
    """
    stored = {path.name: path.read_text() for path in render.RENDERED.iterdir()}

    assert {**render.helm(), **render.kustomize()} == stored
