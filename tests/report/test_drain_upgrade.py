"""A report of ``migratable drain --upgrade``, which rehearses no drain."""

import re
from types import ModuleType

import pytest

from webhook.drain.plan import DrainReport, Readiness
from webhook.report.drain import drain_html, drain_markdown, drain_text

RENDERERS = (drain_text, drain_markdown, drain_html)
LEFT = tuple(Readiness("erp", f"vm-{at}", "n1", "outdated", "It is outdated.", "Restart the VM.") for at in range(40))


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_headline_counts_the_vmis_and_names_no_drain(renderer: ModuleType) -> None:
    """
    In each format for people.
    """
    text = renderer.render(DrainReport((), "upgrade", upgrade=LEFT[:2]))

    assert "Upgrade of KubeVirt: 2 VMIs need an action" in text
    assert "rain of" not in text
    assert "erp/vm-0" in text
    assert "erp/vm-1" in text


@pytest.mark.parametrize("renderer", RENDERERS)
def test_without_a_problem_the_headline_is_the_result(renderer: ModuleType) -> None:
    """
    No section follows.
    """
    text = renderer.render(DrainReport((), "upgrade"))

    assert text.count("Upgrade of KubeVirt: no VMI needs an action") >= 1


def test_the_text_names_vmis_with_the_same_problem_together() -> None:
    """
    At most 30 of them.
    """
    text = drain_text.render(DrainReport((), "upgrade", upgrade=LEFT))

    assert text.count("It is outdated.") == text.count("fix: Restart the VM.") == 1
    assert "and 10 more, which the JSON output lists" in " ".join(text.split())


@pytest.mark.parametrize("renderer", [drain_markdown, drain_html])
def test_the_other_formats_name_each_vmi(renderer: ModuleType) -> None:
    """
    A change request needs the whole list.
    """
    text = renderer.render(DrainReport((), "upgrade", upgrade=LEFT))

    assert set(re.findall(r"erp/vm-[0-9]+", text)) == {f"erp/vm-{at}" for at in range(40)}
