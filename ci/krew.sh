#!/bin/sh
# Builds kubectl-migratable-OS-ARCH.tar.gz for krew: a folder with the package, its dependencies and a start script.
# The plugin requires a Python of the same minor release. ci/krew.py writes the manifest.
# Usage: ci/krew.sh OUTPUT-FOLDER [--without-dependencies]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$1
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
home=$work/kubectl-migratable
os=$(uname -s | tr '[:upper:]' '[:lower:]')
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

if [ "${2-}" != --without-dependencies ]; then
  "$python" -m pip install --quiet --target "$home/lib" --require-hashes -r "$root/requirements/cluster.txt"
fi
"$python" -m pip install --quiet --target "$home/lib" --upgrade --no-deps "$root"
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

write_script kubectl-migratable main
write_script kubectl_complete-migratable complete
mkdir -p "$out"
tar -C "$work" -czf "$out/kubectl-migratable-$os-$arch.tar.gz" kubectl-migratable
echo "$out/kubectl-migratable-$os-$arch.tar.gz"
