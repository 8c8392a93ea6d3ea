"""Nasty inputs I1, I5 to I8, I10 to I14, I22 and I24 in files for the command line."""

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
"""The limit of memory for a run, in bytes. A hostile file must not exceed it."""
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
"""Runs the command line, and reports attempts to start a program or to open a connection."""
GOOD = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: good, namespace: tenant}
spec: {domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}
"""


@dataclass(frozen=True)
class Ran:
    """The result of a run, and the resources that it used."""

    status: int
    out: str
    errors: dict[str, str]
    """Messages by file name, without the position."""
    text: str
    seconds: float
    mib: float


def check(folder: Path, *arguments: str, stdin: bytes = b"") -> Ran:
    """Runs `migratable check` in a process with little memory. Checks that no input executes code or gets into the output."""
    out, err, source_file = (folder.parent / name for name in ("out", "err", "stdin"))
    source_file.write_bytes(stdin)
    with out.open("wb") as stdout, err.open("wb") as stderr, source_file.open("rb") as source:
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
    text = err.read_text()
    assert "EXECUTED" not in text
    assert "Traceback" not in text
    assert CANARY not in text + out.read_text()
    errors = {}
    for line in text.splitlines():
        place, _, message = line.removeprefix("error: ").partition(": ")
        errors[Path(place.partition(":")[0]).name] = message
    return Ran(popen.returncode, out.read_text(), errors, text, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good manifest."""
    made = tmp_path / "manifests"
    made.mkdir()
    (made / "good.yaml").write_text(GOOD)
    return made


def put(folder: Path, **files: str | bytes) -> None:
    """Writes files, by their names without ``.yaml``."""
    for name, content in files.items():
        (folder / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())


def test_i1_deep_nesting_is_an_error(folder: Path) -> None:
    """
    I1: thousands of nested arrays are an error with a place, in flow and in block style. Other files are checked.
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


def test_i5_a_duplicate_key_is_an_error(folder: Path) -> None:
    """
    I5: the error names both lines.
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
def test_i7_a_number_is_read_as_kubevirt_reads_it(folder: Path, port: str, status: int) -> None:
    """
    I7: a number that API server and KubeVirt read as port 49152 is that port. Any other value is an error with its place.
    """
    put(
        folder,
        port=GOOD.replace("masquerade: {}", "masquerade: {}, ports: [{port: " + port + "}, {port: 49153}]"),
    )

    ran = check(folder)

    assert ran.status == status
    assert list(ran.errors) == (["port.yaml"] if status == 2 else [])


def test_i8_a_lookalike_letter_makes_another_value(folder: Path) -> None:
    """
    I8: the output shows a Cyrillic letter in a value as an escape.
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


def test_i10_an_alias_bomb_is_an_error(folder: Path) -> None:
    """
    I10: nine levels of ten aliases take less than 100 MiB of memory.
    """
    plain = check(folder)
    put(folder, bomb=BOMB)

    ran = check(folder)

    assert (ran.status, list(ran.errors)) == (2, ["bomb.yaml"])
    assert ran.errors["bomb.yaml"].startswith("expands to more than 1,000,000 nodes.")
    print(f"alias bomb: {ran.seconds - plain.seconds:.2f} s of CPU, {ran.mib - plain.mib:.0f} MiB")
    assert ran.mib - plain.mib < 100


def test_i11_recursion_and_complex_keys_are_errors_and_merges_follow_kubernetes(folder: Path) -> None:
    """
    I11: an anchor that contains itself and keys that are not scalars are errors. In a list of merges, the first one counts.
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
def test_i12_a_tag_executes_nothing(folder: Path, tag: str) -> None:
    """
    I12: a tag that Kubernetes does not support is an error that names it. Nothing is executed.
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
"""Scalars where a string is expected: None for a string in Kubernetes, else the value in Kubernetes."""


@pytest.mark.parametrize("scalar", SCALARS)
def test_i13_a_scalar_has_the_value_that_kubernetes_reads(folder: Path, scalar: str) -> None:
    """
    I13: this holds for scalars that YAML 1.1 and YAML 1.2 read differently. A number or boolean is an error where a string is
    expected.
    """
    put(folder, scalar=GOOD.replace("{domain:", "{evictionStrategy: " + scalar + ", domain:"))

    ran = check(folder)

    if SCALARS[scalar] is None:
        assert f"evictionStrategy '{scalar}' is not one of" in ran.out
        assert ran.status == 1
    else:
        assert (ran.status, list(ran.errors)) == (2, ["scalar.yaml"])


def test_i14_every_special_file_has_an_error_of_its_own_and_other_files_are_checked(folder: Path) -> None:
    """
    I14: this holds for pipes, devices, links out of the folder, loops of links, folders with the name of a file, huge files,
    and binary files, within the limit of memory. UTF-16 with a byte order mark is read.
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
            "folder.yaml": "the path is a folder with the name of a manifest. Rename the folder.",
            "huge.yaml": "the file is larger than 10 MiB. Split the file.",
            "loop.yaml": "cannot be read: symbolic links form a loop. Check the path and its permissions.",
            "outside.yaml": "the symbolic link points outside the folder. Name the file itself.",
            "zero.yaml": "the symbolic link points outside the folder. Name the file itself.",
        },
    )
    assert "in 2 objects" in ran.out
    print(f"special files: {ran.seconds:.2f} s of CPU")


def test_i14_endless_input_is_an_error(folder: Path) -> None:
    """
    I14: this holds for a device that is named as a path, and for one on standard input.
    """
    device, stdin = check(folder, "/dev/zero"), check(folder, "-", stdin=b"\0" * (11 * 2**20))

    assert (device.status, stdin.status) == (2, 2)
    assert "not a regular file" in device.text
    assert "the input is a binary file" in stdin.text


def test_i22_fields_that_only_servers_write_change_no_verdict(folder: Path) -> None:
    """
    I22: this holds for deletionTimestamp, status and managedFields in a manifest.
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
        judged["name"]: (judged["verdict"]["liveMigratable"], [finding["rule"] for finding in judged["findings"]])
        for judged in report["objects"]
        if judged["kind"] == "VirtualMachine"
    }
    assert verdicts["written"] == verdicts["web"] == (False, ["LM201"])
    assert ran.status == 1


def test_i24_no_format_repeats_secrets(folder: Path) -> None:
    """
    I24: user data next to invalid fields appears in no format of the report and in no error.
    """
    broken = secretive(volumes=[on_claim("single"), {"name": "c", "cloudInitNoCloud": {"userData": CANARY}}])
    broken["spec"]["template"]["spec"]["evictionStrategy"] = "nonsense"
    odd = secretive(volumes=[{"name": 5, "cloudInitNoCloud": {"userData": CANARY}}])
    put(folder, broken=json.dumps(broken, indent=1), odd=json.dumps(odd, indent=1))
    formats = ("text", "json", "yaml", "sarif", "junit", "github", "gitlab", "tap", "markdown", "openreports")

    for output_format in formats:
        ran = check(folder, str(folder), "-v", "-o", output_format)

        assert ran.status == 2, output_format
        assert "nonsense" in ran.out
