"""Fixtures of the report tests."""

from collections.abc import Iterator

import pytest

from webhook.report import sarif
from webhook.report.sarif import Json
from webhook.rules.rule import Rule


@pytest.fixture(scope="package", autouse=True)
def described_once() -> Iterator[None]:
    """Each rule is described once for all tests, because most of the time of a small SARIF report is for these texts."""
    describe = sarif._descriptor
    known: dict[int, tuple[Rule, Json]] = {}

    def descriptor(rule: Rule) -> Json:
        if id(rule) not in known:
            known[id(rule)] = rule, describe(rule)
        return known[id(rule)][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sarif, "_descriptor", descriptor)
        yield
