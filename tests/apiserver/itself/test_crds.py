"""The small definitions of the tests describe KubeVirt's kinds as their releases do."""

from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import crds

VMI_SPECS = {
    "virtualmachines.kubevirt.io": "spec template spec",
    "virtualmachineinstancereplicasets.kubevirt.io": "spec template spec",
    "virtualmachinepools.pool.kubevirt.io": "spec virtualMachineTemplate spec template spec",
}

WITHOUT_REAL = frozenset({"hyperconvergeds.hco.kubevirt.io.yaml"})
"""Definitions of projects whose real definitions are not among those at hand."""


def schema(crd: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema of the field PATH, whose names are set apart by spaces."""
    fields: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in path.split():
        fields = fields["properties"][name]
    return fields


def identity(crd: dict[str, Any]) -> dict[str, Any]:
    """All that an API client can tell of a definition except its fields."""
    spec = crd["spec"]
    kept = ("name", "served", "storage", "deprecated", "deprecationWarning", "subresources")
    versions = [{key: version[key] for key in kept if version.get(key) is not None} for version in spec["versions"]]
    return {
        "name": crd["metadata"]["name"],
        "group": spec["group"],
        "scope": spec["scope"],
        "names": {"listKind": f"{spec['names']['kind']}List"} | spec["names"],
        "versions": sorted(versions, key=lambda version: str(version["name"])),
    }


def definition(name: str) -> dict[str, Any]:
    return next(crds.load(path) for path in crds.OWN if path.stem == name)


@pytest.mark.parametrize(("name", "path"), VMI_SPECS.items())
def test_a_template_has_the_schema_of_a_vmi(name: str, path: str) -> None:
    """
    A template has the same schema as a VMI in all four files.
    """
    expected = schema(definition("virtualmachineinstances.kubevirt.io"), "spec")

    assert schema(definition(name), path) == expected


@pytest.mark.parametrize("path", crds.OWN, ids=lambda path: path.stem)
def test_a_definition_has_the_names_and_versions_of_the_release(path: Path) -> None:
    """
    Names, scope, versions, deprecations and subresources are those of the real definition.
    """
    real = {file.name: file for file in crds.real()}
    if not real:
        pytest.skip(crds.NO_REAL)
    if path.name in WITHOUT_REAL:
        pytest.skip(f"the real definition of {path.stem} is not at hand")

    assert identity(crds.load(path)) == identity(crds.load(real[path.name]))


def test_a_changed_definition_changes_the_seed(tmp_path: Path) -> None:
    """
    A control plane never starts with outdated definitions.
    """
    crd, binary = tmp_path / "crd.yaml", tmp_path / "etcd"
    crd.write_text("a: 1")
    binary.write_bytes(b"v1")
    first = crds.digest([crd], [binary])
    crd.write_text("a: 2")
    second = crds.digest([crd], [binary])
    binary.write_bytes(b"v1.1")
    third = crds.digest([crd], [binary])

    assert len({first, second, third}) == 3
