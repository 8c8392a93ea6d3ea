"""
Memory and lookup time of the store with very many claims: `python -m benchmarks.claims_memory [CLAIMS]`.

Pages of 500 claims of about 2 kB, as an API server writes them, go through the store's own way; then claims are looked up
at random. Prints one JSON object.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from webhook.cluster.facts import ClusterWorld
from webhook.cluster.live_reads import read_page
from webhook.cluster.projection import Seen
from webhook.cluster.store import Store
from webhook.objects.storage import PersistentVolumeClaim

PAGE = 500
NAMESPACES = 500
LOOKUPS = 200_000


def claim(number: int) -> dict[str, object]:
    name = f"vm-{number:06d}-rootdisk"
    return {
        "metadata": {
            "name": name,
            "namespace": f"tenant-{number % NAMESPACES:04d}",
            "uid": f"{number:08x}-1b2c-4d3e-8f4a-5b6c7d8e9f00",
            "resourceVersion": str(1_000_000 + number),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "containerized-data-importer", "app.kubernetes.io/part-of": f"shop-{number % 97}"},
            "annotations": {
                "pv.kubernetes.io/bind-completed": "yes",
                "volume.kubernetes.io/storage-provisioner": "rook-ceph.rbd.csi.ceph.com",
                "kubectl.kubernetes.io/last-applied-configuration": "x" * 600,
            },
            "finalizers": ["kubernetes.io/pvc-protection"],
            "managedFields": [{"manager": "kube-controller-manager", "fieldsV1": {"f:spec": {"f:a" * 150: {}}}}],
        },
        "spec": {
            "accessModes": ["ReadWriteMany" if number % 3 else "ReadWriteOnce"],
            "volumeMode": "Block",
            "storageClassName": f"ceph-{number % 5}",
            "resources": {"requests": {"storage": "30Gi"}},
            "volumeName": f"pvc-{number:08x}-1b2c-4d3e-8f4a-5b6c7d8e9f00",
        },
        "status": {"phase": "Bound", "accessModes": ["ReadWriteMany"], "capacity": {"storage": "30Gi"}},
    }


def page(start: int, end: int) -> bytes:
    items = [claim(number) for number in range(start, end)]
    return json.dumps(
        {"kind": "PersistentVolumeClaimList", "metadata": {"resourceVersion": "1"}, "items": items}
    ).encode()


def seen(store: Store, claims: int) -> Iterator[Seen]:
    for start in range(0, claims, PAGE):
        for raw in read_page(page(start, min(start + PAGE, claims))).items or ():
            yield store.read(PersistentVolumeClaim, raw, "v1")


def rss(field: str = "VmRSS") -> float:
    """MiB, now or (VmHWM) at the most."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def quantiles(world: ClusterWorld, claims: int) -> dict[str, float]:
    chance = random.Random(1)
    asked = [(f"tenant-{n % NAMESPACES:04d}", f"vm-{n:06d}-rootdisk") for n in chance.choices(range(claims), k=LOOKUPS)]
    took = []
    for namespace, name in asked:
        began = time.perf_counter_ns()
        world.find(PersistentVolumeClaim, namespace, name)
        took.append(time.perf_counter_ns() - began)
    took.sort()
    return {f"p{q * 100:g}_us": took[int(len(took) * q)] / 1000 for q in (0.5, 0.99, 0.999)}


def main() -> None:
    claims = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    page(0, PAGE)
    before = rss()
    store = Store([PersistentVolumeClaim], time.monotonic)
    store.replace(PersistentVolumeClaim, seen(store, claims), "v1")
    listed = rss()
    store.replace(PersistentVolumeClaim, seen(store, claims), "v1")
    after = rss()
    world = ClusterWorld(store)
    print(
        json.dumps(
            {
                "claims": claims,
                "rss_before_mib": round(before, 1),
                "rss_mib": round(listed, 1),
                "bytes_per_claim": round((listed - before) * 2**20 / claims),
                "rss_after_second_list_mib": round(after, 1),
                "rss_peak_mib": round(rss("VmHWM"), 1),
                "find": quantiles(world, claims),
            }
        )
    )


if __name__ == "__main__":
    main()
