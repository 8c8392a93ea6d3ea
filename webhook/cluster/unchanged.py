"""Whether what a judgement found in the store is still what the API server has: many small reads, no second judgement."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import msgspec

from webhook.cluster.live_reads import accept_of, names_an_object, path_of
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
Objects that are read so for one judgement; more are read in a thread.

KubeVirt's definitions allow 256 volumes (``maxItems`` in v1.9.0's CRDs), and a claim that does not exist costs a second
read, of the DataVolume of its name.
"""
FROM_MEMORY = "?resourceVersion=0"
"""
Lets the API server answer from its own memory, which follows etcd within milliseconds: half of the work for it, and of the
wait for us. Where even that differs from the store, a judgement on what etcd has is made (``confirm``).
"""
AT_ONCE = 16
"""Requests that are on their way together, so that others take their turn in between."""


class _VersionFields(Read, frozen=True):
    uid: str | None = None
    resource_version: str | None = None


class _Versioned(Read, frozen=True):
    metadata: _VersionFields


_versioned = msgspec.json.Decoder(_Versioned)


async def still_so(
    recording: RecordingWorld, reader: AsyncReader, store: Store, within_seconds: float, default_namespace: str = ""
) -> bool:
    """
    Whether every object that was asked for by name is still as it was told, by uid and resourceVersion.

    False also where that cannot be told so simply; nothing raises.
    """
    kinds = {each.kind for each in recording.answers if each.name is not None}
    if not all(recording.trusts(kind) and store.version(kind) for kind in kinds):
        return False
    asked = list(_to_read(recording, store, default_namespace))
    if len(asked) > MOST:
        return False
    until = monotonic() + within_seconds
    for begin in range(0, len(asked), AT_ONCE):
        some = asked[begin : begin + AT_ONCE]
        try:
            answers = await reader.get_all([get for _, _, get in some], until - monotonic())
        except Unavailable:
            return False
        if not all(_is_same(found, answer) for (_, found, _), answer in zip(some, answers, strict=True)):
            return False
    return True


def _to_read(recording: RecordingWorld, store: Store, default: str) -> Iterator[tuple[Question, Found[Any], Get]]:
    """The questions by name; what can be no name was not looked for, and is not read either."""
    for question, found in recording.answers.items():
        if question.name is None:
            continue
        known = BY_CLASS[question.kind]
        space = (question.namespace or default) if known.namespaced else ""
        if invalid_name(known, space, question.name) is None:
            absent = found is ABSENT or found == missing_object(question.kind, space, question.name)
            path = path_of(known, store.version(question.kind), space, question.name)
            yield question, ABSENT if absent else found, Get(path + FROM_MEMORY, accept_of(known))


def _is_same(found: Found[Any], answer: Answer) -> bool:
    if found is ABSENT:
        return answer.status == 404 and names_an_object(answer.body)
    if answer.status != 200 or not isinstance(found, Kubernetes):
        return False
    try:
        now = decode(_versioned, answer.body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    held = found.meta
    return held.resource_version is not None and (held.uid, held.resource_version) == (now.uid, now.resource_version)
