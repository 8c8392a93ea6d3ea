#!/bin/sh
# Builds kubectl-migratable-OS-ARCH.tar.gz for krew: a folder with the package, its dependencies and a start script.
# The plugin requires a Python of the same minor release. ci/krew.py writes the manifest.
# Usage: ci/krew.sh OUTPUT-FOLDER [--without-dependencies]
# For another platform or Python, and without a network (`make release`): KREW_PLATFORM=linux-arm64 KREW_PYTHON=3.13
# KREW_PACKAGE=dist/….whl, and pip's PIP_NO_INDEX and PIP_FIND_LINKS. Archives of the same wheels have the same bytes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$1
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
home=$work/kubectl-migratable
system=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
platform=${KREW_PLATFORM:-$system}
minor=${KREW_PYTHON:-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}

set -- "${2-}" --quiet --no-compile --target "$home/lib"
if [ -n "${KREW_PLATFORM-}" ]; then
  machine=$(echo "${platform#*-}" | sed 's/amd64/x86_64/; s/arm64/aarch64/')
  set -- "$@" --only-binary=:all: --python-version "$minor" \
    --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine"
fi
without=$1
shift
if [ "$without" != --without-dependencies ]; then
  "$python" -m pip install "$@" --require-hashes -r "$root/requirements/cluster.txt"
fi
"$python" -m pip install "$@" --upgrade --no-deps "${KREW_PACKAGE:-$root}"
# programs of other packages, and notes of pip with paths of this computer
rm -rf "$home/lib/bin"
find "$home/lib" \( -name direct_url.json -o -name RECORD -o -name INSTALLER -o -name REQUESTED \) -delete
cp "$root/LICENSE" "$home/"
# write_script NAME FUNCTION: a start script that calls a function of webhook.__main__
write_script() {
  cat > "$home/$1" <<SCRIPT
#!/bin/sh
# krew creates a link to this file; resolve it to find the folder
self=\$(readlink -f "\$0")
for python in python$minor python3; do
  if "\$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$minor")' 2> /dev/null; then
    PYTHONPATH="\${self%/*}/lib" exec "\$python" -c 'import sys; sys.argv[0] = "$1"
from webhook.__main__ import $2
$2()' "\$@"
  fi
done
echo "kubectl migratable needs Python $minor on PATH" >&2
exit 2
SCRIPT
  chmod 755 "$home/$1"
}

write_script kubectl-migratable script
write_script kubectl_complete-migratable complete
mkdir -p "$out"
archive=$out/kubectl-migratable-$platform.tar.gz
PYTHONPATH=$root "$python" -m tools.release.archives "$home" "$archive" "${SOURCE_DATE_EPOCH:-315532800}"
echo "$archive"
