"""Repositories as people have them end with the right status under defaults."""

from pathlib import Path

import pytest

from tests.check.layouts import LAYOUTS, write
from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable


@pytest.mark.parametrize(("vm", "status"), [(GOOD, 0), (BAD, 1)], ids=["good", "bad"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_repository_ends_with_the_status_of_its_vm(tmp_path: Path, layout: str, vm: str, status: int) -> None:
    """
    No file that is not a manifest is an error. Each VM is judged once.
    """
    write(tmp_path, layout, vm)

    ran = migratable("check", ".", cwd=tmp_path)

    assert "error:" not in ran.err
    assert (ran.status, ran.out.strip().splitlines()[-1].rpartition(" in ")[2]) == (status, "1 object")


@pytest.mark.parametrize(
    ("layout", "told"), [("kustomize", "migratable check -k"), ("helm", "migratable check --helm")]
)
def test_a_layout_that_needs_rendering_names_the_command(tmp_path: Path, layout: str, told: str) -> None:
    """
    The note is printed once for the folder.
    """
    write(tmp_path, layout, GOOD)

    assert told in migratable("check", ".", cwd=tmp_path).err


def test_a_template_of_a_role_that_is_named_is_an_error(tmp_path: Path) -> None:
    """
    Only a search counts it.
    """
    write(tmp_path, "ansible", GOOD)

    assert migratable("check", "roles/vms/templates/vm.yaml", cwd=tmp_path).status == 2
