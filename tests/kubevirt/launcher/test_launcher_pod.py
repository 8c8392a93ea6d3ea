"""The labels, affinity, networks and claims of launcher pods (``renderLaunchManifest``)."""

from typing import Any

import pytest

from tests.kubevirt.launcher.building import around, claim, compute, rendered, vmi
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod, restart_pod
from webhook.kubevirt.launcher.quantities import amounts
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings
from webhook.objects.launcher_vmi import LauncherVMI

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NOT_OBSOLETE = {"key": "node-labeller.kubevirt.io/obsolete-host-model", "operator": "DoesNotExist"}


def message(of: LauncherVMI, where: Surroundings) -> str:
    result = launcher_pod(of, where)
    assert isinstance(result, NoPod)
    return result.message


def why(of: LauncherVMI, where: Surroundings) -> str:
    result = launcher_pod(of, where)
    assert isinstance(result, Unknown)
    return result.why


@pytest.mark.parametrize(
    ("version", "name", "hostname", "expected"),
    [
        ("v1.6.6", "vm.east", "", {"vm.kubevirt.io/name": "vm"}),
        ("v1.6.6", "vm", "host", {"vm.kubevirt.io/name": "host"}),
        ("v1.7.0", "vm.east", "", {"vm.kubevirt.io/name": "vm", "vmi.kubevirt.io/id": "vm.east"}),
        (
            "v1.9.0",
            "v" * 64,
            "",
            {"vm.kubevirt.io/name": "v" * 63, "vmi.kubevirt.io/id": "v" * 54 + "-287b0b57"},
        ),
    ],
)
def test_the_labels_name_the_vmi(version: str, name: str, hostname: str, expected: dict[str, str]) -> None:
    """
    From 1.7 on, a label has the whole name, or a part of it with a hash.
    """
    pod = rendered(vmi(name=name, labels={"app": "db"}, hostname=hostname), around(version))

    assert pod.labels == {"app": "db", "kubevirt.io": "virt-launcher", "kubevirt.io/created-by": "uid", **expected}


def test_an_annotation_for_istio_becomes_a_label() -> None:
    """
    From 1.7 on, Istio reads the label.
    """
    of = vmi(annotations={"sidecar.istio.io/inject": "true"})

    assert rendered(of).labels["sidecar.istio.io/inject"] == "true"
    assert "sidecar.istio.io/inject" not in rendered(of, around("v1.6.6")).labels


@pytest.mark.parametrize(
    ("cpu", "rejected"),
    [
        (None, [NOT_OBSOLETE]),
        ({}, [NOT_OBSOLETE]),
        ({"model": "host-model"}, [NOT_OBSOLETE]),
        ({"model": "Haswell"}, []),
        (
            {"model": "Haswell", "features": [{"name": "svm", "policy": "forbid"}]},
            [{"key": "cpu-feature.node.kubevirt.io/svm", "operator": "DoesNotExist"}],
        ),
    ],
)
def test_a_node_must_not_have_some_labels(cpu: dict[str, Any] | None, rejected: list[Any]) -> None:
    """
    A VMI without a model or with host-model avoids nodes with an obsolete host model. Every VMI avoids forbidden features.
    """
    affinity = rendered(vmi({"cpu": cpu})).affinity

    terms = [{"matchExpressions": rejected}]
    assert affinity == ({"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}} if rejected else {})


def test_a_rejected_label_is_added_to_every_term() -> None:
    """
    The terms of a VMI are alternatives.
    """
    zone, name = {"key": "zone", "operator": "Exists"}, {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    terms = [{"matchExpressions": [zone]}, {"matchFields": [name]}]
    preferred = [{"weight": 1, "preference": {"matchExpressions": [zone]}}]
    of = vmi(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}, PREFERRED: preferred}})

    assert rendered(of).affinity["nodeAffinity"] == {
        REQUIRED: {
            "nodeSelectorTerms": [
                {"matchExpressions": [zone, NOT_OBSOLETE]},
                {"matchFields": [name], "matchExpressions": [NOT_OBSOLETE]},
            ]
        },
        PREFERRED: preferred,
    }


def test_a_persistent_reservation_keeps_pods_with_the_same_claim_apart_from_1_9_on() -> None:
    """
    The label has the UID of the claim. A claim that does not exist has no label.
    """
    of = vmi(
        {
            "cpu": {"model": "Haswell"},
            "devices": {"disks": [{"name": name, "lun": {"reservation": True}} for name in ("a", "b", "c")]},
        },
        volumes=[
            {"name": "a", "dataVolume": {"name": "data", "hotpluggable": True}},
            {"name": "b", "persistentVolumeClaim": {"claimName": "gone", "hotpluggable": True}},
        ],
    )
    where = around(claims=claim("data", uid="1234"))
    pod = rendered(of, where)

    assert pod.labels["pr.kubevirt.io/1234"] == ""
    assert pod.affinity["podAntiAffinity"][REQUIRED] == [
        {
            "labelSelector": {"matchExpressions": [{"key": "pr.kubevirt.io/1234", "operator": "Exists"}]},
            "topologyKey": "kubernetes.io/hostname",
        }
    ]
    assert "podAntiAffinity" not in rendered(of, around("v1.8.4", claims=claim("data", uid="1234"))).affinity
    assert why(of, around(claims=Unknown("x"))) == "the UIDs of the claims with a persistent reservation are unknown"


def test_the_gate_for_other_architectures_prefers_nodes_of_the_own_one() -> None:
    """
    The term has weight 100.
    """
    configuration = {"developerConfiguration": {"featureGates": ["CrossArchitectureVirtualization"]}}
    of = vmi({"cpu": {"model": "Haswell"}}, architecture="amd64")
    expression = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}

    assert rendered(of, around(configuration=configuration)).affinity == {
        "nodeAffinity": {PREFERRED: [{"weight": 100, "preference": {"matchExpressions": [expression]}}]}
    }


@pytest.mark.parametrize(
    ("of", "where", "text"),
    [
        (
            vmi({"devices": {"interfaces": [{"name": "a", "binding": {"name": "plug"}}]}}),
            around(),
            "couldn't find configuration for network binding: plug",
        ),
        (
            vmi({"devices": {"interfaces": [{"name": "a", "binding": {"name": "plug"}}]}}),
            around("v1.6.6"),
            "couldn't find configuration for network bindining: plug",
        ),
        (
            vmi(networks=[{"name": "a", "multus": {"networkName": "other/net"}}]),
            around(),
            "failed to locate network attachment definition other/net",
        ),
        (
            vmi(networks=[{"name": "a", "multus": {"networkName": "net"}}]),
            around("v1.8.4"),
            "failed to locate network attachment definition tenant/net",
        ),
        (
            vmi({"devices": {"gpus": [{"name": "a", "deviceName": "x"}], "hostDevices": [{"deviceName": "y"}]}}),
            around(configuration={"permittedHostDevices": {"usb": [{"resourceName": "z"}]}}),
            " ".join(
                f"{device} is not permitted in permittedHostDevices configuration"
                for device in ("GPU x", "HostDevice y")
            ),
        ),
        (
            vmi(volumes=[{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}]),
            around(),
            "didn't find PVC data",
        ),
        (
            vmi(annotations={"hooks.kubevirt.io/hookSidecars": "{"}),
            around(),
            "the annotation hooks.kubevirt.io/hookSidecars is not a JSON list",
        ),
    ],
)
def test_a_missing_object_is_an_error(of: LauncherVMI, where: Surroundings, text: str) -> None:
    """
    The message is virt-controller's, except where Go's JSON reader fails.
    """
    if "network attachment" in text and where.version[:2] >= (1, 9):
        where = around(
            configuration={"developerConfiguration": {"disabledFeatureGates": ["ExternalNetResourceInjection"]}}
        )
    assert message(of, where) == f"failed to render launch manifest: {text}"


@pytest.mark.parametrize(
    ("version", "gates", "is_refused"),
    [("v1.5.3", [], True), ("v1.8.4", ["GPUsWithDRA"], False), ("v1.8.4", [], True), ("v1.9.0", [], False)],
)
def test_a_gpu_with_a_claim_need_not_be_permitted(version: str, gates: list[str], is_refused: bool) -> None:
    """
    The gate GPUsWithDRA is on in 1.9.
    """
    configuration = {"permittedHostDevices": {}, "developerConfiguration": {"featureGates": gates}}
    of = vmi({"devices": {"gpus": [{"name": "a", "claimName": "c", "requestName": "r"}]}})

    assert isinstance(launcher_pod(of, around(version, configuration)), NoPod) is is_refused


@pytest.mark.parametrize(
    ("version", "gates", "is_requested"),
    [
        ("v1.7.4", {}, True),
        ("v1.8.4", {}, True),
        ("v1.8.4", {"featureGates": ["ExternalNetResourceInjection"]}, False),
        ("v1.9.0", {}, False),
        ("v1.9.0", {"disabledFeatureGates": ["ExternalNetResourceInjection"]}, True),
    ],
)
def test_the_resource_of_a_network_is_requested_once_for_each_network(
    version: str, gates: dict[str, Any], is_requested: bool
) -> None:
    """
    With the gate, a webhook of the cluster adds the resource.
    """
    networks = {"tenant/sriov": {"k8s.v1.cni.cncf.io/resourceName": "example.com/vf"}, "other/plain": {}}
    multus = [("a", "sriov"), ("b", "sriov"), ("c", "other/plain")]
    of = vmi(networks=[{"name": name, "multus": {"networkName": network}} for name, network in multus])
    pod = rendered(of, around(version, {"developerConfiguration": gates}, networks=networks))

    assert [amounts(part).get("example.com/vf", 0) // 10**9 for part in compute(pod)] == [2 * is_requested] * 2


def test_unknown_networks_matter_only_to_a_vmi_with_networks() -> None:
    """
    The result names the NetworkAttachmentDefinition.
    """
    where = around("v1.7.4", networks=Unknown("x"))
    of = vmi(networks=[{"name": "a", "multus": {"networkName": "net"}}])

    assert why(of, where) == "the resource of the NetworkAttachmentDefinition tenant/net is unknown"
    assert isinstance(launcher_pod(vmi(networks=[{"name": "a", "pod": {}}]), where), Rendered)


def test_an_unknown_namespace_matters_only_to_limits_that_depend_on_it() -> None:
    """
    The label of the namespace sets the ratio of the memory limit.
    """
    quotas = frozenset({"limits.memory"})
    limited = vmi({"resources": {"limits": {"memory": "1Gi"}}})
    selector = {"autoCPULimitNamespaceLabelSelector": {"matchLabels": {"a": "b"}}}

    assert why(vmi(), around(namespace_labels=Unknown("x"), quota_resources=quotas)) == (
        "the labels of the namespace decide the memory limit of the pod"
    )
    assert why(vmi(), around(configuration=selector, namespace_labels=Unknown("x"))) == (
        "the labels of the namespace decide whether the pod has a CPU limit"
    )
    assert isinstance(launcher_pod(limited, around(namespace_labels=Unknown("x"), quota_resources=quotas)), Rendered)
    assert isinstance(launcher_pod(vmi(), around(namespace_labels=Unknown("x"))), Rendered)


def test_a_restarted_vmi_selects_the_machine_type_of_its_spec() -> None:
    """
    The status of the running VMI has the type with its version.
    """
    of = vmi({"machine": {"type": "q35"}}, {"machine": {"type": "pc-q35-10.0"}})
    restarted = restart_pod(of, around())

    assert isinstance(restarted, Rendered)
    assert restarted.node_selector == rendered(vmi({"machine": {"type": "q35"}})).node_selector
    assert rendered(of).node_selector != restarted.node_selector


def test_the_rest_is_copied_from_the_vmi() -> None:
    """
    The runtime class comes from the KubeVirt CR.
    """
    spec: dict[str, Any] = {
        "tolerations": [{"key": "a", "operator": "Exists", "tolerationSeconds": 3}],
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
        "schedulerName": "other",
        "priorityClassName": "high",
        "resourceClaims": [{"name": "a", "resourceClaimName": "b"}],
    }
    pod = rendered(vmi(**spec), around(configuration={"defaultRuntimeClass": "kata"})).pod()

    assert pod.spec.tolerations is not None
    assert pod.spec.topology_spread_constraints is not None
    assert pod.spec.tolerations[0].operator == "Exists"
    assert pod.spec.topology_spread_constraints[0].topology_key == "zone"
    assert (pod.spec.scheduler_name, pod.spec.priority_class_name, pod.spec.runtime_class_name) == (
        "other",
        "high",
        "kata",
    )
    assert pod.spec.resource_claims == spec["resourceClaims"]
    assert (pod.namespace, pod.name) == ("tenant", "virt-launcher-vm-")
