"""
Writes `webhook/kubevirt/expansion/bundled_objects.json`: the instancetypes and preferences that KubeVirt deploys.

The source is a clone of github.com/kubevirt/kubevirt (Apache-2.0) with all tags of releases. Each tag contains a bundle of
kubevirt/common-instancetypes. The result has only the fields that can change a verdict or a finding.

    python tools/bundled_objects.py path/to/kubevirt
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import yaml

TARGET = Path(__file__).resolve().parents[1] / "webhook" / "kubevirt" / "expansion" / "bundled_objects.json"
FOLDERS = (
    "pkg/virt-operator/resource/generate/components/data/common-instancetypes",  # from 1.8 on
    "pkg/virt-operator/resource/generate/components/data",
)
KINDS = {
    "instancetypes": "common-clusterinstancetypes-bundle.yaml",
    "preferences": "common-clusterpreferences-bundle.yaml",
}
FIELDS = {
    "instancetypes": (
        "annotations",
        "cpu.dedicatedCPUPlacement",
        "cpu.guest",
        "cpu.isolateEmulatorThread",
        "cpu.maxSockets",
        "cpu.model",
        "cpu.numa",
        "cpu.realtime",
        "gpus",
        "hostDevices",
        "ioThreads",
        "ioThreadsPolicy",
        "launchSecurity",
        "memory",
        "nodeSelector",
        "schedulerName",
    ),
    "preferences": (
        "annotations",
        "cpu.preferredCPUFeatures",
        "devices.preferredAutoattachPodInterface",
        "devices.preferredInterfaceMasquerade",
        "devices.preferredInterfaceModel",
        "devices.preferredTPM",
        "features.preferredHyperv.passthrough",
        "features.preferredHyperv.reenlightenment",
        "firmware.preferredEfi",
        "firmware.preferredUseEfi",
        "preferredArchitecture",
        "preferredLaunchSecurity",
        "volumes",
    ),
}

Spec: TypeAlias = dict[str, Any]
Bundle: TypeAlias = dict[str, Spec]


def main(clone: str) -> int:
    """Writes the file."""
    TARGET.write_text(content(clone), encoding="utf-8")
    return 0


def content(clone: str) -> str:
    """The content of the file."""
    tags = list(releases(clone))
    whole: dict[str, object] = {
        "source": (
            f"github.com/kubevirt/kubevirt, tags v{tags[0]} to v{tags[-1]}, and main of 2026-08-22; "
            "bundles of github.com/kubevirt/common-instancetypes"
        )
    }
    for kind in KINDS:
        whole[kind] = ranges([(tag, bundle(clone, tag, kind)) for tag in tags])
    return compact(whole)


def releases(clone: str) -> Iterator[str]:
    """The releases that have a bundle, oldest first."""
    names = re.findall(r"^v(\d+)\.(\d+)\.(\d+)$", git(clone, "tag"), re.MULTILINE)
    for version in sorted(tuple(map(int, name)) for name in names):
        tag = ".".join(map(str, version))
        if bundle(clone, tag, "instancetypes"):
            yield tag


def git(clone: str, *arguments: str) -> str:
    """The output of git, or an empty text if git fails."""
    run = subprocess.run(["git", "-C", clone, *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return run.stdout if run.returncode == 0 else ""


def bundle(clone: str, tag: str, kind: str) -> Bundle:
    """The objects of one release, by name, with the fields in ``FIELDS``."""
    for folder in FOLDERS:
        text = git(clone, "show", f"v{tag}:{folder}/{KINDS[kind]}")
        if text:
            documents = filter(None, yaml.safe_load_all(text))
            return {document["metadata"]["name"]: reduced(document["spec"], FIELDS[kind]) for document in documents}
    return {}


def reduced(spec: Spec, fields: tuple[str, ...]) -> Spec:
    """The part of ``spec`` in ``fields``."""
    kept: Spec = {}
    for field in fields:
        *parents, last = field.split(".")
        source: Any = spec
        for parent in parents:
            source = source.get(parent) or {}
        if last in source:
            target = kept
            for parent in parents:
                target = target.setdefault(parent, {})
            target[last] = source[last]
    return kept


def ranges(bundles: list[tuple[str, Bundle]]) -> dict[str, list[dict[str, object]]]:
    """For each name, the specs with the first release (``since``) and the first release after it (``before``, or null)."""
    found: dict[str, list[dict[str, object]]] = {}
    for tag, objects in bundles:
        for name in sorted(objects.keys() | found.keys()):
            last = found[name][-1] if name in found else None
            if last is not None and last["before"] is None and last["spec"] != objects.get(name):
                last["before"] = tag
                last = None
            if name in objects and (last is None or last["before"] is not None):
                found.setdefault(name, []).append({"since": tag, "before": None, "spec": objects[name]})
    return dict(sorted(found.items()))


def compact(whole: dict[str, object]) -> str:
    """JSON with one spec on each line."""
    lines = [f'"source": {json.dumps(whole["source"])}']
    for kind in KINDS:
        named = whole[kind]
        assert isinstance(named, dict)  # noqa: S101
        objects = [
            f"  {json.dumps(name)}: [\n    {join(json.dumps(entry, sort_keys=True) for entry in entries)}\n  ]"
            for name, entries in named.items()
        ]
        lines.append(f'"{kind}": {{\n' + ",\n".join(objects) + "\n}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def join(lines: Iterator[str]) -> str:
    """The entries of a list, one on each line."""
    return ",\n    ".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
