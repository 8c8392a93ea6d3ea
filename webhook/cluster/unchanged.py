"""Checks that the cached objects of a judgement are current. The check takes many small reads instead of a second judgement."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

import msgspec

from webhook.cluster.live_reads import accept_of, missing_name, path_of
from webhook.cluster.lookups import Question, RecordingWorld
from webhook.cluster.messages import invalid_name, missing_object
from webhook.cluster.ports import Answer, AsyncReader, Get
from webhook.cluster.store import Store
from webhook.errors import Unavailable
from webhook.facts.unknown import ABSENT, Found
from webhook.objects.json_depth import decode
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes, Read

MOST = 1024
"""
The limit of objects for this check. A judgement with more is repeated in a thread.

KubeVirt's CRDs allow 256 volumes (``maxItems``, v1.9.0). A missing PVC needs a second read: the DataVolume of the same name.
"""
FROM_MEMORY = "?resourceVersion=0"
"""
The API server answers from its watch cache, which follows etcd within milliseconds. That halves its work and the wait.
If the result differs from the store, the judgement is repeated with objects from etcd (``confirm``).
"""
AT_ONCE = 16
"""Maximum number of requests in one pipeline. Other callers can use the connection between two pipelines."""


class _VersionFields(Read, frozen=True):
    uid: str | None = None
    resource_version: str | None = None


class _Versioned(Read, frozen=True):
    metadata: _VersionFields


_versioned = msgspec.json.Decoder(_Versioned)


async def is_unchanged(
    recording: RecordingWorld, reader: AsyncReader, store: Store, within_seconds: float, default_namespace: str = ""
) -> bool:
    """
    Whether every object that was looked up by name still has the same uid and resourceVersion. Returns False if a read fails or
    the cache cannot be trusted. Never raises.
    """
    named = recording.objects()
    versions = {lookup.kind: store.version(lookup.kind) for lookup, _ in named}
    if not all(versions.values()) or not all(map(recording.trusts, versions)):
        return False
    reads = [read for lookup, cached in named if (read := _to_read(lookup, cached, versions, default_namespace))]
    if len(reads) > MOST:
        return False
    until = monotonic() + within_seconds
    for begin in range(0, len(reads), AT_ONCE):
        batch = reads[begin : begin + AT_ONCE]
        try:
            answers = await reader.get_all([get for _, _, get in batch], until - monotonic())
        except Unavailable:
            return False
        if not all(_is_same(cached, name, answer) for (cached, name, _), answer in zip(batch, answers, strict=True)):
            return False
    return True


def _to_read(
    lookup: Question, cached: Found[Any], versions: Mapping[type[Kubernetes], str], default: str
) -> tuple[Found[Any], str, Get] | None:
    """Returns the recorded result, the name and the request that confirms the result, or None for an invalid name."""
    kind, name = lookup.kind, lookup.name or ""
    known = BY_CLASS[kind]
    space = (lookup.namespace or default) if known.namespaced else ""
    if not isinstance(cached, Kubernetes):  # the name of a stored object is valid
        if invalid_name(known, space, name) is not None:
            return None
        if cached == missing_object(kind, space, name):
            cached = ABSENT
    return cached, name, Get(path_of(known, versions[kind], space, name) + FROM_MEMORY, accept_of(known))


def _is_same(cached: Found[Any], name: str, answer: Answer) -> bool:
    """Whether the object is unchanged. A response about another object never counts, also if a server confuses two responses."""
    if cached is ABSENT:
        return answer.status == 404 and missing_name(answer.body) == name
    if answer.status != 200 or not isinstance(cached, Kubernetes):
        return False
    try:
        now = decode(_versioned, answer.body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    meta = cached.meta
    return meta.resource_version is not None and (meta.uid, meta.resource_version) == (now.uid, now.resource_version)
