"""The backstop in kustomize and in the chart: the policies of the code, and parameters from the policy file."""

from typing import Any

import msgspec
import pytest
import yaml

from tests.deploy.charts import template
from tests.deploy.manifests import KUSTOMIZE, of_kind
from webhook.kubevirt.releases import SUPPORTED
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.configurations import Installation
from webhook.surfaces.backstop.objects import objects
from webhook.surfaces.backstop.parameters import Parameters, parameters
from webhook.surfaces.backstop.policies import policies

BACKSTOP = KUSTOMIZE / "components" / "backstop"
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ConfigMap")
TODAY = "2026-06-01"
ON = {"backstop": {"enabled": True}}
SIGNED = {"reason": "ticket 42", "owner": "storage team"}
BACKUP = "system:serviceaccount:velero:velero"

POLICIES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "help": {"help": 'https://wiki.example/it\'s "#migration", or #vm-platform'},
    "exact": {"profile": "exact"},
    "actions by id and name": {"actions": {"LM302": "warn", "host-device": "audit", "LM201": "off", "LM103": "deny"}},
    "nothing is refused": {"atMost": "warn"},
    "only in some namespaces": {"atMost": "warn", "namespaces": [{"names": ["prod"], "atMost": "deny"}]},
    "namespaces": {
        "actions": {"gpu": "warn"},
        "namespaces": [
            {"names": ["one", "two"], "labels": {"env": "dev", "app/tier": "a"}, "profile": "exact"},
            {"labels": {"env": "test"}, "atMost": "audit"},
            {"names": ["three"], "actions": {"LM302": "deny"}},
            {"actions": {"LM302": "deny"}},
        ],
    },
    "exemptions": {
        "exemptions": [
            {"rule": "gpu", "namespace": "legacy", "until": "2099-01-01", **SIGNED},
            {"rule": "LM301", "name": "db", "kind": "VirtualMachine", "until": "2099-01-01", **SIGNED},
            {"rule": "LM101", "until": "2020-01-01", **SIGNED},
        ]
    },
    "accounts": {
        "accounts": [
            {"account": BACKUP, "until": "2099-01-01", **SIGNED},
            {"account": "jane", "namespace": "team", "atMost": "audit", "until": "2099-01-01", **SIGNED},
            {"account": "past", "until": "2020-01-01", **SIGNED},
        ]
    },
    "evictionStrategy": {"honourEvictionStrategy": True},
}


def test_folded_expressions_are_the_codes_own() -> None:
    """
    How an expression is broken into lines changes nothing in it.
    """
    written = list(yaml.safe_load_all((BACKSTOP / "policies.yaml").read_text()))

    assert [policy["spec"] for policy in written] == [policy["spec"] for policy in policies()]


@pytest.mark.apiserver
@pytest.mark.helm
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_chart_and_the_code_agree_about_the_backstop(policy: dict[str, Any]) -> None:
    """
    The chart's parameters are those of the code for the same policy file, of what it denies; policies and bindings are
    always the same.
    """
    wanted = parameters(msgspec.convert(policy, Policy), SUPPORTED, TODAY)
    expected = objects([parameter for parameter in wanted if parameter.action is Action.DENY], Installation())

    rendered = template(ON | {"policy": policy})

    assert _said(rendered, "ConfigMap") == _said(expected, "ConfigMap")
    for kind in KINDS[:2]:
        assert _said(rendered, kind) == _said(objects([Parameters(Action.DENY)], Installation()), kind)


@pytest.mark.apiserver
@pytest.mark.helm
@pytest.mark.parametrize("values", [{}, ON | {"mode": "warn"}, ON | {"mode": "audit"}], ids=["off", "warn", "audit"])
def test_the_chart_has_no_backstop_if_nothing_is_denied(values: dict[str, Any]) -> None:
    """
    Nor by default: an upgrade refuses nothing that passed before.
    """
    assert of_kind(template(values), *KINDS[:2]) == []


def _said(manifests: Any, kind: str) -> list[Any]:
    """The objects of the backstop, without labels."""
    ours = [manifest for manifest in of_kind(tuple(manifests), kind) if "backstop" in manifest["metadata"]["name"]]
    said = [(manifest["metadata"]["name"], manifest.get("spec") or manifest["data"]) for manifest in ours]
    return sorted(said, key=str)
