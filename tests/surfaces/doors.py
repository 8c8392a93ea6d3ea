"""Admission, dry-run API and command line in this process, with the same manifests and the same policy file."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from click.testing import CliRunner

from tests.surfaces.admission.reviews import review
from tests.surfaces.asgi import Answer, call
from tests.surfaces.running import Program
from webhook.check.check import STATUS_IGNORED
from webhook.facts.world import World
from webhook.manifests.objects import ManifestObject
from webhook.report.building import finding_report, verdict_report
from webhook.report.model import ObjectReport, Report
from webhook.rules.register import about
from webhook.rules.rule import About
from webhook.serve.active_configuration import ConfigurationSource
from webhook.serve.manifest_facts import ManifestSource
from webhook.serve.metrics import Metrics
from webhook.surfaces.admission.endpoint import ActiveConfiguration, AdmissionApp
from webhook.surfaces.admission.validate import Outcome
from webhook.surfaces.api.app import build_api

Manifest = dict[str, Any]


class Quoting(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes all text: PyYAML leaves ``y`` bare, which Kubernetes reads as true."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def as_json(*manifests: Manifest) -> bytes:
    """One object, or a List of them."""
    return json.dumps(
        manifests[0] if len(manifests) == 1 else {"kind": "List", "apiVersion": "v1", "items": manifests}
    ).encode()


def as_yaml(*manifests: Manifest) -> bytes:
    """A stream of documents."""
    text: str = yaml.dump_all(manifests, Dumper=Quoting, sort_keys=False, allow_unicode=True)
    return text.encode()


@dataclass(frozen=True, slots=True)
class Said:
    """The result of one surface for one object, without places and patches, which admission does not have."""

    verdict: Any
    findings: tuple[Any, ...]


class Overheard(ManifestSource):
    """Facts from manifests that also record all decisions of admission, not only the few in its response."""

    outcome: Outcome | None = None

    def needs_confirmation(self, world: World, outcome: Outcome) -> bool:
        """The door asks this of every outcome."""
        self.outcome = outcome
        return super().needs_confirmation(world, outcome)


class Api:
    """The API on facts that change between requests, because building one takes longer than a request."""

    def __init__(self) -> None:
        self.background: list[ManifestObject] = []
        self.configurations: ConfigurationSource | None = None
        self.app = build_api(self._terms, self.background, "")

    def _terms(self) -> ActiveConfiguration:
        assert self.configurations is not None
        return self.configurations()


one_api = cache(Api)


class Doors:
    """All surfaces with one world."""

    def __init__(self, folder: Path, world: Sequence[Manifest], policy: str = "") -> None:
        self.folder = folder
        self.facts_file, self.policy_file = folder / "facts.json", folder / "policy.yaml"
        self.facts_file.write_bytes(as_json({"kind": "List", "apiVersion": "v1", "items": list(world)}))
        self.policy_file.write_text(policy)
        self.facts = Overheard([str(self.facts_file)])
        self.configurations = ConfigurationSource(self.policy_file, "", self.facts.world, lambda: "2026-01-01")
        self.door = AdmissionApp(self.facts, self.configurations, Metrics(), time.monotonic)

    def review(self, manifest: Manifest) -> Answer:
        """The response to the creation of the object."""
        return call(self.door, "POST", "/validate", review("CREATE", manifest), [("content-type", "application/json")])

    def by_admission(self, manifest: Manifest) -> tuple[Said, Answer]:
        """All decisions of admission, and its response."""
        answer = self.review(manifest)
        outcome = self.facts.outcome
        assert outcome is not None
        assert outcome.judgement is not None
        findings = tuple(finding_report(decision) for decision in outcome.decisions)
        return Said(verdict_report(outcome.judgement.verdict), findings), answer

    def by_api(self, manifest: Manifest) -> Said:
        """The result of ``POST /v1/check`` for the object as JSON. The server has the facts."""
        return self._posted("application/json", as_json(manifest), manifest, self.facts.objects)

    def by_api_in_yaml(self, manifest: Manifest, world: Sequence[Manifest]) -> Said:
        """The result if the facts follow the object in one stream of YAML documents."""
        return self._posted("application/yaml", as_yaml(manifest, *world), manifest)

    def by_command_line(self, manifest: Manifest) -> Said:
        """The result of ``migratable check -o json`` for the object in a file."""
        file = self.folder / "object.yaml"
        file.write_bytes(as_yaml(manifest))
        result = CliRunner().invoke(
            Program(),
            ["check", str(file), "-o", "json", "--facts", str(self.facts_file), "--policy", str(self.policy_file)],
        )
        assert result.exit_code in (0, 1), result.output
        return _said(result.stdout_bytes, manifest)

    def _posted(self, kind: str, body: bytes, manifest: Manifest, background: Sequence[ManifestObject] = ()) -> Said:
        api = one_api()
        api.background[:], api.configurations = background, self.configurations
        answer = call(api.app, "POST", "/v1/check", body, [("content-type", kind)])
        assert answer.status == 200, answer.text
        return _said(answer.body, manifest)


OF_MANIFESTS = frozenset(rule.id for rule in about(About.MANIFEST))
"""What an API server refuses or drops before admission; only doors that read manifests can see it."""


def _said(body: bytes, manifest: Manifest) -> Said:
    report = msgspec.json.decode(body, type=Report)
    assert report.problems == []
    (judged_object,) = [judged for judged in report.objects if _is(judged, manifest)]
    nowhere = {"line": None, "column": None, "end_line": None, "end_column": None, "fixes": []}  # they need the text
    findings = (finding for finding in judged_object.findings if finding.rule not in OF_MANIFESTS)
    verdict = judged_object.verdict
    if verdict is not None:  # admission ignores the status of every new object and need not say so
        assumptions = [assumption for assumption in verdict.assumptions if assumption != STATUS_IGNORED]
        verdict = msgspec.structs.replace(verdict, assumptions=assumptions)
    return Said(verdict, tuple(msgspec.structs.replace(finding, **nowhere) for finding in findings))


def _is(judged: ObjectReport, manifest: Manifest) -> bool:
    return (judged.kind, judged.name) == (manifest["kind"], manifest["metadata"]["name"])
