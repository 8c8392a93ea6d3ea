"""The page about the architecture names the packages and files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TABLE = PAGE.partition("## Packages")[2].partition("\n## ")[0]


def packages(*roots: str) -> set[str]:
    """The packages below some folders, as the page writes them; a root that only contains packages is not one of them."""
    inits = [path for root in roots for path in (ROOT / root).rglob("__init__.py")]
    return {f"{path.parent.relative_to(ROOT)}/" for path in inits} - {"webhook/"}


def test_every_package_is_named() -> None:
    """
    And no package that does not exist.
    """
    assert set(re.findall(r"`((?:webhook|certs)/[a-z_/]*)`", TABLE)) == packages("webhook", "certs")


def test_every_file_that_is_named_exists() -> None:
    """
    Files are named by their path or by their end.
    """
    named = set(re.findall(r"`([a-z_/]+\.py)`", PAGE))
    files = [str(path.relative_to(ROOT)) for folder in ("webhook", "certs") for path in (ROOT / folder).rglob("*.py")]

    assert [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in files)] == []


def test_packages_are_listed_in_the_order_of_the_import_contract() -> None:
    """
    The layers of `pyproject.toml`, from top to bottom.
    """
    contract = (ROOT / "pyproject.toml").read_text().partition('"webhook.__main__",')[2].partition("]")[0]
    layers = [set(re.findall(r"webhook\.([a-z]+)", line)) for line in contract.splitlines()]
    rows = list(dict.fromkeys(re.findall(r"^\| `webhook/([a-z]+)/", TABLE, re.MULTILINE)))

    expected = [sorted(layer, key=rows.index) for layer in layers if layer - {"errors"}]
    assert rows == [name for layer in expected for name in layer]
