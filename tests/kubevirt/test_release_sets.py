"""Sets of releases, their groups and descriptions, and newer releases (webhook.kubevirt.releases)."""

import pytest

from webhook.kubevirt.releases import (
    KNOWN,
    NEWEST,
    NONE,
    OLDEST,
    PREVIEW,
    PUBLISHED,
    SUPPORTED,
    Reason,
    Release,
    Releases,
    before,
    behaviours,
    describe,
    giving,
    judged_as,
    newest,
    only,
    parse_release,
    since,
    split,
)

R1_2, R1_3, R1_4, R1_6, R1_9 = (Release(1, minor) for minor in (2, 3, 4, 6, 9))


@pytest.mark.parametrize(
    ("releases", "changes", "groups"),
    [
        (KNOWN, [], [KNOWN]),
        (KNOWN, [R1_6, R1_3], [0b111, 0b111000, 0b11111000000]),
        (SUPPORTED, [R1_3], [SUPPORTED]),
        (0b111, [R1_3], [0b111]),
        (0b1000000001, [R1_3, R1_6], [1, 0b1000000000]),
        (NONE, [R1_3], []),
    ],
)
def test_a_set_is_split_where_changes_begin(releases: Releases, changes: list[Release], groups: list[Releases]) -> None:
    """
    Oldest first, without empty groups.
    """
    assert [*split(releases, changes)] == groups


def test_entries_are_listed_oldest_first() -> None:
    """
    The newest one is the last.
    """
    some = only(R1_4) | only(R1_2)

    assert [behaviour.release for behaviour in behaviours(some)] == [R1_2, R1_4]
    assert newest(some).release == R1_4
    assert newest(only(OLDEST)).release == OLDEST
    assert giving(Reason.DEDICATED_CPU) == only(OLDEST)
    assert giving(Reason.TDX) == since(Release(1, 7))


@pytest.mark.parametrize(
    ("releases", "among", "words"),
    [
        (SUPPORTED, SUPPORTED, "all"),
        (KNOWN, SUPPORTED, "all"),
        (SUPPORTED, PUBLISHED, "1.3 and later"),
        (SUPPORTED, KNOWN, "1.3 to 1.9"),
        (NONE, KNOWN, "none"),
        (only(R1_9), KNOWN, "1.9"),
        (only(OLDEST), KNOWN, "1.0"),
        (only(OLDEST), only(OLDEST), "all"),
        (before(R1_3), KNOWN, "1.0 to 1.2"),
        (before(R1_3), SUPPORTED, "none"),
        (only(R1_2) | only(R1_4) | only(R1_6) | only(R1_9), KNOWN, "1.2, 1.4, 1.6, 1.9"),
        (only(R1_3) | only(R1_4) | only(R1_6), KNOWN, "1.3 to 1.4, 1.6"),
        (only(Release(1, 8)) | only(R1_9), SUPPORTED, "1.8 and later"),
    ],
)
def test_runs_of_releases_are_described(releases: Releases, among: Releases, words: str) -> None:
    """
    Only the judged releases count.
    """
    assert describe(releases, among) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1.9+x", R1_9),
        ("1.9-x", R1_9),
        ("1.9.x", R1_9),
        ("vv1.9", None),
        ("0001.0009", R1_9),
        ("00001.9", None),
        ("1.00009", None),
        ("1.9\n", R1_9),
    ],
)
def test_a_version_goes_on_after_a_separator(text: str, expected: Release | None) -> None:
    """
    Its numbers have at most four digits.
    """
    assert parse_release(text) == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (Release(0, 59), None),
        (OLDEST, OLDEST),
        (R1_4, R1_4),
        (NEWEST, NEWEST),
        (PREVIEW, PREVIEW),
        (Release(1, 11), PREVIEW),
        (Release(2, 0), PREVIEW),
    ],
)
def test_a_newer_release_is_judged_as_the_newest(release: Release, expected: Release | None) -> None:
    """
    An older one is not judged.
    """
    assert judged_as(release) == expected
