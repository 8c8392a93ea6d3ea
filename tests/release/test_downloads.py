"""A release needs the network once."""

from pathlib import Path

import pytest

from tools.release import __main__ as release
from tools.release import images
from tools.release.__main__ import main


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is downloaded. The images exist from the first pull on."""
    made: list[str] = []
    monkeypatch.setattr(release, "WHEELS", tmp_path / "wheels")
    monkeypatch.setattr(release, "BASES", tmp_path / "base-images")
    monkeypatch.setattr(release, "download_wheels", made.append)
    monkeypatch.setattr(images, "pull", made.append)
    monkeypatch.setattr(images, "pulled", lambda: ["sha256:1", "sha256:2"] if "base:1" in made else [])
    return made


def test_a_second_download_needs_no_network(downloads: list[str]) -> None:
    """
    The wheels and the base images of this tree are kept.
    """
    statuses = [main(["download", "--base", "base:1"]) for _ in range(2)]

    assert statuses == [0, 0]
    assert downloads == ["base:1", "3.13"]


def test_another_base_image_or_python_is_downloaded(downloads: list[str]) -> None:
    """
    Only what differs.
    """
    main(["download", "--base", "base:1"])
    main(["download", "--base", "base:2"])
    main(["download", "--base", "base:2", "--python", "3.12"])

    assert downloads == ["base:1", "3.13", "base:2", "3.12"]


def test_a_base_image_that_was_deleted_is_pulled_again(downloads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The images are in the storage of buildah, which another program can empty.
    """
    main(["download", "--base", "base:1"])
    monkeypatch.setattr(images, "pulled", list)

    main(["download", "--base", "base:1"])

    assert downloads == ["base:1", "3.13", "base:1"]


def test_without_images_no_image_is_pulled(downloads: list[str]) -> None:
    """
    Then buildah is not needed.
    """
    main(["download", "--without", "images"])

    assert downloads == ["3.13"]
