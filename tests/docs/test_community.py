"""The forms for issues, and the pages about the project."""

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


@pytest.mark.parametrize("form", [form for form in FORMS if form.name != "config.yml"], ids=lambda form: form.stem)
def test_a_form_has_the_shape_that_github_reads(form: Path) -> None:
    """
    GitHub shows no form, and no error to the reader, if a key is missing or an id is duplicate.
    """
    read = yaml.safe_load(form.read_text())
    ids = [part["id"] for part in read["body"]]

    assert {"name", "description", "title", "labels", "body"} == read.keys()
    assert sorted(set(ids)) == sorted(ids)
    assert all(part["type"] in {"textarea", "input"} and part["attributes"]["label"] for part in read["body"])
    assert any(part.get("validations", {}).get("required") for part in read["body"])


def test_a_wrong_verdict_is_reported_with_the_manifest_and_kubevirts_answer() -> None:
    """
    Without these two, no maintainer can repeat the verdict.
    """
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "wrong-verdict.yml").read_text())
    required = {part["id"] for part in form["body"] if part.get("validations", {}).get("required")}

    assert {"manifest", "kubevirt", "migratable", "release", "version"} == required


def test_dependabot_watches_folders_that_exist() -> None:
    """
    A pattern that matches no folder is ignored in silence.
    """
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    patterns = [name for update in updates for name in update.get("directories", [update.get("directory")])]

    assert all(pattern == "/" or list(ROOT.glob(pattern.strip("/"))) for pattern in patterns)


def test_every_picture_is_on_a_page_with_a_text_alternative() -> None:
    """
    And no page shows a picture that does not exist. The chart and the site show the mark.
    """
    shown = {
        (ROOT / page).parent.joinpath(target).resolve().relative_to(ROOT).as_posix(): text
        for page in pages()
        for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / page).read_text())
    }
    files = {
        path.relative_to(ROOT).as_posix() for folder in ("images", "pictures") for path in DOCS.glob(f"{folder}/*")
    }

    assert shown.keys() == files - {"docs/pictures/mark.svg"}
    assert all(" " in text for text in shown.values())
