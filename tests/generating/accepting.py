"""Generated manifests that carry a VMI: where its spec is, and which of them KubeVirt takes."""

import copy

from tests.generating import Manifest


def spec_of(manifest: Manifest) -> Manifest:
    """The VMI's spec inside any of the kinds that carry one."""
    spec = manifest["spec"]
    if manifest["kind"] == "VirtualMachinePool":
        spec = spec["virtualMachineTemplate"]["spec"]
    spec_of_vmi: Manifest = spec if manifest["kind"] == "VirtualMachineInstance" else spec["template"]["spec"]
    return spec_of_vmi


def acceptable(manifest: Manifest) -> Manifest:
    """A copy without what KubeVirt's webhooks refuse and order would decide: names twice, a second pod network."""
    whole = copy.deepcopy(manifest)
    spec = spec_of(whole)
    devices = spec["domain"]["devices"]
    for holder, key in ((spec, "volumes"), (spec, "networks"), (devices, "interfaces"), (devices, "disks")):
        if key in holder:
            holder[key] = list({one["name"]: one for one in holder[key]}.values())
    pods = [one for one in spec.get("networks", ()) if "pod" in one]
    if len(pods) > 1:
        spec["networks"] = [one for one in spec["networks"] if one not in pods[1:]]
    return whole
