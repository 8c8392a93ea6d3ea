"""
Compares ``webhook.kubevirt.launcher`` with the target pods of KubeVirt's own code.

``python -m tests.kubevirt.target_pods FILE…`` reads JSON lines, plain or compressed with gzip. The release comes from the name of
the file, or from ``--release``. The program prints the agreement for each release and field, then each difference. The exit
status is 1 if there is a difference, and 2 for bad input.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.kubevirt.case_files import BadFile, lines_of
from tests.kubevirt.evictions import Difference, release_of
from webhook.kubevirt.launcher.launcher_pod import Rendered
from webhook.kubevirt.launcher.quantities import amounts
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings
from webhook.kubevirt.launcher.target_pod import Source, target_pod
from webhook.kubevirt.releases import Version, parse_version
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.pods import Container
from webhook.objects.storage import PersistentVolumeClaim
from webhook.scheduling.pod_requests import pod_requests

Case = dict[str, Any]


class Comparison:
    """Counts agreement by release and field."""

    def __init__(self) -> None:
        self.compared: Counter[tuple[Version, str]] = Counter()
        self.agreed: Counter[tuple[Version, str]] = Counter()
        self.differences: list[Difference] = []

    def add(self, case: Case, version: Version) -> None:
        """Compares one case."""
        expected, actual = normal(case["expected"]), normal(outcome(case, version))
        for field in sorted({*expected, *actual}):
            self.compared[version, field] += 1
            if expected.get(field) == actual.get(field):
                self.agreed[version, field] += 1
            else:
                pair = (expected.get(field), actual.get(field))
                self.differences.append(Difference(version, case["id"], field, *pair))

    def lines(self) -> Iterator[str]:
        """The report."""
        for version, field in sorted(self.compared):
            agreed, compared = self.agreed[version, field], self.compared[version, field]
            yield f"v{version} {field}: {agreed} of {compared} agree"
        yield from map(str, self.differences)


def normal(fields: Case) -> Case:
    """The fields with lists of no order sorted, quantities as amounts, and without empty values."""
    result = dict(fields)
    if "affinity" in result:
        result["affinity"] = _sorted(result["affinity"])
    if "containers" in result:
        result["containers"] = [
            {**container, **{part: _amounts(container.get(part)) for part in ("requests", "limits")}}
            for container in result["containers"]
        ]
    return {field: value for field, value in result.items() if value not in (None, "", [], {})}


def _amounts(written: Mapping[str, Any] | None) -> dict[str, int]:
    return amounts(written)


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda item: json.dumps(item, sort_keys=True))
    return {key: _sorted(member) for key, member in value.items()} if isinstance(value, dict) else value


def surroundings(case: Case, version: Version) -> Surroundings:
    """The objects around the VMI of a case. All collections are complete."""
    namespace = case["vmi"]["metadata"]["namespace"]
    claims = msgspec.convert(case.get("pvcs") or [], list[PersistentVolumeClaim])
    return Surroundings(
        version,
        msgspec.convert(case.get("kubevirt") or {}, LauncherConfiguration),
        case.get("defaultArchitecture") or "amd64",
        case["namespace"]["metadata"].get("labels") or {},
        frozenset(
            name
            for quota in case.get("resourceQuotas") or ()
            if quota["metadata"]["namespace"] == namespace
            for name in quota["spec"].get("hard") or ()
        ),
        {claim.name: claim for claim in claims if claim.namespace == namespace},
        {
            f"{network['metadata']['namespace']}/{network['metadata']['name']}": network["metadata"].get("annotations")
            or {}
            for network in case.get("nads") or ()
        },
    )


def outcome(case: Case, version: Version) -> Case:
    """Migratable's target pod, in the shape of ``expected``."""
    source = Source(case["sourceNode"].get("labels") or {}, case["sourcePod"].get("nodeSelector") or {})
    added = (case.get("migration") or {}).get("addedNodeSelector")
    pod = target_pod(msgspec.convert(case["vmi"], LauncherVMI), surroundings(case, version), source, added)
    if isinstance(pod, Rendered):
        return fields_of(pod)
    return {"error": pod.message} if isinstance(pod, NoPod) else {"unknown": pod.why}


def fields_of(pod: Rendered) -> Case:
    """The fields of a pod that KubeVirt's answers contain."""
    return {
        "nodeSelector": dict(pod.node_selector),
        "affinity": pod.affinity,
        "tolerations": pod.tolerations,
        "topologySpreadConstraints": pod.spread_constraints,
        "schedulerName": pod.scheduler_name,
        "priorityClassName": pod.priority_class_name,
        "runtimeClassName": pod.runtime_class_name,
        "labels": dict(pod.labels),
        "containers": [
            *(_container(container, init=True) for container in pod.init_containers),
            *(_container(container, init=False) for container in pod.containers),
        ],
        "effectiveRequests": pod_requests(pod.pod()),
        "memoryOverhead": pod.memory_overhead,
    }


def _container(container: Container, *, init: bool) -> Case:
    needs = container.resources
    assert needs is not None
    policy = {"restartPolicy": container.restart_policy} if container.restart_policy else {}
    return {"name": container.name, "init": init, "requests": needs.requests, "limits": needs.limits, **policy}


def cases_of(path: Path) -> Iterator[Case]:
    """The cases of a file. Raises BadFile for a line that is no case."""
    for case, place in lines_of(path):
        if not {"vmi", "expected", "sourcePod"} <= case.keys():
            raise BadFile(f"{place}: the line is no target pod")
        yield case


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares files and prints the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.kubevirt.target_pods", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--release", help="the patch release of all files, such as v1.9.0")
    options = parser.parse_args(arguments)
    given = parse_version(options.release) if options.release else None
    if options.release and given is None:
        parser.error(f"--release {options.release} is not a patch release such as v1.9.0")
    comparison = Comparison()
    try:
        for path in options.files:
            version = release_of(path, given)
            for case in cases_of(path):
                comparison.add(case, version)
    except BadFile as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(comparison.lines()))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
