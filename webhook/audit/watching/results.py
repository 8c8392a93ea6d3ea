"""Stores the judgements of all units in little memory, and counts them. This module does no I/O."""

from collections.abc import Iterator, Sequence

import msgspec

from webhook.audit.watching.compression import Compression
from webhook.audit.watching.dependencies import Unit
from webhook.errors import BadInput
from webhook.objects.json_depth import decode
from webhook.report.audit_metrics import Counts
from webhook.report.audited import Audited
from webhook.report.report_objects import ObjectKey, key_of

_decoder = msgspec.json.Decoder(tuple[Audited, ...])


class Difference(msgspec.Struct, frozen=True):
    """The judgements of a unit that differ from the previous ones, and the objects that no longer have a judgement."""

    updated: tuple[Audited, ...] = ()
    removed: tuple[ObjectKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.updated or self.removed)


class Results:
    """The judgements of a cluster. One thread changes them, and any thread reads them."""

    def __init__(self) -> None:
        self._stored: dict[Unit, bytes] = {}
        self._compression = Compression()
        self._problems: dict[Unit, tuple[BadInput, ...]] = {}
        self.counts = Counts()

    def put(self, unit: Unit, judged: Sequence[Audited], problems: Sequence[BadInput] = ()) -> Difference:
        """Replaces the judgements of a unit. A unit without any is forgotten."""
        if problems:
            self._problems[unit] = tuple(problems)
        else:
            self._problems.pop(unit, None)
        content = self._compression.compress(msgspec.json.encode(judged)) if judged else b""
        old = self._stored.get(unit)
        if old is not None and old == content:
            return Difference()
        before = self._read(old)
        known = {key_of(audited): audited for audited in before}
        updated = tuple(audited for audited in judged if known.pop(key_of(audited), None) != audited)
        for audited in before:
            self.counts.remove(audited)
        for audited in judged:
            self.counts.add(audited)
        if judged:
            self._stored[unit] = content
        else:
            self._stored.pop(unit, None)
        # the report about an object that can no longer be read stays, because it can be right
        return Difference(updated, () if problems else tuple(known))

    @property
    def problems(self) -> list[BadInput]:
        """The objects that could not be read, sorted."""
        every = [problem for problems in tuple(self._problems.values()) for problem in problems]
        return sorted(every, key=lambda problem: (problem.source, problem.path))

    def of(self, unit: Unit) -> tuple[Audited, ...]:
        """The judgements of a unit."""
        return self._read(self._stored.get(unit))

    def every(self) -> Iterator[Audited]:
        """Yields the judgements. Their order is not defined."""
        for content in tuple(self._stored.values()):
            yield from self._read(content)

    def _read(self, content: bytes | None) -> tuple[Audited, ...]:
        return () if content is None else decode(_decoder, self._compression.expand(content))
