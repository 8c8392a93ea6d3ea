"""Valid, unusual and invalid KubeVirt CRs, MigrationPolicies and NetworkAttachmentDefinitions."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.generating.words import (
    ARCHITECTURES,
    BOOLEANS,
    CLASSES,
    CPU_MODELS,
    EMPTY,
    EVICTION_STRATEGIES,
    LABELS,
    MEDIATED,
    Manifests,
    fields,
    name_of,
)
from webhook.kubevirt.settings.settings import SETTINGS, Type

NUMBERS = st.sampled_from((0, 1, 2, 5, 150, 2**31, 2**32 - 1))
QUANTITIES = st.sampled_from(("64Mi", "0", "0Mi", 5, "1Gi", "500m"))
BY_TYPE: dict[Type, st.SearchStrategy[Any]] = {
    Type.BOOLEAN: BOOLEANS,
    Type.TEXT: st.sampled_from(("migration-network", "kubevirt.io/drain", "other/network")),
    Type.UINT32: NUMBERS,
    Type.INT64: NUMBERS,
    Type.UINT64: st.sampled_from((1, 300, 900, 2_000_000)),
    Type.QUANTITY: QUANTITIES,
}
ANY_JSON: st.SearchStrategy[Any] = st.sampled_from((None, -1, 2**63, 1.5, "", "x", "5", [], {}, True))
GATES = st.lists(
    st.sampled_from(("LiveMigration", "VGPULiveMigration", "MigrationStallDetection", "NoSuchGate", "PasstBinding")),
    max_size=2,
    unique=True,
)


def migrations(*, wild: bool = False, policy: bool = False) -> Manifests:
    """Migration settings as an API server lets them through; ``wild`` ones have any type, as files may."""
    return fields(
        **{
            name: st.one_of(BY_TYPE[setting.type], ANY_JSON) if wild else BY_TYPE[setting.type]
            for name, setting in SETTINGS.items()
            if setting.policy or not policy
        }
    )


def configurations(*, wild: bool = False) -> Manifests:
    """``KubeVirt.spec.configuration``."""
    network = fields(
        defaultNetworkInterface=st.sampled_from(("bridge", "masquerade", "slirp")),
        permitBridgeInterfaceOnPodNetwork=BOOLEANS,
        binding=fields(
            passt=fields(migration=EMPTY, networkAttachmentDefinition=st.just("passt")),
            l2bridge=fields(migration=fields(method=st.just("link-refresh"))),
        ),
    )
    return fields(
        cpuModel=CPU_MODELS,
        developerConfiguration=fields(
            featureGates=GATES, disabledFeatureGates=GATES, minimumClusterTSCFrequency=st.sampled_from((0, 1, 2**31))
        ),
        evictionStrategy=EVICTION_STRATEGIES,
        migrations=migrations(wild=wild),
        network=network,
        permittedHostDevices=fields(
            mediatedDevices=st.lists(st.just({"mdevNameSelector": "GRID T4-1Q", "resourceName": MEDIATED}), max_size=1)
        ),
        vmStateStorageClass=name_of(CLASSES),
        vmRolloutStrategy=st.sampled_from(("Stage", "LiveUpdate")),
    )


def kubevirts(*, wild: bool = False) -> Manifests:
    """The KubeVirt CR; by chance one that HyperConverged owns."""
    owner = {"apiVersion": "hco.kubevirt.io/v1beta1", "kind": "HyperConverged", "name": "hco", "uid": "1"}
    meta = fields(
        {"name": st.just("kubevirt"), "namespace": st.just("kubevirt")},
        labels=LABELS,
        ownerReferences=st.just([{**owner, "controller": True}]),
    )
    spec = fields(
        configuration=configurations(wild=wild),
        workloadUpdateStrategy=fields(
            workloadUpdateMethods=st.lists(st.sampled_from(("LiveMigrate", "Evict")), max_size=2, unique=True)
        ),
    )
    status = fields(
        observedKubeVirtVersion=st.sampled_from(("v1.3.1", "v1.6.6", "v1.9.0")), defaultArchitecture=ARCHITECTURES
    )
    return fields(
        {"apiVersion": st.just("kubevirt.io/v1"), "kind": st.just("KubeVirt"), "metadata": meta, "spec": spec},
        status=status,
    )


def migration_policies() -> Manifests:
    """A MigrationPolicy."""
    selectors = fields(namespaceSelector=LABELS, virtualMachineInstanceSelector=LABELS)
    return fields(
        {
            "apiVersion": st.just("migrations.kubevirt.io/v1alpha1"),
            "kind": st.just("MigrationPolicy"),
            "metadata": fields({"name": st.sampled_from(("gentle", "fast"))}),
            "spec": st.tuples(migrations(policy=True), fields({"selectors": selectors})).map(
                lambda two: two[0] | two[1]
            ),
        }
    )


def networks() -> Manifests:
    """A NetworkAttachmentDefinition: its config is CNI, CNI with an odd part, or no JSON at all."""
    ipam = fields(
        {"type": st.sampled_from(("whereabouts", "host-local", "static", "dhcp"))},
        range=st.sampled_from(("10.1.1.0/24", "10.1.1.0/31", "10.1.1.5/24", "fd00::/64", "10.1.1.0", "nonsense")),
        exclude=st.lists(st.sampled_from(("10.1.1.0/28", "10.1.1.1/32")), max_size=1),
        subnet=st.just("10.2.0.0/16"),
    )
    plugin = fields(
        {"type": st.sampled_from(("macvlan", "bridge", "ipvlan", "sriov", "no-such-plugin"))},
        master=st.just("eth1"),
        mode=st.sampled_from(("bridge", "private", "wrong")),
        bridge=st.just("br1"),
        ipam=ipam,
    )
    head = fields(cniVersion=st.sampled_from(("0.3.1", "1.0.0", "9.9.9", "")), name=st.just("migration-bridge"))
    single = st.tuples(head, plugin).map(lambda two: two[0] | two[1])
    chain = st.tuples(head, st.lists(plugin, max_size=2)).map(lambda two: two[0] | {"plugins": two[1]})
    config = st.one_of(
        single.map(json.dumps), chain.map(json.dumps), st.sampled_from(("", "{", "[]", "null", '{"a": 1, "a": 2}'))
    )
    meta = fields({"name": st.sampled_from(("migration-network", "other")), "namespace": st.just("kubevirt")})
    return fields(
        {
            "apiVersion": st.just("k8s.cni.cncf.io/v1"),
            "kind": st.just("NetworkAttachmentDefinition"),
            "metadata": meta,
            "spec": fields(config=config),
        }
    )
