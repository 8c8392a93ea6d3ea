"""Objects that were not provided, and that are assumed not to change the verdict. The verdict lists these assumptions."""

from typing import Any

import pytest

from tests.kubevirt.building import judgement, named, vm, world
from webhook.kubevirt.releases import Release, only
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataSource, PersistentVolumeClaim
from webhook.rules.example import claim

Manifest = dict[str, Any]
ON_DV = "{autoattachPodInterface: false, volumes: [{name: d, dataVolume: {name: dv}}]}"
NEW_CLAIM = "PVC 'dv' does not exist yet"
NO_LABEL = "DataSource 'fedora'"


def template(**spec: Any) -> Manifest:
    """A VM whose claim a dataVolumeTemplate creates."""
    entry = {"metadata": {"name": "dv"}, "spec": {"storage": {"accessModes": ["ReadWriteMany"]}, **spec}}
    return vm(ON_DV, dataVolumeTemplates=[entry])


def assumed(
    machine: Manifest, text: str, *others: Manifest, complete: tuple[type[Kubernetes], ...] = (), release: str = "1.9"
) -> bool:
    """Whether the verdict has an assumption that begins with ``text``."""
    at = only(Release(*map(int, release.split("."))))
    verdict = judgement(machine, world(*others, complete=complete), at).verdict
    assert verdict is not None
    return any(assumption.startswith(text) for assumption in verdict.assumptions)


def test_a_claim_that_a_template_would_create_is_assumed_to_be_new() -> None:
    """
    An existing PVC of this name wins over the template. A complete list of PVCs leaves nothing to assume.
    """
    assert assumed(template(), NEW_CLAIM)
    assert not assumed(template(), NEW_CLAIM, claim("dv", "ReadWriteMany"))
    assert not assumed(template(), NEW_CLAIM, complete=(PersistentVolumeClaim,))
    assert not assumed(vm(ON_DV), NEW_CLAIM)


@pytest.mark.parametrize(("release", "is_assumed"), [("1.5", False), ("1.6", True), ("1.9", True)])
def test_a_data_source_that_was_not_provided_may_set_the_architecture(release: str, is_assumed: bool) -> None:
    """
    KubeVirt reads the label of a DataSource from 1.6 on, unless the template names an architecture.
    """
    machine = template(sourceRef={"kind": "DataSource", "name": "fedora"})
    written = template(sourceRef={"kind": "DataSource", "name": "fedora"})
    written["spec"]["template"]["spec"]["architecture"] = "amd64"
    provided = named("DataSource", "fedora", "cdi.kubevirt.io/v1beta1", spec={})

    assert assumed(machine, NO_LABEL, release=release) is is_assumed
    assert not assumed(machine, NO_LABEL, provided, release=release)
    assert not assumed(machine, NO_LABEL, complete=(DataSource,), release=release)
    assert not assumed(written, NO_LABEL, release=release)


def test_a_data_source_can_refer_to_another_one() -> None:
    """
    The label of the second DataSource counts.
    """
    machine = template(sourceRef={"kind": "DataSource", "name": "alias"})
    alias = named("DataSource", "alias", "cdi.kubevirt.io/v1beta1", spec={"source": {"dataSource": {"name": "fedora"}}})

    assert assumed(machine, NO_LABEL, alias)
