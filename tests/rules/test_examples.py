"""Every example of a rule has exactly the findings that the rule's page shows."""

import json
from typing import Any

import pytest

from tests.wrapping import PREFIX, Wrap, before_of, every_example, objects_in
from webhook.check.check import Settings, check_in
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.cluster import judge_change
from webhook.kubevirt.releases import only, parse_release
from webhook.manifests.objects import read_manifests
from webhook.objects.kinds import KINDS
from webhook.objects.meta import Kubernetes
from webhook.objects.path import dotted
from webhook.report.model import ObjectReport
from webhook.rules.rule import Example, Rule


def report_of(manifest: dict[str, Any], example: Example) -> ObjectReport | None:
    inputs = read_manifests(json.dumps(manifest).encode(), "example")
    world = ObjectsWorld((*objects_in(inputs.objects), *map(read, example.world)), complete_kinds(example))
    others = [read_manifests(json.dumps(item).encode(), "other") for item in example.world]
    report = check_in(world, [inputs, *others], Settings(release=example.release))
    assert report.problems == []
    return next((judged for judged in report.objects if judged.source and judged.source.file == "example"), None)


def complete_kinds(example: Example) -> list[type[Kubernetes]]:
    return [kind.reads for kind in KINDS if kind.kind == example.complete]


def read(manifest: Any) -> Kubernetes:
    [item] = objects_in(read_manifests(json.dumps(manifest).encode(), "example").objects)
    return item


def name_of(parameter: Any) -> str:
    """The rule's id, the example's title, or the name of the wrapping, which has none for a whole network."""
    for attribute in ("id", "title", "__name__"):
        if name := getattr(parameter, attribute, None):
            return str(name)
    return "whole"


EXAMPLES = every_example()


@pytest.mark.parametrize(
    ("rule", "example", "wrap"), [parameters for parameters in EXAMPLES if parameters[1].before], ids=name_of
)
def test_an_example_of_an_update_has_its_findings(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    A rule about a change needs the old object. For the new object alone it has no finding.
    """
    release = parse_release(example.release)
    assert release is not None
    world = ObjectsWorld([read(item) for item in example.world])

    findings = judge_change(read(wrap(before_of(example))), read(wrap(example)), world, only(release))

    paths = [PREFIX[wrap] + path for path in example.violates]
    assert [dotted(finding.path) for finding in findings if finding.rule is rule and not finding.undetermined] == paths
    report = report_of(wrap(example), example)
    assert [finding for finding in (report.findings if report else []) if finding.rule == rule.id] == []


@pytest.mark.parametrize(
    ("rule", "example", "wrap"), [parameters for parameters in EXAMPLES if not parameters[1].before], ids=name_of
)
def test_an_example_has_its_findings(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    Each example, in each kind of object that can contain it, has findings at exactly the fields that it names.
    """
    prefix = "" if example.needs_vm else PREFIX[wrap]

    report = report_of(wrap(example), example)

    findings = [finding for finding in (report.findings if report else []) if finding.rule == rule.id]
    violated = sorted(finding.path for finding in findings if finding.outcome == "violation")
    undetermined = sorted(finding.path for finding in findings if finding.outcome == "undetermined")
    assert violated == sorted(prefix + path for path in example.violates)
    assert undetermined == sorted(prefix + path for path in example.undetermined)
