"""`python -m tools.site build`: makes the site; `serve`: serves it on this computer."""

import argparse
import functools
import http.server
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.site import links, sources, versions
from webhook import __version__

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 if the site has a broken link, an orphan page or another fault."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description="The documentation site.")
    parser.add_argument("command", choices=("build", "serve"))
    parser.add_argument("--folder", type=Path, default=SITE, help="where the site is (default: build/site)")
    parser.add_argument("--version", default=__version__.rpartition(".")[0], help="the folder of the version")
    parser.add_argument("--address", default="/", help="the address of the site, for links between versions")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    if options.command == "serve":
        return serve(options.folder, options.port)
    return build(options.folder, options.version, options.address)


def build(site: Path, version: str, address: str = "/", root: Path = ROOT) -> int:
    """Builds one version, and keeps the folders of others."""
    source, output = site.parent / f"{site.name}-source", site / version
    sources.write(root, source)
    shutil.rmtree(output, ignore_errors=True)
    sphinx = ["-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "--builder", "html"]
    places = ["--conf-dir", str(ROOT / "tools" / "site"), "--doctree-dir", f"{source}-trees", str(source), str(output)]
    command = [sys.executable, *sphinx, "--define", f"version={version}", *places]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - Sphinx of this environment
    faults = [] if status else links.problems(output)
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    if not status:
        versions.write(site, address)
    return 1 if status or faults else 0


def serve(site: Path, port: int) -> int:
    """Serves until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        sys.stdout.write(f"http://127.0.0.1:{port}/\n")
        server.serve_forever()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
