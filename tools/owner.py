"""
Writes the addresses of the project with the owner that `Homepage` in `pyproject.toml` names.

`make docs` runs `python -m tools.owner`. An owner who publishes Migratable sets `Homepage`, and runs `make docs`.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = "pyproject.toml"
FILES: Final = (PROJECT, "deploy/helm/migratable/Chart.yaml", "Dockerfile")
PLACEHOLDER: Final = "OWNER"
"""The owner in a repository that is not published."""

_HOMEPAGE: Final = re.compile(r"https://github\.com/([\w.-]+)/migratable")
_NAME: Final = re.compile(r"(?:(?<=github\.com/)|(?<=githubusercontent\.com/))[\w.-]+(?=/migratable)")
_IN_LOWER_CASE: Final = re.compile(r"(?<=ghcr\.io/)[\w.-]+(?=/migratable)|(?<=//)[\w-]+(?=\.github\.io/migratable)")
"""Names of images and of hosts have no upper case. The placeholder keeps it, so that it is seen."""


class UnknownHost(Exception):
    """The homepage is not a repository `migratable` on GitHub, so no other address follows from it."""


def homepage(project: str) -> str:
    """The page of the project, from the text of `pyproject.toml`."""
    page: str = tomllib.loads(project)["project"]["urls"]["Homepage"]
    return page


def owner_of(project: str) -> str:
    """The owner that the homepage names. Raises UnknownHost."""
    found = _HOMEPAGE.fullmatch(homepage(project))
    if found is None:
        raise UnknownHost(
            f"Homepage in {PROJECT} is not https://github.com/NAME/migratable. Edit the addresses in {', '.join(FILES)}."
        )
    return found[1]


def renewed(text: str, owner: str) -> str:
    """The text with this owner in each address of the project."""
    lower = owner if owner == PLACEHOLDER else owner.lower()
    return _IN_LOWER_CASE.sub(lower, _NAME.sub(owner, text))


def main() -> int:
    """Returns 1 if the addresses do not follow from the homepage."""
    try:
        owner = owner_of((ROOT / PROJECT).read_text(encoding="utf-8"))
    except UnknownHost as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for name in FILES:
        text = (ROOT / name).read_text(encoding="utf-8")
        if renewed(text, owner) != text:
            (ROOT / name).write_text(renewed(text, owner), encoding="utf-8")
            sys.stdout.write(f"{name} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
