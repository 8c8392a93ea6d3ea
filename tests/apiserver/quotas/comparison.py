"""Creates generated objects with a dry run, and compares the answers with those of ``webhook.scheduling``."""

import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import msgspec

from tests.apiserver.client import Client
from tests.apiserver.quotas import generated
from tests.apiserver.quotas.generated import Json
from tests.waiting import wait_until
from webhook.objects.pods import Pod
from webhook.objects.quotas import LimitRange, PriorityClass, ResourceQuota
from webhook.objects.volumes import VolumeClaim
from webhook.scheduling import limit_ranges
from webhook.scheduling.pod_defaults import stored
from webhook.scheduling.quota import Quotas

T = TypeVar("T")

OBJECTS_PER_NAMESPACE = 25
_CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
_ITEM = re.compile(r", (?=minimum |maximum |[a-z]+ max |spec\.)")


@dataclass
class Comparison:
    """The number of equal answers by kind and outcome, and the differences."""

    equal: Counter[str] = field(default_factory=Counter)
    differences: list[Json] = field(default_factory=list)
    invalid: int = 0
    """Pods that the API server finds invalid for a reason that is not modelled. LimitRanges and quotas are not asked."""

    @property
    def pairs(self) -> int:
        """The number of compared pairs."""
        return self.equal.total() + len(self.differences)


def compare(client: Client, pairs: int, seed: int) -> Comparison:
    """The comparison of at least ``pairs`` pairs."""
    random = Random(seed)
    classes = _priority_classes(client)
    cache = _QuotaCache(client)
    comparison = Comparison()
    while comparison.pairs < pairs:
        namespaces = [
            _namespace(client, random) for _ in range(-(-(pairs - comparison.pairs) // OBJECTS_PER_NAMESPACE))
        ]
        cache.wait_until_current()
        for namespace in namespaces:
            _compare_in(client, namespace, random, classes, comparison)
    return comparison


class _QuotaCache:
    """
    The quotas that the admission plugin has in its cache. The cache receives all changes in order, so it is current when it has
    the last change.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._path = f"/api/v1/namespaces/{client.create_namespace()}"
        self._pods = 0
        value = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": {"pods": "0"}},
        }
        client.create(f"{self._path}/resourcequotas", value)
        self.wait_until_current()

    def wait_until_current(self) -> None:
        self._pods += 1
        path = f"{self._path}/resourcequotas/q/status"
        amounts = {"pods": str(self._pods)}
        status = {"status": {"hard": amounts, "used": amounts}}
        assert self._client.api("PATCH", path, status, content_type="application/merge-patch+json").status == 200
        expected = f"limited: pods={self._pods}"
        pod = generated.pod(Random(0))
        wait_until(lambda: expected in _answer(self._client, f"{self._path}/pods", pod), 60, "the quota to be enforced")


def _priority_classes(client: Client) -> list[PriorityClass]:
    for name, value in generated.CLASSES.items():
        created = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "globalDefault": name == "std",
        }
        assert client.api("POST", _CLASSES, created).status in (201, 409)
    return _listed(client, _CLASSES, PriorityClass)


def _namespace(client: Client, random: Random) -> str:
    """A new namespace with up to two quotas and a LimitRange. A generated object that is not valid is left out."""
    namespace = client.create_namespace("quota")
    base = f"/api/v1/namespaces/{namespace}"
    for index in range(random.choice((0, 1, 1, 2))):
        created, status = generated.quota(random, f"q{index}")
        reply = client.api("POST", f"{base}/resourcequotas", created)
        if reply.status == 201:
            path = f"{base}/resourcequotas/q{index}/status"
            assert client.api("PUT", path, reply.document | {"status": status}).status == 200
    if random.random() < 0.5:
        client.api("POST", f"{base}/limitranges", generated.limit_range(random))
    return namespace


def _compare_in(
    client: Client, namespace: str, random: Random, classes: list[PriorityClass], comparison: Comparison
) -> None:
    base = f"/api/v1/namespaces/{namespace}"
    quotas = _listed(client, f"{base}/resourcequotas", ResourceQuota)
    ranges = _listed(client, f"{base}/limitranges", LimitRange)
    for _ in range(OBJECTS_PER_NAMESPACE):
        if random.random() < 0.2:
            plural, created = "persistentvolumeclaims", generated.claim(random)
        else:
            plural, created = "pods", generated.pod(random)
        theirs = _answer(client, f"{base}/{plural}", created)
        ours = _our_answers(created | {"metadata": {"namespace": namespace}}, quotas, ranges, classes)
        if _parts(theirs) in map(_parts, ours):
            comparison.equal[f"{plural}: {theirs.partition(':')[0][:24] or 'admitted'}"] += 1
        elif theirs.startswith(("spec.", "[spec.")):
            comparison.invalid += 1
        else:
            difference = {"created": created, "theirs": theirs, "ours": ours}
            listed = {"quotas": msgspec.to_builtins(quotas), "ranges": msgspec.to_builtins(ranges)}
            comparison.differences.append(difference | listed)


def _our_answers(
    created: Json, quotas: list[ResourceQuota], ranges: list[LimitRange], classes: list[PriorityClass]
) -> list[str]:
    """The possible answers: the API server names one of several quotas or LimitRanges that refuse. Empty: admitted."""
    if created["kind"] == "PersistentVolumeClaim":
        claim = msgspec.convert(created, VolumeClaim)
        refused = limit_ranges.claim_refusals(claim, ranges)
        answer = Quotas(quotas).claim(claim)
    else:
        pod = stored(msgspec.convert(created, Pod), ranges, classes)
        invalid = limit_ranges.contradictions(pod)
        if invalid and not ranges:
            return [limit_ranges.joined(invalid)]
        refused = limit_ranges.refusals(pod, ranges)
        answer = Quotas(quotas).pod(pod)
    return [refusal.text for refusal in refused or answer.refusals] or [""]


def _answer(client: Client, path: str, created: Json) -> str:
    """The part of the API server's message that names the problem. Empty: admitted."""
    reply = client.api("POST", f"{path}?dryRun=All", created)
    if reply.status == 201:
        return ""
    message = str(reply.document["message"])
    assert reply.status in (403, 422), message
    return re.split(" is (?:invalid|forbidden): ", message, maxsplit=1)[1]


def _parts(text: str) -> Counter[str]:
    """The errors in a text. The API server lists the resources of a constraint in the order of a map."""
    return Counter(_ITEM.split(text.removeprefix("[").removesuffix("]")))


def _listed(client: Client, path: str, kind: type[T]) -> list[T]:
    items: list[Any] = client.api("GET", path).document["items"]
    return [msgspec.convert(item, kind) for item in items]
