"""A random cluster and the pods that are probed on it."""

from typing import Final

import msgspec

from tests.apiserver.scheduler.generated.draws import NAMESPACES, TEAMS, Draw, Manifest
from tests.apiserver.scheduler.generated.nodes import node
from tests.apiserver.scheduler.generated.pods import pod, running
from tests.apiserver.scheduler.generated.volumes import claim_volumes, storage

FEATURES: Final = ("selectors", "taints", "resources", "ports", "volumes", "spread", "affinity")
"""What pods and nodes of a cluster have. A cluster has one to three of these, so that one plugin does not hide another."""


class World(msgspec.Struct, frozen=True):
    """The objects of a cluster, and the pods to probe, none of which takes room."""

    objects: list[Manifest]
    probes: list[Manifest]


def world(seed: int, probes: int = 40) -> World:
    """The cluster of SEED, with this number of pods to probe."""
    draw = Draw(seed)
    first = FEATURES[seed % len(FEATURES)]  # no feature is rare in a short run
    features = frozenset((first, *draw.some(FEATURES, 0, 2)))
    names = [f"n{index}" for index in range(draw.randint(2, 8))]
    objects = [_namespace(draw, name) for name in NAMESPACES]
    objects += [node(draw, name, features) for name in names]
    has_storage = "volumes" in features or draw.chance(0.1)
    stored = storage(draw, names) if has_storage else []
    claims = [item for item in stored if item["kind"] == "PersistentVolumeClaim"]
    objects += stored
    count = draw.randint(0, 3 * len(names)) if "spread" not in features else draw.randint(2, 5) * len(names)
    objects += [_with_volumes(draw, running(draw, f"r{index}", features, names), claims) for index in range(count)]
    made = [_with_volumes(draw, pod(draw, f"p{index}", features, names), claims) for index in range(probes)]
    return World(objects, made)


def _namespace(draw: Draw, name: str) -> Manifest:
    labels = draw.labels({"team": TEAMS}, 0.7)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _with_volumes(draw: Draw, made: Manifest, claims: list[Manifest]) -> Manifest:
    if claims and draw.chance(0.7):
        made["spec"]["volumes"] = claim_volumes(draw, claims, made["metadata"]["namespace"])
    return made
