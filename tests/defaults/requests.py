"""Sends objects to the mutating webhook, and applies its patch."""

import copy
from typing import Any

import jsonpatch

from tests.generating import Manifest, World
from tests.surfaces.admission.reviews import read, review
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, Releases, only
from webhook.policy.policy import Policy
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext

STRATEGY = "LiveMigrateIfPossible"
ONE = only(NEWEST)
ASKING = Policy(default_eviction_strategy=STRATEGY)
MIGRATIONS = ("spec", "configuration", "migrations")


def operations(
    manifest: Manifest, policy: Policy = ASKING, world: World | tuple[()] = (), releases: Releases = ONE, **more: Any
) -> list[dict[str, Any]] | None:
    """The operations of the patch for a CREATE; None if the review cannot be read."""
    operation = more.pop("operation", "CREATE")
    readable = read_review(review(operation, manifest, manifest if operation == "UPDATE" else None, **more))
    return operations_for(readable, judging(policy, world, releases)) if isinstance(readable, DecodedRequest) else None


def judging(policy: Policy, world: World | tuple[()], releases: Releases) -> JudgingContext:
    return JudgingContext(ObjectsWorld([read(item) for item in world]), releases, policy, "2026-01-01", "kubevirt")


def patched(manifest: Manifest, patch: list[dict[str, Any]]) -> Manifest:
    result: Manifest = jsonpatch.apply_patch(copy.deepcopy(manifest), patch)
    return result


def value_at(manifest: Manifest, *path: str) -> Any:
    value: Any = manifest
    for step in path:
        value = (value or {}).get(step)
    return value


def kubevirt(configuration: Any = None, **metadata: Any) -> Manifest:
    spec = {} if configuration is None else {"configuration": configuration}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", **metadata},
        "spec": spec,
    }


def vmi(**spec: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": {
            "domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}]}},
            "networks": [{"name": "default", "pod": {}}],
            **spec,
        },
    }
