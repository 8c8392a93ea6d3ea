"""The fields of KubeVirt's objects."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apiserver import crds
from webhook.facts.manifest import UnknownField, UnknownValue
from webhook.kubevirt.schema.field_names import FIELDS, ROOTS
from webhook.kubevirt.schema.unknown_fields import QUANTITIES, QUANTITY_MAPS, VALUES, problems_in, search
from webhook.objects.quantity import accepts

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(sorted({name for fields in FIELDS.values() for name in fields}))
shaped = st.recursive(
    junk, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=30
)
modes = st.lists(st.sampled_from(["ReadWriteMany", "RWX", "", 1, None, ["ReadWriteMany"]]), max_size=3) | junk


def vm(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "a"}, "spec": spec}


def fields(**spec: Any) -> list[tuple[str, str, str]]:
    """Name, what was meant and where it belongs."""
    problems, _, _ = problems_in("VirtualMachine", vm(**spec))
    return [(item.name, item.meant, ".".join(map(str, item.belongs))) for item in problems]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"runstrategy": "Always"}, ("runstrategy", "runStrategy", "")),
        ({"runStratgy": "Always"}, ("runStratgy", "runStrategy", "")),
        ({"evictionStrategy": "None"}, ("evictionStrategy", "", "spec.template.spec.evictionStrategy")),
        ({"template": {"domain": {}}}, ("domain", "", "spec.template.spec.domain")),
        (
            {"template": {"spec": {"domain": {"interfaces": []}}}},
            ("interfaces", "", "spec.template.spec.domain.devices.interfaces"),
        ),
        ({"template": {"spec": {"volumes": [{"name": "a", "pvc": {}}]}}}, ("pvc", "", "")),
        ({"template": {"spec": {"domain": {"devices": {"disk": []}}}}}, ("disk", "disks", "")),
        ({"zzz": 1}, ("zzz", "", "")),
    ],
)
def test_an_unknown_field_has_a_suggestion_or_the_correct_path(
    spec: dict[str, Any], problem: tuple[str, str, str]
) -> None:
    """
    Another case, a missing plural s and a close name are misspelt; the name of another place is misplaced; others are unknown.
    """
    assert fields(**spec) == [problem]


def test_names_that_users_choose_are_not_checked() -> None:
    """
    Labels, annotations, node selectors and the fields of a newer status are not checked.
    """
    manifest = vm(
        template={
            "metadata": {"annotations": {"any/thing": "x"}},
            "spec": {"nodeSelector": {"zone": "a"}, "domain": {}},
        }
    )
    manifest["metadata"]["labels"] = {"Spec": "x"}
    manifest["status"] = {"anything": True}

    assert problems_in("VirtualMachine", manifest) == ((), (), ())


def test_an_unknown_value_is_reported_with_the_known_ones() -> None:
    """
    By case, by similarity, and by the abbreviations that kubectl prints.
    """
    storage = {"storage": {"accessModes": ["RWX", "ReadWriteMany"]}}
    _, values, _ = problems_in("VirtualMachine", vm(runStrategy="halted", dataVolumeTemplates=[{"spec": storage}]))

    modes = VALUES["V1beta1StorageSpec", "accessModes"]
    path = ("spec", "dataVolumeTemplates", 0, "spec", "storage", "accessModes", 0)
    assert UnknownValue(path, "RWX", modes, "ReadWriteMany") in values
    strategies = VALUES["V1VirtualMachineSpec", "runStrategy"]
    assert UnknownValue(("spec", "runStrategy"), "halted", strategies, "Halted") in values
    assert len(values) == 2


@given(st.sampled_from(sorted(ROOTS)), st.dictionaries(names, shaped, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_json_can_be_checked(kind: str, spec: dict[str, Any]) -> None:
    """
    For any JSON the paths of all problems exist, and nothing raises.
    """
    raw = {"apiVersion": "kubevirt.io/v1", "kind": kind, "spec": spec}

    problems, values, quantities = problems_in(kind, raw)

    findings: tuple[Any, ...] = (*problems, *values, *quantities)
    for finding in findings:
        here: Any = raw
        for step in finding.path:
            here = here[step]
        assert isinstance(finding, UnknownField) or here == finding.value


amounts = st.sampled_from(["2Gi", "2GB", "", "${X}", 1, 0.5, 2.0, 2**64, None, True, ["2GB"]]) | junk
domains = st.fixed_dictionaries(
    {
        "memory": st.fixed_dictionaries({"guest": amounts}),
        "resources": st.dictionaries(
            st.sampled_from(["requests", "limits"]), st.dictionaries(st.text(max_size=3), amounts) | junk
        ),
    }
)
machines = st.fixed_dictionaries(
    {
        "runStrategy": st.sampled_from(["Always", "always", ""]),
        "dataVolumeTemplates": st.lists(
            st.fixed_dictionaries(
                {"spec": st.fixed_dictionaries({"pvc": st.dictionaries(st.sampled_from(["accessModes", "x"]), modes)})}
            ),
            max_size=2,
        ),
        "template": st.fixed_dictionaries({"spec": st.dictionaries(names, shaped, max_size=2)}),
    }
)


@given(st.sampled_from(sorted(ROOTS)), machines | st.dictionaries(names, shaped, max_size=4))
@settings(max_examples=500, deadline=None)
def test_the_fast_check_misses_no_problem(kind: str, spec: dict[str, Any]) -> None:
    """
    Most objects are plain at a first look without places; the answer is that of the whole search all the same.
    """
    raw = {"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}

    assert problems_in(kind, raw) == search(kind, ROOTS[kind], raw)


@given(domains)
@settings(max_examples=200, deadline=None)
def test_the_quick_look_misses_no_quantity(domain: dict[str, Any]) -> None:
    """
    Without other problems, the fast check agrees about any value in place of a quantity or of a map of quantities.
    """
    raw = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "spec": {"domain": domain}}

    problems = problems_in("VirtualMachineInstance", raw)

    assert problems == search("VirtualMachineInstance", "V1VirtualMachineInstance", raw)
    amounts = [domain["memory"]["guest"]]
    amounts += [value for held in domain["resources"].values() if isinstance(held, dict) for value in held.values()]
    assert sorted(map(repr, (item.value for item in problems[2]))) == sorted(
        repr(amount) for amount in amounts if not accepts(amount)
    )


def test_no_type_holds_itself() -> None:
    """
    The quick look calls itself for each type inside another, so their depth must have an end.
    """

    def depth(name: str, above: tuple[str, ...] = ()) -> int:
        assert name not in above
        return 1 + max((depth(held.lstrip("*"), (*above, name)) for held in FIELDS[name].values() if held), default=0)

    assert max(map(depth, ROOTS.values())) < 20


def test_other_kinds_are_not_checked() -> None:
    """
    The fields of a Deployment are not in the tables.
    """
    assert problems_in("Deployment", {"spec": {"anything": 1}}) == ((), (), ())


def test_the_values_are_those_of_fields_that_exist() -> None:
    """
    A field that is renamed must not leave its values behind.
    """
    assert [value for value in VALUES if value[1] not in FIELDS[value[0]]] == []


MODES = "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod"
BUSES = "virtio sata scsi usb"
WORDS = {
    "V1VirtualMachineSpec.runStrategy": "Always RerunOnFailure Manual Halted Once WaitAsReceiver",
    "V1KubeVirtConfiguration.vmRolloutStrategy": "Stage LiveUpdate",
    "V1VirtualMachineSpec.updateVolumesStrategy": "Replacement Migration",
    "V1VirtualMachineInstanceSpec.startStrategy": "Paused",
    "V1VirtualMachineInstanceSpec.architecture": "amd64 arm64 s390x ppc64le",
    "V1DiskTarget.bus": BUSES,
    "V1CDRomTarget.bus": BUSES,
    "V1LunTarget.bus": BUSES,
    "V1Disk.cache": "none writethrough writeback",
    "V1Disk.io": "native default threads",
    "V1CPUFeature.policy": "force require optional disable forbid",
    "V1Port.protocol": "TCP UDP",
    "K8sIoApiCoreV1PersistentVolumeClaimSpec.accessModes": MODES,
    "V1beta1StorageSpec.accessModes": MODES,
    "K8sIoApiCoreV1PersistentVolumeClaimSpec.volumeMode": "Block Filesystem",
    "V1beta1StorageSpec.volumeMode": "Block Filesystem",
    "ClaimPropertySet.accessModes": MODES,
    "ClaimPropertySet.volumeMode": "Block Filesystem",
}
AMOUNTS = """
  K8sIoApiCoreV1ResourceFieldSelector.divisor V1DiskVerification.memoryLimit V1EmptyDiskSource.capacity V1HostDisk.capacity
  V1KubeVirtConfiguration.cpuRequest V1LiveUpdateConfiguration.maxGuest V1Memory.guest V1Memory.maxGuest
  V1beta1MemoryInstancetype.guest V1beta1MemoryInstancetype.maxGuest
  V1beta1MemoryPreferenceRequirement.guest
"""
MAPS = """
  K8sIoApiCoreV1VolumeResourceRequirements.limits K8sIoApiCoreV1VolumeResourceRequirements.requests
  V1ResourceRequirements.limits V1ResourceRequirements.requests
  V1ResourceRequirementsWithoutClaims.limits V1ResourceRequirementsWithoutClaims.requests
"""


def test_these_fields_have_a_list_of_values() -> None:
    """
    In the order in which a message lists them.
    """
    assert {".".join(field): " ".join(words) for field, words in VALUES.items()} == WORDS


def test_eleven_fields_and_six_maps_take_quantities() -> None:
    """
    The bandwidth is judged in family 6.
    """
    assert sorted(map(".".join, QUANTITIES)) == AMOUNTS.split()
    assert sorted(map(".".join, QUANTITY_MAPS)) == MAPS.split()


each_definition = pytest.mark.parametrize(
    "path", crds.real() or [None], ids=lambda path: f"{path.parent.name}/{path.name}" if path else "none"
)


@each_definition
def test_every_field_that_kubevirt_installs_is_known(path: Path | None) -> None:
    """
    No field of KubeVirt's own definitions is called strange.
    """
    if path is None:
        pytest.skip(crds.NO_REAL)
    definition = yaml.load(path.read_text(), yaml.CSafeLoader)
    kind = definition["spec"]["names"]["kind"]
    if kind not in ROOTS:
        return
    schema = next(item["schema"]["openAPIV3Schema"] for item in definition["spec"]["versions"] if item["storage"])

    assert sorted(set(missing(schema, ROOTS[kind], top=True))) == []


def missing(schema: dict[str, Any], name: str, *, top: bool = False) -> Iterator[tuple[str, str]]:
    """Type and name of each property that is not among the fields."""
    if schema.get("type") == "array":
        yield from missing(schema["items"], name)
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from missing(schema["additionalProperties"], name.removeprefix("*"))
    elif name:
        for key, below in schema.get("properties", {}).items():
            if top and key in ("apiVersion", "kind", "metadata", "status"):
                continue
            if key in FIELDS[name]:
                yield from missing(below, FIELDS[name][key])
            else:
                yield name, key


@each_definition
def test_quantities_are_those_that_kubevirt_defines(path: Path | None) -> None:
    """
    All quantities of the CRDs, with one pattern, except a new one and the bandwidth, which family 6 checks.
    """
    if path is None:
        pytest.skip(crds.NO_REAL)
    definition = yaml.load(path.read_text(), yaml.CSafeLoader)
    kind = definition["spec"]["names"]["kind"]
    if kind not in ROOTS:
        return
    schema = next(item["schema"]["openAPIV3Schema"] for item in definition["spec"]["versions"] if item["storage"])
    spec = schema["properties"]["spec"]
    known = [(name, key) for name, fields in FIELDS.items() for key in fields]
    assert {*QUANTITIES, *QUANTITY_MAPS} <= {*known}

    result = {*defined(spec, FIELDS[ROOTS[kind]]["spec"])}

    assert {name for name, _ in result} - QUANTITIES - QUANTITY_MAPS <= {
        ("V1ReservedOverhead", "addedOverhead"),
        ("V1MigrationConfiguration", "bandwidthPerMigration"),
        ("V1alpha1MigrationPolicySpec", "bandwidthPerMigration"),
    }
    assert {re.sub(r"\(\\\+\|-\)", "[+-]", pattern) for _, pattern in result} <= {AS_DEFINED}


AS_DEFINED = (
    r"^[+-]?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)


def defined(schema: dict[str, Any], name: str, holder: tuple[str, str] = ("", "")) -> Iterator[tuple[Any, str]]:
    """Type and name of each property that is a quantity or a map of quantities, with its pattern."""
    if schema.get("x-kubernetes-int-or-string") and "pattern" in schema:
        yield holder, schema["pattern"]
    elif schema.get("type") == "array":
        yield from defined(schema["items"], name, holder)
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from defined(schema["additionalProperties"], name.removeprefix("*"), holder)
    for key, below in schema.get("properties", {}).items() if name else ():
        yield from defined(below, FIELDS[name][key], (name, key))
