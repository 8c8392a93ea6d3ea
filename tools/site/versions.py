"""The versions that the site contains: a folder for each, and `versions.json`, from which each page reads the list."""

import json
import re
from pathlib import Path

_REDIRECT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={version}/">
<title>Migratable</title>
<p><a href="{version}/">Migratable {version}</a></p>
</html>
"""


def write(site: Path, address: str) -> None:
    """Lists the folders of versions, and sends `index.html` to the newest."""
    found = sorted((path.parent.name for path in site.glob("*/index.html")), key=_order, reverse=True)
    entries = [
        {"version": name, "name": name, "url": f"{address.rstrip('/')}/{name}/", "preferred": name == found[0]}
        for name in found
    ]
    (site / "versions.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    (site / "index.html").write_text(_REDIRECT.format(version=found[0]), encoding="utf-8")


def _order(name: str) -> tuple[int, ...]:
    """Numbers compare as numbers; a name without one, such as `dev`, is the oldest."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", name))
