"""Findings from outcomes, and the merging of findings of several expansions."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.generating import Manifest, World, carriers, worlds
from tests.surfaces.admission.reviews import claim, on_claim, vm
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.finding import Finding, Judgement, finding_of
from webhook.judging.machines import MAX_VIOLATIONS, judge, merge
from webhook.kubevirt import releases as known
from webhook.kubevirt.releases import KNOWN, NEWEST, NONE, SUPPORTED, Release, Releases, before, only, since
from webhook.objects.kinds import find_kind
from webhook.objects.meta import Kubernetes
from webhook.rules.register import RULES
from webhook.rules.rule import Basis, Rule, Undetermined, Violation

BY_ID = {rule.id: rule for rule in RULES}
SHARED, FILESYSTEM, PORTS, DRAIN = BY_ID["LM201"], BY_ID["LM203"], BY_ID["LM103"], BY_ID["LM501"]
OLD, NEW = before(Release(1, 5)), since(Release(1, 5))
PATH = ("spec", "volumes", 0)
NOTHING = ObjectsWorld([])


def read(value: Manifest) -> Kubernetes:
    kind = find_kind(value["apiVersion"], value["kind"])
    assert kind is not None
    return msgspec.convert(value, kind.reads)


@pytest.mark.parametrize(
    ("rule", "holding", "asked", "basis", "releases"),
    [
        pytest.param(SHARED, KNOWN, KNOWN, Basis.KUBEVIRT, KNOWN, id="refused by all"),
        pytest.param(SHARED, KNOWN, only(NEWEST), Basis.KUBEVIRT, only(NEWEST), id="refused by the one asked"),
        pytest.param(FILESYSTEM, KNOWN, KNOWN, Basis.KUBEVIRT, OLD, id="refused by some"),
        pytest.param(
            FILESYSTEM, KNOWN, NEW, Basis.BASELINE, NEW, id="on the list, not refused by the releases judged for"
        ),
        pytest.param(PORTS, KNOWN, NEW, Basis.BASELINE, NEW, id="on the list, refused by none"),
        pytest.param(DRAIN, KNOWN, NEW, Basis.ADVICE, NEW, id="advice"),
        pytest.param(DRAIN, OLD, KNOWN, Basis.ADVICE, OLD, id="advice for some"),
        pytest.param(DRAIN, OLD, NEW, None, NONE, id="advice for other releases only"),
        pytest.param(SHARED, OLD, KNOWN, Basis.KUBEVIRT, OLD, id="narrowed by the outcome"),
        pytest.param(SHARED, OLD, NEW, Basis.BASELINE, NEW, id="narrowed away, and still on the list"),
    ],
)
def test_a_violation_has_a_basis(
    rule: Rule, holding: Releases, asked: Releases, basis: Basis | None, releases: Releases
) -> None:
    """
    KubeVirt where a judged release refuses, else the fixed list, whatever the release, else advice.
    """
    finding = finding_of(rule, Violation(PATH, "message", releases=holding), asked)

    assert (finding.basis, finding.releases) == (basis, releases) if finding is not None else basis is None


def test_a_violation_keeps_its_own_remedy() -> None:
    """
    Without a remedy of the violation, the rule's remediation applies.
    """
    own, ruled = Violation(PATH, "m", remedy="own"), Violation(PATH, "m")

    assert [finding.remedy for item in (own, ruled) if (finding := finding_of(SHARED, item, KNOWN))] == [
        "own",
        SHARED.remediation,
    ]


def test_an_undetermined_finding_has_a_reason_and_the_missing_input() -> None:
    """
    It is no violation, and carries no remedy but that.
    """
    finding = finding_of(SHARED, Undetermined(PATH, "why", "settle", "subject"), KNOWN)

    assert finding is not None
    assert (finding.undetermined, finding.message, finding.remedy, finding.subject) == (
        True,
        "why",
        "settle",
        "subject",
    )


def test_an_undetermined_outcome_for_other_releases_is_no_finding() -> None:
    """
    An outcome for releases that are not judged does not count.
    """
    assert finding_of(FILESYSTEM, Undetermined(PATH, "why", "settle", releases=OLD), NEW) is None


def made(releases: Releases, basis: Basis = Basis.KUBEVIRT, **more: object) -> Finding:
    return replace(Finding(SHARED, basis, PATH, "first", "remedy", "s", releases), **more)  # type: ignore[arg-type]


def test_the_same_finding_in_several_releases_is_one() -> None:
    """
    Releases are merged; the message of the newest remains.
    """
    (merged,) = merge([made(OLD), made(NEW, message="second")])

    assert merged == made(KNOWN, message="second")


def test_the_basis_kubevirt_has_precedence_over_the_fixed_list() -> None:
    """
    Where only some releases refuse, the finding names these.
    """
    for order in ([made(OLD), made(NEW, Basis.BASELINE)], [made(NEW, Basis.BASELINE), made(OLD)]):
        (merged,) = merge(order)

        assert (merged.basis, merged.releases) == (Basis.KUBEVIRT, OLD)


@pytest.mark.parametrize(
    "other", [{"subject": "t"}, {"path": ("spec", "volumes", 1)}, {"undetermined": True}, {"rule": FILESYSTEM}]
)
def test_different_findings_stay_apart(other: dict[str, object]) -> None:
    """
    Another rule, subject, place or outcome is another finding; the order is that of their first appearance.
    """
    assert merge([made(OLD), made(OLD, **other), made(NEW)]) == [made(KNOWN), made(OLD, **other)]


MACHINES = st.tuples(carriers(), worlds())


@pytest.mark.parametrize(("listed", "told"), [(9_999, 9_999), (10_000, 10_000), (10_001, 10_000)])
def test_each_rule_reports_at_most_ten_thousand_violations(listed: int, told: int) -> None:
    """
    The limit is for each rule: what one rule leaves out takes nothing from another.
    """
    ports = {"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 49152}] * listed}]}
    devices = {**ports, "hostDevices": [{"name": item, "deviceName": "a/b"} for item in ("one", "two")]}

    reported = judge(read(vm(devices=devices)), NOTHING, NEW).findings

    assert sum(finding.rule is PORTS for finding in reported) == told
    others = [finding.path[-2:] for finding in reported if finding.rule is not PORTS and not finding.undetermined]
    assert others == [("hostDevices", 0), ("hostDevices", 1)]


@pytest.mark.parametrize("unknown", [9_998, 10_005])
def test_undetermined_outcomes_do_not_count_against_the_limit(unknown: int) -> None:
    """
    A violation behind ten thousand claims that are not known is found.
    """
    volumes = [on_claim(item, item) for item in (*(f"unknown{number}" for number in range(unknown)), "local")]

    reported = judge(
        read(vm(volumes=volumes)), ObjectsWorld([read(claim("local", "ReadWriteOnce"))]), only(NEWEST)
    ).findings

    assert [finding.subject for finding in reported if not finding.undetermined] == ["volume local claim local"]


def test_ten_thousand_violations_are_the_limit() -> None:
    """
    More findings would delay other requests. Undetermined findings do not end the search for violations.
    """
    ports = [{"port": 49152}] * (MAX_VIOLATIONS + 5)
    claims = [f"unknown{number}" for number in range(MAX_VIOLATIONS + 5)]
    volumes = [on_claim(item, item) for item in (*claims, "local", "other")]
    local = [read(claim(item, "ReadWriteOnce")) for item in ("local", "other")]

    wide = judge(
        read(vm(devices={"interfaces": [{"name": "default", "masquerade": {}, "ports": ports}]})), NOTHING, NEW
    )
    deep = judge(read(vm(volumes=volumes)), ObjectsWorld(local), only(NEWEST))

    assert [finding.rule for finding in wide.findings] == [PORTS] * MAX_VIOLATIONS
    assert [finding.subject for finding in deep.findings if not finding.undetermined] == ["volume local claim local"]


@settings(deadline=None, max_examples=60)
@given(MACHINES)
def test_any_release_is_the_union_of_the_single_ones(pair: tuple[Manifest, World]) -> None:
    """
    The findings for all releases are those of each release alone, and each names its releases.
    """
    machine, world = read(pair[0]), ObjectsWorld([read(item) for item in pair[1]])

    together = judge(machine, world, SUPPORTED)

    def key(finding: Finding) -> tuple[object, ...]:
        return finding.identity, finding.path, finding.undetermined

    alone: dict[tuple[object, ...], Releases] = {}
    for behaviour in known.behaviours(SUPPORTED):
        release = only(behaviour.release)
        for finding in judge(machine, world, release).findings:
            if finding.basis is Basis.KUBEVIRT:
                alone[key(finding)] = alone.get(key(finding), NONE) | release
    assert {key(one): one.releases for one in together.findings if one.basis is Basis.KUBEVIRT} == alone


@settings(deadline=None, max_examples=60)
@given(MACHINES)
def test_a_verdict_has_its_reasons(pair: tuple[Manifest, World]) -> None:
    """
    False has a reason and a violation; unproven names the missing input; True has neither.
    """
    judgement = judge(read(pair[0]), ObjectsWorld([read(item) for item in pair[1]]), only(NEWEST))

    verdict = judgement.verdict
    assert verdict is not None
    refusing = [finding for finding in judgement.findings if finding.basis is Basis.KUBEVIRT]
    if verdict.live_migratable is False:
        reason = verdict.reason or verdict.possible[-1]
        assert reason in {finding.rule.reason for finding in refusing if not finding.undetermined}
    elif verdict.live_migratable is None:
        assert verdict.unproven
        assert any(finding.undetermined for finding in refusing)
    else:
        assert (refusing, verdict.reason, verdict.unproven) == ([], None, ())


@settings(deadline=None, max_examples=60)
@given(MACHINES)
def test_a_finding_has_a_path_that_exists(pair: tuple[Manifest, World]) -> None:
    """
    Every path leads into the object as it was written, or ends at a field that is absent from it.
    """
    for finding in judge(read(pair[0]), ObjectsWorld([read(item) for item in pair[1]]), SUPPORTED).findings:
        assert finding.message
        assert finding.remedy
        here: object = pair[0]
        for step in finding.path:
            if isinstance(step, int):
                assert isinstance(here, list)
                assert step < len(here)
                here = here[step]
            elif isinstance(here, dict):
                here = here.get(step)
            else:
                assert here is None


@settings(deadline=None, max_examples=30)
@given(MACHINES)
def test_judging_twice_gives_the_same_findings(pair: tuple[Manifest, World]) -> None:
    """
    Nothing is remembered between two judgements.
    """
    machine, world = read(pair[0]), ObjectsWorld([read(item) for item in pair[1]])

    assert judge(machine, world, SUPPORTED) == judge(machine, world, SUPPORTED)


def test_an_object_that_carries_no_vmi_has_neither_findings_nor_verdict() -> None:
    """
    A claim is only looked up.
    """
    assert judge(read(claim("single", "ReadWriteOnce")), NOTHING, SUPPORTED) == Judgement(())
