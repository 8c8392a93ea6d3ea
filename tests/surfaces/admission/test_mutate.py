"""Which requests get a patch with defaults."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, on_claim, read, review, vm
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, only
from webhook.policy.policy import Policy
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext

LEAVING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
WANTED = Policy(default_eviction_strategy="LiveMigrate")
STRATEGY = [{"op": "add", "path": "/spec/template/spec/evictionStrategy", "value": "LiveMigrate"}]
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "os", "namespace": "tenant"},
}


def kubevirt(**metadata: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", **metadata},
        "spec": {},
    }


def filled(operation: str, new: Manifest | None, old: Manifest | None = None, **more: Any) -> list[dict[str, Any]]:
    """The operations for a request in a cluster with one claim, which is not shared."""
    decoded = read_review(review(operation, new, old, **more))
    assert isinstance(decoded, DecodedRequest)
    world = ObjectsWorld([read(claim("single", "ReadWriteOnce"))])
    return operations_for(decoded, JudgingContext(world, only(NEWEST), WANTED, "2026-01-01", "kubevirt"))


def test_a_new_vm_gets_the_eviction_strategy_that_policy_wants() -> None:
    """
    Only where the field is absent, and where KubeVirt would not refuse to migrate the VM.
    """
    assert filled("CREATE", vm()) == STRATEGY
    assert filled("CREATE", vm(evictionStrategy="None")) == []
    assert filled("CREATE", vm(volumes=[on_claim("single")])) == []


def test_a_new_object_only_claims_to_be_deleted() -> None:
    """
    An API server drops the deletionTimestamp of an object that is created.
    """
    leaving = vm()
    leaving["metadata"] = {**leaving["metadata"], **LEAVING}

    assert filled("CREATE", leaving) == STRATEGY


def test_the_kubevirt_resource_is_filled_in_whenever_it_is_written() -> None:
    """
    On creation and on updates, until it is deleted; the first operation makes the absent parent.
    """
    created, updated = filled("CREATE", kubevirt()), filled("UPDATE", kubevirt(), kubevirt())

    assert created == updated
    assert created[0] == {"op": "add", "path": "/spec/configuration", "value": {}}
    assert filled("UPDATE", kubevirt(**LEAVING), kubevirt()) == []


@pytest.mark.parametrize(
    ("operation", "new", "old", "sub_resource"),
    [
        ("UPDATE", vm(), vm(), ""),
        ("DELETE", None, vm(), ""),
        ("DELETE", None, kubevirt(), ""),
        ("CONNECT", kubevirt(), None, ""),
        ("UPDATE", kubevirt(), kubevirt(), "status"),
        ("CREATE", CLAIM, None, ""),
    ],
    ids=["update of a VM", "deleted VM", "deleted KubeVirt", "connect", "status", "another kind"],
)
def test_every_other_request_gets_no_patch(
    operation: str, new: Manifest | None, old: Manifest | None, sub_resource: str
) -> None:
    """
    An existing object keeps its settings.
    """
    assert filled(operation, new, old, sub_resource=sub_resource) == []
