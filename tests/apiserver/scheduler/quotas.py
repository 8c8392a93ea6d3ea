"""
`python -m tests.apiserver.scheduler.quotas [PAIRS [SEED]]`: quotas and limit ranges beside the admission of a real API server.

Each pair is a namespace and a pod or claim, whose creation is a dry run. The usage in the status of a quota is written here, as
there is no quota controller. Exit status 1 on a difference.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.scheduler.clusters import Manifest
from tests.apiserver.scheduler.connections import Answer, Connections, Request
from tests.apiserver.scheduler.generated.quotas import PRIORITIES, namespace
from tests.apiserver.scheduler.process import WITHOUT_DEFAULTS
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.objects.pods import Pod
from webhook.objects.quotas import LimitRange, PriorityClass, ResourceQuota
from webhook.objects.storage import PersistentVolumeClaim
from webhook.objects.volumes import VolumeClaim
from webhook.scheduling.amounts import amounts
from webhook.scheduling.limit_ranges import claim_refusals, refusals
from webhook.scheduling.pod_defaults import stored
from webhook.scheduling.quota import Quotas

DRY_RUN: Final = "?dryRun=All"
FREE: Final = "free"
"""A namespace without quotas and limit ranges. The API server refuses there what is invalid anyway."""
FIRST: Final = "first"
"""The namespace whose quota and limit range tell that the API server knows all earlier ones."""
ACCEPTED: Final = "accepted"
CLASSES: Final = [
    {"metadata": {"name": name}, "value": value, "globalDefault": name == "usual"}
    for value, name in enumerate((*PRIORITIES, "usual"), 1)
]


class Pair(msgspec.Struct, frozen=True):
    """One creation, and both answers. Several refusals are possible, and the API server reports one."""

    seed: int
    created: Manifest
    server: str
    rehearsal: list[str]
    defaults: tuple[Any, Any] | None = None
    """The resources that the API server stores and those that the rehearsal assumes, if they differ."""

    @property
    def is_equal(self) -> bool:
        """Whether the API server gives one of the rehearsal's answers."""
        return self.defaults is None and any(_same(self.server, text) for text in self.rehearsal)


class QuotaBench:
    """Namespaces on a running API server."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._connections = Connections(control_plane.client)
        for name in (FREE, FIRST):
            self._connections.one(Request("POST", "/api/v1/namespaces", {"metadata": {"name": name}}))
        self._connections.send([Request("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", one) for one in CLASSES])
        self._connections.one(_post({"kind": "ResourceQuota", **_in(FIRST), "spec": {"hard": _count(0)}}))
        self._connections.one(_post({"kind": "LimitRange", **_in(FIRST), "spec": {"limits": [_storage(0)]}}))
        self._classes = [msgspec.convert(one, PriorityClass) for one in CLASSES]
        self.refused = 0
        """The objects that the API server refuses in every namespace."""

    def close(self) -> None:
        """Closes the connections."""
        self._connections.close()

    def pairs(self, seed: int) -> Iterator[Pair]:
        """The pairs of one namespace."""
        name = f"made-{seed}"
        made = namespace(seed, name)
        self._connections.one(Request("POST", "/api/v1/namespaces", {"metadata": {"name": name}}))
        quotas = self._stored(made.quotas)
        ranges = self._stored(made.ranges)
        self._wait_known(seed)
        valid = [answer.status == HTTPStatus.CREATED for answer in self._dry_run(made.created, FREE)]
        self.refused += valid.count(False)
        created = [item for item, is_valid in zip(made.created, valid, strict=True) if is_valid]
        both = [msgspec.convert(quotas, list[ResourceQuota]), msgspec.convert(ranges, list[LimitRange])]
        for item, answer in zip(created, self._dry_run(created, name), strict=True):
            yield self._pair(seed, item, answer, *both)

    def _pair(
        self, seed: int, item: Manifest, answer: Answer, quotas: Sequence[ResourceQuota], ranges: Sequence[LimitRange]
    ) -> Pair:
        is_accepted = answer.status == HTTPStatus.CREATED
        server = ACCEPTED if is_accepted else str(answer.document["message"]).partition(": ")[2]
        if item["kind"] == "PersistentVolumeClaim":
            first = [one.text for one in claim_refusals(msgspec.convert(item, PersistentVolumeClaim), ranges)]
            answered = Quotas(quotas).claim(msgspec.convert(item, VolumeClaim))
            return Pair(seed, item, server, first or _texts(answered.refusals) or [ACCEPTED])
        assumed = stored(msgspec.convert(item, Pod), ranges, self._classes)
        first = [one.text for one in refusals(assumed, ranges)]
        rehearsal = first or _texts(Quotas(quotas).pod(assumed).refusals) or [ACCEPTED]
        defaults = (_resources(msgspec.convert(answer.document, Pod)), _resources(assumed)) if is_accepted else (0, 0)
        return Pair(seed, item, server, rehearsal, defaults if defaults[0] != defaults[1] else None)

    def _stored(self, objects: Sequence[Manifest]) -> list[Manifest]:
        made = []
        for item, answer in zip(objects, self._connections.send([_post(item) for item in objects]), strict=True):
            if answer.status != HTTPStatus.CREATED:
                self.refused += 1
                continue
            document = answer.document
            if "status" in item:
                path = f"{_path(item)}/{item['metadata']['name']}/status"
                document = self._connections.one(Request("PUT", path, {**document, "status": item["status"]})).document
            made.append(document)
        return made

    def _dry_run(self, objects: Sequence[Manifest], place: str) -> list[Answer]:
        moved = [{**item, "metadata": {**item["metadata"], "namespace": place}} for item in objects]
        return self._connections.send([Request("POST", _path(item) + DRY_RUN, item) for item in moved])

    def _wait_known(self, seed: int) -> None:
        """Writes SEED into the last quota and the last limit range, and waits until the API server applies both."""
        number = 2 * seed + 1  # odd, so the API server does not write it in thousands
        spec = {"hard": _count(number)}
        status = {**spec, "used": _count(number)}
        for kind, path, body in (
            ("ResourceQuota", "", {"spec": spec}),
            ("ResourceQuota", "/status", {"spec": spec, "status": status}),
            ("LimitRange", "", {"spec": {"limits": [_storage(number)]}}),
        ):
            item = {"kind": kind, **_in(FIRST), **body}
            self._connections.one(Request("PUT", f"{_path(item)}/{FIRST}{path}", item))
        wanted = {"ConfigMap": f"limited: count/configmaps={number}", "PersistentVolumeClaim": f"is {number}Ki"}
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}
        tried = [{"kind": "ConfigMap", **_in(FIRST)}, {"kind": "PersistentVolumeClaim", **_in(FIRST), "spec": claim}]

        def is_known() -> bool:
            answers = self._dry_run(tried, FIRST)
            return all(text in str(answer.document) for text, answer in zip(wanted.values(), answers, strict=True))

        wait_until(is_known, PATIENCE_SECONDS, "the API server to apply quotas and limit ranges")


@contextmanager
def quota_bench() -> Iterator[QuotaBench]:
    """A new control plane for quotas."""
    with ControlPlane(apiserver_flags=[WITHOUT_DEFAULTS]) as control_plane:
        opened = QuotaBench(control_plane)
        try:
            yield opened
        finally:
            opened.close()


def run(opened: QuotaBench, wanted: int, seed: int) -> list[Pair]:
    """At least WANTED pairs, from the namespace of SEED on."""
    pairs: list[Pair] = []
    while len(pairs) < wanted:
        pairs += opened.pairs(seed)
        seed += 1
    return pairs


def kinds(pairs: Sequence[Pair]) -> Counter[str]:
    """The pairs by the beginning of the API server's answer."""
    return Counter(" ".join(pair.server.lstrip("[").split(" ")[:2]) for pair in pairs)


def _texts(found: Sequence[Any]) -> list[str]:
    return [one.text for one in found]


def _same(server: str, text: str) -> bool:
    """The API server lists several problems of one limit range in any order."""
    return _problems(server) == _problems(text)


def _problems(text: str) -> list[str]:
    return sorted(text.strip("[]").replace(", but", " but").split(", "))


def _resources(pod: Pod) -> object:
    """The fields of a pod that defaults fill in."""
    containers = [*(pod.spec.containers or ()), *(pod.spec.init_containers or ())]
    needs = [one.resources for one in (*containers, pod.spec)]
    lists = [[amounts(one.requests), amounts(one.limits)] if one else [{}, {}] for one in needs]
    shown = [[{name: str(each) for name, each in sorted(one.items())} for one in pair] for pair in lists]
    return shown, pod.spec.priority_class_name, pod.spec.tolerations


def _count(number: int) -> dict[str, str]:
    return {"count/configmaps": str(number)}


def _storage(number: int) -> Manifest:
    return {"type": "PersistentVolumeClaim", "min": {"storage": f"{number}Ki"}}


def _in(place: str) -> Manifest:
    return {"apiVersion": "v1", "metadata": {"name": FIRST, "namespace": place}}


def _post(item: Manifest) -> Request:
    return Request("POST", _path(item), item)


def _path(item: Manifest) -> str:
    return f"/api/v1/namespaces/{item['metadata']['namespace']}/{item['kind'].lower()}s"


def main() -> int:
    """Exit status: 0 no difference, 1 differences."""
    parser = argparse.ArgumentParser(prog="python -m tests.apiserver.scheduler.quotas", description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=1000, help="how many pairs (default: 1000)")
    parser.add_argument("seed", nargs="?", type=int, default=0, help="the first namespace (default: 0)")
    arguments = parser.parse_args()
    with quota_bench() as opened:
        pairs = run(opened, arguments.pairs, arguments.seed)
    different = [pair for pair in pairs if not pair.is_equal]
    sys.stdout.write(f"pairs {len(pairs)}; equal {len(pairs) - len(different)}; refused objects {opened.refused}\n")
    for kind, count in kinds(pairs).most_common():
        sys.stdout.write(f"  {count} {kind}\n")
    for pair in different:
        made = namespace(pair.seed, f"made-{pair.seed}")
        shown = {**msgspec.to_builtins(pair), "quotas": made.quotas, "ranges": made.ranges}
        sys.stdout.write(f"{msgspec.json.encode(shown).decode()}\n")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
