"""The memory and disks of a VM, the settings in force for it, and whether its memory can be transferred in time."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.judging.finding import Finding
from webhook.judging.machines import judge
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.expansion.workload import bytes_of, local_disks, passed_through
from webhook.kubevirt.releases import KNOWN, SUPPORTED, Release, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.kinds import find_kind
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Kubernetes
from webhook.objects.path import dotted

NEWEST = only(Release(1, 9))
GIB = 2**30


def read(value: dict[str, Any]) -> Kubernetes:
    kind = find_kind(value["apiVersion"], value["kind"])
    assert kind is not None
    return msgspec.convert(value, kind.reads)


def vm(domain: dict[str, Any], *, labels: Any = None, volumes: Any = None, **spec: Any) -> Kubernetes:
    devices = {"autoattachPodInterface": False, **domain.pop("devices", {})}
    template = {"metadata": {"labels": labels}, "spec": {"domain": {"devices": devices, **domain}, "volumes": volumes}}
    metadata = {"name": "db", "namespace": "tenant"}
    body = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata}
    return read({**body, "spec": {"template": template, **spec}})


def of_memory(guest: str, **more: Any) -> Kubernetes:
    return vm({"memory": {"guest": guest}}, **more)


def kubevirt(**migrations: Any) -> Kubernetes:
    spec = {"configuration": {"migrations": migrations}}
    return read({"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": spec})


def policy(name: str, selectors: Any, **spec: Any) -> Kubernetes:
    body = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy", "metadata": {"name": name}}
    return read({**body, "spec": {"selectors": selectors, **spec}})


def namespace(**labels: str) -> Kubernetes:
    return read({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": labels}})


def instancetype(guest: str) -> Kubernetes:
    metadata = {"name": "big", "namespace": "tenant"}
    body = {"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineInstancetype"}
    return read({**body, "metadata": metadata, "spec": {"cpu": {"guest": 1}, "memory": {"guest": guest}}})


TYPED = {"instancetype": {"name": "big", "kind": "VirtualMachineInstancetype"}}


def facts_of(judged: Kubernetes, *world: Kubernetes) -> MigrationFacts:
    subject = subject_of(judged)
    assert subject is not None
    return next(iter(expand(subject, ObjectsWorld(world), NEWEST)))


@pytest.mark.parametrize(
    ("domain", "size", "path"),
    [
        ({"memory": {"guest": "2Gi"}}, 2 * GIB, "memory.guest"),
        ({"memory": {"guest": "2Gi"}, "resources": {"requests": {"memory": "4Gi"}}}, 2 * GIB, "memory.guest"),
        (
            {"resources": {"requests": {"memory": "4Gi"}, "limits": {"memory": "8Gi"}}},
            4 * GIB,
            "resources.requests.memory",
        ),
        ({"resources": {"limits": {"memory": "8Gi"}}}, 8 * GIB, "resources.limits.memory"),
        (
            {"resources": {"requests": {"memory": "0"}, "limits": {"memory": "8Gi"}}},
            8 * GIB,
            "resources.limits.memory",
        ),
        ({"memory": {"hugepages": {"pageSize": "1Gi"}}}, GIB, "memory.hugepages.pageSize"),
        ({"memory": {"guest": 1073741824}}, GIB, "memory.guest"),
        ({"memory": {"guest": "1.5G"}}, 1_500_000_000, "memory.guest"),
    ],
)
def test_the_memory_is_that_of_the_guest_in_kubevirt(domain: Any, size: int, path: str) -> None:
    """
    memory.guest, else the request, else the limit, else one huge page.
    """
    assert bytes_of(facts_of(vm(domain)).guest_memory) == Sourced(
        ("spec", "template", "spec", "domain", *path.split(".")), size
    )


@pytest.mark.parametrize("domain", [{}, {"memory": {"guest": "lots"}}, {"memory": {}}, {"resources": {"requests": {}}}])
def test_a_vm_without_memory_fields_has_no_memory(domain: Any) -> None:
    """
    No guess and no error.
    """
    assert bytes_of(facts_of(vm(domain)).guest_memory) is None


def test_memory_comes_with_an_instancetype() -> None:
    """
    The memory of an instancetype has the path of the reference; without the instancetype it is unknown.
    """
    known = facts_of(vm({}, **TYPED), instancetype("16Gi"))
    hidden = facts_of(vm({}, **TYPED))

    assert bytes_of(known.guest_memory) == Sourced(("spec", "instancetype"), 16 * GIB, "instancetype 'big'")
    assert isinstance(bytes_of(hidden.guest_memory), Unknown)


def test_local_disks_that_extend_the_timeout_are_distinguished() -> None:
    """
    Writes to container disks and over claims extend the timeout, writes to empty disks do not; CD-ROMs, claims and
    cloud-init are not copied.
    """
    volumes = [
        {"name": "root", "containerDisk": {"image": "i"}},
        {"name": "over", "ephemeral": {"persistentVolumeClaim": {"claimName": "c"}}},
        {"name": "scratch", "emptyDisk": {"capacity": "10Gi"}},
        {"name": "odd", "emptyDisk": {}},
        {"name": "iso", "containerDisk": {"image": "i"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "c"}},
        {"name": "init", "cloudInitNoCloud": {"userData": "x"}},
    ]
    judged = vm({"devices": {"disks": [{"name": "iso", "cdrom": {}}, {"name": "root"}]}}, volumes=volumes)

    disks = [(disk.volume, disk.most, disk.counts) for disk in local_disks(facts_of(judged))]

    assert disks == [("root", None, True), ("over", None, True), ("scratch", 10 * GIB, False), ("odd", None, False)]


@pytest.mark.parametrize(
    ("devices", "path"),
    [
        ({}, None),
        ({"interfaces": [{"name": "a", "masquerade": {}}, {"name": "b", "sriov": {}}]}, "interfaces[1]"),
        ({"gpus": [{"name": "g", "deviceName": "a/b"}]}, "gpus[0]"),
        ({"hostDevices": [{"name": "h", "deviceName": "a/b"}]}, "hostDevices[0]"),
    ],
)
def test_devices_of_the_node_are_seen(devices: Any, path: str | None) -> None:
    """
    GPUs, host devices and SR-IOV interfaces are VFIO devices in KubeVirt.
    """
    result = passed_through(facts_of(vm({"devices": devices})))

    assert (None if result is None else dotted(result)) == (
        None if path is None else f"spec.template.spec.domain.devices.{path}"
    )


def told(judged: Kubernetes, *world: Kubernetes, releases: int = NEWEST, complete: bool = True) -> list[Finding]:
    known = ObjectsWorld(world, complete=(MigrationPolicy,) if complete else ())
    return [finding for finding in judge(judged, known, releases).findings if finding.rule.id in ("LM642", "LM643")]


SLOW = {"bandwidthPerMigration": "5Mi"}


def test_the_numbers_are_in_the_message() -> None:
    """
    Memory, bandwidth, needed seconds, allowed seconds and the origin of the settings.
    """
    by_cr = told(of_memory("8Gi"), kubevirt(**SLOW))
    by_policy = told(
        of_memory("8Gi", labels={"a": "b"}),
        kubevirt(),
        policy(
            "slow",
            {"virtualMachineInstanceSelector": {"a": "b"}},
            **SLOW,
            allowWorkloadDisruption=True,
            completionTimeoutPerGiB=60,
        ),
    )
    by_type = told(vm({}, **TYPED), kubevirt(**SLOW), instancetype("16Gi"))

    assert [finding.message for finding in (*by_cr, *by_policy, *by_type)] == [
        (
            "8192Mi of memory take 1639 s at 5Mi per second, but the settings of the KubeVirt CR cancel the migration "
            "after 1350 s (150 s for each of 9 GB)"
        ),
        (
            "8192Mi of memory take 1639 s at 5Mi per second, but the settings of MigrationPolicy 'slow' cancel the "
            "migration after 1080 s (60 s for each of 9 GB, doubled for the pause)"
        ),
        (
            "16384Mi of memory from instancetype 'big' take 3277 s at 5Mi per second, but the settings of the KubeVirt CR "
            "cancel the migration after 2700 s (150 s for each of 18 GB)"
        ),
    ]
    assert not any(finding.undetermined for finding in (*by_cr, *by_policy, *by_type))


def test_a_finding_names_the_releases_in_which_it_holds() -> None:
    """
    The 800 s of 1.3 are enough, the 150 s of later releases are not.
    """
    [finding] = told(of_memory("8Gi"), kubevirt(**SLOW), releases=SUPPORTED)

    assert finding.releases == SUPPORTED & ~only(Release(1, 3))


def test_a_vm_that_cannot_migrate_has_no_findings_about_time() -> None:
    """
    Where KubeVirt refuses to migrate the VM, its migration time does not matter.
    """
    held = {"devices": {"hostDevices": [{"name": "h", "deviceName": "a/b"}]}, "memory": {"guest": "8Gi"}}

    assert told(vm(held), kubevirt(**SLOW, allowPostCopy=True)) == []


def test_an_unknown_instancetype_is_an_open_question_where_time_is_limited() -> None:
    """
    With limited time the memory decides, so it is the missing input; without a limit it is not needed.
    """
    [limited] = told(vm({}, **TYPED), kubevirt(**SLOW))

    assert limited.undetermined
    assert limited.message.startswith(
        "the settings of the KubeVirt CR allow at most 3000Mi, and the VM's memory is not known: "
    )
    assert told(vm({}, **TYPED), kubevirt()) == []


TEAM = {"namespaceSelector": {"team": "db"}}


@pytest.mark.parametrize(
    ("world", "answer"),
    [
        ([policy("p", TEAM, bandwidthPerMigration="64Mi"), namespace(team="db")], []),
        ([policy("p", TEAM, bandwidthPerMigration="64Mi"), namespace(team="web")], [False]),
        ([policy("p", TEAM, bandwidthPerMigration="64Mi")], [True]),
        ([policy("p", TEAM, bandwidthPerMigration="6Mi")], [False]),
        ([policy("p", TEAM, allowPostCopy=True)], [True]),
        ([policy("p", {"virtualMachineInstanceSelector": {"a": "c"}}, allowPostCopy=True)], [False]),
    ],
)
def test_every_policy_that_may_win_is_considered(world: list[Kubernetes], answer: list[bool]) -> None:
    """
    A violation where all of them are too slow, unproven where some are, and no finding where none is.
    """
    reported = told(of_memory("8Gi", labels={"a": "b"}), kubevirt(**SLOW), *world)

    assert [finding.undetermined for finding in reported] == answer


def test_without_policies_the_result_is_unproven() -> None:
    """
    In CI, with only the KubeVirt CR, the remedy names the missing input.
    """
    [finding] = told(of_memory("8Gi"), kubevirt(**SLOW), complete=False)

    assert finding.undetermined
    assert finding.message.endswith("unless a MigrationPolicy allows more; no MigrationPolicy is in the input")
    assert finding.remedy == "add the MigrationPolicy manifest to the input"


ANY = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from(["5Mi", "x", "", "1e400", []])
    | st.floats()
)
NAMES = st.sampled_from(
    [
        "bandwidthPerMigration",
        "completionTimeoutPerGiB",
        "allowPostCopy",
        "allowWorkloadDisruption",
        "parallelMigrationsPerCluster",
    ]
)
SETTINGS = st.dictionaries(NAMES, ANY)


@given(SETTINGS, SETTINGS, ANY)
def test_any_settings_and_memory_give_complete_findings(cluster: Any, own: Any, guest: Any) -> None:
    """
    Any settings in the CR, in a policy and in the VM give a result.
    """
    memory = guest if isinstance(guest, str | int | float) and not isinstance(guest, bool) else None
    judged = vm({"memory": {"guest": memory}, "devices": {"interfaces": [{"name": "b", "sriov": {}}]}})

    findings = told(judged, kubevirt(**cluster), policy("p", {}, **own), releases=KNOWN)

    assert all(finding.message and finding.remedy for finding in findings)
