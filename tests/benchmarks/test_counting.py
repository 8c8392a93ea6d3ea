"""Changed sentences are counted without the values in them, and only wording is agreement."""

from collections import Counter

from benchmarks.agreement.counting import Comparison, changed_sentences, merged
from benchmarks.agreement.kinds import differences
from benchmarks.agreement.plain_text import answer

ANSWER = {"exit": 1, "stderr": "", "crash": "", "report": {"objects": [{"findings": [{"rule": "LM201"}]}]}}


def test_a_sentence_is_counted_once_whatever_values_it_holds() -> None:
    """
    Quoted values and numbers are left out of changed sentences; unchanged sentences are not listed.
    """
    old = "claim 'a' is RWO (2 of 3). Use another one."
    new = "PVC 'a' is RWO (2 of 3).\n  Use another one."

    assert list(changed_sentences(old, new)) == [("claim <…> is RWO (<…> of <…>)", "PVC <…> is RWO (<…> of <…>)")]


def test_a_sentence_in_which_only_a_value_changes_is_shown_with_it() -> None:
    """
    A changed value in an unchanged sentence stays visible.
    """
    assert list(changed_sentences("claim 'a'", "claim 'b'")) == [("claim 'a'", "claim 'b'")]


def test_the_place_and_full_stop_around_a_sentence_do_not_matter() -> None:
    """
    A sentence counts as the same in a warning, which has a field path in front, and in a list of causes.
    """
    assert list(changed_sentences("spec.volumes[0]: not shared.", "spec.volumes[0]: not RWX.")) == [
        ("not shared", "not RWX")
    ]


def test_a_shortened_sentence_is_counted_with_the_whole_one() -> None:
    """
    A warning of 120 characters ends within a sentence, which is then counted where it is whole.
    """
    whole = ("a claim is not", "a PVC is not")
    pairs = Counter(
        {
            ("a claim i…", "a PVC…"): 3,
            ("a c…", "a P…"): 4,
            whole: 2,
            ("a claim i…", "one PVC…"): 1,
            ("a claim…", "a P"): 1,
        }
    )

    assert merged(pairs) == {whole: 9, ("a claim i…", "one PVC…"): 1, ("a claim…", "a P"): 1}


def test_only_wording_is_agreement() -> None:
    """
    The program reports agreement as long as every difference is wording, and prints each kind with its count.
    """
    comparison = Comparison()
    comparison.add("first", {**ANSWER, "stderr": "claim 'web'"}, {**ANSWER, "stderr": "PVC 'web'"})
    agreed = comparison.is_wording_only
    comparison.add("second", ANSWER, {**ANSWER, "exit": 0})
    comparison.add("third", ANSWER, {**ANSWER, "crash": "KeyError:\n  'a'"})

    lines = list(comparison.lines())

    assert lines[0] == "3 answers compared: 3 exit 1, 3 findings"
    assert (agreed, comparison.is_wording_only) == (True, False)
    assert "exit status: 1" in lines
    assert "    second: exit: 1 -> 0" in lines
    assert "    third: crash: (empty) -> KeyError: 'a'" in lines
    assert "wording: 1 (pairs of sentences: 1)" in lines
    assert lines[-2:] == ["1 x - claim <…>", "    + PVC <…>"]


def test_message_and_remedy_of_a_finding_are_sentences_of_their_own() -> None:
    """
    In the text output, a changed remedy is shown without the message in front of it.
    """
    old, new = (
        answer(
            f"a.yaml:2 VirtualMachine a/b\n\n  deny LM101 x  a.yaml:3:1  spec\n       a bridge\n       fix: {verb} it\n"
        )
        for verb in ("write", "use")
    )

    [difference] = differences(old, new)

    assert list(changed_sentences(difference.old, difference.new)) == [("fix: write it", "fix: use it")]
