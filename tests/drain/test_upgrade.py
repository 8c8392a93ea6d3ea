"""The VMIs that an upgrade of KubeVirt leaves behind."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drain.fleets import MODEL, Object, as_fleet, kubevirt, launcher, node, owned, vm, vmi
from webhook.drain.plan import Readiness
from webhook.drain.rehearsal import Request, rehearse

OLD, NEW = "quay.io/kubevirt/virt-launcher:v1.8.2", "quay.io/kubevirt/virt-launcher:v1.9.0"
FEATURE = "cpu-feature.node.kubevirt.io/mpx"
Q35 = "machine-type.node.kubevirt.io/pc-q35-rhel9.6.0"


def updating(*methods: str, **status: Any) -> Object:
    cr = kubevirt()
    cr["spec"]["workloadUpdateStrategy"] = {"workloadUpdateMethods": list(methods)}
    cr["status"] |= status
    return cr


def ready(*objects: Object, upgrade: bool = True) -> list[Readiness]:
    return [*rehearse(as_fleet(objects), Request((), "each", upgrade=upgrade)).upgrade]


def problems(*objects: Object, upgrade: bool = True) -> list[tuple[str, str]]:
    return [(one.name, one.problem) for one in ready(*objects, upgrade=upgrade)]


def migrated(machine: Object, *labels: str) -> list[Object]:
    """A VM whose launcher is the target of a migration, and so selects labels."""
    pod = launcher(machine)
    pod["spec"]["nodeSelector"] |= dict.fromkeys(labels, "true")
    return [vm(machine), machine, pod]


def test_a_vm_that_migrated_before_demands_a_feature_that_no_node_has() -> None:
    """
    A restart frees the VM from it.
    """
    stale = ready(node("n1"), node("n2"), updating("LiveMigrate"), *migrated(vmi("vm", "n1"), FEATURE))

    assert [(one.name, one.problem, one.node) for one in stale] == [("vm", "staleSelector", "n1")]
    assert stale[0].message == f"Its target pod requires the label {FEATURE}, which no schedulable node has."
    assert stale[0].is_cured_by_restart
    assert stale[0].remedy == "Restart the VM."


def test_a_label_of_the_own_node_does_not_help() -> None:
    """
    The target pod keeps off the source node. The message says which nodes lack the label.
    """
    stale = ready(
        node("n1", labels={FEATURE: "true"}), node("n2"), updating("LiveMigrate"), *migrated(vmi("vm", "n1"), FEATURE)
    )

    assert "no other schedulable node" in stale[0].message


@pytest.mark.parametrize(
    "second", [{"unschedulable": True}, {"labels": {FEATURE: "true", "kubevirt.io/schedulable": "false"}}]
)
def test_a_node_that_is_not_schedulable_does_not_satisfy_a_selector(second: dict[str, Any]) -> None:
    """
    A cordoned node, and a node whose virt-handler does not report.
    """
    labelled = {"labels": {FEATURE: "true"}} | second
    objects = (node("n1"), node("n2", **labelled), node("n3"), updating("LiveMigrate"))

    assert problems(*objects, *migrated(vmi("vm", "n1"), FEATURE)) == [("vm", "staleSelector")]
    assert (
        problems(
            node("n1"),
            node("n2", labels={FEATURE: "true"}),
            updating("LiveMigrate"),
            *migrated(vmi("vm", "n1"), FEATURE),
        )
        == []
    )


def test_labels_of_different_nodes_do_not_help_together() -> None:
    """
    One node must have all of them.
    """
    other = "cpu-feature.node.kubevirt.io/hle"
    nodes = (node("n1"), node("n2", labels={FEATURE: "true"}), node("n3", labels={other: "true"}))
    stale = ready(*nodes, updating("LiveMigrate"), *migrated(vmi("vm", "n1"), FEATURE, other))

    assert stale[0].problem == "staleSelector"
    assert stale[0].message.startswith("No other schedulable node has all labels")


def test_a_feature_that_the_vm_itself_requires_is_not_cured_by_a_restart() -> None:
    """
    The new launcher requires it again.
    """
    cpu = {"cores": 1, "sockets": 1, "threads": 1, "model": "host-model", "features": [{"name": "mpx"}]}
    machine = vmi("vm", "n1", domain={"cpu": cpu})
    (stale,) = ready(node("n1"), node("n2"), updating("LiveMigrate"), *owned(machine))

    assert not stale.is_cured_by_restart
    assert "CPU features" in stale.remedy


def test_a_label_that_no_user_can_expect_of_a_node_is_the_concern_of_the_drain() -> None:
    """
    A node selector of the VM has nothing to do with an upgrade.
    """
    pinned = vmi("vm", "n1", nodeSelector={"kubernetes.io/hostname": "n1"})

    assert problems(node("n1"), node("n2"), updating("LiveMigrate"), *owned(pinned)) == []


def test_a_machine_type_of_few_nodes_is_named_with_their_number() -> None:
    """
    The versioned machine type of a running VM, which newer nodes no longer support. A restart resolves the alias again.
    """
    newer = [node(f"n{at}") for at in range(3, 7)]
    for each in newer:
        del each["metadata"]["labels"][Q35]
    (rare,) = ready(node("n1"), node("n2"), *newer, updating("LiveMigrate"), *owned(vmi("vm", "n1")))

    assert (rare.problem, rare.is_cured_by_restart) == ("rareMachineType", True)
    assert rare.message == "It has machine type pc-q35-rhel9.6.0, which only 1 of 5 other schedulable nodes supports."


def outdated(image: str = OLD, **more: Any) -> Object:
    return vmi("vm", "n1", status={"launcherContainerImageVersion": image}, **more)


@pytest.mark.parametrize(
    ("methods", "more", "is_left"),
    [
        ((), {}, True),
        (("LiveMigrate",), {}, False),
        (("LiveMigrate",), {"migratable": False}, True),
        (("LiveMigrate",), {"migratable": False, "strategy": "None"}, True),
        (("Evict",), {}, False),
        (("Evict",), {"migratable": False}, True),
        (("Evict",), {"migratable": False, "strategy": "None"}, False),
        (("LiveMigrate", "Evict"), {"migratable": False, "strategy": "LiveMigrateIfPossible"}, False),
        (("Evict",), {"strategy": "External"}, True),
        (("LiveMigrate", "Evict"), {"strategy": "External"}, False),
    ],
)
def test_an_outdated_launcher_that_no_update_method_replaces_is_named(
    methods: tuple[str, ...], more: dict[str, Any], is_left: bool
) -> None:
    """
    An eviction of the workload updater has to pass the eviction webhook.
    """
    found = problems(node("n1"), node("n2"), updating(*methods), *owned(outdated(**more)))

    assert found == ([("vm", "outdated")] if is_left else [])


@pytest.mark.parametrize(
    ("image", "status", "labels", "is_old"),
    [
        (OLD, {}, {}, True),
        (NEW, {}, {}, False),
        ("", {}, {}, False),
        ("registry/virt-launcher@sha256:aa", {}, {}, False),
        ("registry/virt-launcher@sha256:aa", {}, {"kubevirt.io/outdatedLauncherImage": ""}, True),
        ("registry/virt-launcher@sha256:aa", {"virtLauncherImage": "registry/virt-launcher@sha256:ab"}, {}, True),
        ("registry/virt-launcher@sha256:aa", {"virtLauncherImage": "registry/virt-launcher@sha256:aa"}, {}, False),
        ("reg/a-virt-launcher:7", {"registry": "reg", "imagePrefix": "a-", "kubeVirtVersion": "7"}, {}, False),
        ("reg/a-virt-launcher:6", {"registry": "reg", "imagePrefix": "a-", "kubeVirtVersion": "7"}, {}, True),
    ],
)
def test_a_launcher_is_outdated_if_its_image_is_not_the_one_of_virt_operator(
    image: str, status: dict[str, str], labels: dict[str, str], is_old: bool
) -> None:
    """
    The status of the KubeVirt CR gives the image. Without it, the label of virt-controller and the tag count.
    """
    cr = updating("LiveMigrate", **({"observedDeploymentConfig": json.dumps(status)} if status else {}))
    found = problems(node("n1"), node("n2"), cr, *owned(outdated(image, labels=labels, migratable=False)))

    assert found == [("vm", "outdated" if is_old else "leftBehind")]


@pytest.mark.parametrize(
    "status", ["[", '{"registry": 1}', '{"x":' + "[" * 100_000, '{"x":' + "[" * 9_999 + "]" * 9_999 + "}"]
)
def test_an_unreadable_deployment_status_gives_no_image(status: str) -> None:
    """
    Then the tag of the launcher decides.
    """
    cr = updating("LiveMigrate", observedDeploymentConfig=status)
    found = problems(node("n1"), node("n2"), cr, *owned(outdated(OLD, migratable=False)))

    assert found == [("vm", "outdated")]


def test_the_next_upgrade_is_only_considered_on_request() -> None:
    """
    A drain of all nodes names what is outdated now.
    """
    objects = (node("n1"), node("n2"), updating(), *owned(vmi("vm", "n1")))

    assert problems(*objects, upgrade=False) == []
    assert problems(*objects) == [("vm", "leftBehind")]


def test_a_migratable_vm_without_update_methods_needs_no_restart() -> None:
    """
    A migration renews the launcher too.
    """
    (left,) = ready(node("n1"), node("n2"), updating(), *owned(outdated()))

    assert left.message == (
        f"Its launcher has the image {OLD}, which is outdated, and no workload update method replaces its launcher: "
        "workloadUpdateMethods has neither LiveMigrate nor Evict."
    )
    assert left.remedy.startswith("Add LiveMigrate to spec.workloadUpdateStrategy.workloadUpdateMethods")


LABELS = (FEATURE, f"cpu-model-migration.node.kubevirt.io/{MODEL}", Q35, "cpu-vendor.node.kubevirt.io/Intel")


@given(
    st.lists(st.frozensets(st.sampled_from(LABELS)), min_size=2, max_size=4), st.frozensets(st.sampled_from(LABELS[:2]))
)
def test_a_vm_is_stale_exactly_if_no_other_node_has_all_labels_of_its_target_pod(
    labels: list[frozenset[str]], selected: frozenset[str]
) -> None:
    """
    A migratable VM is stale if and only if a drain of its node leaves it without a node. All nodes have room.
    """
    nodes = [node(f"n{at}") for at in range(len(labels))]
    for each, own in zip(nodes, labels, strict=True):
        kept = {key: value for key, value in each["metadata"]["labels"].items() if key not in LABELS}
        each["metadata"]["labels"] = kept | dict.fromkeys(own, "true")
    report = rehearse(
        as_fleet([*nodes, updating("LiveMigrate"), *migrated(vmi("vm", "n0"), *selected)]), Request((), "each")
    )
    (machine,) = (one for plan in report.nodes for one in plan.machines)

    assert any(one.problem == "staleSelector" for one in report.upgrade) == (machine.detail == "noNode")
