"""The limits and the text of a response with many findings."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from webhook.judging.finding import Finding
from webhook.kubevirt.releases import KNOWN
from webhook.objects.review import StatusCause
from webhook.policy.policy import Action, Decision
from webhook.report.printable import MAX
from webhook.rules.register import RULES
from webhook.rules.rule import Basis, Rule
from webhook.surfaces.admission.responses import (
    MAX_CAUSES,
    MAX_MESSAGE,
    MAX_WARNING,
    MAX_WARNINGS,
    allowed,
    cause_of,
    certain_lead,
    denied,
    lead_of,
    patched,
    warning_of,
    warnings_of,
)

RULE = next(rule for rule in RULES if rule.id == "LM201")
FINDING = Finding(RULE, Basis.KUBEVIRT, ("spec", "volumes", 0), "claim 'os' is ReadWriteOnce", "Share it.", "os", KNOWN)


def test_a_cause_reads_as_kubectl_prints_it() -> None:
    """
    The message, the remedy and the rule.
    """
    assert cause_of(Decision(FINDING, Action.DENY)) == StatusCause(
        "FieldValueInvalid",
        "claim 'os' is ReadWriteOnce. Share it. [LM201 claim-not-shared]",
        "spec.volumes[0]",
    )


def test_the_first_ten_causes_are_listed_and_the_others_counted() -> None:
    """
    An API server is not sent a book; what is left out is not silent.
    """
    causes = [StatusCause("FieldValueInvalid", f"wrong {index}", f"spec.volumes[{index}]") for index in range(25)]

    status = json.loads(denied("1", "VirtualMachine", "web", causes))["response"]["status"]

    told = [cause["message"] for cause in status["details"]["causes"]]
    assert told == [*(f"wrong {index}" for index in range(10)), "15 more problems are not shown"]
    assert status["message"].startswith("spec.volumes[0]: wrong 0; spec.volumes[1]: wrong 1; ")
    assert status["message"].endswith("; spec.volumes: 15 more problems are not shown")


def test_ten_causes_are_listed_without_a_count() -> None:
    """
    Nothing is counted where nothing is left out.
    """
    causes = [StatusCause("FieldValueInvalid", "wrong", "spec")] * 10

    status = json.loads(denied("1", "", "", causes))["response"]["status"]

    assert len(status["details"]["causes"]) == 10


def test_a_long_message_is_cut() -> None:
    """
    At 4 KiB of characters, visibly.
    """
    causes = [StatusCause("FieldValueInvalid", "x" * 500, "spec")] * 10

    message = json.loads(denied("1", "", "", causes))["response"]["status"]["message"]

    assert len(message) == MAX_MESSAGE
    assert message.endswith("…")


def test_only_warnings_become_warnings() -> None:
    """
    Audited findings are for the audit log, denied ones for the refusal.
    """
    decisions = [Decision(FINDING, action) for action in Action]

    assert warnings_of(decisions) == ["Migratable [LM201]: claim 'os' is ReadWriteOnce. Share it. (spec.volumes[0])"]


def test_more_than_ten_warnings_are_nine_and_a_number() -> None:
    """
    API servers drop what is too much, so we choose.
    """
    warnings = warnings_of([Decision(FINDING, Action.WARN)] * 12)

    assert len(warnings) == 10
    assert warnings[-1] == "Migratable: 3 more findings are not shown; see the audit report"


@given(st.text(), st.text(min_size=1))
def test_a_warning_is_one_printable_line(message: str, key: str) -> None:
    """
    An API server silently drops warnings with control characters.
    """
    finding = replace(FINDING, message=message, path=("metadata", "annotations", key))

    (warning,) = warnings_of([Decision(finding, Action.WARN)])

    assert warning.isprintable()
    assert len(warning) <= MAX_WARNING


@example("\U000e0041" * 2000, "\x1b" * 2000, "k")
@given(st.text(), st.text(), st.text(min_size=1))
def test_a_cause_is_printable_and_bounded(message: str, remedy: str, key: str) -> None:
    """
    Terminals are written to as they are: no escape sequence gets through.
    """
    cause = cause_of(Decision(replace(FINDING, message=message, remedy=remedy, path=("a", key)), Action.DENY))

    assert cause.message.isprintable()
    assert cause.field.isprintable()
    assert len(cause.message) <= 2 * MAX + len(". ") + len(f" [{RULE.id} {RULE.name}]")


def test_a_plain_allow_has_two_fields() -> None:
    """
    Absent warnings, annotations and patches are left out, because an API server reads null and empty ones, too.
    """
    for answer in (allowed("1"), allowed("1", [], {}), patched("1", [])):
        assert json.loads(answer)["response"] == {"uid": "1", "allowed": True}


def test_a_patch_includes_its_warnings() -> None:
    """
    A patch and a warning are parts of one answer.
    """
    answer = json.loads(patched("1", [{"op": "remove", "path": "/spec/a"}], ["look"]))["response"]

    assert answer.pop("patch")
    assert answer == {"uid": "1", "allowed": True, "patchType": "JSONPatch", "warnings": ["look"]}


def test_a_denial_is_a_status_with_reason_invalid() -> None:
    """
    Code 422 and reason Invalid, the object's kind and name, and no group; each cause has the reason of a wrong value.
    """
    causes = [StatusCause("FieldValueInvalid", f"wrong {index}", "spec") for index in range(MAX_CAUSES + 1)]

    status = json.loads(denied("1", "VirtualMachine", "web", causes))["response"]["status"]

    details = status["details"]
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert (details["kind"], details["name"], "group" in details) == ("VirtualMachine", "web", False)
    assert {cause["reason"] for cause in details["causes"]} == {"FieldValueInvalid"}
    assert details["causes"][-1] == {
        "reason": "FieldValueInvalid",
        "message": "1 more problem is not shown",
        "field": "spec",
    }


def test_the_limits_are_those_of_api_servers_and_kubectl() -> None:
    """
    Ten causes, ten warnings of 256 characters, and a message of 4 KiB.
    """
    assert (MAX_CAUSES, MAX_WARNINGS, MAX_WARNING, MAX_MESSAGE) == (10, 10, 256, 4096)


@pytest.mark.parametrize(("length", "told"), [(4096, "x" * 4096), (4097, "x" * 4095 + "…")])
def test_a_message_is_cut_only_where_it_is_too_long(length: int, told: str) -> None:
    """
    4,096 characters are shown as they are; of one more, 4,095 and an ellipsis are.
    """
    status = json.loads(denied("1", "", "", [StatusCause("FieldValueInvalid", "x" * length, "")]))["response"]["status"]

    assert status["message"] == told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("x" * 240, "Migratable: " + "x" * 240 + " (a)"),
        ("x" * 241, "Migratable: A field of this object cannot be judged. (a)"),
        ("First sentence. " + "y" * 300, "Migratable: First sentence. (a)"),
        ("z" * 300, "Migratable: A field of this object cannot be judged. (a)"),
    ],
)
def test_a_warning_without_finding_is_never_cut_inside_a_sentence(message: str, told: str) -> None:
    """
    Its path comes last; of a message that is too long, the first sentence is shown, or a general one.
    """
    assert warning_of(StatusCause("FieldValueInvalid", message, "a")) == told


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("enforced", [False, True])
def test_every_rule_has_a_short_form_that_fits_with_a_remedy_and_the_path(rule: Rule, enforced: bool) -> None:
    """
    However long message and remedy of a finding are, a warning is whole sentences and then the path.
    """
    finding = replace(FINDING, rule=rule, message="m" * 300, remedy="r" * 300, path=("spec", "template", "spec", "x"))

    (warning,) = warnings_of([Decision(finding, Action.WARN, denied_when_enforced=enforced)])

    openings = (
        ("allowed now (mode warn), refused in mode enforce: ", "refused in mode enforce: ") if enforced else ("",)
    )
    shorts = (f"{rule.summary} ", f"{rule.name}. ")
    assert warning.startswith(
        tuple(f"Migratable [{rule.id}]: {opening}{short}" for opening in openings for short in shorts)
    )
    assert rule.remediation.partition(". ")[0].rstrip(".") in warning
    assert warning.endswith(". (spec.template.spec.x)")


def test_the_help_line_follows_the_warnings_within_their_number() -> None:
    """
    Ten warnings with a help line are eight findings, a number and the line. Without warnings there is no line.
    """
    warnings = warnings_of([Decision(FINDING, Action.WARN)] * 10, "Help: team-vm@example.com")

    assert (len(warnings), warnings[8:]) == (
        10,
        ["Migratable: 2 more findings are not shown; see the audit report", "Help: team-vm@example.com"],
    )
    assert warnings_of([Decision(FINDING, Action.AUDIT)], "Help: team-vm@example.com") == []


def test_ten_warnings_are_listed_without_a_count() -> None:
    """
    All of ten warnings are shown. Of eleven, nine are shown, and the others are counted.
    """
    ten, eleven = (warnings_of([Decision(FINDING, Action.WARN)] * count) for count in (10, 11))

    assert ten == warnings_of([Decision(FINDING, Action.WARN)]) * 10
    assert eleven == [*ten[:9], "Migratable: 2 more findings are not shown; see the audit report"]


def test_a_warning_names_the_place_in_the_object_that_the_user_edits() -> None:
    """
    Where a decision has a place of its own, such as a field of HyperConverged, the warning shows that.
    """
    decision = Decision(FINDING, Action.WARN, place="spec.liveMigrationConfig")

    assert warnings_of([decision]) == [
        "Migratable [LM201]: claim 'os' is ReadWriteOnce. Share it. (spec.liveMigrationConfig)"
    ]


def test_a_denial_starts_with_the_reason_in_the_first_cause_and_in_the_message() -> None:
    """
    kubectl prints the causes, other clients the message. Both name Migratable and live migration first, and end with the
    help line. The first cause does not repeat that the VM cannot be live-migrated.
    """
    lead = certain_lead("VirtualMachine")
    causes = [
        StatusCause("FieldValueInvalid", "wrong, so the VM cannot be live-migrated. Share it.", "spec.a"),
        StatusCause("FieldValueInvalid", "b", "c"),
    ]

    answer = denied("1", "VirtualMachine", "web", causes, lead=lead, help_line="Help: https://wiki.example/vm")
    status = json.loads(answer)["response"]["status"]

    assert [cause["message"] for cause in status["details"]["causes"]] == [
        f"{lead} Reason: wrong. Share it.",
        "b. Help: https://wiki.example/vm",
    ]
    assert status["message"] == f"{lead} spec.a: wrong. Share it.; c: b Help: https://wiki.example/vm"


@pytest.mark.parametrize(
    ("kind", "finding", "reason"),
    [
        (
            "VirtualMachine",
            replace(FINDING, basis=Basis.KUBEVIRT),
            "the VirtualMachine cannot be live-migrated, so a node drain would hang or shut it down",
        ),
        (
            "VirtualMachineInstance",
            replace(FINDING, basis=Basis.BASELINE),
            "the VirtualMachineInstance violates Migratable's fixed list of rules for live migration",
        ),
        (
            "VirtualMachine",
            replace(FINDING, undetermined=True),
            "nothing proves that the VirtualMachine can be live-migrated",
        ),
        (
            "VirtualMachine",
            replace(FINDING, basis=Basis.ADVICE),
            "a live migration of the VirtualMachine, or a drain of its node, would fail",
        ),
        ("KubeVirt", FINDING, "live migrations would not work with this KubeVirt"),
    ],
)
def test_the_reason_of_a_denial_fits_its_findings(kind: str, finding: Finding, reason: str) -> None:
    """
    Only a finding for which KubeVirt refuses the migration says that the VM cannot be live-migrated.
    """
    decisions = [Decision(replace(FINDING, basis=Basis.KUBEVIRT), Action.WARN), Decision(finding, Action.DENY)]

    assert lead_of(kind, decisions) == f"Migratable refuses this request: {reason}."
    assert lead_of(kind, decisions[:1]) == ""


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        (("spec.gpus[10]", "spec.gpus[11]"), "spec.gpus"),
        (("spec.gpus[3]", "spec.gpus[3]"), "spec.gpus[3]"),
        (("spec.gpus[1].name", "spec.gpus[1].tag"), "spec.gpus[1]"),
        (("spec.volumes[0]", "spec.volumesCopied"), "spec"),
        (("metadata.labels[a.b/c]", "metadata.labels[a.b/d]"), "metadata.labels"),
        (("spec.a", "metadata.name"), "spec.a"),
    ],
)
def test_the_number_of_causes_that_are_not_shown_has_their_common_field(hidden: tuple[str, ...], shown: str) -> None:
    """
    The line names the part of the object that contains the other problems, or the first of them.
    """
    causes = [StatusCause("FieldValueInvalid", "wrong", field) for field in ("spec",) * MAX_CAUSES + hidden]

    status = json.loads(denied("1", "VirtualMachine", "web", causes, help_line="Help: #vm"))["response"]["status"]

    assert status["details"]["causes"][-1] == {
        "reason": "FieldValueInvalid",
        "message": "2 more problems are not shown. Help: #vm",
        "field": shown,
    }
