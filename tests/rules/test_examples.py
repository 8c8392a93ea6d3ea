"""What a rule's page promises is what the rule does."""

import json
from typing import Any

import pytest

from tests.wrapping import PREFIX, Wrap, before_of, every_example
from webhook.check.check import Settings, check_in
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.cluster import judge_change
from webhook.kubevirt.releases import only, parse_release
from webhook.manifests.objects import objects_in, read_manifests
from webhook.objects.kinds import KINDS
from webhook.objects.meta import Kubernetes
from webhook.objects.path import dotted
from webhook.report.model import ObjectReport
from webhook.rules.rule import Example, Rule


def report_of(manifest: dict[str, Any], example: Example) -> ObjectReport | None:
    inputs = read_manifests(json.dumps(manifest).encode(), "example")
    background = [
        given for each in example.world for given in read_manifests(json.dumps(each).encode(), "world").objects
    ]
    complete = [kind.reads for kind in KINDS if kind.kind == example.complete]
    world = ObjectsWorld((*objects_in(background), *objects_in(inputs.objects)), complete)
    report = check_in(world, [inputs], Settings(release=example.release))
    assert report.problems == []
    return report.objects[0] if report.objects else None


def read(manifest: Any) -> Kubernetes:
    [found] = objects_in(read_manifests(json.dumps(manifest).encode(), "example").objects)
    return found


@pytest.mark.parametrize(
    ("rule", "example", "wrap"),
    [each for each in every_example() if each[1].before],
    ids=lambda each: getattr(each, "id", None) or getattr(each, "title", None) or each.__name__,
)
def test_an_example_of_an_update_gives_its_findings(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    What a rule says of a change needs the object as it was; of the new object alone it says nothing.
    """
    release = parse_release(example.release)
    assert release is not None
    world = ObjectsWorld([read(each) for each in example.world])

    found = judge_change(read(wrap(before_of(example))), read(wrap(example)), world, only(release))

    places = [PREFIX[wrap] + path for path in example.violates]
    assert [dotted(each.path) for each in found if each.rule is rule and not each.undetermined] == places
    report = report_of(wrap(example), example)
    assert [each for each in (report.findings if report else []) if each.rule == rule.id] == []


@pytest.mark.parametrize(
    ("rule", "example", "wrap"),
    [each for each in every_example() if not each[1].before],
    ids=lambda each: getattr(each, "id", None) or getattr(each, "title", None) or getattr(each, "__name__", "whole"),
)
def test_an_example_gives_its_findings(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    Every example of every rule, as each object that can carry it, gives exactly the places that it names.
    """
    prefix = "" if example.needs_machine else PREFIX[wrap]

    report = report_of(wrap(example), example)

    findings = [each for each in (report.findings if report else []) if each.rule == rule.id]
    violated = sorted(each.path for each in findings if each.outcome == "violation")
    undetermined = sorted(each.path for each in findings if each.outcome == "undetermined")
    assert violated == sorted(prefix + path for path in example.violates)
    assert undetermined == sorted(prefix + path for path in example.undetermined)
