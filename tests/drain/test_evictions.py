"""The eviction webhook at the patch releases that tests/data/evictions does not contain."""

import msgspec
import pytest

from tests.drain.building import NAMESPACE, NODE, attachment, launcher, vmi
from webhook.drain.evictions import Answer, Eviction, Mark, Objects, Request, Why, answer, strategy_of
from webhook.kubevirt.releases import Version
from webhook.objects.kubevirt import Configuration
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI

DRY_RUN = msgspec.convert({"deleteOptions": {"dryRun": ["All", "other"]}}, Eviction)
EVACUATION = 'Eviction triggered evacuation of VMI "tenant/vm1"'


def evict(
    pod: Pod, version: Version, *more: Pod, evicted: RunningVMI | None = None, body: Eviction | None = None
) -> Answer:
    machine = evicted or vmi()
    pods = {(other.namespace, other.name): other for other in (pod, *more)}
    objects = Objects(pods, {(NAMESPACE, "vm1"): machine})
    return answer(Request(NAMESPACE, pod.name, body or Eviction()), objects, version)


def test_version_1_3_0_also_protects_a_finished_launcher() -> None:
    """
    Since 1.3.1, the eviction of a finished launcher passes.
    """
    pod = launcher(phase="Succeeded")

    assert evict(pod, Version(1, 3, 0)) == Answer(Why.MARKED, EVACUATION, Mark(NODE, is_annotated=False))
    assert evict(pod, Version(1, 3, 1)) == Answer(Why.NOT_PROTECTED)


@pytest.mark.parametrize(("version", "dry_run"), [(Version(1, 3, 1), False), (Version(1, 4, 0), True)])
def test_a_dry_run_in_the_body_counts_since_1_4_0(version: Version, dry_run: bool) -> None:
    """
    In 1.3, a server-side dry run of kubectl drain marks the VMI.
    """
    assert evict(launcher(), version, body=DRY_RUN).mark == Mark(NODE, is_annotated=False, dry_run=dry_run)


@pytest.mark.parametrize("version", [Version(1, 4, 1), Version(1, 5, 0)])
def test_a_later_request_is_refused_since_1_5_0(version: Version) -> None:
    """
    Up to 1.4, later requests pass to the disruption budgets.
    """
    message = f"Evacuation in progress: {EVACUATION}" if version.minor == 5 else ""

    assert evict(launcher(), version, evicted=vmi(evacuationNodeName=NODE)) == Answer(Why.IN_PROGRESS, message)


@pytest.mark.parametrize("version", [Version(1, 4, 1), Version(1, 5, 0)])
def test_a_target_pod_is_refused_since_1_5_0(version: Version) -> None:
    """
    The pod of a VMI that runs on another node is the target pod of a migration.
    """
    message = "Eviction request for target Pod" if version.minor == 5 else ""

    assert evict(launcher(node="n2"), version) == Answer(Why.TARGET, message)


@pytest.mark.parametrize(
    ("version", "why"), [(Version(1, 6, 0), Why.NOT_PROTECTED), (Version(1, 6, 1), Why.ATTACHMENT)]
)
def test_an_attachment_pod_is_protected_since_1_6_1(version: Version, why: Why) -> None:
    """
    The webhook refuses the eviction of an attachment pod while its VMI exists.
    """
    owner = launcher()

    assert evict(attachment(owner), version, owner).why == why


@pytest.mark.parametrize(
    ("own", "cluster", "in_force"),
    [
        (None, None, "None"),
        (None, "External", "External"),
        ("LiveMigrate", "External", "LiveMigrate"),
        ("", "LiveMigrate", ""),
        (None, "", ""),
    ],
)
def test_the_strategy_of_the_vmi_has_precedence_over_that_of_the_cluster(
    own: str | None, cluster: str | None, in_force: str
) -> None:
    """
    Without both, the strategy is None. An empty text is a strategy of its own, with the same effect as None.
    """
    assert strategy_of(vmi(strategy=own), Configuration(eviction_strategy=cluster)) == in_force


def test_an_unknown_strategy_lets_the_eviction_stop_the_vm() -> None:
    """
    KubeVirt acts only on the strategies that it knows.
    """
    assert evict(launcher(), Version(1, 9, 0), evicted=vmi(strategy="Move")) == Answer(Why.STOPS)


@pytest.mark.parametrize(("version", "source"), [(Version(1, 6, 6), ""), (Version(1, 7, 0), "descheduler")])
def test_the_mark_names_the_descheduler_since_1_7_0(version: Version, source: str) -> None:
    """
    The descheduler annotates its evictions.
    """
    body = msgspec.convert({"metadata": {"annotations": {"requested-by": "sigs.k8s.io/descheduler"}}}, Eviction)

    assert evict(launcher(), version, body=body).mark == Mark(NODE, is_annotated=False, source=source)


@pytest.mark.parametrize("labels", [None, {"kubevirt.io": "virt-launcher"}, {"kubevirt.io": "hotplug-disk"}])
def test_a_pod_with_little_metadata_is_not_protected(labels: dict[str, str] | None) -> None:
    """
    A launcher without annotations names no VMI, and an attachment pod needs an owner.
    """
    pod = msgspec.convert({"metadata": {"name": "p", "namespace": NAMESPACE, "labels": labels}}, Pod)

    assert evict(pod, Version(1, 9, 0)) == Answer(Why.NOT_PROTECTED)
