#!/bin/sh
# Writes the hashed locks from pyproject.toml. Needs uv; run after a change of dependencies, then read the diff.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile "$@" --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --quiet; }
compile pyproject.toml -o requirements/runtime.txt
compile --group build -o requirements/build.txt
compile pyproject.toml --group dev -o requirements/dev.txt
