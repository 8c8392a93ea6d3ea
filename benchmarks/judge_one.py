"""
The cost of judging one VM of ordinary size: parse, expand, facts, all rules, verdict. CPU time beside ``json.loads``.

    python benchmarks/judge_one.py [ROUNDS]
"""

import gc
import json
import sys
import time
from collections.abc import Callable

import msgspec

from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.machines import judge
from webhook.kubevirt.releases import NEWEST, SUPPORTED, only
from webhook.objects.instancetype import VirtualMachineClusterInstancetype, VirtualMachineClusterPreference
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.nad import Node
from webhook.objects.storage import PersistentVolumeClaim
from webhook.objects.vm import VirtualMachine


def body(**more: object) -> bytes:
    """A VirtualMachine of about 11 KB with managedFields, as an API server sends it; ``more`` belongs to its spec."""
    disks = [{"name": f"disk{n}", "disk": {"bus": "virtio"}} for n in range(3)]
    volumes = [{"name": f"disk{n}", "persistentVolumeClaim": {"claimName": f"claim{n}"}} for n in range(2)]
    volumes.append({"name": "disk2", "cloudInitNoCloud": {"userData": "#cloud-config\n" + "x: y\n" * 60}})
    spec = {
        "runStrategy": "Always",
        "template": {
            "metadata": {"labels": {"kubevirt.io/domain": "web"}},
            "spec": {
                "evictionStrategy": "LiveMigrate",
                "domain": {
                    "cpu": {"cores": 4, "model": "host-model"},
                    "memory": {"guest": "8Gi"},
                    "devices": {
                        "disks": disks,
                        "interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 80}, {"port": 443}]}],
                    },
                },
                "networks": [{"name": "default", "pod": {}}],
                "volumes": volumes,
            },
        },
    }
    fields: dict[str, object] = {}
    for n in range(200):
        fields[f"f:field{n}"] = {".": {}, "f:name": {}, "f:value": {}}
    metadata = {
        "name": "web",
        "namespace": "tenant",
        "uid": "3787d938-d3fd-4171-8725-3dc6aa4f9770",
        "managedFields": [{"manager": "ci", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": fields}],
    }
    vm = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata, "spec": spec | more}
    return json.dumps(vm, separators=(",", ":")).encode()


def cpu(work: Callable[[], object], rounds: int) -> float:
    """Microseconds of CPU per call: the best of seven interleaved runs."""
    best = float("inf")
    for _ in range(7):
        began = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, (time.process_time() - began) / rounds)
    return best * 1e6


def surroundings(nodes: int) -> ObjectsWorld:
    """A KubeVirt CR, 1,000 claims, an instancetype, a preference, and nodes with as many labels as virt-handler writes."""
    claims = [
        msgspec.convert(
            {"metadata": {"name": f"claim{n}", "namespace": "tenant"}, "spec": {"accessModes": ["ReadWriteMany"]}},
            PersistentVolumeClaim,
        )
        for n in range(1000)
    ]
    named = {"metadata": {"name": "u1"}, "spec": {"cpu": {"guest": 4}, "memory": {"guest": "8Gi"}}}
    preferred = {"metadata": {"name": "fedora"}, "spec": {"devices": {"preferredInterfaceMasquerade": {}}}}
    labels = {f"cpu-feature.node.kubevirt.io/feature{n}": "true" for n in range(120)}
    labels |= {"kubevirt.io/schedulable": "true", "host-model-cpu.node.kubevirt.io/Skylake-Server": "true"}
    return ObjectsWorld(
        [
            KubeVirt(),
            msgspec.convert(named, VirtualMachineClusterInstancetype),
            msgspec.convert(preferred, VirtualMachineClusterPreference),
            *claims,
            *(msgspec.convert({"metadata": {"name": f"node{n}", "labels": labels}}, Node) for n in range(nodes)),
        ]
    )


def main() -> None:
    """Prints the figures side by side."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    gc.disable()
    raw, named = body(), body(instancetype={"name": "u1"}, preference={"name": "fedora"})
    world, large = surroundings(nodes=0), surroundings(nodes=100)
    decoder = msgspec.json.Decoder(VirtualMachine)
    vm = decoder.decode(raw)
    pinned, anything = only(NEWEST), SUPPORTED
    yardstick = cpu(lambda: json.loads(raw), rounds)
    rows = {
        "json.loads": yardstick,
        "decode into structs": cpu(lambda: decoder.decode(raw), rounds),
        "judge, one release": cpu(lambda: judge(vm, world, pinned), rounds),
        "decode and judge, one release": cpu(lambda: judge(decoder.decode(raw), world, pinned), rounds),
        "  any release": cpu(lambda: judge(decoder.decode(raw), world, anything), rounds),
        "  instancetype, one release": cpu(lambda: judge(decoder.decode(named), world, pinned), rounds),
        "  instancetype, any release": cpu(lambda: judge(decoder.decode(named), world, anything), rounds),
        "  100 nodes, one release": cpu(lambda: judge(decoder.decode(raw), large, pinned), rounds),
    }
    print(f"body {len(raw)} bytes, Python {sys.version.split()[0]}, {rounds} rounds, best of 7, CPU time per VM")
    for name, micros in rows.items():
        print(f"{name:32} {micros:8.1f} us  {micros / yardstick:5.2f} x json.loads")


if __name__ == "__main__":
    main()
