"""
Objects of all kinds for the rules that need nothing but the object: small pools of values, so that most objects violate
something, pairs share much, and optional fields are missing often.
"""

from typing import Any

from hypothesis import strategies as st

from tests.generating.words import EMPTY, EVICTION_STRATEGIES, NAMESPACE, Manifest, Manifests, fields, merged
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE

NAMES = st.sampled_from(
    ("default", "blue", "default", "blue", "a\n0 0 x y z", "0 1 49152", "\x1b[31m\u00fc", "x" * 300)
)
"""Definitions let names of list entries hold any text."""
REFERRED = st.sampled_from(("default", "blue"))
POD: Manifest = {"name": "default", "pod": {}}
SELECTED = {"matchLabels": {"app": "web"}}
SETTINGS = {
    "parallelMigrationsPerCluster": (-1, 0, 1, 5, 2**31 - 1),
    "parallelOutboundMigrationsPerNode": (-5, 0, 2),
    "completionTimeoutPerGiB": (-150, 0, 800, -(2**63)),
    "progressTimeout": (-1, 0, 2**63 - 1),
    "utilityVolumesTimeout": (-1, 150),
    "maxDowntimeMs": (0, 1, 900, 2_000_000, 2_000_001, -1),
    "bandwidthPerMigration": ("64Mi", 0),
    "allowPostCopy": (False,),
}


def pairs() -> st.SearchStrategy[tuple[Manifest, Manifest]]:
    """An object, and what an update makes of it; a VMI is only created."""
    kinds = (_machines(), _machines(), _replica_sets(), _pools(), kubevirts())
    return st.one_of(*(st.tuples(kind, kind) for kind in kinds))


def objects() -> Manifests:
    """Any of the kinds."""
    return st.one_of(_machines(), _instances(), _replica_sets(), _pools(), kubevirts())


def kubevirts() -> Manifests:
    """A KubeVirt CR with numbers in and out of range."""
    migrations = fields(**{name: st.sampled_from(values) for name, values in SETTINGS.items()})
    spec = fields(configuration=fields(migrations=migrations))
    return _object("kubevirt.io/v1", "KubeVirt", spec, "kubevirt")


def _machines() -> Manifests:
    return _object("kubevirt.io/v1", "VirtualMachine", _machine_specs())


def _instances() -> Manifests:
    made = _object("kubevirt.io/v1", "VirtualMachineInstance", _specs())
    noted = st.one_of(EMPTY, st.just({"annotations": {BRIDGE_OVERRIDE: ""}}))
    return st.tuples(made, noted).map(lambda two: two[0] | {"metadata": two[0]["metadata"] | two[1]})


def _replica_sets() -> Manifests:
    spec = fields({"selector": st.just(SELECTED), "template": _templates()})
    return _object("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", spec)


def _pools() -> Manifests:
    spec = fields({"selector": st.just(SELECTED), "virtualMachineTemplate": fields({"spec": _machine_specs()})})
    return _object("pool.kubevirt.io/v1beta1", "VirtualMachinePool", spec)


def _machine_specs() -> Manifests:
    referred = st.one_of(
        EMPTY, EMPTY, EMPTY, fields(instancetype=fields({"name": REFERRED}), preference=fields({"name": REFERRED}))
    )
    return merged(fields({"template": _templates(), "runStrategy": st.just("Halted")}), referred)


def _templates() -> Manifests:
    allowed = st.sampled_from(({BRIDGE_OVERRIDE: "true"}, {BRIDGE_OVERRIDE: ""}, {"example.org/note": "x"}, {}))
    metadata = fields({"labels": st.just({"app": "web"})}, annotations=allowed)
    return fields({"spec": _specs()}, metadata=st.one_of(metadata, metadata, st.none()))


def _specs() -> Manifests:
    networks = st.sampled_from(
        (
            [POD],
            [POD],
            [{"name": "blue", "multus": {"networkName": "blue"}}, POD],
            [{"name": "blue", "pod": {}}],
            [{"name": "blue", "multus": {"networkName": "blue", "default": True}}],
            [],
        )
    )
    devices = fields(
        interfaces=_unique(_interfaces()),
        filesystems=_unique(fields({"name": NAMES, "virtiofs": EMPTY})),
        gpus=_unique(_devices()),
        hostDevices=_unique(_devices()),
    )
    return fields(
        {"domain": fields({"devices": devices}, memory=st.just({"guest": "64Mi"}))},
        networks=networks,
        evictionStrategy=EVICTION_STRATEGIES,
    )


def _devices() -> Manifests:
    device = st.sampled_from(("vendor.com/a", "vendor.com/b"))
    return fields({"name": NAMES}, deviceName=device, claimName=st.just("claim"), requestName=st.just("gpu"))


def _interfaces() -> Manifests:
    one: tuple[Manifest, ...] = ({"bridge": {}}, {"masquerade": {}})
    other: tuple[Manifest, ...] = (
        {},
        {"sriov": {}},
        {"masquerade": {}, "bridge": {}},
        {"bridge": {}, "binding": {"name": "passt"}},
        {"bridge": {}, "passtBinding": {}},
    )
    binding = st.sampled_from((*one, *one, *other))
    ports = st.lists(
        fields({"port": st.sampled_from((22, 49151, 49152, 49153, 49154))}, protocol=st.sampled_from(("TCP", "UDP"))),
        max_size=3,
        unique_by=lambda port: (port["port"], port.get("protocol", "TCP")),
    )
    edges = (1, 49151, 49152, 49153, 49154, 65535)
    ranges = st.lists(
        fields({"start": st.sampled_from(edges), "end": st.sampled_from(edges), "protocol": st.just("TCP")}),
        max_size=2,
        unique_by=lambda port_range: (port_range["start"], port_range["end"]),
    )
    return merged(fields({"name": NAMES}, ports=ports, portRanges=ranges), binding)


def _unique(manifests: Manifests) -> st.SearchStrategy[list[Manifest]]:
    return st.lists(manifests, max_size=2, unique_by=lambda one: one["name"])


def _object(version: str, kind: str, spec: Manifests, namespace: str = NAMESPACE) -> Manifests:
    head: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "object", "namespace": namespace}}
    return spec.map(lambda made: head | {"metadata": dict(head["metadata"]), "spec": made})
