"""KubeVirt 1.10, which is known before it is published."""

import pytest

from tests.kubevirt.building import Manifest, verdict
from tests.kubevirt.test_fragments import ROWS, Fragment, around
from webhook.check.check import choose_release
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import (
    KNOWN,
    NEWEST,
    PREVIEW,
    PUBLISHED,
    SUPPORTED,
    describe,
    only,
    releases_phrase,
    since,
)
from webhook.rules.register import RULES


@pytest.mark.parametrize(("fragment", "manifest"), ROWS)
def test_its_verdicts_are_those_of_the_newest_release(fragment: Fragment, manifest: Manifest) -> None:
    """
    The code that sets the condition is the same.
    """
    assert verdict(manifest, around(fragment), PREVIEW) == verdict(manifest, around(fragment), NEWEST)


def test_each_rule_holds_in_it_as_in_the_newest_release() -> None:
    """
    A rule that is limited to the newest release must include the next one.
    """
    unlike = [rule.id for rule in RULES if bool(rule.kubevirt & only(NEWEST)) != bool(rule.kubevirt & only(PREVIEW))]

    assert unlike == []


def test_any_does_not_include_it() -> None:
    """
    A finding that holds only in the preview is reported only on request.
    """
    assert choose_release("any", ObjectsWorld([])).releases == SUPPORTED
    assert SUPPORTED & only(PREVIEW) == 0
    assert KNOWN & ~only(PREVIEW) == PUBLISHED


def test_ranges_of_published_releases_do_not_end_at_it() -> None:
    """
    "from 1.9 on" is short for the newest release and its successors.
    """
    assert releases_phrase(since(NEWEST)) == releases_phrase(only(NEWEST)) == "from 1.9 on"
    assert describe(since(NEWEST)) == "1.9"
