"""Stores and worlds for tests."""

import json
from collections.abc import Mapping
from typing import Any

from tests.clocks import Clock
from tests.cluster.fake_apiserver import FakeTransport
from webhook.cluster.facts import WATCHED
from webhook.cluster.live_reads import LiveReads
from webhook.cluster.lookups import LiveWorld, Question, RecordingWorld
from webhook.cluster.store import Store
from webhook.objects.meta import Kubernetes

OS = "/api/v1/namespaces/shop/persistentvolumeclaims/os"


def store_of(clock: Clock, objects: Mapping[type[Kubernetes], list[dict[str, Any]]]) -> Store:
    """A store with all watched kinds, of which those in ``objects`` are listed."""
    store = Store(WATCHED, clock)
    for kind, documents in objects.items():
        seen = [store.read(kind, json.dumps(one).encode(), "v1") for one in documents]
        store.replace(kind, seen, "v1")
    return store


def confirming(
    recording: RecordingWorld, transport: FakeTransport, store: Store, clock: Clock, seconds: float = 1.0
) -> LiveWorld:
    return LiveWorld(recording, LiveReads(transport, store.version, clock), clock() + seconds, clock=clock)


def named(recording: RecordingWorld) -> list[Question]:
    return [question for question in recording.answers if question.name is not None]
