"""I1, I5 to I8, I10 to I14, I22 and I24 of the nasty inputs, in files that the command line is given."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.nasty.door import CANARY, HOLE, Manifest, nested, pierced, secretive
from tests.surfaces.admission.reviews import claim, on_claim

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 256 * 2**20
"""Bytes of data that a run may have; what a hostile file makes of it must fit."""
WATCHED = f"""\
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY}, {MEMORY}))
DANGEROUS = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn", "subprocess.Popen", "socket.connect")
def hook(event, _arguments):
    if event in DANGEROUS:
        sys.stderr.write("EXECUTED " + event + "\\n")
sys.addaudithook(hook)
sys.argv[0] = "migratable"
runpy.run_module("webhook", run_name="__main__")
"""
"""Runs the command line, and tells what would start a program or open a connection."""
GOOD = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: good, namespace: tenant}
spec: {domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}
"""


@dataclass(frozen=True)
class Ran:
    """How a run ended, and what it used."""

    status: int
    out: str
    errors: dict[str, str]
    """By file name, without their place in it."""
    text: str
    seconds: float
    mib: float


def check(folder: Path, *arguments: str, stdin: bytes = b"") -> Ran:
    """`migratable check` in a process of its own, with little memory; nothing of what it reads may start anything."""
    out, err, given = (folder.parent / name for name in ("out", "err", "given"))
    given.write_bytes(stdin)
    with out.open("wb") as stdout, err.open("wb") as stderr, given.open("rb") as source:
        popen = subprocess.Popen(
            [sys.executable, "-c", WATCHED, "check", *(arguments or (str(folder),))],
            stdin=source,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        )
        _, status, used = os.wait4(popen.pid, 0)
        popen.returncode = os.waitstatus_to_exitcode(status)
    told = err.read_text()
    assert "EXECUTED" not in told
    assert "Traceback" not in told
    assert CANARY not in told + out.read_text()
    errors = {}
    for line in told.splitlines():
        place, _, message = line.removeprefix("error: ").partition(": ")
        errors[Path(place.partition(":")[0]).name] = message
    return Ran(popen.returncode, out.read_text(), errors, told, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good manifest."""
    made = tmp_path / "manifests"
    made.mkdir()
    (made / "good.yaml").write_text(GOOD)
    return made


def put(folder: Path, **files: str | bytes) -> None:
    """Files by their names without ``.yaml``."""
    for name, content in files.items():
        (folder / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())


def test_i1_nesting_beyond_reason(folder: Path) -> None:
    """
    I1: thousands of nested arrays are refused with their place, in flow and in block style; the rest is checked.
    """
    made = secretive()
    made["spec"]["template"]["metadata"]["x"] = HOLE.strip('"')
    blocks = "".join(" " * level + "-\n" for level in range(3000))
    put(folder, flow=pierced(json.dumps(made).encode(), nested(3000)), block=GOOD + "x:\n" + blocks)

    ran = check(folder)

    assert ran.status == 2
    assert {name: "deeper than" in message for name, message in ran.errors.items()} == {
        "flow.yaml": True,
        "block.yaml": True,
    }
    assert "in 1 object" in ran.out


def test_i5_a_key_that_stands_twice(folder: Path) -> None:
    """
    I5: the error names both lines, as kubectl refuses such a manifest.
    """
    put(folder, twice=GOOD + "metadata: {name: other}\n")

    ran = check(folder)

    assert (ran.status, ran.errors) == (
        2,
        {
            "twice.yaml": "metadata: duplicate key 'metadata' (lines 3 and 5). Remove one of the two keys.",
        },
    )


@pytest.mark.parametrize(
    ("port", "status"),
    [
        ("49152", 1),
        ("49152.0", 1),
        ("49152.5", 2),
        ('"49152"', 2),
        ("true", 2),
        (str(2**32 + 49152), 2),
        ("1e400", 2),
        (".nan", 2),
        ("9" * 5000, 2),
    ],
    ids=["whole", "point", "fraction", "text", "truth", "beyond 32 bits", "1e400", "NaN", "5000 digits"],
)
def test_i7_numbers(folder: Path, port: str, status: int) -> None:
    """
    I7: what API server and KubeVirt read as port 49152 is one, everything else is an error that names the place.
    """
    put(
        folder,
        port=GOOD.replace("masquerade: {}", "masquerade: {}, ports: [{port: " + port + "}, {port: 49153}]"),
    )

    ran = check(folder)

    assert ran.status == status
    assert list(ran.errors) == (["port.yaml"] if status == 2 else [])


def test_i8_lookalikes(folder: Path) -> None:
    """
    I8: a Cyrillic letter in a value makes another value, and the text shows it.
    """
    put(folder, alike=GOOD.replace("{domain:", "{evictionStrategy: L\u0456veMigrate, domain:"))

    ran = check(folder)

    assert ran.status == 1
    assert "evictionStrategy 'L\\u0456veMigrate' is not one of" in ran.out


BOMB = (
    "a0: &a0 ["
    + "x," * 10
    + "]\n"
    + "".join(f"a{level}: &a{level} [" + f"*a{level - 1}," * 10 + "]\n" for level in range(1, 9))
)


def test_i10_an_alias_bomb_is_refused_at_once(folder: Path) -> None:
    """
    I10: nine levels of ten aliases cost less than a second and 100 MiB.
    """
    plain = check(folder)
    put(folder, bomb=BOMB)

    ran = check(folder)

    assert (ran.status, list(ran.errors)) == (2, ["bomb.yaml"])
    assert ran.errors["bomb.yaml"].startswith("expands to more than 1,000,000 nodes.")
    assert ran.seconds - plain.seconds < 1
    assert ran.mib - plain.mib < 100


def test_i11_recursion_and_complex_keys_are_refused_and_merges_are_kubernetes(folder: Path) -> None:
    """
    I11: an anchor that holds itself and keys that are no text are refused; of merged mappings the first has the say.
    """
    put(
        folder,
        recursive="a: &a [*a]\n",
        complex="? [a, b]\n: c\n",
        merged=GOOD.replace("spec: {", "spec: {<<: [{evictionStrategy: None}, {evictionStrategy: nonsense}], "),
    )

    ran = check(folder)

    assert (ran.status, ran.errors) == (
        2,
        {
            "complex.yaml": "mapping or list as a key. Use a string as the key. Quote a key that starts with a "
            "bracket or brace.",
            "recursive.yaml": "a: anchor 'a' contains itself. Replace the alias with a value.",
        },
    )
    assert "nonsense" not in ran.out


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!set", "!!timestamp", "!!python/name:os.system", "!own", "!!omap"]
)
def test_i12_tags_make_nothing(folder: Path, tag: str) -> None:
    """
    I12: a tag that Kubernetes has no use for is refused by its name, and nothing is ever executed.
    """
    mark = folder.parent / "executed"
    put(folder, tagged=GOOD + f'x: {tag} ["touch {mark}"]\n')

    ran = check(folder)

    assert (ran.status, list(ran.errors)) == (2, ["tagged.yaml"])
    assert tag in ran.errors["tagged.yaml"]
    assert not mark.exists()


SCALARS: dict[str, str | None] = {
    "n": "bool false",
    "1:30": None,
    "0o17": "number 15",
    "1e3": "number 1000",
    "2024-01-01": None,
    "010": "number 8",
    ".inf": "refused",
}
"""What stands in the place of a text: None where it is text for Kubernetes too."""


@pytest.mark.parametrize("scalar", SCALARS)
def test_i13_scalars_are_those_of_kubernetes(folder: Path, scalar: str) -> None:
    """
    I13: what YAML 1.1, YAML 1.2 and Kubernetes read differently is read as Kubernetes does: text stays text where it is
    text there, and a number or a truth value in the place of a text is an error.
    """
    put(folder, scalar=GOOD.replace("{domain:", "{evictionStrategy: " + scalar + ", domain:"))

    ran = check(folder)

    if SCALARS[scalar] is None:
        assert f"evictionStrategy '{scalar}' is not one of" in ran.out
        assert ran.status == 1
    else:
        assert (ran.status, list(ran.errors)) == (2, ["scalar.yaml"])


def test_i14_what_is_no_file_is_told_and_the_rest_is_checked(folder: Path) -> None:
    """
    I14: pipes, devices, links out of the folder or in circles, folders with a file's name, giants, UTF-16 and binaries are
    each refused in their own words, in bounded time and memory, and the good file is checked.
    """
    (folder.parent / "secret.yaml").write_text(f"password: {CANARY}\n")
    os.mkfifo(folder / "fifo.yaml")
    (folder / "zero.yaml").symlink_to("/dev/zero")
    (folder / "outside.yaml").symlink_to("../secret.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "folder.yaml").mkdir()
    with (folder / "huge.yaml").open("wb") as huge:
        huge.truncate(2 * 2**30)
    put(folder, utf16=GOOD.encode("utf-16"), binary=bytes(range(256)) * 8)

    ran = check(folder)

    assert (ran.status, ran.errors) == (
        2,
        {
            "binary.yaml": "the input is a binary file or UTF-16. Name a YAML or JSON manifest in UTF-8.",
            "fifo.yaml": "not a regular file. Name a manifest file.",
            "folder.yaml": "a folder has the name of a manifest. Rename the folder.",
            "huge.yaml": "the file is larger than 10 MiB. Split the file.",
            "loop.yaml": "cannot be read: symbolic links form a loop. Check the path and its permissions.",
            "outside.yaml": "the symbolic link points outside the folder. Name the file itself.",
            "utf16.yaml": "the input is UTF-16. Save the file as UTF-8.",
            "zero.yaml": "the symbolic link points outside the folder. Name the file itself.",
        },
    )
    assert "in 1 object" in ran.out
    assert ran.seconds < 5


def test_i14_endless_input_is_cut(folder: Path) -> None:
    """
    I14: a device that is named outright, and more than 10 MiB on standard input, end the same way.
    """
    device, stdin = check(folder, "/dev/zero"), check(folder, "-", stdin=b"a: b\n" * (11 * 2**20 // 5))

    assert (device.status, stdin.status) == (2, 2)
    assert "is not a regular file" in device.text
    assert "the input is larger than 10 MiB" in stdin.text


def test_i22_what_only_servers_write_exempts_nothing(folder: Path) -> None:
    """
    I22: deletionTimestamp, status and managedFields in a manifest change no verdict.
    """
    plain = secretive(volumes=[on_claim("single")])
    written: Manifest = json.loads(json.dumps(plain))
    written["metadata"] |= {"name": "written", "deletionTimestamp": "2020-01-01T00:00:00Z", "managedFields": []}
    written["status"] = {"ready": True, "conditions": [{"type": "LiveMigratable", "status": "True"}]}
    facts = claim("single", "ReadWriteOnce")
    for name, document in (("plain", plain), ("written", written), ("claim", facts)):
        put(folder, **{name: json.dumps(document)})

    ran = check(folder, str(folder), "-o", "json")

    report: dict[str, Any] = json.loads(ran.out)
    verdicts = {
        each["name"]: (each["verdict"]["liveMigratable"], [found["rule"] for found in each["findings"]])
        for each in report["objects"]
        if each["kind"] == "VirtualMachine"
    }
    assert verdicts["written"] == verdicts["web"] == (False, ["LM201"])
    assert ran.status == 1


def test_i24_no_format_repeats_what_is_secret(folder: Path) -> None:
    """
    I24: user data beside broken fields comes back in no format of the report and in no error.
    """
    broken = secretive(volumes=[on_claim("single"), {"name": "c", "cloudInitNoCloud": {"userData": CANARY}}])
    broken["spec"]["template"]["spec"]["evictionStrategy"] = "nonsense"
    odd = secretive(volumes=[{"name": 5, "cloudInitNoCloud": {"userData": CANARY}}])
    put(folder, broken=json.dumps(broken, indent=1), odd=json.dumps(odd, indent=1))
    formats = ("text", "json", "yaml", "sarif", "junit", "github", "gitlab", "tap", "markdown", "openreports")

    for each in formats:
        ran = check(folder, str(folder), "-v", "-o", each)

        assert ran.status == 2, each
        assert "nonsense" in ran.out
