"""Invalid quantities (LM806) and names (LM807): the value that the remedy names."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.judging.finding import Finding
from webhook.judging.machines import judge_manifest
from webhook.kubevirt.releases import SUPPORTED
from webhook.objects.quantity import accepts


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
        ("2GB", "Write 2Gi (units of 1024^3), or 2G (units of 1000^3)."),
        ("512 mb", "Write 512Mi (units of 1024^2), or 512M (units of 1000^2)."),
        ("2K", "Write 2Ki (units of 1024^1), or 2k (units of 1000^1)."),
        ("100 bytes", "Write 100."),
        ("1,024Mi", "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."),
        ("much", "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."),
        ("", "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."),
        (0.5, 'Write "0.5", in quotes.'),
    ],
)
def test_the_remedy_of_an_invalid_quantity_names_the_probable_value(written: Any, remedy: str) -> None:
    """
    If the unit may be a power of 1000 or of 1024, the remedy names both values. Otherwise it shows the form of a quantity.
    """
    (finding,) = judged({"name": "a"}, written)

    assert (finding.rule.id, finding.remedy) == ("LM806", remedy)


NUMBERS = st.from_regex(r"[+-]?[0-9]{1,4}([.,][0-9]{0,3})?|[.,][0-9]{1,3}", fullmatch=True)
INVALID = st.builds(
    "".join,
    st.tuples(
        NUMBERS,
        st.sampled_from(("", " ")),
        st.sampled_from(("", *"kmgtpeKMGTPEu")),
        st.sampled_from(("", "i", "I")),
        st.sampled_from(("", "b", "B", " bytes")),
    ),
).filter(lambda text: not accepts(text))
"""Texts that look like a quantity and are invalid."""


@given(INVALID)
def test_the_remedy_of_an_invalid_quantity_names_valid_quantities(text: str) -> None:
    """
    Each value in the remedy is one that the API server accepts, so the remedy causes no second finding.
    """
    (finding,) = judged({"name": "a"}, text)

    words = re.sub(r" \(.*?\)", "", finding.remedy).split()
    values = [word.rstrip(".,") for word in words if word[0] in "+-.0123456789"]
    assert finding.rule.id == "LM806"
    assert values
    assert [value for value in values if not accepts(value)] == []


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
def test_the_remedy_of_an_invalid_name_names_a_similar_valid_name(
    metadata: dict[str, str], field: str, remedy: str
) -> None:
    """
    If there is no similar valid name, the remedy describes the characters of a name.
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
def test_valid_names_and_placeholders_have_no_finding(metadata: Any) -> None:
    """
    Placeholders of templates and values of another type have no finding of this rule either.
    """
    assert judged(metadata) == []


def test_names_of_unknown_kinds_are_not_judged() -> None:
    """
    Another API may have other rules for names.
    """
    findings = judged({"name": "Bad_Name"}, kind="VirtualMachin")

    assert [finding.rule.id for finding in findings] == ["LM801"]
