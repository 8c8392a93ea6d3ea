"""The shard of a pod of an Indexed Job."""

import pytest

from webhook.errors import Misconfigured
from webhook.report.audited import Shard
from webhook.surfaces.cli.shards import shard_from


def test_the_indexes_of_a_job_cover_all_shards() -> None:
    """
    The Job controller counts from 0, and shards count from 1.
    """
    shards = [shard_from("auto/3", {"JOB_COMPLETION_INDEX": str(index)}) for index in range(3)]

    assert shards == [Shard(1, 3), Shard(2, 3), Shard(3, 3)]


def test_a_written_shard_does_not_depend_on_the_job() -> None:
    """
    As on a command line.
    """
    assert shard_from("2/3", {"JOB_COMPLETION_INDEX": "0"}) == Shard(2, 3)


@pytest.mark.parametrize(
    ("text", "index", "said"),
    [
        ("auto/4", None, "--shard auto/4: the environment variable JOB_COMPLETION_INDEX is not set"),
        ("auto/4", "x", "--shard auto/4: the environment variable JOB_COMPLETION_INDEX is not a number"),
        ("auto/4", "9" * 5000, "--shard auto/4: the environment variable JOB_COMPLETION_INDEX is not a number"),
        ("auto/4", "4", "--shard auto/4: JOB_COMPLETION_INDEX is 4, and the indexes of 4 shards end at 3"),
        ("auto/0", "0", "--shard auto/0: not a shard"),
        ("auto/1001", "0", "--shard auto/1001: not a shard"),
        ("auto", "0", "--shard auto: not a shard"),
        ("5/4", "0", "--shard 5/4: not a shard"),
    ],
)
def test_other_shards_are_refused(text: str, index: str | None, said: str) -> None:
    """
    The remedy says which value is expected.
    """
    environment = {} if index is None else {"JOB_COMPLETION_INDEX": index}

    with pytest.raises(Misconfigured) as refused:
        shard_from(text, environment)

    assert refused.value.message == said
    assert "--shard" in refused.value.remedy or "completions" in refused.value.remedy
