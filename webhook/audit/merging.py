"""Merges the reports of all shards of an audit into the report of the whole audit. This module does no I/O."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from webhook.audit.audit import place_of
from webhook.audit.listing import JUDGED_KINDS
from webhook.errors import BadInput
from webhook.objects.json_depth import decode
from webhook.report.audited import AuditReport, DisagreementReport, Shard
from webhook.report.model import API_VERSION, ObjectReport, ProblemReport, summarise
from webhook.report.sentences import name_of

ShardReport: TypeAlias = tuple[str, AuditReport]
"""The name of a file, and the report in it."""

_KINDS: Final = frozenset(kind.kind for kind in JUDGED_KINDS)
_MACHINES: Final = ("VirtualMachine", "VirtualMachineInstance")
_MOST_NAMED: Final = 10


class _Head(msgspec.Struct, rename="camel"):
    """The fields that tell the report of an audit from other JSON."""

    api_version: str
    shard: Shard


_head = msgspec.json.Decoder(_Head)
_report = msgspec.json.Decoder(AuditReport)


def read_report(content: bytes, source: str) -> AuditReport:
    """The report in a JSON file. Raises BadInput for a file that is not the output of ``migratable audit -o json``."""
    remedy = "Write the file with `migratable audit --shard I/N -o json=FILE`."
    try:
        head, report = decode(_head, content), decode(_report, content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not the JSON report of an audit: {error}", remedy=remedy, source=source) from None
    if head.api_version != API_VERSION:
        message = f"apiVersion is {head.api_version!a}, expected {API_VERSION!a}"
        raise BadInput(message, remedy="Merge with the version of Migratable that made the report.", source=source)
    if not 1 <= head.shard.number <= head.shard.of:
        raise BadInput(f"shard {_shard(head.shard)} does not exist", remedy=remedy, source=source)
    for judged in report.objects:
        if judged.kind not in _KINDS:
            raise BadInput(f"{judged.kind!a} is not a kind that an audit judges", remedy=remedy, source=source)
    return report


def merge(shards: Sequence[ShardReport]) -> AuditReport:
    """
    The report of the whole audit. It equals the report of one run with ``--shard 1/1``.

    Raises BadInput, which names the file, for a missing or duplicate shard, for reports of audits with other options, and for
    an object in two reports.
    """
    _refuse_different_audits(shards)
    _refuse_duplicates(shards)
    _refuse_missing(shards)
    _refuse_shared_objects(shards)
    reports = [report for _, report in sorted(shards, key=lambda shard: shard[1].shard.number)]
    first = reports[0]
    objects = sorted((judged for report in reports for judged in report.objects), key=place_of)
    problems = _problems(reports)
    return AuditReport(
        first.api_version,
        first.profile,
        first.release,
        objects,
        problems,
        sorted({note for report in reports for note in report.notes}),
        summarise(objects, problems),
        shard=Shard(),
        namespaces=first.namespaces,
        unread=tuple(sorted({kind for report in reports for kind in report.unread})),
        is_incomplete=any(report.is_incomplete for report in reports),
        disagreements=tuple(_disagreements(reports, objects)),
    )


def _problems(reports: Sequence[AuditReport]) -> list[ProblemReport]:
    """The problems of all shards, each once: objects that every shard reads can be unreadable in every shard."""
    found = dict.fromkeys(problem for report in reports for problem in report.problems)
    return sorted(found, key=lambda problem: (problem.file, problem.path))


def _disagreements(reports: Sequence[AuditReport], objects: Sequence[ObjectReport]) -> list[DisagreementReport]:
    """The disagreements in the order of their VMs."""
    places: dict[tuple[str, str], int] = {}
    for at, judged in enumerate(objects):
        if judged.kind in _MACHINES:
            places.setdefault((judged.namespace, judged.name), at)
    found = [one for report in reports for one in report.disagreements]
    return sorted(found, key=lambda one: places.get((one.namespace, one.name), len(objects)))


def _refuse_different_audits(shards: Sequence[ShardReport]) -> None:
    name, report = shards[0]
    expected = dict(_options(report))
    for other, another in shards[1:]:
        for option, value in _options(another):
            if value != expected[option]:
                raise BadInput(
                    f"{option} {value} differs from {option} {expected[option]} of {name}",
                    remedy="Merge only reports of one audit, whose shards all ran with the same options.",
                    source=other,
                )


def _options(report: AuditReport) -> Iterator[tuple[str, str]]:
    """The options that all shards of an audit share."""
    yield "number of shards", str(report.shard.of)
    yield "profile", report.profile
    yield "release", report.release
    yield "namespaces", ", ".join(report.namespaces) or "(all)"


def _refuse_duplicates(shards: Sequence[ShardReport]) -> None:
    files: dict[int, str] = {}
    for name, report in shards:
        earlier = files.get(report.shard.number)
        if earlier is not None:
            raise BadInput(
                f"shard {_shard(report.shard)} is also in {earlier}",
                remedy="Name the report of each shard once.",
                source=name,
            )
        files[report.shard.number] = name


def _refuse_missing(shards: Sequence[ShardReport]) -> None:
    of = shards[0][1].shard.of
    missing = sorted({*range(1, of + 1)} - {report.shard.number for _, report in shards})
    if missing:
        named = ", ".join(f"{number}/{of}" for number in missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise BadInput(
            f"{'shard' if len(missing) == 1 else 'shards'} {named}{more} missing",
            remedy=f"Name the reports of all {of} shards.",
            source=", ".join(name for name, _ in shards[:_MOST_NAMED]),
        )


def _refuse_shared_objects(shards: Sequence[ShardReport]) -> None:
    owners: dict[tuple[str, str, str], str] = {}
    for name, report in shards:
        for judged in report.objects:
            place = judged.kind, judged.namespace, judged.name
            earlier = owners.get(place)
            if earlier is not None:
                raise BadInput(
                    f"{name_of(judged)} is also in {earlier}",
                    remedy="Merge only reports of one audit. A namespace belongs to one shard.",
                    source=name,
                )
            owners[place] = name


def _shard(shard: Shard) -> str:
    return f"{shard.number}/{shard.of}"
