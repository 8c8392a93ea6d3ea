"""What the rules about refused values say to write instead."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.judging.finding import Finding
from webhook.judging.machines import judge_manifest
from webhook.kubevirt.quantity import takes
from webhook.kubevirt.releases import SUPPORTED


def judged(metadata: Any = None, guest: Any = "1Gi", kind: str = "VirtualMachine") -> list[Finding]:
    spec = {"template": {"spec": {"domain": {"memory": {"guest": guest}}}}}
    raw = {"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return list(judge_manifest(raw, SUPPORTED).findings)


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("2 Gi", "Write 2Gi."),
        ("500 m", "Write 500m."),
        ("10GiB", "Write 10Gi."),
        ("2gi", "Write 2Gi."),
        ("1,5Gi", "Write 1.5Gi."),
        ("2GB", "Write 2Gi (1024^3 each), or 2G (1000^3 each)."),
        ("512 mb", "Write 512Mi (1024^2 each), or 512M (1000^2 each)."),
        ("2K", "Write 2Ki (1024^1 each), or 2k (1000^1 each)."),
        ("100 bytes", "Write 100."),
        ("1,024Mi", "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."),
        ("much", "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."),
        ("", "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."),
        (0.5, 'Write "0.5", in quotes.'),
    ],
)
def test_an_amount_is_told_with_what_was_meant(written: Any, remedy: str) -> None:
    """
    Where it may have been thousands or 1024s, both are named; where nobody can tell, how a quantity looks.
    """
    (finding,) = judged({"name": "a"}, written)

    assert (finding.rule.id, finding.remedy) == ("LM806", remedy)


@given(st.text("0123456789.,kmgtpeiKMGTPEB +-", max_size=8))
def test_what_is_told_to_write_is_taken(written: str) -> None:
    """
    Whatever was written: a value in the remedy is no mistake again.
    """
    for finding in judged({"name": "a"}, written):
        words = finding.remedy.removesuffix(".").split()
        if words[1] != "a":
            assert all(map(takes, (word for word in words[1:] if word[:1].isdigit())))


@pytest.mark.parametrize(
    ("metadata", "field", "remedy"),
    [
        ({"name": "Bad_Name"}, "name", "Write bad-name."),
        ({"name": "my vm (2)"}, "name", "Write my-vm-2."),
        ({"name": "a..b-"}, "name", "Write a.b."),
        ({"name": "a" * 254}, "name", "Write at most 253 "),
        ({"name": "___"}, "name", "Write at most 253 "),
        ({"name": "a", "namespace": "team.A"}, "namespace", "Write team-a."),
        ({"name": "a", "namespace": "a" * 64}, "namespace", "Write at most 63 "),
        ({"generateName": "Web_"}, "generateName", "Write web-."),
        ({"generateName": "a.-"}, "generateName", "Write a-."),
    ],
)
def test_a_name_is_told_with_the_nearest_one(metadata: dict[str, str], field: str, remedy: str) -> None:
    """
    Or with what names are made of, where there is none near.
    """
    (finding,) = judged(metadata)

    assert (finding.rule.id, finding.path) == ("LM807", ("metadata", field))
    assert finding.remedy.startswith(remedy)


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "a.b-c.1", "namespace": "kube-system"},
        {"name": "a" * 253},
        {"name": "", "generateName": "a-"},
        {"generateName": "a" * 253},
        {"generateName": "a--"},
        {"name": "${NAME}", "namespace": "{{ team }}"},
        {"name": 1, "namespace": None},
        {},
        None,
        "text",
    ],
)
def test_other_names_are_left_alone(metadata: Any) -> None:
    """
    Also names that are none yet, and what is no text: of that others tell.
    """
    assert judged(metadata) == []


def test_names_of_kinds_that_are_not_known_are_left_alone() -> None:
    """
    Nobody here knows how another API names its objects.
    """
    found = judged({"name": "Bad_Name"}, kind="VirtualMachin")

    assert [each.rule.id for each in found] == ["LM801"]
