"""The response to a request that was judged: its annotations, what is counted, and what the log says."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, review, vm
from webhook.judging.finding import Finding
from webhook.kubevirt.releases import KNOWN
from webhook.objects.review import StatusCause
from webhook.policy.policy import Account, Action, Decision, Lowered, Policy
from webhook.rules.register import RULES
from webhook.rules.rule import Basis
from webhook.surfaces.admission.record import answer_of
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import PASS, Outcome

ONE, OTHER, THIRD = (next(rule for rule in RULES if rule.id == name) for name in ("LM201", "LM105", "LM104"))
CAUSE = StatusCause("FieldValueInvalid", "wrong", "spec")
CREATION = review("CREATE", vm())


@dataclass
class Counting:
    """Keeps what is counted."""

    counted: list[tuple[str, ...]] = field(default_factory=list)

    def reviewed(self, door: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
        raise AssertionError

    def found(self, rule: str, kind: str, action: str) -> None:
        self.counted.append(("found", rule, kind, action))

    def would_deny(self, rule: str) -> None:
        self.counted.append(("would deny", rule))

    def lowered(self, rule: str, reason: Lowered) -> None:
        self.counted.append(("lowered", rule, reason))


def decision(rule: Any, action: Action, lowered: Lowered | None = None) -> Decision:
    return Decision(Finding(rule, Basis.KUBEVIRT, ("spec",), "m", "r", "", KNOWN), action, lowered=lowered)


def answered(outcome: Outcome, body: bytes = CREATION, counting: Counting | None = None) -> dict[str, Any]:
    told = read_review(body)
    assert isinstance(told, DecodedRequest)
    response: dict[str, Any] = json.loads(answer_of(told, "VirtualMachine", outcome, counting or Counting()))[
        "response"
    ]
    return response


def test_each_finding_is_counted_by_rule_kind_and_action() -> None:
    """
    Also what passes and would be denied by the strict policy, and what was lowered for an account.
    """
    counting = Counting()
    decisions = (decision(ONE, Action.DENY), decision(OTHER, Action.WARN, Lowered.KUBEVIRT))

    answered(Outcome((CAUSE,), decisions), counting=counting)

    assert counting.counted == [
        ("found", "LM201", "VirtualMachine", "deny"),
        ("found", "LM105", "VirtualMachine", "warn"),
        ("would deny", "LM105"),
        ("lowered", "LM105", "kubevirt"),
    ]


def test_annotations_name_each_rule_once_and_in_order() -> None:
    """
    ``findings`` for every rule with something to say, ``lowered`` for those whose denial became less.
    """
    decisions = tuple(
        decision(rule, Action.AUDIT, lowered)
        for rule in sorted(RULES, key=lambda item: item.id, reverse=True)[:12]
        for lowered in (Lowered.KUBEVIRT, None, Lowered.KUBEVIRT)
    )
    ids = sorted({item.finding.rule.id for item in decisions})

    assert answered(Outcome((), decisions))["auditAnnotations"] == {
        "findings": ",".join(ids),
        "lowered": ",".join(f"{rule_id}=kubevirt" for rule_id in ids),
    }


def test_the_entry_of_a_listed_account_is_named_where_it_lowered_something() -> None:
    """
    Its owner, its last day and its reason.
    """
    account = Account("velero", "restores", "backup team", "2026-06-30")
    lowered = Outcome((), (decision(ONE, Action.WARN, Lowered.ACCOUNT),), account=account)
    passed = Outcome((), (decision(ONE, Action.WARN),), account=account)

    assert answered(lowered)["auditAnnotations"] == {
        "findings": "LM201",
        "lowered": "LM201=account",
        "account-entry": "backup team, until 2026-06-30: restores",
    }
    assert answered(passed)["auditAnnotations"] == {"findings": "LM201"}


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (vm(), "true"),
        (vm(volumes=[on_claim("single")]), "false"),
        (vm(volumes=[on_claim("gone")]), "unproven"),
    ],
)
def test_an_annotation_contains_the_verdict(manifest: Manifest, said: str) -> None:
    """
    ``true``, ``false`` or ``unproven``; nothing where nothing was judged.
    """
    outcome = decided(review("CREATE", manifest), claim("single", "ReadWriteOnce"), policy=Policy(at_most=Action.WARN))

    assert answered(outcome)["auditAnnotations"]["live-migratable"] == said
    assert answered(PASS) == {"uid": json.loads(CREATION)["request"]["uid"], "allowed": True}


def test_a_kind_without_a_verdict_has_no_such_annotation() -> None:
    """
    A KubeVirt resource is judged, but it is nothing that migrates.
    """
    cr = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "a", "namespace": "b"}, "spec": {}}
    outcome = decided(review("CREATE", cr))

    assert outcome.judgement is not None
    assert "live-migratable" not in answered(outcome).get("auditAnnotations", {})


@pytest.mark.parametrize("causes", [(), (CAUSE,)], ids=["allowed", "denied"])
def test_warnings_of_the_outcome_come_before_those_of_findings(causes: tuple[StatusCause, ...]) -> None:
    """
    In both kinds of response.
    """
    outcome = Outcome(causes, (decision(ONE, Action.WARN),), warnings=("first",))

    assert answered(outcome)["warnings"] == ["first", "Migratable [LM201]: m. R. (spec)"]


@pytest.mark.parametrize(
    ("request_name", "object_name", "told"), [("a", "b", "a"), ("", "b", "b"), ("a", None, "a"), ("", None, None)]
)
def test_a_denial_names_the_object(request_name: str, object_name: str | None, told: str | None) -> None:
    """
    By the name in the request, else by its own; a deletion has no new object.
    """
    machine = vm() | {"metadata": {"name": object_name or "", "namespace": "tenant"}}
    body = json.loads(review("CREATE" if object_name else "DELETE", *((machine,) if object_name else (None, machine))))
    body["request"]["name"] = request_name

    details = answered(Outcome((CAUSE,), ()), json.dumps(body).encode())["status"]["details"]

    assert (details["kind"], details.get("name")) == ("VirtualMachine", told)


def test_a_denial_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """
    With the review's UID, the object, and the rules that denied it, sorted and each once; an allow is not.
    """
    decisions = (
        decision(ONE, Action.DENY),
        decision(OTHER, Action.WARN),
        decision(THIRD, Action.DENY),
        decision(ONE, Action.DENY),
    )

    with caplog.at_level(logging.INFO, "migratable.admission"):
        answered(Outcome((), decisions[1:2]))
        answered(Outcome((CAUSE,), decisions))

    (record,) = caplog.records
    said = {key: record.__dict__[key] for key in ("uid", "kind", "namespace", "object", "rules")}
    assert (record.name, record.getMessage()) == ("migratable.admission", "denied")
    assert said == {
        "uid": json.loads(CREATION)["request"]["uid"],
        "kind": "VirtualMachine",
        "namespace": "tenant",
        "object": "web",
        "rules": ["LM104", "LM201"],
    }
