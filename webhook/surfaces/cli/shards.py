"""The shard of a pod of an Indexed Job."""

from collections.abc import Mapping
from typing import Final

from webhook.audit.scope import MOST_SHARDS, parse_shard
from webhook.errors import Misconfigured
from webhook.objects.whole_number import whole_number
from webhook.report.audited import Shard

AUTO: Final = "auto"
INDEX: Final = "JOB_COMPLETION_INDEX"
"""The Job controller sets this variable in each container of an Indexed Job. It counts from 0."""


def shard_from(text: str, environment: Mapping[str, str]) -> Shard:
    """Reads ``I/N``, and ``auto/N`` in a pod of an Indexed Job. Raises Misconfigured for another text or index."""
    number, _, of = text.partition("/")
    if number != AUTO:
        return parse_shard(text)
    try:
        shards = parse_shard(f"1/{of}").of
    except Misconfigured:
        raise Misconfigured(
            f"--shard {text}: not a shard", remedy=f"Write auto/N with N up to {MOST_SHARDS}, such as --shard auto/4."
        ) from None
    index = whole_number(environment.get(INDEX, ""))
    if index is None:
        raise Misconfigured(
            f"--shard {text}: the environment variable {INDEX} is {'not a number' if environment.get(INDEX) else 'not set'}",
            remedy="Run the command in a Job with completionMode Indexed, or write --shard I/N.",
        )
    if index >= shards:
        raise Misconfigured(
            f"--shard {text}: {INDEX} is {index}, and the indexes of {shards} shards end at {shards - 1}",
            remedy="Set completions of the Job to the number of shards.",
        )
    return Shard(index + 1, shards)
