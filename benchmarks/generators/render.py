"""
Renders the templates of ``rendered.py`` with helm and kustomize: `python -m benchmarks.generators.render`.

The chart and the base in ``rendering/`` have placeholders for the values of a VM. helm is the one of `tests/deploy`, kustomize is
the one of kubectl.
"""

import subprocess
import tempfile
from pathlib import Path

from tests.apiserver.binaries import find_binary

RENDERING = Path(__file__).with_name("rendering")
RENDERED = RENDERING / "rendered"


def helm() -> dict[str, str]:
    """The files that `helm template --output-dir` writes."""
    with tempfile.TemporaryDirectory() as place:
        flags = ("--namespace", "v0namespace", "--output-dir", place)
        argv = [find_binary("helm"), "template", "v0name", RENDERING / "chart", *flags]
        subprocess.run([str(part) for part in argv], check=True, capture_output=True)
        return {f"helm-{path.name}": path.read_text() for path in sorted(Path(place).rglob("*.yaml"))}


def kustomize() -> dict[str, str]:
    """The output of `kubectl kustomize`."""
    argv = [find_binary("kubectl"), "kustomize", RENDERING / "base"]
    done = subprocess.run([str(part) for part in argv], check=True, capture_output=True, text=True)
    return {"kustomize.yaml": done.stdout}


def main() -> None:
    RENDERED.mkdir(exist_ok=True)
    for name, text in {**helm(), **kustomize()}.items():
        (RENDERED / name).write_text(text)
        print(RENDERED / name)


if __name__ == "__main__":
    main()
