"""The checker is small."""

import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from tools.release.__main__ import ROOT

MOST_BYTES = 12_000_000
NEEDED = ("click", "msgspec", "pathspec", "pyyaml", "ryaml")


def test_the_wheel_with_its_dependencies_takes_at_most_12_mb(tmp_path: Path) -> None:
    """
    Without the bytecode, which Python writes later.
    """
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        own = sum(member.file_size for member in archive.infolist())

    paths = [Path(str(file.locate())) for name in NEEDED for file in distribution(name).files or ()]
    others = sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())

    assert own > 1_000_000
    assert own + others <= MOST_BYTES
