"""Fixes of findings about VMs. Each of these fixes changes the VM, so the user must choose the fix."""

from collections.abc import Callable, Iterator, Mapping

from webhook.fixes.fix import Fix, find, put, remove, rename, replace
from webhook.judging.finding import Finding
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

_OTHER_BINDINGS = ("bridge", "macvtap", "passt", "slirp", "sriov", "binding", "passtBinding")


def _masquerade(finding: Finding, raw: Json) -> Iterator[Fix]:
    interface = find(raw, finding.path)
    if not isinstance(interface, dict):
        return
    written = [name for name in _OTHER_BINDINGS if name in interface]
    if len(written) == 1 and "masquerade" not in interface:
        binding = (*finding.path, written[0])
        patch = rename(raw, binding, "masquerade")
        if interface[written[0]] not in ({}, None):
            patch = (*patch, {"op": "replace", "path": patch[-1]["path"], "value": {}})
        yield Fix(f"write masquerade: {{}} instead of {written[0]} (the guest then has its own IP address)", patch)


def _remove(target: str) -> Callable[[Finding, Json], Iterator[Fix]]:
    def make(finding: Finding, raw: Json) -> Iterator[Fix]:
        if find(raw, finding.path) is not None:
            yield Fix(f"remove {target}", remove(raw, finding.path))

    return make


def _shared(finding: Finding, raw: Json) -> Iterator[Fix]:
    path: FieldPath = finding.path if finding.path[-1] == "hostDisk" else (*finding.path, "hostDisk")
    if isinstance(find(raw, path), dict):
        yield Fix("write shared: true, if the path is shared by all nodes", put(raw, (*path, "shared"), True))


def _cache(finding: Finding, raw: Json) -> Iterator[Fix]:
    path: FieldPath = finding.path if finding.path[-1] == "cache" else (*finding.path, "cache")
    if isinstance(find(raw, path), str):
        yield Fix("write cache: none", replace(raw, path, "none"))
        yield Fix("remove cache, so that KubeVirt chooses the cache mode", remove(raw, path))


def _strategy(*values: str) -> Callable[[Finding, Json], Iterator[Fix]]:
    def make(finding: Finding, raw: Json) -> Iterator[Fix]:
        if finding.path and isinstance(find(raw, finding.path[:-1]), dict):
            path = finding.path if finding.path[-1] == "evictionStrategy" else (*finding.path, "evictionStrategy")
            for value in values:
                if patch := put(raw, path, value):
                    yield Fix(f"write evictionStrategy: {value}", patch)

    return make


def _bridge_annotation(finding: Finding, raw: Json) -> Iterator[Fix]:
    """Renames the annotation. The VM can then be live-migrated, so the user must choose the fix."""
    of_the_vmi = finding.path[:2] != ("metadata", "annotations")
    if isinstance(raw, dict) and (of_the_vmi or raw.get("kind") == "VirtualMachineInstance"):
        if patch := rename(raw, finding.path, BRIDGE_OVERRIDE):
            yield Fix(f"write {BRIDGE_OVERRIDE}, if the guest can take a new IP address", patch)


def _empty_cpu(finding: Finding, raw: Json) -> Iterator[Fix]:
    """Adds an empty ``cpu``, which changes nothing but prevents the crash."""
    domain: FieldPath = (*finding.path[:-1], "template", "spec", "domain")
    if isinstance(find(raw, domain), dict) and find(raw, (*domain, "cpu")) is None:
        yield Fix("write cpu: {} under domain", put(raw, (*domain, "cpu"), {}), is_safe=True)


FIXES: Mapping[str, Callable[[Finding, Json], Iterator[Fix]]] = {
    "LM101": _masquerade,
    "LM408": _empty_cpu,
    "LM102": _masquerade,
    "LM103": _remove("the entry (an empty list forwards all ports)"),
    "LM106": _bridge_annotation,
    "LM202": _shared,
    "LM207": _cache,
    "LM301": _remove("the device"),
    "LM302": _remove("the GPU"),
    "LM303": _remove("the reservation"),
    "LM405": _remove("reenlightenment"),
    "LM407": _remove("isolateEmulatorThread"),
    "LM501": _strategy("LiveMigrateIfPossible"),
    "LM503": _strategy("LiveMigrate"),
    "LM506": _remove("the field, so that the instancetype sets it"),
}
