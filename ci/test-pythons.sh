#!/usr/bin/env bash
# Runs the core tests on each supported Python on PATH or in pyenv, and lists the versions that are not installed.
#
#     ci/test-pythons.sh                    # the tests below
#     ci/test-pythons.sh tests/yaml         # other tests
#
# MIGRATABLE_PYTHONS="3.12 3.13" selects versions. Each version has its own environment in .cache/python-VERSION.
set -euo pipefail
cd "$(dirname "$0")/.."
core=(
  tests/objects/test_json_depth.py tests/judging/test_machines.py tests/judging/test_vmi_verdicts.py tests/policy/test_policy.py tests/policy/test_unreadable.py
  tests/yaml tests/cluster tests/manifests tests/surfaces/admission tests/properties tests/kubevirt tests/cni tests/nasty/test_door.py tests/nasty/test_files.py
)
[ $# -eq 0 ] || core=("$@")

runs() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null; }

interpreter() {
  local candidate
  for candidate in $(type -ap "python$1" || true) "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    # pyenv also puts a shim on PATH for versions that are not selected
    if [ -x "$candidate" ] && runs "$candidate" "$1"; then echo "$candidate"; return; fi
  done
  return 1
}

failed=() missing=() passed=()
for version in ${MIGRATABLE_PYTHONS:-3.11 3.12 3.13 3.14}; do
  if ! python=$(interpreter "$version"); then
    missing+=("$version")
    continue
  fi
  echo "== $("$python" --version) ($python)"
  make --no-print-directory VENV=".cache/python-$version" PYTHON="$python" ".cache/python-$version/development"
  if ".cache/python-$version/bin/python" -m pytest -m 'not apiserver and not helm and not scheduler and not browser' "${core[@]}"; then
    passed+=("$version")
  else
    failed+=("$version")
  fi
done
echo "passed: ${passed[*]:-none}; failed: ${failed[*]:-none}; not found: ${missing[*]:-none}"
[ ${#failed[@]} -eq 0 ]
