#!/bin/sh
# Writes the hashed locks from pyproject.toml. Needs uv; run after a change of dependencies, then read the diff.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile "$@" --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --quiet; }
compile pyproject.toml --extra server -o requirements/server.txt
# the smaller sets have the versions of the largest
compile pyproject.toml -c requirements/server.txt -o requirements/checker.txt
compile pyproject.toml --extra cluster -c requirements/server.txt -o requirements/cluster.txt
compile --group build -o requirements/build.txt
compile pyproject.toml --extra server --group dev -o requirements/dev.txt
# installed beside dev
compile --group site -c requirements/dev.txt -o requirements/site.txt
