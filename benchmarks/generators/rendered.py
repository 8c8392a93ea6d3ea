"""
Manifests as Helm and kustomize render them, for repositories that keep what they deploy.

The texts in ``rendering/rendered/`` are real output of both (``render.py``), with placeholders. VMs alternate between a folder
with the two files of `helm template --output-dir` and one file of `kustomize build`.
"""

import re
from functools import cache

from benchmarks.generators.render import RENDERED
from benchmarks.generators.vms import EVERY, values, violates

_HASH = "bcdfghkmt24567890"
"""The letters of kustomize's name suffixes."""
_SUFFIX_LETTERS = 10
_SUFFIX = r"v0name-cloudinit-(\w{10})\b"
_BLOCKS = {
    "filesystems": "          filesystems:\n          - name: shared\n            virtiofs: {}\n",
    "host devices": "          hostDevices:\n          - deviceName: example.com/fpga\n            name: fpga\n",
}
"""Lines of both templates that only a VM with this violation has."""


def files(number: int) -> dict[str, str]:
    """The files of a VM with its claim, by path."""
    name = str(values(number, {})["name"])
    if number // EVERY % 2:
        return {f"{name}.yaml": _filled("kustomize.yaml", number)}
    chart = f"{name}/virtual-machine/templates"
    return {f"{chart}/{kind}.yaml": _filled(f"helm-{kind}.yaml", number) for kind in ("claim", "virtualmachine")}


@cache
def _template(file: str, wrong: str) -> tuple[str, str]:
    """A template without the lines of other violations, and the suffix in it."""
    text = (RENDERED / file).read_text()
    for violation, block in _BLOCKS.items():
        if violation != wrong:
            text = text.replace(block, "")
    if wrong == "bridge":
        text = text.replace("masquerade: {}", "bridge: {}")
    found = re.search(_SUFFIX, text)
    return text, found[1] if found else "v0suffix"


def _filled(file: str, number: int) -> str:
    text, suffix = _template(file, violates(number))
    known = values(number, {})
    placeholders = {
        suffix: _suffix(number),
        "v0namespace": known["namespace"],
        "v0name": known["name"],
        "v0team": known["team"],
        "v0mode": known["mode"],
        "v0key": known["key"],
        "77771": known["cores"],
        "77772": known["memory"],
        "77773": known["port"],
        "77774": known["size"],
        ":17:17:17": f":{number // 3_600 % 60:02}:{number // 60 % 60:02}:{number % 60:02}",
    }
    for placeholder, value in placeholders.items():
        text = text.replace(placeholder, str(value))
    return text


def _suffix(number: int) -> str:
    """A suffix like that of a Secret with other content."""
    scattered = (number + 1) * 2_654_435_761
    return "".join(_HASH[scattered // len(_HASH) ** place % len(_HASH)] for place in range(_SUFFIX_LETTERS))
