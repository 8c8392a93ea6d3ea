"""What a rule's page promises is what the rule does."""

import json
from typing import Any

import pytest

from tests.wrapping import PREFIX, Wrap, every_example
from webhook.report.model import ObjectReport
from webhook.resolve.manifests import read_manifests
from webhook.rules.rule import Example, Rule
from webhook.surfaces.checking import Settings, check


def report_of(manifest: dict[str, Any], world: tuple[Any, ...], release: str) -> ObjectReport | None:
    inputs = read_manifests(json.dumps(manifest).encode(), "example")
    background = [given for each in world for given in read_manifests(json.dumps(each).encode(), "world").given]
    report = check([inputs], Settings(release=release), background)
    assert report.problems == []
    return report.objects[0] if report.objects else None


@pytest.mark.parametrize(
    ("rule", "example", "wrap"),
    every_example(),
    ids=lambda each: getattr(each, "id", None) or getattr(each, "title", None) or getattr(each, "__name__", "whole"),
)
def test_an_example_gives_its_findings(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    Every example of every rule, as each object that can carry it, gives exactly the places that it names.
    """
    prefix = "" if example.outer_annotations else PREFIX[wrap]

    report = report_of(wrap(example), example.world, example.release)

    findings = [each for each in (report.findings if report else []) if each.rule == rule.id]
    violated = sorted(each.path for each in findings if each.outcome == "violation")
    undetermined = sorted(each.path for each in findings if each.outcome == "undetermined")
    assert violated == sorted(prefix + path for path in example.violates)
    assert undetermined == sorted(prefix + path for path in example.undetermined)
