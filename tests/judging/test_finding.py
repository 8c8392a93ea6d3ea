"""An outcome of a rule becomes a finding (webhook.judging.finding)."""

from collections.abc import Iterator

from msgspec.structs import replace

from webhook.judging.finding import finding_of, findings_about
from webhook.kubevirt.releases import KNOWN, NEWEST, only
from webhook.rules.register import RULES
from webhook.rules.rule import Assumption, Basis, Outcome, Undetermined, Violation

BY_ID = {rule.id: rule for rule in RULES}
SHARED, PORTS = BY_ID["LM201"], BY_ID["LM103"]
PATH = ("spec", "volumes", 0)


def test_a_finding_of_a_violation_keeps_its_harm() -> None:
    """
    Updates are compared by harm, which is 0 unless the rule measures it; a violation rests on readable objects.
    """
    measured, plain = (finding_of(SHARED, item, KNOWN) for item in (Violation(PATH, "m", harm=7), Violation(PATH, "m")))

    assert measured is not None
    assert plain is not None
    assert (measured.harm, plain.harm) == (7, 0)
    assert (plain.undetermined, plain.unreadable) == (False, False)


def test_an_undetermined_finding_says_whether_an_object_could_not_be_read() -> None:
    """
    An object that exists and cannot be read differs from one that was not shown; neither does harm.
    """
    unreadable, hidden = (
        finding_of(SHARED, Undetermined(PATH, "why", "settle", unreadable=item), KNOWN) for item in (True, False)
    )

    assert unreadable is not None
    assert hidden is not None
    assert (unreadable.unreadable, hidden.unreadable) == (True, False)
    assert (unreadable.harm, hidden.harm) == (0, 0)


def test_undetermined_findings_of_the_fixed_list_need_no_refusing_release() -> None:
    """
    A rule that only the fixed list knows has undetermined findings too, in all releases.
    """
    finding = finding_of(PORTS, Undetermined(PATH, "why", "settle"), only(NEWEST))

    assert finding is not None
    assert (finding.basis, finding.releases) == (Basis.BASELINE, only(NEWEST))


def test_an_assumption_is_no_finding() -> None:
    """
    Assumptions belong to a verdict, and facts without a VMI have none.
    """

    def check(_facts: object) -> Iterator[Outcome]:
        yield Assumption("the sun rises")
        yield Violation(PATH, "found")

    result = list(findings_about([replace(SHARED, check=check)], None, KNOWN))

    assert [finding.message for finding in result] == ["found"]
