"""The design notes (``docs/page.md``) and the style sheet have the same colours, with enough contrast."""

import re
from pathlib import Path

import pytest

from docs.screenshots import VIEWS
from webhook.surfaces.api.page.layout import MARKS

ROOT = Path(__file__).resolve().parents[4]
NOTES = (ROOT / "docs" / "page.md").read_text()
ASSETS = ROOT / "webhook" / "surfaces" / "api" / "page" / "assets"
STYLE = (ASSETS / "page.css").read_text()
ROWS = re.findall(
    r"^\| `(--[a-z]+)` \|[^|]*\| `(#\w+)` \| ([\d.]+) \| ([\d.]+) \| `(#\w+)` \| ([\d.]+) \| ([\d.]+) \|$",
    NOTES,
    re.MULTILINE,
)


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--[a-z-]+): (#\w{6});", block))


LIGHT = colours(STYLE.partition("@media")[0])
DARK = colours(STYLE.partition("@media")[2].partition("/* Basics */")[0])


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_colour_has_the_contrast_of_the_notes(row: tuple[str, ...]) -> None:
    """
    Text has at least 4.5, borders have at least 3.
    """
    token, light, *ratios = row
    on_light, dark, on_dark = ratios[:2], ratios[2], ratios[3:]

    assert (LIGHT[token], DARK[token]) == (light, dark)
    for palette, written in ((LIGHT, on_light), (DARK, on_dark)):
        measured = [contrast(palette[token], palette[ground]) for ground in ("--page", "--panel")]
        assert [float(ratio) for ratio in written] == pytest.approx(measured, abs=0.06)
        assert min(measured) >= (3 if token == "--edge" else 4.5)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("state", ["deny", "warn", "open", "good"])
def test_each_state_can_be_read_on_its_tint(palette: dict[str, str], state: str) -> None:
    """
    So can plain text and remarks.
    """
    for token in (f"--{state}", "--ink", "--soft"):
        assert contrast(palette[token], palette[f"--{state}-tint"]) >= 4.5


def test_a_selector_has_one_rule_outside_media_queries() -> None:
    """
    Otherwise, a class that two pages use for different elements changes the look of both.
    """
    outside = re.sub(
        r"@media [^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL)
    )
    selectors = [selector.strip() for selector in re.findall(r"([^{}]+)\{", outside)]

    assert {selector for selector in selectors if selectors.count(selector) > 1} == set()


def test_every_colour_of_text_is_in_the_notes() -> None:
    """
    And both palettes have the same tokens.
    """
    assert {row[0] for row in ROWS} == {"--ink", "--soft", "--accent", "--deny", "--warn", "--open", "--good", "--edge"}
    assert LIGHT.keys() == DARK.keys()


def test_each_view_is_a_picture_in_the_notes() -> None:
    """
    The script that writes the pictures has the list.
    """
    pictures = re.findall(r"!\[([^]]+)\]\(images/([a-z-]+)\.png\)", NOTES)

    assert sorted(pictures) == sorted((view.about, view.name) for view in VIEWS)
    assert {f"{name}.png" for _, name in pictures} == {path.name for path in (ROOT / "docs" / "images").glob("*.png")}


def test_the_marks_of_states_are_the_same_everywhere() -> None:
    """
    In the notes, on the server and in the scripts.
    """
    for script in ("editor.js", "report.js", "check.js"):
        signs = re.search(r"const SIGNS = \{(.*)\};", (ASSETS / script).read_text())
        assert signs is not None
        found = dict(re.findall(r'(\w+): "(.)"', signs[1]))
        assert found.items() <= MARKS.items()
    assert all(f"| {mark} |" in NOTES for mark in MARKS.values())
