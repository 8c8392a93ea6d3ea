"""
Compares ``webhook.drain`` with KubeVirt's own answers to evictions and its evacuation migrations.

``python -m tests.kubevirt.evictions FILE…`` reads JSON lines, plain or compressed with gzip. The content of a line tells whether
it is an eviction or an evacuation. The release comes from the name of the file, or from ``--release``. The program prints the
agreement for each release and field, then each difference. The exit status is 1 if there is a difference, and 2 for bad input.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tests.kubevirt.case_files import BadFile, lines_of
from webhook.drain.evacuation import NOT_MIGRATABLE_EVENT, Controller
from webhook.drain.evictions import TOO_MANY_REQUESTS, Eviction, Objects, Request, answer
from webhook.kubevirt.releases import Version, parse_version
from webhook.objects.kubevirt import Configuration
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Node
from webhook.objects.pods import Pod
from webhook.objects.running import Migration, RunningVMI

Case = dict[str, Any]
K = TypeVar("K", bound=Kubernetes)

EVICTION: Final = "evictions"
EVACUATION: Final = "evacuations"
_GZIP: Final = b"\x1f\x8b"


class Difference(msgspec.Struct, frozen=True):
    """A field of a case in which KubeVirt and Migratable differ."""

    version: Version
    case: str
    field: str
    kubevirt: Any
    migratable: Any

    def __str__(self) -> str:
        values = f"KubeVirt {json.dumps(self.kubevirt)}, Migratable {json.dumps(self.migratable)}"
        return f"v{self.version} {self.case} {self.field}: {values}"


class Comparison:
    """Counts agreement by release, kind of case and field."""

    def __init__(self) -> None:
        self.compared: Counter[tuple[Version, str, str]] = Counter()
        self.agreed: Counter[tuple[Version, str, str]] = Counter()
        self.differences: list[Difference] = []

    def add(self, case: Case, version: Version) -> None:
        """Compares one case."""
        kind = kind_of(case)
        expected, actual = expectation(case, kind), outcome(case, kind, version)
        for field in sorted({*expected, *actual}):
            self.compared[version, kind, field] += 1
            if expected.get(field) == actual.get(field):
                self.agreed[version, kind, field] += 1
            else:
                pair = (expected.get(field), actual.get(field))
                self.differences.append(Difference(version, str(case.get("id")), field, *pair))

    def lines(self) -> Iterator[str]:
        """The report."""
        for key in sorted(self.compared):
            version, kind, field = key
            yield f"v{version} {kind} {field}: {self.agreed[key]} of {self.compared[key]} agree"
        yield from map(str, self.differences)


def kind_of(case: Case) -> str:
    """Whether the case is an eviction or an evacuation."""
    return EVICTION if "eviction" in case else EVACUATION


def expectation(case: Case, kind: str) -> Case:
    """KubeVirt's answer, with lists in a fixed order."""
    expected = dict(case["expected"])
    if kind == EVACUATION:
        expected["candidates"] = sorted(expected.get("candidates") or [], key=lambda candidate: candidate["vmi"])
        expected["events"] = expected.get("events") or []
    return expected


def outcome(case: Case, kind: str, version: Version) -> Case:
    """Migratable's answer, in the shape of ``expectation``."""
    return _eviction(case, version) if kind == EVICTION else _evacuation(case, version)


def _eviction(case: Case, version: Version) -> Case:
    objects = Objects(
        {(pod.namespace, pod.name): pod for pod in _read(case.get("pods"), Pod)},
        {(vmi.namespace, vmi.name): vmi for vmi in _read(case.get("vmis"), RunningVMI)},
        msgspec.convert(case.get("kubevirt") or {}, Configuration),
    )
    eviction = msgspec.convert(case["eviction"], Eviction)
    request = Request(case["namespace"], case["name"], eviction, bool(case.get("requestDryRun")))
    given = answer(request, objects, version)
    patches = [{"patch": given.mark.patch, "dryRun": given.mark.dry_run}] if given.mark is not None else []
    if given.allowed:
        return {"allowed": True, "patches": patches}
    return {"allowed": False, "code": TOO_MANY_REQUESTS, "message": given.message, "patches": patches}


def _evacuation(case: Case, version: Version) -> Case:
    node = msgspec.convert(case["node"], Node)
    controller = Controller(
        _read(case.get("vmis"), RunningVMI),
        _read(case.get("pods"), Pod),
        _read(case.get("migrations"), Migration),
        msgspec.convert(case.get("kubevirt") or {}, Configuration),
        version,
        datetime.now(UTC),
    )
    evacuation = controller.evacuate(node.name, (node.spec.taints if node.spec is not None else None) or ())
    candidates = [
        {"vmi": f"{candidate.namespace}/{candidate.name}", "annotations": candidate.annotations}
        | ({"priority": candidate.priority} if candidate.priority is not None else {})
        for candidate in evacuation.candidates
    ]
    return {
        "candidates": sorted(candidates, key=lambda candidate: str(candidate["vmi"])),
        "created": evacuation.created,
        "events": [NOT_MIGRATABLE_EVENT] * len(evacuation.warned),
    }


def _read(values: list[Case] | None, reads: type[K]) -> list[K]:
    return msgspec.convert(values or [], list[reads])  # type: ignore[valid-type]


def release_of(path: Path, given: Version | None) -> Version:
    """The release ``--release``, else the release in the name of the file."""
    named = re.search(r"v(\d+\.\d+\.\d+)", path.name)
    version = given or (parse_version(named[1]) if named else None)
    if version is None:
        raise BadFile(f"{path}: the name contains no release such as v1.9.0; pass --release")
    return version


def compare(paths: Sequence[Path], release: Version | None) -> Comparison:
    """Compares all cases of the files."""
    comparison = Comparison()
    for path in paths:
        version = release_of(path, release)
        for number, case in enumerate(cases_of(path), 1):
            try:
                comparison.add(case, version)
            except (KeyError, TypeError, msgspec.ValidationError) as error:
                raise BadFile(f"{path}: case {number}: {error}") from error
    return comparison


def cases_of(path: Path) -> Iterator[Case]:
    """The cases of a file. Raises BadFile for a line that is no case."""
    for case, place in lines_of(path):
        if "expected" not in case or not {"eviction", "node"} & case.keys():
            raise BadFile(f"{place}: the line is no eviction and no evacuation")
        yield case


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares files and prints the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.kubevirt.evictions", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--release", help="the patch release of all files, such as v1.9.0")
    options = parser.parse_args(arguments)
    given = parse_version(options.release) if options.release else None
    if options.release and given is None:
        parser.error(f"--release {options.release} is not a patch release such as v1.9.0")
    try:
        comparison = compare(options.files, given)
    except BadFile as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(comparison.lines()))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
