"""The site is built from the pages of the repository."""

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browsing import chromium
from tools.site import links, sources, versions
from tools.site.__main__ import ROOT, build
from tools.site.navigation import SECTIONS, pages

needs_sphinx = pytest.mark.skipif(find_spec("sphinx") is None, reason="Sphinx is not installed: make .venv/site")


def repository(tmp_path: Path, **files: str) -> Path:
    """A repository with these pages in `docs`."""
    root = tmp_path / "repository"
    (root / "docs").mkdir(parents=True)
    for name, text in files.items():
        (root / "docs" / f"{name}.md").write_text(text)
    return root


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_arguments: object) -> None:
        """Writes nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder is served."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with version 0.9."""
    site = tmp_path_factory.mktemp("built") / "site"
    assert build(site, "0.9") == 0
    return site


@needs_sphinx
def test_the_site_has_no_broken_link_and_no_orphan_page(built: Path) -> None:
    """
    Sphinx reports links in Markdown and pages outside the navigation; the links of the HTML are checked again.
    """
    output = built / "0.9"
    assert links.problems(output) == []
    pages_of_site = {path.relative_to(output).as_posix() for path in output.rglob("*.html")}
    assert {sources.place(page).replace(".md", ".html") for page in pages(ROOT)} <= pages_of_site
    [version] = json.loads((built / "versions.json").read_text())
    assert (version["version"], version["url"]) == ("0.9", "/0.9/")


@needs_sphinx
@pytest.mark.browser
def test_axe_finds_nothing_on_the_site(built: Path) -> None:
    """
    In light and dark, on a phone and on a screen. Nothing is wider than the screen, and no script fails.
    """
    looks: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 390)]
    with served(built) as address, chromium() as browser:
        for scheme, width in looks:
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
            page = context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            for path in ("index.html", "rules/LM201.html", "cli.html", "search.html?q=drain"):
                page.goto(f"{address}/0.9/{path}", wait_until="networkidle")
                found = Axe().run(page).response["violations"]
                assert [(path, scheme, one["id"], one["nodes"][0]["html"]) for one in found] == []
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert errors == []
            context.close()


def test_the_page_of_a_section_says_what_a_reader_finds(tmp_path: Path) -> None:
    """
    Each page has its title and its content.
    """
    sources.write(ROOT, tmp_path)

    text = (tmp_path / "operate.md").read_text()
    assert "| [The policy file](policy.md) | Actions of rules, and exemptions. |" in text
    assert "\nThe Helm chart </chart>\n" in text
    assert all(section.entries[page].endswith(".") for section in SECTIONS for page in section.pages)


def test_the_search_leaves_out_pages_about_the_past(tmp_path: Path) -> None:
    """
    Sphinx reads `nosearch` at the beginning of a page.
    """
    sources.write(ROOT, tmp_path)

    left_out = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.md") if "nosearch: true" in path.read_text()}
    assert {str(path.parent) for path in left_out} == {".", "decisions"}
    assert Path("changelog.md") in left_out


def test_the_order_of_the_search_names_pages_that_exist() -> None:
    """
    A page with another name would have no place in the order.
    """
    script = (ROOT / "tools" / "site" / "scorer.js").read_text()
    named = {name for names in re.findall(r"\^\(([^)]+)\)\$", script) for name in names.split("|")}

    assert len(named) > 6
    assert named <= {sources.place(page).removesuffix(".md") for page in pages(ROOT)}


@pytest.mark.parametrize(
    ("page", "place"),
    [
        ("README.md", "index.md"),
        ("docs/ci.md", "ci.md"),
        ("docs/rules/LM201.md", "rules/LM201.md"),
        ("docs/rules/README.md", "rules/index.md"),
        ("SECURITY.md", "security.md"),
        ("deploy/helm/migratable/README.md", "chart.md"),
        ("examples/README.md", "examples.md"),
    ],
)
def test_a_page_has_a_short_path(page: str, place: str) -> None:
    """
    The folder `docs` is not part of an address.
    """
    assert sources.place(page) == place


def test_no_two_pages_have_the_same_place() -> None:
    """
    The second page would overwrite the first.
    """
    places = [sources.place(page) for page in pages(ROOT)]

    assert sorted(set(places)) == sorted(places)


def test_links_follow_the_pages_and_code_is_left_alone(tmp_path: Path) -> None:
    """
    A link to a page keeps its anchor, and a link to a folder leads to its README.
    """
    root = repository(tmp_path)
    (root / "examples" / "fleet").mkdir(parents=True)
    text = "[a](../SECURITY.md#x) [b](rules/LM201.md) [c](../examples/fleet) [d](#e) [f](https://x.y/z) `[g](../h.md)`"

    new = sources.rewritten(text, "docs/ci.md", root, tmp_path / "out")

    assert new == "[a](security.md#x) [b](rules/LM201.md) [c](examples.md) [d](#e) [f](https://x.y/z) `[g](../h.md)`"


def test_a_linked_file_is_part_of_the_site(tmp_path: Path) -> None:
    """
    The site does not depend on the address of a repository.
    """
    root = repository(tmp_path)
    (root / "deploy").mkdir()
    (root / "deploy" / "role.yaml").write_text("kind: ClusterRole\n")

    new = sources.rewritten("[role](../../deploy/role.yaml)", "docs/rules/LM101.md", root, tmp_path / "out")
    assert new == "[role](../deploy/role.yaml)"
    assert (tmp_path / "out" / "deploy" / "role.yaml").read_text() == "kind: ClusterRole\n"


def test_broken_links_and_orphans_are_named(tmp_path: Path) -> None:
    """
    Each with the page and the link.
    """
    (tmp_path / "index.html").write_text(
        '<a href="a.html#here">a</a> <a href="b.html">b</a> <a href="https://x.yz">x</a>'
    )
    (tmp_path / "a.html").write_text('<h2 id="there">A</h2> <img src="c.svg">')
    (tmp_path / "d.html").write_text("<p>D</p>")

    assert links.problems(tmp_path) == [
        "a.html: c.svg leads to no file",
        "index.html: a.html#here leads to no heading",
        "index.html: b.html leads to no file",
        "d.html: no link leads to this page",
    ]


@pytest.mark.parametrize(
    ("link", "is_good"),
    [
        ("https://kubevirt.io/user-guide/compute/#post-copy", True),
        ("https://kind.sigs.k8s.io", True),
        ("http://kubevirt.io/", False),
        ("https://kubevirt/user-guide", False),
        ("https://github.com/OWNER/migratable", False),
        ("https://kubevirt.io/a b", False),
        ("htps://kubevirt.io/", False),
        ("//kubevirt.io/", False),
    ],
)
def test_a_link_to_another_site_is_an_address(tmp_path: Path, link: str, is_good: bool) -> None:
    """
    No test has a network, so the page at the address is not read.
    """
    (tmp_path / "index.html").write_text(f'<a href="{link}">x</a>')

    assert links.problems(tmp_path) == ([] if is_good else [f"index.html: {link} is no address of another site"])


def test_versions_are_listed_newest_first(tmp_path: Path) -> None:
    """
    0.10 is newer than 0.9, and both are newer than `dev`.
    """
    for name in ("0.9", "dev", "0.10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("")

    versions.write(tmp_path, "https://docs.example.org/")

    entries = json.loads((tmp_path / "versions.json").read_text())
    assert [entry["url"] for entry in entries] == [
        "https://docs.example.org/0.10/",
        "https://docs.example.org/0.9/",
        "https://docs.example.org/dev/",
    ]
    assert [entry["name"] for entry in entries if entry["preferred"]] == ["0.10"]
    assert 'url=0.10/"' in (tmp_path / "index.html").read_text()
