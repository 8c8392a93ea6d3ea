"""AdmissionReviews of about 12 KB: the creation of a VirtualMachine with managedFields, made from a captured one."""

import copy
import json
from pathlib import Path
from typing import Any

CAPTURED = Path(__file__).resolve().parents[1] / "tests" / "data" / "admissionreviews" / "01-create-vm.json"
NAMESPACE = "tenant"
SIZE = 12_000


def claims(machines: int) -> dict[str, str]:
    """The access mode of each claim that these reviews name, for so many machines."""
    shared = {f"{disk}-{number}": "ReadWriteMany" for number in range(machines) for disk in ("root", "data")}
    return {**shared, "single": "ReadWriteOnce"}


def good(number: int = 0) -> dict[str, Any]:
    """A review that all five checks let pass, with two claims to look up, which no other number has."""
    review: dict[str, Any] = json.loads(CAPTURED.read_text())
    request = review["request"]
    request["namespace"] = request["object"]["metadata"]["namespace"] = NAMESPACE
    spec = vmi_spec(review)
    spec["volumes"][0]["persistentVolumeClaim"]["claimName"] = f"root-{number}"
    spec["domain"]["devices"]["disks"].append({"name": "data", "disk": {"bus": "virtio"}})
    spec["domain"]["devices"]["interfaces"][0]["ports"] = [{"port": 80}, {"port": 443}]
    spec["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": f"data-{number}"}})
    managed = request["object"]["metadata"]["managedFields"]
    while len(encoded(review)) < SIZE:
        managed.append(managed[0] | {"manager": f"controller-{len(managed)}"})
    return review


def bad() -> dict[str, dict[str, Any]]:
    """For each of the five checks a review that fails it, by its name."""
    made = {}
    for name in ("bridge", "port", "filesystems", "host devices", "claim"):
        review = copy.deepcopy(good())
        spec = vmi_spec(review)
        devices = spec["domain"]["devices"]
        if name == "bridge":
            devices["interfaces"] = [{"name": "default", "bridge": {}}]
        elif name == "port":
            devices["interfaces"][0]["ports"].append({"port": 49152})
        elif name == "filesystems":
            devices["filesystems"] = [{"name": "data", "virtiofs": {}}]
        elif name == "host devices":
            devices["hostDevices"] = [{"name": "fpga", "deviceName": "vendor.com/fpga"}]
        else:
            spec["volumes"][-1]["persistentVolumeClaim"]["claimName"] = "single"
        made[name] = review
    return made


def vmi_spec(review: dict[str, Any]) -> dict[str, Any]:
    """``spec.template.spec`` of the machine."""
    spec: dict[str, Any] = review["request"]["object"]["spec"]["template"]["spec"]
    return spec


def encoded(review: object) -> bytes:
    """As an API server writes it."""
    return json.dumps(review, separators=(",", ":")).encode()
