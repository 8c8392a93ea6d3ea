"""Audit, check, admission and the dry-run API say the same about the objects of a cluster."""

from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.agreement.compare import compare
from tests.apiserver.controlplane import ControlPlane


@pytest.mark.apiserver
def test_all_surfaces_agree_about_the_objects_of_a_cluster(tmp_path: Path) -> None:
    """
    The verdict and the findings of each object are the same, except for the differences by design in ``compare``.

    ``python -m tests.apiserver.agreement 2000 SEED`` compares more objects.
    """
    with ControlPlane(crds=crds.OWN) as plane:
        compared = compare(plane, tmp_path, count=240, seed=17)

    assert compared.differences == []
    assert compared.objects > 200
    assert all(count > 180 for count in compared.compared.values())
    assert 50 < compared.denied < compared.compared["admission"]
