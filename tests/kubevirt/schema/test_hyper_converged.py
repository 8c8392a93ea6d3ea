"""Unknown fields of a HyperConverged CR, in both API versions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.kubevirt.schema.hyper_converged import V1_SPEC, V1BETA1_SPEC, Fields, unknown_in

V1BETA1, V1 = "hco.kubevirt.io/v1beta1", "hco.kubevirt.io/v1"
SPECS = {V1BETA1: V1BETA1_SPEC, V1: V1_SPEC}


def found(version: str, spec: Any) -> list[tuple[str, str, str]]:
    """The path of each unknown field, the field that was meant, and the place to which the field belongs."""
    raw = {"apiVersion": version, "kind": "HyperConverged", "spec": spec}
    return [(_text(field.path), field.meant, _text(field.belongs)) for field in unknown_in(raw)]


def _text(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


@pytest.mark.parametrize(
    ("version", "spec", "expected"),
    [
        (V1BETA1, {"liveMigrationConf": {}}, ("spec.liveMigrationConf", "liveMigrationConfig", "")),
        (V1BETA1, {"evictionstrategy": "x"}, ("spec.evictionstrategy", "evictionStrategy", "")),
        (
            V1BETA1,
            {"featureGates": {"decentralizedLiveMigraton": True}},
            ("spec.featureGates.decentralizedLiveMigraton", "decentralizedLiveMigration", ""),
        ),
        (V1BETA1, {"featureGates": {"LiveMigration": True}}, ("spec.featureGates.LiveMigration", "", "")),
        (
            V1BETA1,
            {"permittedHostDevices": {"mediatedDevices": [{"resourceNames": "x"}]}},
            ("spec.permittedHostDevices.mediatedDevices.0.resourceNames", "resourceName", ""),
        ),
        (
            V1BETA1,
            {"networkBinding": {"own": {"migrations": {}}}},
            ("spec.networkBinding.own.migrations", "migration", ""),
        ),
        (
            V1,
            {"evictionStrategy": "None"},
            ("spec.evictionStrategy", "", "spec.virtualization.evictionStrategy"),
        ),
        (
            V1,
            {"virtualization": {"workloadUpdateStrateg": {}}},
            ("spec.virtualization.workloadUpdateStrateg", "workloadUpdateStrategy", ""),
        ),
        (V1, {"vmStateStorageClass": "x"}, ("spec.vmStateStorageClass", "", "spec.storage.vmStateStorageClass")),
        (V1BETA1, {"configuration": {"evictionStrategy": "None"}}, ("spec.configuration", "", "")),
    ],
)
def test_a_misspelt_or_misplaced_field_is_found(version: str, spec: Any, expected: tuple[str, str, str]) -> None:
    """
    The remedy names the similar field, or the only place that has the field.
    """
    assert found(version, spec) == [expected]


def test_fields_that_family_6_reports_are_left_out() -> None:
    """
    The contents of liveMigrationConfig and misplaced migration settings.
    """
    spec = {"liveMigrationConfig": {"x": 1}, "allowPostCopy": True, "configuration": {"migrations": {}}}

    assert found(V1BETA1, spec) == []
    assert found(V1, {"liveMigrationConfig": {}, "virtualization": {"allowPostCopy": True}}) == []


def filled(fields: Fields) -> Any:
    """An object with every known field."""
    return {
        ("any" if name == "*" else name): (filled(inner) if inner is not None else 1) for name, inner in fields.items()
    }


@pytest.mark.parametrize("version", SPECS)
def test_known_fields_are_never_unknown(version: str) -> None:
    """
    An object with every field of its version.
    """
    assert found(version, filled(SPECS[version])) == []


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from((*V1BETA1_SPEC, *V1_SPEC, "x", "*")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(version=st.sampled_from(sorted(SPECS)), spec=NESTED)
def test_each_unknown_field_of_any_json_has_a_path_in_the_object(version: str, spec: Any) -> None:
    """
    Each path in the result leads to a field of the object.
    """
    raw = {"apiVersion": version, "spec": spec}
    for field in unknown_in(raw):
        value: Any = raw
        for step in field.path:
            assert step in (value if isinstance(value, dict) else range(len(value)))
            value = value[step]
