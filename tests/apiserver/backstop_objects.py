"""Objects for the tests of the backstop: VMs, and long lists of interfaces and devices."""

from itertools import count
from typing import Any

from hypothesis import assume

from tests.apiserver.backstopping import Answer, Caller, Manifest

NAMESPACE = "tenant"
NUMBERS = count()


def vm(name: str = "vm", *, devices: Manifest) -> Manifest:
    spec = {"domain": {"devices": devices}, "networks": [{"name": "default", "pod": {}}]}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"runStrategy": "Halted", "template": {"spec": spec}},
    }


def stored(answer: Answer) -> Manifest:
    """The object as the API server would store it; an example that it does not take is none."""
    assume(answer.status in (200, 201))
    return answer.document


def device(index: int) -> Manifest:
    return {"name": f"device-{index}", "deviceName": "vendor.com/x"}


def masquerade(name: str = "default", **more: object) -> Manifest:
    return {"name": name, "masquerade": {}} | more


def long_names(size: int, prefix: str = "old") -> list[Manifest]:
    """GPUs that fill an object of 1.5 MB, whose names are as long as those that are compared."""
    length = min(253, 1_000_000 // size) // 2
    return [{"name": f"{prefix}{at:05}" + "x" * length, "deviceName": "y" * length} for at in range(size)]


def interface(**more: Any) -> Manifest:
    return {"interfaces": [masquerade(**more)]}


def ports(*numbers: int) -> list[Manifest]:
    return [{"port": number} for number in numbers]


def ranges(count: int) -> list[Manifest]:
    return [{"start": at, "end": at + 1, "protocol": "TCP"} for at in range(49_000, 49_000 + count)]


def entries(key: str, prefix: str, size: int) -> list[Manifest]:
    """Entries of a list that are violations; each differs from those with another prefix."""
    entry: Manifest = {"virtiofs": {}} if key == "filesystems" else {"deviceName": "vendor.com/x"}
    return [{"name": f"{prefix}-{index}"} | entry for index in range(size)]


def replaced(loader: Caller, tenant: Caller, old: Manifest, new: Manifest) -> Answer:
    """The answer to an update that replaces the devices of a stored VM."""
    before, after = (vm(f"replaced-{next(NUMBERS)}", devices=devices) for devices in (old, new))
    after["metadata"] = before["metadata"] | {}
    made = loader.create(before, dry=False)
    assert made.status == 201, made.document["message"]
    after["metadata"]["resourceVersion"] = made.document["metadata"]["resourceVersion"]
    return tenant.update(after)
