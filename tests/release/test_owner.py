"""The owner of the repository is set in one place."""

import re
import tomllib
from argparse import Namespace
from pathlib import Path

import pytest

from tools import owner
from tools.owner import FILES, PLACEHOLDER, PROJECT, ROOT, UnknownHost, homepage, owner_of, renewed
from tools.release import __main__ as release
from webhook import __version__

HOMEPAGE = homepage((ROOT / PROJECT).read_text(encoding="utf-8"))


def test_all_addresses_have_the_owner_of_the_homepage() -> None:
    """
    After an edit of the homepage, `make docs` must run.
    """
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
    named = owner_of(texts[PROJECT])

    assert {name: renewed(text, named) for name, text in texts.items()} == texts


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/OWNER/migratable/issues", "https://github.com/Acme-VMs/migratable/issues"),
        (
            "https://raw.githubusercontent.com/x/migratable/main/a.svg",
            "https://raw.githubusercontent.com/Acme-VMs/migratable/main/a.svg",
        ),
        ("https://OWNER.github.io/migratable/", "https://acme-vms.github.io/migratable/"),
        ("ghcr.io/OWNER/migratable:0.2.0", "ghcr.io/acme-vms/migratable:0.2.0"),
        ("https://github.com/kubevirt/kubevirt", "https://github.com/kubevirt/kubevirt"),
    ],
)
def test_an_address_of_the_project_gets_the_owner(address: str, expected: str) -> None:
    """
    Images and host names have no upper case. Other projects keep their owner.
    """
    assert renewed(address, "Acme-VMs") == expected


def test_no_placeholder_is_left_when_the_homepage_has_an_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One edit and one command replace all.
    """
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    project = tmp_path / PROJECT
    text = project.read_text(encoding="utf-8")
    project.write_text(
        re.sub(r'(?m)^(Homepage = ").*"$', r'\1https://github.com/acme/migratable"', text), encoding="utf-8"
    )
    monkeypatch.setattr(owner, "ROOT", tmp_path)

    status = owner.main()

    assert status == 0
    assert not [name for name in FILES if PLACEHOLDER in (tmp_path / name).read_text(encoding="utf-8")]
    urls = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["urls"]
    assert all(url.startswith(("https://github.com/acme/", "https://acme.github.io/")) for url in urls.values())


def test_a_homepage_elsewhere_is_an_error_with_a_remedy() -> None:
    """
    The addresses of another host have other forms.
    """
    with pytest.raises(UnknownHost, match=r"Edit the addresses in pyproject\.toml, deploy/helm"):
        owner_of('[project.urls]\nHomepage = "https://git.example/acme/migratable"\n')


@pytest.mark.parametrize(
    ("words", "page", "address"),
    [
        ([], HOMEPAGE, f"{HOMEPAGE}/releases/download/v{__version__}"),
        (["--homepage", "https://a.b/"], "https://a.b/", f"https://a.b/releases/download/v{__version__}"),
        (["--address", "https://files.a.b"], HOMEPAGE, "https://files.a.b"),
    ],
)
def test_the_addresses_for_krew_follow_from_the_homepage(
    monkeypatch: pytest.MonkeyPatch, words: list[str], page: str, address: str
) -> None:
    """
    Both are options.
    """
    built: list[Namespace] = []
    monkeypatch.setattr(release, "build", built.append)

    assert release.main(["build", *words]) == 0
    assert [(options.homepage, options.address) for options in built] == [(page, address)]
