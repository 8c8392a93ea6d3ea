"""Reviews of webhooks with failurePolicy Ignore: a late review is denied, because a 503 response would admit the request."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from tests.surfaces.admission.reviews import VIRT_API, claim, on_claim, review, vm
from tests.surfaces.admission.test_endpoint import door, response
from tests.surfaces.admission.test_large import posted
from tests.surfaces.admission.test_timed_out import Cluster, post, world
from tests.surfaces.asgi import Answer
from webhook.check.check import ReleaseChoice
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.releases import NEWEST, only
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.configurations import LATE_DENIES
from webhook.surfaces.admission.endpoint import LARGE, MAX_LARGE, MAX_LARGE_OF_ONE, ActiveConfiguration
from webhook.surfaces.admission.hooks import VALIDATING_HOOKS
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.timed_out import decide_timed_out
from webhook.surfaces.admission.validate import JudgingContext, decide_request

TENANT = "tenant"
PAD = {"example.com/notes": "a" * LARGE}
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
LATE = "Migratable could not confirm this request in time. Try again."
PLUGGED = {"name": "hot", "persistentVolumeClaim": {"claimName": "os", "hotpluggable": True}}
POLICY = Policy(hotplug=Action.DENY)


def vmi(volumes: list[dict[str, Any]], *, override: bool = True) -> dict[str, Any]:
    """A large VMI with a bridge on the pod network."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {
            "name": "web",
            "namespace": TENANT,
            "annotations": PAD | ({BRIDGE_OVERRIDE: ""} if override else {}),
        },
        "spec": {
            "domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}},
            "networks": [{"name": "default", "pod": {}}],
            "volumes": volumes,
        },
    }


def padded(*volumes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A large VM."""
    made = vm(volumes=list(volumes), **more)
    made["metadata"]["annotations"] = PAD
    return made


def clone(operation: str) -> dict[str, Any]:
    """A large VirtualMachineClone with a patch."""
    patch = json.dumps({"op": "replace", "path": operation, "value": "x"})
    return {
        "apiVersion": "clone.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClone",
        "metadata": {"name": "copy", "namespace": TENANT, "annotations": PAD},
        "spec": {"source": {"kind": "VirtualMachine", "name": "web"}, "patches": [patch]},
    }


def while_full(
    body: bytes, policy: Policy = POLICY, *, path: str = LATE_DENIES, under_way: Counter[str] | None = None
) -> Answer:
    """The answer while all places for large reviews of the namespace are taken."""
    configuration = ActiveConfiguration(policy, ReleaseChoice(only(NEWEST), str(NEWEST)), "kubevirt", "2026-01-01")
    to = door(configuration=lambda: configuration)
    to.large = Counter({TENANT: MAX_LARGE_OF_ONE}) if under_way is None else under_way
    return asyncio.run(posted(to, body, path))


OVERRIDE_REMOVED = review("UPDATE", vmi([], override=False), vmi([]))
CLONED = review("CREATE", padded(on_claim("os")), user=CONTROLLER)
PLUGGED_INTO_VMI = review("UPDATE", vmi([PLUGGED]), vmi([]))
PLUGGED_BY_VIRT_API = review("UPDATE", padded(PLUGGED), padded(), user=VIRT_API)
REQUESTS = [{"addVolumeOptions": {"name": "hot", "volumeSource": {"persistentVolumeClaim": {"claimName": "os"}}}}]
CREATED = {"created": True}
REQUESTED = review(
    "UPDATE", padded(status=CREATED | {"volumeRequests": REQUESTS}), padded(status=CREATED), sub_resource="status"
)


@pytest.mark.parametrize("body", [OVERRIDE_REMOVED, CLONED, PLUGGED_INTO_VMI, PLUGGED_BY_VIRT_API, REQUESTED])
def test_a_large_review_without_a_place_is_denied(body: bytes) -> None:
    """
    The response has the review's UID, status 422 and a message with the remedy: try again.
    """
    said = response(while_full(body))

    assert said["uid"] == json.loads(body)["request"]["uid"]
    assert not said["allowed"]
    assert (said["status"]["code"], said["status"]["message"]) == (422, LATE)
    assert said["status"]["details"]["causes"] == [{"reason": "FieldValueInvalid", "message": LATE}]


def test_a_review_is_denied_too_while_other_namespaces_take_all_places() -> None:
    """
    The limit of the whole server has the same effect as the limit of one namespace.
    """
    others = Counter({"one": MAX_LARGE // 2, "two": MAX_LARGE // 2})

    assert not response(while_full(OVERRIDE_REMOVED, under_way=others))["allowed"]


def test_a_clone_is_refused_for_its_patches_without_a_place() -> None:
    """
    Patches are judged without other objects, so the answer is the usual one.
    """
    assert "patches" in response(while_full(review("CREATE", clone("/status/created"))))["status"]["message"]
    assert response(while_full(review("CREATE", clone("/spec/runStrategy"))))["allowed"]


def test_a_late_deletion_passes_whatever_is_deleted() -> None:
    """
    Also that of the migration network, which is denied in time.
    """
    name = {"name": "lan", "namespace": "kubevirt"}
    network = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition", "metadata": name}
    configuration = {"migrations": {"network": "lan"}}
    cr = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": name,
        "spec": {"configuration": configuration},
    }
    read = read_review(review("DELETE", None, network))
    context = JudgingContext(world(cr), only(NEWEST), POLICY, "2026-01-01", "kubevirt")
    assert isinstance(read, DecodedRequest)

    assert decide_timed_out(read, context).allowed
    assert not decide_request(read, context).allowed


@pytest.mark.parametrize(("policy", "allowed"), [(Policy(), False), (Policy(at_most=Action.WARN), True)])
def test_an_object_that_cannot_be_read_gets_its_usual_answer_without_a_place(policy: Policy, allowed: bool) -> None:
    """
    Its causes need no other object either.
    """
    body = review("CREATE", padded(nodeSelector=7))

    said = response(while_full(body, policy))

    assert said["allowed"] is allowed
    assert said == response(while_full(body, policy, under_way=Counter()))


@pytest.mark.parametrize(
    "body",
    [
        review("UPDATE", vmi([]), vmi([PLUGGED])),
        review("UPDATE", vmi([]), vmi([PLUGGED], override=False)),
        review("UPDATE", vmi([PLUGGED]), vmi([PLUGGED])),
        review("UPDATE", padded(), padded(PLUGGED), user=VIRT_API),
        review("UPDATE", padded(PLUGGED), padded(PLUGGED), user=VIRT_API),
        review("UPDATE", padded(on_claim("os")), padded(), user=CONTROLLER),
        review(
            "UPDATE",
            padded(status=CREATED),
            padded(status=CREATED | {"volumeRequests": REQUESTS}),
            sub_resource="status",
        ),
        review("DELETE", None, padded(on_claim("os"))),
        review("DELETE", None, vmi([])),
    ],
    ids=[
        "vmi removes",
        "vmi removes and gains the override",
        "vmi heartbeat",
        "vm removes",
        "vm unchanged",
        "controller",
        "request done",
        "delete vm",
        "delete vmi",
    ],
)
def test_a_request_that_is_never_blocked_passes_without_a_place(body: bytes) -> None:
    """
    Removing volumes, heartbeats, what virt-controller writes for itself, and deletions.
    """
    assert response(while_full(body))["allowed"]


ROOT = on_claim("root", "root")


def requesting(*volumes: dict[str, Any], bare: bool = False, requests: bool = True) -> dict[str, Any]:
    """A VM with these volumes, in whose status a further one is requested."""
    made = vm(volumes=list(volumes), status=CREATED | ({"volumeRequests": REQUESTS} if requests else {}))
    if bare:
        del made["spec"]["template"]["spec"]["volumes"]
    return made


def unannotated(*volumes: dict[str, Any]) -> dict[str, Any]:
    made = vmi(list(volumes))
    del made["metadata"]["annotations"]
    return made


def written_to_status(new: dict[str, Any], old: dict[str, Any]) -> bytes:
    return review("UPDATE", new, old, sub_resource="status")


DECIDED = {
    "requested beside a volume": (written_to_status(requesting(ROOT), requesting(ROOT, requests=False)), False),
    "the first volume": (written_to_status(requesting(bare=True), requesting(bare=True, requests=False)), False),
    "request done beside a volume": (written_to_status(requesting(ROOT, requests=False), requesting(ROOT)), True),
    "the only request done": (written_to_status(requesting(bare=True, requests=False), requesting(bare=True)), True),
    "a user's update without volumes": (
        review("UPDATE", vm(volumes=[ROOT], nodeSelector={"a": "b"}), vm(volumes=[ROOT])),
        False,
    ),
    "the override was never there": (review("UPDATE", vmi([], override=False), vmi([PLUGGED], override=False)), True),
    "a creation by virt-api": (review("CREATE", vm(volumes=[ROOT]), user=VIRT_API), False),
    "no annotations": (review("UPDATE", unannotated(), unannotated(PLUGGED)), True),
    "no annotations, plugged": (review("UPDATE", unannotated(PLUGGED), unannotated()), False),
    "all annotations removed": (review("UPDATE", unannotated(), vmi([])), False),
}


@pytest.mark.parametrize(("body", "allowed"), DECIDED.values(), ids=DECIDED)
def test_only_what_an_update_adds_can_be_denied_for_lateness(body: bytes, allowed: bool) -> None:
    """
    Volumes that were there, requests that are done and annotations that were absent before lead to no denial.
    """
    read = read_review(body)
    context = JudgingContext(world(), only(NEWEST), POLICY, "2026-01-01", "kubevirt")

    assert decide_timed_out(read, context).allowed is allowed


@pytest.mark.parametrize("body", [OVERRIDE_REMOVED, CLONED, PLUGGED_INTO_VMI, PLUGGED_BY_VIRT_API, REQUESTED])
@pytest.mark.parametrize("most", [Action.WARN, Action.AUDIT, Action.OFF])
def test_lateness_denies_only_requests_that_the_policy_can_deny(body: bytes, most: Action) -> None:
    """
    Under `atMost: warn` or less every request passes.
    """
    assert response(while_full(body, Policy(at_most=most)))["allowed"]


@pytest.mark.parametrize("body", [PLUGGED_INTO_VMI, PLUGGED_BY_VIRT_API, REQUESTED])
def test_lateness_denies_no_plugged_volume_unless_the_policy_does(body: bytes) -> None:
    """
    Under `hotplug: warn`, the default, a plugged volume is never denied.
    """
    assert response(while_full(body, Policy()))["allowed"]


def test_a_small_review_that_is_late_is_denied() -> None:
    """
    A clone whose claim could not be read in time is denied at this path, and gets 503 at the other.
    """
    facts = Cluster(world(claim("os", "ReadWriteMany")), world())
    body = review("CREATE", vm(volumes=[on_claim("os")]), user=CONTROLLER)

    late = asyncio.run(posted(door(facts), body, LATE_DENIES, "timeout=5s"))

    assert response(late)["status"]["message"] == LATE
    assert post(facts, body).status == 503


def test_a_review_in_time_is_judged_as_usual() -> None:
    """
    With places left, the path does not change the answer.
    """
    for body in (OVERRIDE_REMOVED, CLONED, PLUGGED_INTO_VMI, review("UPDATE", vmi([]), vmi([]))):
        usual = while_full(body, path="/validate", under_way=Counter())

        assert while_full(body, under_way=Counter()).json == usual.json


def test_older_configurations_get_503_as_before() -> None:
    """
    Webhooks that still call /validate are answered as before; other paths are not found.
    """
    assert while_full(OVERRIDE_REMOVED, path="/validate").status == 503
    assert while_full(OVERRIDE_REMOVED, path=LATE_DENIES + "/").status == 404
    assert while_full(b"a" * (LARGE + 1)).status == 400


def test_webhooks_that_can_fail_closed_leave_lateness_to_the_administrator() -> None:
    """
    The path is only for webhooks that are always Ignore and that deny; deletions and HyperConverged's operator never wait.
    """
    late = {hook.name.partition(".")[0] for hook in VALIDATING_HOOKS if hook.late_denies}

    assert not any(hook.may_fail for hook in VALIDATING_HOOKS if hook.late_denies)
    assert late == {
        "virtualmachine-on-behalf",
        "patched-virtualmachine",
        "virtualmachineinstance-update",
        "virtualmachine-hotplug",
    }
