"""Configuration of Sphinx for the site."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from webhook import __version__

ROOT = Path(__file__).resolve().parents[2]
project = "Migratable"
release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
copybutton_prompt_text = "$ "
myst_heading_anchors = 4
nitpicky = True
pygments_style = "default"

html_title = "Migratable"
html_logo = html_favicon = str(ROOT / "docs" / "pictures" / "mark.svg")
html_theme = "pydata_sphinx_theme"
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_search_scorer = str(Path(__file__).parent / "scorer.js")
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "Migratable"},
    "navbar_end": ["version-switcher", "theme-switcher"],
    "switcher": {"json_url": "../versions.json", "version_match": ""},
    "check_switcher": False,
    "navigation_with_keys": False,
    "collapse_navigation": True,
    "show_prev_next": True,
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": []}


def setup(app: Sphinx) -> None:
    """The program passes the version after this file is read."""
    app.connect("config-inited", _mark_version)
    app.connect("html-page-context", _name_toggles, priority=900)


def _mark_version(_: Sphinx, config: Config) -> None:
    config.html_theme_options["switcher"]["version_match"] = config.version


def _name_toggles(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """The theme gives no name to the buttons that open a part of the navigation, so screen readers cannot announce them."""
    navigation = context["generate_toctree_html"]

    def named(kind: str, **options: object) -> str:
        return str(navigation(kind, **options)).replace("<summary>", '<summary aria-label="Pages of this part">')

    context["generate_toctree_html"] = named
