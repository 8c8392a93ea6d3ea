"""The program runs the installed script of a checkout."""

import sys
from pathlib import Path

from benchmarks.agreement.asking import Checkout
from benchmarks.agreement.inputs import Check


def test_a_run_of_check_gives_exit_status_report_and_text(tmp_path: Path) -> None:
    """
    A checkout is asked through its installed script: each file in a process of its own, with its own exit status.
    """
    inputs, scratch = tmp_path / "inputs", tmp_path / "scratch"
    for folder in (inputs, scratch):
        folder.mkdir()
    (inputs / "odd.yaml").write_text("a: 1\na: 2\n")
    (inputs / "none.yaml").write_text("")
    checkout = Checkout(Path(sys.prefix).parent)

    answers = dict(checkout.checks(inputs, [Check("odd.yaml", ()), Check("none.yaml", ("--require-match",))], scratch))

    assert {name: answer["exit"] for name, answer in answers.items()} == {
        "check odd.yaml": 2,
        "check --require-match none.yaml": 2,
    }
    assert [len(answer["report"]["problems"]) for answer in answers.values()] == [1, 0]
