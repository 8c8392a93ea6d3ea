"""The generated files are up to date and agree with the code."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from deploy import generate
from tests.deploy.manifests import KUSTOMIZE
from webhook.errors import Misconfigured
from webhook.manifests.policy_file import parse_policy
from webhook.surfaces.admission.configurations import Installation, mutating, validating

SCHEMA = json.loads((KUSTOMIZE / "base" / "policy.schema.json").read_text())
SOMEBODY = {"rule": "LM201", "reason": "ticket 42", "owner": "storage team", "until": "2027-01-31"}


def test_nothing_generated_is_out_of_date() -> None:
    """
    After a change of a rule, the policy or a hook, the generator must run.
    """
    assert generate.stale() == [], "run python deploy/generate.py"


def test_a_file_that_differs_is_named_and_written(tmp_path: Path) -> None:
    """
    Only what differs is written, and afterwards nothing does.
    """
    generate.write(tmp_path)
    name = "kustomize/components/fail-closed/failurepolicy.yaml"
    (tmp_path / name).write_text("webhooks: []\n")

    differing, written = generate.stale(tmp_path), generate.write(tmp_path)

    assert (differing, written, generate.stale(tmp_path)) == ([name], [name], [])


@pytest.mark.parametrize("made", [validating(Installation()), mutating(Installation())], ids=lambda made: made["kind"])
def test_folded_expressions_are_the_codes_own(made: dict[str, Any]) -> None:
    """
    How an expression is broken into lines changes nothing in it.
    """
    which = "validating" if made["kind"].startswith("V") else "mutating"
    text = (KUSTOMIZE / "base" / "webhooks" / f"{which}.yaml").read_text()

    written = yaml.safe_load(text)

    assert written["webhooks"] == made["webhooks"]


@pytest.mark.parametrize(
    ("policy", "good"),
    [
        ({}, True),
        ({"profile": "exact", "actions": {"LM201": "off", "claim-not-shared": "audit"}}, True),
        ({"profile": "lenient"}, False),
        ({"atMost": "warn", "namespaces": [{"labels": {"env": "dev"}, "atMost": "deny"}]}, True),
        ({"actions": {"LM999": "off"}}, False),
        ({"actions": {"LM201": "on"}}, False),
        ({"action": {"LM201": "off"}}, False),
        ({"exemptions": [SOMEBODY]}, True),
        ({"exemptions": [SOMEBODY | {"namespace": "legacy", "kind": "VirtualMachine", "name": "db"}]}, True),
        ({"exemptions": [SOMEBODY | {"until": "next year"}]}, False),
        ({"exemptions": [SOMEBODY | {"reason": " "}]}, False),
        ({"exemptions": [SOMEBODY | {"rule": "no-such-rule"}]}, False),
        ({"exemptions": [{"rule": "LM201"}]}, False),
        ({"namespaces": [{"names": ["legacy"], "actions": {"LM201": "warn"}}]}, True),
        ({"namespaces": [{"names": ["legacy"], "actions": {"LM999": "warn"}}]}, False),
        ({"migrationSettings": {"bandwidthPerMigration": "64Mi", "parallelMigrationsPerCluster": 5}}, True),
        ({"defaultEvictionStrategy": "LiveMigrate", "defaultMigrationSettings": False}, True),
        ({"defaultMigrationSettings": "no"}, False),
        ({"defaultEvictionStrategy": "Migrate"}, False),
        ({"defaultEvictionStrategy": None}, True),
        ({"migrationSettings": {"bandwidth": "64Mi"}}, False),
    ],
)
def test_schema_and_server_agree_about_a_policy(policy: dict[str, Any], good: bool) -> None:
    """
    The schema and the server accept the same policies.
    """
    try:
        parse_policy(json.dumps(policy).encode(), "policy.yaml")
        accepted = True
    except Misconfigured:
        accepted = False

    assert (accepted, jsonschema_rs.Draft7Validator(SCHEMA).is_valid(policy)) == (good, good)
